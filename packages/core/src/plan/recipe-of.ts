/**
 * From a step to its recipe: everything of the formula that does not depend on results. What is left out on purpose:
 * asset and file names, default expressions, retries, timeout, memory, hosts, tags, descriptions, owners, checks.
 */
import { digestOf } from '../canonical.ts'
import type { Json } from '../canonical.ts'
import type { Closure } from '../fingerprint/closures.ts'
import { codecVersion } from '../model/codec-version.ts'
import type { ResolvedParameters } from '../model/parameters.ts'
import type { InputDefinition, Refresh, StepDefinition } from '../model/project.ts'
import { recipeVersion } from '../model/recipe.ts'
import type { Recipe, RecipeInput, RecipeParameter } from '../model/recipe.ts'
import type { Languages } from './language.ts'

export interface RecipeContext {
  readonly languages: Languages
  readonly parameters: ResolvedParameters
  /** Logical time of the run, ISO 8601. */
  readonly runTime: string
}

export interface ComposedRecipe {
  readonly recipe: Recipe
  readonly closure: Closure
}

export function recipeOf(context: RecipeContext, step: StepDefinition): ComposedRecipe {
  const language = context.languages[step.language]
  const closure = language.closures.closureOf(step)
  const recipe: Recipe = {
    v: recipeVersion,
    runtime: { ...language.runtime, codec: String(codecVersion) },
    closure: closure.units,
    packages: closure.packages,
    settings: settingsOf(step, context.runTime, closure),
    outputs: step.outputs.map(({ output, kind, kindDeclared }) => ({ output, kind: kindDeclared ? kind : 'auto' })),
    inputs: recipeInputs(step, (input) => language.formFor(step, input)),
    parameters: parametersOf(context, step, closure),
    partition: null,
  }
  return { recipe, closure }
}

/** Declared inputs, then the generator state when the step continues from another one's. */
function recipeInputs(step: StepDefinition, formOf: (input: InputDefinition) => RecipeInput['form']): RecipeInput[] {
  const inputs: RecipeInput[] = step.inputs.map((input) => ({
    argument: input.argument,
    annotation: input.annotation,
    codec: input.target?.type === 'source' ? 'source' : 'snapshot',
    columns: input.columns,
    form: input.target?.type === 'source' ? 'bytes' : formOf(input),
  }))
  if (step.options.afterRandom !== null) {
    inputs.push({ argument: 'after_random', annotation: '', codec: 'rng', columns: null, form: 'rng' })
  }
  return inputs
}

function settingsOf(step: StepDefinition, runTime: string, closure: Closure): Record<string, Json> {
  const { options } = step
  const settings: Record<string, Json> = { threads: options.threads, random: options.random, exact: options.exact }
  if (step.language === 'sql') settings['engine'] = options.engine
  if (options.secrets.length > 0) settings['secrets'] = [...options.secrets].sort()
  if (closure.drawsRandom && options.random === 'seeded' && options.afterRandom === null)
    settings['seed'] = digestOf([step.id, null])
  const bucket = refreshBucket(options.refresh, runTime)
  if (bucket !== null) settings['refresh'] = bucket
  if (step.kind !== 'asset') settings['kind'] = step.kind
  if (step.check !== null && step.check.rule !== null) settings['rule'] = step.check.rule
  return settings
}

/** `always` is a bucket of its own for each run; a duration counts buckets from 1970. */
export function refreshBucket(refresh: Refresh | null, runTime: string): string | null {
  if (refresh === null || refresh.kind === 'never') return null
  if (refresh.kind === 'always') return `run:${runTime}`
  return `every:${refresh.everyMs}:${Math.floor(Date.parse(runTime) / refresh.everyMs)}`
}

function parametersOf(context: RecipeContext, step: StepDefinition, closure: Closure): RecipeParameter[] {
  const parameters: RecipeParameter[] = []
  for (const { name, type, value } of context.parameters.own.get(step.id)?.values() ?? [])
    parameters.push({ name, type, value })
  for (const name of [...closure.projectParameters].sort()) {
    const resolved = context.parameters.project.get(name)
    if (resolved) parameters.push({ name: `project.${name}`, type: resolved.type, value: resolved.value })
    else if (name === 'run_time') parameters.push({ name: 'run_time', type: 'datetime', value: context.runTime })
  }
  return parameters
}
