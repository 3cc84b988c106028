/**
 * Runs a step's statements over versions instead of values: what it needs from outside, and what each name holds at its
 * end. It is the check that a generated function sees exactly what the notebook's statement saw; nothing is written that
 * does not pass it.
 */
import { UNBOUND, type Flow } from '../dataflow/flow.ts'
import type { Units } from '../dataflow/units.ts'
import { isRepeated, type Roles } from './roles.ts'
import { BUILTIN_NAMES } from './names.ts'

const CHANGED = -2

export interface NameVersion {
  readonly name: string
  readonly version: number
}

export interface Simulation {
  /** Statements in order, repeated definitions and imports included. */
  readonly body: readonly number[]
  readonly inputs: readonly NameVersion[]
  /** What each name holds at the end. */
  readonly end: ReadonlyMap<string, number>
  /** Builtins read before the step gives their name another value. */
  readonly builtins: readonly string[]
}

export interface Conflict {
  readonly unit: number
  readonly name: string
  /** Version that the statement read in the notebook. */
  readonly wanted: number
}

export interface StepFacts {
  readonly units: Units
  readonly flow: Flow
  readonly roles: Roles
}

export function simulate(facts: StepFacts, unitIds: readonly number[]): Simulation | Conflict {
  const body = withRepeated(facts, unitIds)
  const locals = localNames(facts, body)
  const end = new Map<string, number>()
  const inputs: NameVersion[] = []
  const builtins: string[] = []
  for (const id of body) {
    const flow = facts.flow.units[id]
    const unit = facts.units.list[id]
    if (flow === undefined || unit === undefined) continue
    for (const [name, version] of flow.uses) {
      if (facts.roles.hoisted.has(name)) continue
      const held = end.get(name)
      if (held === version) continue
      if (held !== undefined) return { unit: id, name, wanted: version }
      end.set(name, version)
      inputs.push({ name, version })
    }
    for (const name of flow.unbound) {
      if (!locals.has(name)) continue
      const held = end.get(name)
      if (held !== undefined && held !== UNBOUND) return { unit: id, name, wanted: UNBOUND }
      if (!BUILTIN_NAMES.has(name)) continue
      if (held === undefined) builtins.push(name)
      end.set(name, UNBOUND)
    }
    // A copy that the notebook had let go of changes with the object that it shares.
    for (const [name, version] of end) if (flow.ghosts.has(version)) end.set(name, CHANGED)
    for (const [name, version] of flow.defs) end.set(name, version)
    for (const name of unit.deletes) end.set(name, UNBOUND)
  }
  return { body, inputs, end, builtins }
}

export function isConflict(result: Simulation | Conflict): result is Conflict {
  return 'wanted' in result
}

function localNames(facts: StepFacts, body: readonly number[]): Set<string> {
  const names = new Set<string>()
  for (const id of body) {
    const unit = facts.units.list[id]
    for (const name of [...(unit?.binds ?? []), ...(unit?.mayBinds ?? []), ...(unit?.deletes ?? [])]) names.add(name)
    for (const name of facts.flow.units[id]?.uses.keys() ?? []) {
      if (!facts.roles.hoisted.has(name)) names.add(name)
    }
  }
  return names
}

function withRepeated(facts: StepFacts, unitIds: readonly number[]): number[] {
  const body = new Set(unitIds)
  const pending = [...unitIds]
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    for (const version of facts.flow.units[id]?.uses.values() ?? []) {
      const maker = facts.flow.versions[version]?.unit
      if (maker === undefined || body.has(maker) || !isRepeated(facts.roles.of[maker] ?? 'compute')) continue
      body.add(maker)
      pending.push(maker)
    }
  }
  return [...body].sort((a, b) => a - b)
}
