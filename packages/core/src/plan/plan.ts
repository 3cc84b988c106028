/**
 * A plan as frozen data: one row per step, with the reason. Made by pure functions from (project, catalog view, source
 * observations); `run` only interprets it, and `plan`, `--dry-run` and the pages print the same value.
 */
import type { Diagnostic } from '../diagnostics.ts'
import type { Json } from '../canonical.ts'
import type { StepDefinition, StepKind } from '../model/project.ts'
import type { Recipe } from '../model/recipe.ts'

export type PlanAction = 'build' | 'reuse' | 'depends' | 'remove'

export type ReasonKind =
  | 'new'
  | 'missing'
  | 'code'
  | 'packages'
  | 'parameter'
  | 'input'
  | 'source'
  | 'refresh'
  | 'undeclared-read'
  | 'forced'
  | 'previous-failure'
  | 'upstream'
  | 'unchanged'

export interface PlanReason {
  readonly kind: ReasonKind
  /** In the user's words: `helpers.clean changed`, `pandas 2.3.2 -> 2.3.3`, `min_total 0 -> 5`. */
  readonly detail: string
  /** Assets or sources because of which. */
  readonly because: readonly string[]
}

export interface PlanStep {
  readonly step: string
  readonly kind: StepKind
  readonly assets: readonly string[]
  readonly partition: Json
  readonly action: PlanAction
  readonly publishes: boolean
  /** Null when it depends on results that do not exist yet. */
  readonly fingerprint: string | null
  readonly reason: PlanReason
  readonly estimateMs: number | null
}

/** What `run` needs beyond the row; null for `remove`. */
export interface PlannedWork {
  readonly definition: StepDefinition
  readonly recipe: Recipe
  /** Ids of steps that must have ended before this one starts. */
  readonly after: readonly string[]
}

export interface Plan {
  readonly environment: string
  readonly base: { readonly release: number; readonly at: string } | null
  readonly held: boolean
  readonly steps: readonly PlanStep[]
  readonly work: Readonly<Record<string, PlannedWork>>
  /** True when the selection is the whole project; only then may `remove` happen. */
  readonly full: boolean
  readonly diagnostics: readonly Diagnostic[]
}
