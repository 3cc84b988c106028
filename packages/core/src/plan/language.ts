/**
 * What a plan needs from a language: closures, the runtime's identity, and how a step reads a given snapshot. One value
 * per language, made by project/load-project.ts; plans and runs see only this.
 */
import type { Closures } from '../fingerprint/closures.ts'
import type { InputDefinition, StepDefinition } from '../model/project.ts'
import type { DigestForm } from '../model/recipe.ts'
import type { ColumnSchema, NamedGlobal } from '../model/snapshot.ts'

export interface LanguageFacts {
  readonly closures: Closures
  /** Interpreter patch version and platform, or engine version and settings. */
  readonly runtime: Readonly<Record<string, string>>
  /** Columns of this snapshot that the step can see; null means all. */
  columnsFor(step: StepDefinition, input: InputDefinition, columns: readonly ColumnSchema[]): readonly string[] | null
  formFor(step: StepDefinition, input: InputDefinition): DigestForm
  /** True when row order of the step's result carries no meaning. */
  isUnordered(step: StepDefinition): boolean
}

export type Languages = Readonly<Record<StepDefinition['language'], LanguageFacts>>

/** The code that a class or function named in a pickle carries: project code, else its package, else the name alone. */
export function globalCode(
  languages: Languages,
  packageOf: (module: string) => string | null,
  global: NamedGlobal,
): string {
  return languages.python.closures.globalDigest(global) ?? packageOf(global.module) ?? `${global.module}.${global.name}`
}
