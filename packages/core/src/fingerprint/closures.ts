/**
 * Port between languages and the plan: from a step and the project's code facts to the static parts of its recipe.
 * Each language folder exports one `Closures` implementation. Pure over facts that discovery read once.
 */
import type { Diagnostic } from '../diagnostics.ts'
import type { StepDefinition } from '../model/project.ts'
import type { ClosureUnit, PackageEntry } from '../model/recipe.ts'
import type { NamedGlobal } from '../model/snapshot.ts'

export interface Closure {
  readonly units: readonly ClosureUnit[]
  readonly packages: readonly PackageEntry[]
  /** Names of project parameters reached. */
  readonly projectParameters: readonly string[]
  /** Project-relative files that must be visible to the step. */
  readonly files: readonly string[]
  /** Reaches a clock, unseeded randomness or the network: needs `refresh`. Each with file:line and what. */
  readonly volatile: readonly VolatileUse[]
  /** Draws random numbers at all (seeded by us). */
  readonly drawsRandom: boolean
  readonly diagnostics: readonly Diagnostic[]
}

export interface VolatileUse {
  readonly kind: 'clock' | 'random' | 'network' | 'environment' | 'file' | 'process'
  readonly what: string
  readonly file: string
  readonly line: number
}

export interface Closures {
  closureOf(step: StepDefinition): Closure
  /** Digest of the code of a class or function named in a pickle; null when it is not project code. */
  globalDigest(global: NamedGlobal): string | null
}
