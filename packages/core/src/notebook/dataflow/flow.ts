/**
 * Static single assignment over units in execution order. Every use names the version it reads, late reads of functions
 * included (bound when the function runs, transitively). A change of an object is a new version of every name that may
 * share it. `UNBOUND` stands for a name without a value: a builtin, or an error.
 */
import type { Observation, ObservedCell } from '../observation.ts'
import { ghostVersion, Sharing } from './sharing.ts'
import { isData, onlyCalled, randomTokens, type Unit, type Units } from './units.ts'
import type { DefinitionFact, TokenUse } from '../ir.ts'

export const UNBOUND = -1

export interface Version {
  readonly id: number
  readonly name: string
  readonly unit: number
  /** Names that code held by this value reads when it runs. */
  readonly lateReads: ReadonlySet<string>
  readonly lateWrites: ReadonlySet<string>
  readonly lateTokens: readonly TokenUse[]
  /** A function whose result holds no code of its own. */
  readonly plainFunction: boolean
}

export interface UnitFlow {
  /** Name to version read, late reads included where they are bound. */
  readonly uses: ReadonlyMap<string, number>
  /** Uses that happen only through a function called here. */
  readonly lateOnly: ReadonlySet<string>
  readonly defs: ReadonlyMap<string, number>
  /** Names read that had no value then. */
  readonly unbound: ReadonlySet<string>
  /** Name groups changed here, each of names that may share state. */
  readonly changedGroups: readonly (readonly string[])[]
  /** Versions that no name holds any more, whose object may change here all the same. */
  readonly ghosts: ReadonlySet<number>
  readonly tokens: readonly TokenUse[]
}

export interface Flow {
  readonly versions: readonly Version[]
  readonly units: readonly UnitFlow[]
  /** Name to version alive at the end. */
  readonly final: ReadonlyMap<string, number>
}

export function computeFlow(units: Units, observation: Observation | null, textOf: (unit: Unit) => string): Flow {
  return new FlowBuilder(units, observation, textOf).build()
}

class FlowBuilder {
  readonly #units: Units
  readonly #observed: ReadonlyMap<number, ObservedCell>
  readonly #textOf: (unit: Unit) => string
  readonly #versions: Version[] = []
  readonly #current = new Map<string, number>()
  readonly #sharing: Sharing

  constructor(units: Units, observation: Observation | null, textOf: (unit: Unit) => string) {
    this.#units = units
    this.#observed = new Map((observation?.cells ?? []).map((cell) => [cell.index, cell]))
    this.#textOf = textOf
    this.#sharing = new Sharing((name) => this.#isImmutable(name))
  }

  build(): Flow {
    const flows = this.#units.list.map((unit) => this.#step(unit))
    return { versions: this.#versions, units: flows, final: new Map(this.#current) }
  }

  #step(unit: Unit): UnitFlow {
    const uses = new Map<string, number>()
    const unbound = new Set<string>()
    for (const name of unit.reads) {
      const version = this.#current.get(name)
      if (version !== undefined) uses.set(name, version)
      // A word of a query may be a column's name: only what code names must exist.
      else if (unit.facts.reads.some((access) => access.name === name)) unbound.add(name)
    }
    const direct = new Set(uses.keys())
    const definesOnly = isDefinition(unit)
    const tokens: TokenUse[] = [...unit.tokens]
    const changed = new Set(unit.mutates)
    // A name that this statement itself binds (a loop variable, a lambda's free name) is not an input of it.
    const late = definesOnly ? decoratorLate(unit) : inlineLate(unit)
    for (const one of definesOnly ? [] : unit.facts.definitions)
      for (const name of lateChanges(one)) if (!this.#seenUnchanged(unit, name)) changed.add(name)
    this.#followLate({ unit, uses, late, tokens, changed })
    for (const name of unit.unseen) {
      for (const [other, version] of uses) if (!this.#isCode(version)) this.#sharing.join(name, other)
    }
    const changedGroups: string[][] = []
    const ghosts = new Set<number>()
    for (const name of changed) {
      const members = [...this.#sharing.of(name)]
      const group = members.filter((member) => this.#current.has(member))
      for (const member of members) {
        const ghost = ghostVersion(member)
        if (ghost !== null) ghosts.add(ghost)
      }
      if (group.length > 0) changedGroups.push(group)
      for (const member of group) uses.set(member, this.#current.get(member) ?? UNBOUND)
    }
    for (const name of [...unit.mayBinds, ...unit.deletes]) {
      const version = this.#current.get(name)
      if (version !== undefined) uses.set(name, version)
    }
    const defs = this.#define(unit, uses, changedGroups)
    const lateOnly = new Set([...uses.keys()].filter((name) => !direct.has(name)))
    return { uses, lateOnly, defs, unbound, changedGroups, ghosts, tokens }
  }

  /** The run shows that the cell left it alone. */
  #seenUnchanged(unit: Unit, name: string): boolean {
    const seen = this.#observed.get(unit.cell)
    return seen !== undefined && seen.state === 'ok' && !seen.mutated.includes(name) && !seen.bound.includes(name)
  }

  #followLate(at: {
    unit: Unit
    uses: Map<string, number>
    late: readonly string[]
    tokens: TokenUse[]
    changed: Set<string>
  }): void {
    const pending = [...at.uses.keys(), ...at.late]
    const done = new Set<string>()
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (done.has(name)) continue
      done.add(name)
      const id = this.#current.get(name)
      if (id === undefined) continue
      at.uses.set(name, id)
      const version = this.#versions[id]
      if (version === undefined) continue
      pending.push(...version.lateReads)
      for (const written of version.lateWrites) {
        pending.push(written)
        if (!this.#seenUnchanged(at.unit, written)) at.changed.add(written)
      }
      at.tokens.push(...version.lateTokens)
    }
  }

  #define(
    unit: Unit,
    uses: ReadonlyMap<string, number>,
    changedGroups: readonly (readonly string[])[],
  ): Map<string, number> {
    const defs = new Map<string, number>()
    const carried = this.#carried(unit, uses)
    for (const group of changedGroups) {
      for (const name of group) {
        const old = this.#versions[this.#current.get(name) ?? UNBOUND]
        defs.set(name, this.#add(name, unit, merge(old, unit.mutates.size > 0 ? carried : EMPTY)))
      }
    }
    // A global that a called function binds for the first time.
    const seen = this.#observed.get(unit.cell) ?? null
    for (const name of [...unit.binds, ...unit.mayBinds]) {
      const may = unit.mayBinds.includes(name)
      const old = may ? this.#versions[this.#current.get(name) ?? UNBOUND] : undefined
      const watched = this.#isFinalBinding(unit, name) ? seen : null
      defs.set(name, this.#add(name, unit, merge(old, isData(unit, name, watched) ? EMPTY : carried)))
    }
    const before = new Map(this.#current)
    for (const [name, version] of defs) this.#current.set(name, version)
    this.#sharing.bind({
      unit,
      seen,
      isFinalBinding: (name) => this.#isFinalBinding(unit, name),
      versionOf: (name) => before.get(name),
    })
    for (const name of unit.deletes) {
      this.#current.delete(name)
      this.#sharing.detach(name, before.get(name))
      defs.delete(name)
    }
    return defs
  }

  /** What a name, or a version that has lost its name, holds for certain. */
  #isImmutable(member: string): boolean {
    const version = this.#versions[ghostVersion(member) ?? this.#current.get(member) ?? UNBOUND]
    const facts = this.#units.list[version?.unit ?? UNBOUND]?.facts
    if (version === undefined || facts === undefined || !facts.binds.includes(version.name)) return false
    const { name } = version
    const types = facts.bindTypes?.[name] ?? []
    return facts.scalar?.name === name || (types.length > 0 && types.every((type) => IMMUTABLE.test(type)))
  }

  #isCode(version: number): boolean {
    const maker = this.#units.list[this.#versions[version]?.unit ?? UNBOUND]
    return maker !== undefined && (maker.facts.kind === 'import' || isDefinition(maker))
  }

  #isFinalBinding(unit: Unit, name: string): boolean {
    return !this.#units.list.some(
      (other) =>
        other.cell === unit.cell && other.id > unit.id && (other.binds.includes(name) || other.mayBinds.includes(name)),
    )
  }

  #add(name: string, unit: Unit, carried: Carried): number {
    const id = this.#versions.length
    this.#versions.push({ id, name, unit: unit.id, ...carried })
    return id
  }

  /** What code the values bound here may hold. */
  #carried(unit: Unit, uses: ReadonlyMap<string, number>): Carried {
    const text = this.#textOf(unit)
    const reads = new Set(unit.facts.definitions.flatMap((definition) => definition.lateReads))
    const writes = new Set(unit.facts.definitions.flatMap(lateChanges))
    const tokens = unit.facts.definitions.flatMap((one) => randomTokens(one.lateTokens, one.lateCalls ?? []))
    if (isDefinition(unit) && unit.facts.definitions.length > 0) {
      // What it reads when it is defined may be called by it later (decorators, defaults, bases).
      for (const name of unit.reads) reads.add(name)
      return { lateReads: reads, lateWrites: writes, lateTokens: tokens, plainFunction: isPlain(unit, text) }
    }
    for (const [name, id] of uses) {
      const version = this.#versions[id]
      if (version === undefined || version.lateReads.size + version.lateWrites.size === 0) continue
      if (version.plainFunction && onlyCalled(name, text)) continue
      if (!unit.reads.has(name)) continue
      for (const late of version.lateReads) reads.add(late)
      for (const late of version.lateWrites) writes.add(late)
      tokens.push(...version.lateTokens)
    }
    return { lateReads: reads, lateWrites: writes, lateTokens: tokens, plainFunction: false }
  }
}

const IMMUTABLE = /^(int|float|complex|bool|str|bytes|none)$/u

type Carried = Pick<Version, 'lateReads' | 'lateWrites' | 'lateTokens' | 'plainFunction'>
const EMPTY: Carried = { lateReads: new Set(), lateWrites: new Set(), lateTokens: [], plainFunction: false }

function merge(old: Version | undefined, fresh: Carried): Carried {
  if (old === undefined) return fresh
  return {
    lateReads: new Set([...old.lateReads, ...fresh.lateReads]),
    lateWrites: new Set([...old.lateWrites, ...fresh.lateWrites]),
    lateTokens: [...old.lateTokens, ...fresh.lateTokens],
    plainFunction: old.plainFunction && fresh.plainFunction,
  }
}

/** `def`, `class`, or `name = lambda`: binds code and runs none of its body. */
export function isDefinition(unit: Unit): boolean {
  const { kind, definitions, binds } = unit.facts
  if (kind === 'def' || kind === 'class') return true
  return (
    kind === 'assign' &&
    binds.length === 1 &&
    definitions.length >= 1 &&
    unit.facts.calls.length === 0 &&
    definitions[0]?.kind === 'lambda' &&
    unit.reads.size === 0
  )
}

/** A class body runs at once, and a decorator may call what it decorates. */
function decoratorLate(unit: Unit): string[] {
  const runsNow = unit.facts.kind === 'class' || unit.facts.definitions.some((one) => one.decorated)
  return runsNow ? inlineLate(unit) : []
}

function inlineLate(unit: Unit): string[] {
  return unit.facts.definitions.flatMap((one) => [...one.lateReads, ...lateChanges(one)])
}

function isPlain(unit: Unit, text: string): boolean {
  if (unit.facts.kind === 'class') return false
  if (unit.facts.definitions.some((one) => one.kind === 'generator' || one.kind === 'class' || one.decorated))
    return false
  const body = text.slice(text.search(/[:]/u) + 1)
  return !/\b(lambda|yield|class|partial|def)\b/u.test(body)
}

/** What a body changes when it runs, for certain or perhaps. */
export function lateChanges(definition: DefinitionFact): string[] {
  return [...definition.lateWrites, ...(definition.lateMayWrites ?? [])]
}
