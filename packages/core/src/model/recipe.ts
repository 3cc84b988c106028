/**
 * The formula of ARCHITECTURE.md section 1: a result is identified by what made it. A `Recipe` is all of the formula
 * but the digests of the inputs, which only exist once the inputs do; `fingerprintOf` closes it.
 * Every member says where it came from, so that hits and misses can be explained by comparing two recipes.
 */
import { digestOf } from '../canonical.ts'
import type { Json } from '../canonical.ts'

/** Raised when the meaning of any member changes: every fingerprint changes with it. */
export const recipeVersion = 1

/** One unit of code in a closure: a definition, or the top-level effects of a module. */
export interface ClosureUnit {
  /** Module as the closure sees it: `.` for the step's own module, else a dotted name or path. */
  readonly module: string
  /** `clean` for a definition, `*` for everything else at top level, `text` for a whole module, `file:PATH` for data. */
  readonly unit: string
  readonly digest: string
}

export interface PackageEntry {
  readonly name: string
  /** `2.3.3`, or a content digest for path, editable and git packages. */
  readonly version: string
}

export interface RecipeInput {
  readonly argument: string
  readonly annotation: string
  readonly codec: string
  /** Column set read, in order; null for all. */
  readonly columns: readonly string[] | null
  /** How contents are compared. */
  readonly form: DigestForm
}

/** `sequence`: order counts. `multiset`: it does not. `bytes`: files and objects. `rng`: generator states. */
export type DigestForm = 'sequence' | 'multiset' | 'bytes' | 'rng'

export interface RecipeParameter {
  readonly name: string
  readonly type: string
  readonly value: Json
}

export interface Recipe {
  readonly v: typeof recipeVersion
  /** Language, interpreter patch version, platform tag; engine version and settings for SQL; codec version. */
  readonly runtime: Readonly<Record<string, string>>
  readonly closure: readonly ClosureUnit[]
  readonly packages: readonly PackageEntry[]
  /** Engine, threads, random, after_random, exact, refresh bucket, names of secrets. */
  readonly settings: Readonly<Record<string, Json>>
  /** Output names within the step and their kinds. */
  readonly outputs: readonly { readonly output: string; readonly kind: string }[]
  readonly inputs: readonly RecipeInput[]
  readonly parameters: readonly RecipeParameter[]
  readonly partition: Json
}

/** `digests[i]` belongs to `recipe.inputs[i]`. */
export function fingerprintOf(recipe: Recipe, digests: readonly string[]): string {
  if (digests.length !== recipe.inputs.length) throw new RangeError('one digest for each input')
  const inputs = recipe.inputs.map((input, i) => [
    input.argument,
    input.annotation,
    input.codec,
    input.columns,
    input.form,
    digests[i],
  ])
  return digestOf({ ...recipe, inputs } as unknown as Json)
}

/** Identity of the recipe without its inputs' contents; snapshots are indexed by it to tell `build` from `depends`. */
export function recipeDigest(recipe: Recipe): string {
  return digestOf(recipe as unknown as Json)
}
