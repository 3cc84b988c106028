/**
 * SQL as a language of the plan: closures are the digests of the query's tree and of the macros and views it reaches.
 * `SqlFacts` is what discovery stored; everything here is a look-up in it.
 */
import type { Closure, Closures, VolatileUse } from '../closures.ts'
import type { InputDefinition, StepDefinition } from '../../model/project.ts'
import type { ClosureUnit, DigestForm } from '../../model/recipe.ts'
import type { ColumnSchema } from '../../model/snapshot.ts'
import type { LanguageFacts } from '../../plan/language.ts'
import { columnsOfSnapshot } from './columns-read.ts'

export interface SqlStepFacts {
  readonly units: readonly ClosureUnit[]
  /** Lower-case identifiers; null for all columns. */
  readonly reads: readonly string[] | null
  readonly unordered: boolean
  readonly sorted: boolean
  readonly orderFree: boolean
  readonly volatile: readonly VolatileUse[]
  /** Parameters of the project that the query names. */
  readonly projectParameters: readonly string[]
  readonly sql: string
  /** Macro and view statements that must run first, in this order. */
  readonly macros: readonly string[]
  readonly files: readonly string[]
}

export interface SqlFacts {
  /** By step id, checks included. */
  readonly steps: Readonly<Record<string, SqlStepFacts>>
}

/** Settings of our sessions that can change a result; their values are part of every SQL fingerprint. */
const sessionSettings = { timezone: 'UTC', order: 'preserved' } as const

export function sqlLanguage(facts: SqlFacts, engineVersion: string): LanguageFacts {
  return {
    closures: sqlClosures(facts),
    runtime: { engine: 'duckdb', version: engineVersion, ...sessionSettings },
    columnsFor: (step: StepDefinition, _input: InputDefinition, columns: readonly ColumnSchema[]) =>
      columnsOfSnapshot(factsOf(facts, step).reads, columns),
    formFor: (step: StepDefinition): DigestForm => (factsOf(facts, step).orderFree ? 'multiset' : 'sequence'),
    isUnordered: (step: StepDefinition) => factsOf(facts, step).unordered,
  }
}

export function sqlClosures(facts: SqlFacts): Closures {
  return {
    closureOf: (step): Closure => {
      const { units, volatile, projectParameters, files } = factsOf(facts, step)
      return { units, packages: [], projectParameters, files, volatile, drawsRandom: false, diagnostics: [] }
    },
    globalDigest: () => null,
  }
}

/** A step that discovery never saw (another language's) reads everything, in order. */
const unknownStep: SqlStepFacts = {
  units: [],
  reads: null,
  unordered: false,
  sorted: false,
  orderFree: false,
  volatile: [],
  projectParameters: [],
  sql: '',
  macros: [],
  files: [],
}

function factsOf(facts: SqlFacts, step: StepDefinition): SqlStepFacts {
  return Object.hasOwn(facts.steps, step.id) ? facts.steps[step.id]! : unknownStep
}
