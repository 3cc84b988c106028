/**
 * Everything a run uses, as interfaces. Heavy parts are functions, opened on first use: a run that reuses everything
 * opens neither the engine nor a runtime.
 */
import type { Catalog } from '../catalog/catalog.ts'
import type { Clock } from '../clock.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import type { Engine } from '../engines/engine.ts'
import type { EnvironmentDefinition, Project } from '../model/project.ts'
import type { Graph } from '../model/graph.ts'
import type { ResolvedParameters } from '../model/parameters.ts'
import type { DigestContext } from '../plan/input-digest.ts'
import type { Plan } from '../plan/plan.ts'
import type { RecipeContext } from '../plan/recipe-of.ts'
import type { Observed } from '../sources/observe-source.ts'
import type { Store } from '../store/store.ts'
import type { RunEvent } from './events.ts'

export interface RunContext {
  readonly runId: string
  /** Identity of this process for claims; unique per run. */
  readonly owner: string
  readonly project: Project
  readonly graph: Graph
  readonly plan: Plan
  readonly environment: EnvironmentDefinition
  readonly parameters: ResolvedParameters
  readonly recipes: RecipeContext
  readonly digests: DigestContext
  readonly observed: ReadonlyMap<string, Observed>
  readonly runTime: string
  readonly author: string
  readonly gitCommit: string | null
  /** What a release records of the packages. */
  readonly packages: Readonly<Record<string, string>>
  readonly codeFiles: readonly string[]
  readonly store: Store
  readonly catalog: Catalog
  readonly clock: Clock
  readonly stateFolder: string
  readonly engine: () => Promise<Engine>
  readonly dispatch: () => Promise<Dispatch>
  readonly captureSqlite: (
    database: string,
    query: string,
    folder: string,
  ) => Promise<{ readonly file: string; readonly digest: string }>
  readonly secrets: Readonly<Record<string, string>>
  /** Steps to build although a result exists. */
  readonly rebuild: ReadonlySet<string>
  readonly publish: boolean
  readonly allowMixed: boolean
  readonly message: string
  /** `last-first` starts independent steps in reverse, one at a time: proofs look for edges that nobody declared. */
  readonly order: 'first-first' | 'last-first'
  /** How many steps may be under way at once. */
  readonly slots: number
  readonly sandboxLevel: string
  readonly random: () => number
  readonly emit: (event: RunEvent) => void
  readonly signal: AbortSignal
}
