/**
 * Which names may hold one object, or objects that share memory, as execution proceeds. Over-approximates: sharing is
 * kept symmetric and transitive, so that a change through one name is a change of all names in its group.
 */
import type { ObservedCell } from '../observation.ts'
import type { Unit } from './units.ts'

export class Sharing {
  readonly #groups = new Map<string, Set<string>>()
  readonly #isImmutable: (name: string) => boolean

  /** `isImmutable`: the name holds a number, a text or None, which nobody can change. */
  constructor(isImmutable: (name: string) => boolean) {
    this.#isImmutable = isImmutable
  }

  /** Names that may share state with `name`, itself included. */
  of(name: string): ReadonlySet<string> {
    return this.#groups.get(name) ?? new Set([name])
  }

  /** The name lets go of its object; a ghost of its version stays in the group, since older copies may still hold it. */
  detach(name: string, version: number | undefined): string {
    const ghost = ghostOf(version ?? -1)
    const group = this.#groups.get(name) ?? new Set<string>()
    group.delete(name)
    this.#groups.delete(name)
    if (version === undefined) return ghost
    group.add(ghost)
    this.#groups.set(ghost, group)
    return ghost
  }

  join(first: string, second: string): void {
    if (first === second || this.#isImmutable(first) || this.#isImmutable(second)) return
    const merged = new Set([...this.of(first), ...this.of(second)])
    for (const name of merged) this.#groups.set(name, merged)
  }

  /** Bindings of one statement: the target leaves its old group and joins those of what it was made from. */
  bind(at: BindingSite): void {
    const { unit, seen, isFinalBinding } = at
    const handles = new Map<string, string>()
    for (const name of new Set(unit.binds)) {
      // `b += [1]` and `b = f(b)` may leave b the object that it was.
      const mayStay = unit.reads.has(name) && !cleared(name, seen, isFinalBinding)
      if (mayStay && unit.binds.length === 1) continue
      const ghost = this.detach(name, at.versionOf(name))
      handles.set(name, ghost)
      if (mayStay) this.join(name, ghost)
    }
    for (const alias of unit.aliases) {
      if (!cleared(alias.target, seen, isFinalBinding))
        this.join(alias.target, handles.get(alias.source) ?? alias.source)
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
}

export interface BindingSite {
  readonly unit: Unit
  readonly seen: ObservedCell | null
  readonly isFinalBinding: (name: string) => boolean
  /** Version that the name held before. */
  readonly versionOf: (name: string) => number | undefined
}

const GHOST = '#'

function ghostOf(version: number): string {
  return `${GHOST}${version}`
}

/** Version of a name that has let go of its object; null for names in use. */
export function ghostVersion(member: string): number | null {
  return member.startsWith(GHOST) ? Number(member.slice(GHOST.length)) : null
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
