/**
 * Which names may hold one object, or objects that share memory, as execution proceeds. Over-approximates: sharing is
 * kept symmetric and transitive, so that a change through one name is a change of all names in its group.
 */
import type { ObservedCell } from '../observation.ts'
import type { Unit } from './units.ts'

export class Sharing {
  readonly #groups = new Map<string, Set<string>>()

  /** Names that may share state with `name`, itself included. */
  of(name: string): ReadonlySet<string> {
    return this.#groups.get(name) ?? new Set([name])
  }

  detach(name: string): void {
    const group = this.#groups.get(name)
    group?.delete(name)
    this.#groups.delete(name)
  }

  join(first: string, second: string): void {
    if (first === second) return
    const merged = new Set([...this.of(first), ...this.of(second)])
    for (const name of merged) this.#groups.set(name, merged)
  }

  /** Bindings of one statement: the target leaves its old group and joins those of what it was made from. */
  bind(unit: Unit, seen: ObservedCell | null, isFinalBinding: (name: string) => boolean): void {
    const before = new Map(unit.aliases.map((alias) => [alias.source, [...this.of(alias.source)]]))
    for (const name of unit.binds) {
      // `b += [1]` and `b = f(b)` may leave b the object that it was.
      const mayStay = unit.reads.has(name) && !cleared(name, seen, isFinalBinding)
      if (!mayStay) this.detach(name)
    }
    for (const alias of unit.aliases) {
      if (cleared(alias.target, seen, isFinalBinding)) continue
      for (const source of before.get(alias.source) ?? [alias.source]) {
        if (source !== alias.target && !(unit.binds.includes(source) && source !== alias.source)) {
          this.join(alias.target, source)
        }
      }
    }
    if (seen === null) return
    for (const value of seen.values) {
      if (!unit.binds.includes(value.name) && !unit.mutates.has(value.name)) continue
      for (const other of value.sharesBufferWith) this.join(value.name, other)
      if (value.aliasGroup === null) continue
      for (const other of seen.values) {
        if (other.aliasGroup === value.aliasGroup) this.join(value.name, other.name)
      }
    }
  }

  remove(name: string): void {
    this.detach(name)
  }
}

function cleared(target: string, seen: ObservedCell | null, isFinalBinding: (name: string) => boolean): boolean {
  if (seen === null || seen.state !== 'ok' || !isFinalBinding(target)) return false
  const value = seen.values.find((candidate) => candidate.name === target)
  return (
    value !== undefined &&
    value.kind !== 'unserialisable' &&
    value.aliasGroup === null &&
    value.sharesBufferWith.length === 0
  )
}
