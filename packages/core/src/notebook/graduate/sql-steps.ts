/**
 * Which planned steps are queries: one that makes one frame, by one statement that asks DuckDB, over inputs that are
 * tables. Everything else stays Python, and the statements that look like queries say why.
 */
import type { Unit } from '../dataflow/units.ts'
import type { ObservedValue } from '../observation.ts'
import type { PlannedStep } from './cut.ts'
import { isMemoryConnection, readQuery } from './sql-queries.ts'
import type { KeptQuery } from './sql-queries.ts'
import type { StepFacts } from './simulate.ts'

export interface QueryFacts extends StepFacts {
  /** Module aliases: `duckdb` to `duckdb`. */
  readonly aliases: ReadonlyMap<string, string>
  readonly textOf: (unit: Unit) => string
  readonly valueOf: (version: number) => ObservedValue | null
  /** Statements that must stay Python, with why; null keeps all there. */
  readonly inPython: ReadonlyMap<number, string> | null
  readonly hasLateSettings: boolean
}

export type StepAsQuery = { readonly unit: Unit; readonly sql: string } | { readonly kept: readonly KeptQuery[] }

export function stepAsQuery(facts: QueryFacts, step: PlannedStep): StepAsQuery {
  const body = unitsOf(facts, step.simulation.body)
  const asked = body.flatMap((unit) => {
    const text = facts.textOf(unit)
    const read = readQuery(text, (receiver) => isDuckdb(facts, receiver) || isConnection(facts, body, receiver))
    return read === null ? [] : [{ unit, read }]
  })
  const [only] = asked
  if (only === undefined || facts.inPython === null) return { kept: [] }
  const inPython = facts.inPython
  if (asked.length === 1 && !('why' in only.read)) {
    const why = inPython.get(only.unit.id) ?? whyPython(facts, { step, body, unit: only.unit })
    return why === null
      ? { unit: only.unit, sql: only.read.sql }
      : { kept: [{ unit: only.unit.id, cell: only.unit.cell, why }] }
  }
  return {
    kept: asked.map(({ unit, read }) => ({
      unit: unit.id,
      cell: unit.cell,
      why: 'why' in read ? read.why : (inPython.get(unit.id) ?? 'the step does more than the query'),
    })),
  }
}

interface Candidate {
  readonly step: PlannedStep
  readonly body: readonly Unit[]
  readonly unit: Unit
}

function whyPython(facts: QueryFacts, { step, body, unit }: Candidate): string | null {
  const others = body.filter((one) => one !== unit)
  const [output] = step.outputs
  if (step.kind !== 'asset' || output === undefined || step.outputs.length > 1 || facts.hasLateSettings)
    return 'the step does more than the query'
  if (!others.every((one) => isConnectionUnit(facts, one))) return 'the step does more than the query'
  const isWhole = unit.facts.kind === 'assign' && unit.binds.length === 1 && unit.binds[0] === output.name
  if (!isWhole || unit.mutates.size > 0 || step.afterRandom !== null) return 'the step does more than the query'
  if (step.simulation.builtins.length > 0) return 'the step does more than the query'
  const made = facts.valueOf(output.version)
  if (made?.type !== 'pandas.core.frame.DataFrame' || made.kind !== 'table')
    return `its result cannot be kept as a table${because(made)}`
  return null
}

function because(value: ObservedValue | null): string {
  return value === null || value.kindBecause === '' ? '' : ` (${value.kindBecause})`
}

function unitsOf(facts: QueryFacts, ids: readonly number[]): readonly Unit[] {
  return ids.flatMap((id) => facts.units.list[id] ?? [])
}

function isDuckdb(facts: QueryFacts, name: string): boolean {
  return facts.aliases.get(name) === 'duckdb'
}

/** A connection that this step opens itself, in memory. */
function isConnection(facts: QueryFacts, body: readonly Unit[], name: string): boolean {
  return body.some((unit) => unit.binds.includes(name) && isConnectionUnit(facts, unit))
}

function isConnectionUnit(facts: QueryFacts, unit: Unit): boolean {
  return isMemoryConnection(facts.textOf(unit), unit.binds[0] ?? '', (module) => isDuckdb(facts, module))
}
