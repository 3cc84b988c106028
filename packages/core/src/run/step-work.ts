/**
 * What an attempt of a step is given: its inputs' folders, parameters, seed and secrets, and a folder of its own.
 * Everything that can make a result differ comes from the recipe.
 */
import path from 'node:path'
import { digestOf } from '../canonical.ts'
import type { Json } from '../canonical.ts'
import type { StepDefinition } from '../model/project.ts'
import type { StepWork } from '../runtimes/runtime.ts'
import type { Work } from './build-step.ts'
import { randomStateEntry, stepInputs } from './resolve-inputs.ts'
import type { RunContext } from './run-context.ts'

export function attemptFolder(context: RunContext, step: StepDefinition, attempt: number): string {
  const safe = step.id.replaceAll(/[^\w.-]/g, '_').slice(0, 120)
  return path.join(context.stateFolder, 'tmp', 'attempts', context.runId, `${safe}.${attempt}`)
}

export async function stepWorkOf(
  context: RunContext,
  work: Work,
  execution: { readonly attempt: number; readonly folder: string },
): Promise<StepWork> {
  const { definition, recipe } = work.work
  const own = context.parameters.own.get(definition.id)
  const closure = context.recipes.languages[definition.language].closures.closureOf(definition)
  const projectParameters: Record<string, Json> = {}
  const projectParameterTypes: Record<string, string> = {}
  for (const { name, type, value } of recipe.parameters) {
    if (!name.startsWith('project.')) continue
    projectParameters[name.slice('project.'.length)] = value
    projectParameterTypes[name.slice('project.'.length)] = type
  }
  const secrets = definition.options.secrets.flatMap((name): [string, string][] =>
    name in context.secrets ? [[name, context.secrets[name]!]] : [],
  )
  return {
    definition,
    runId: context.runId,
    attempt: execution.attempt,
    inputs: await stepInputs(context, definition, work.known),
    parameters: Object.fromEntries([...(own?.values() ?? [])].map(({ name, value }) => [name, value])),
    projectParameters,
    projectParameterTypes,
    runTime: context.runTime,
    seed: seedOf(work, context.random),
    randomState: await randomStateOf(context, work),
    codeFiles: closure.files,
    projectRoot: context.project.root,
    folder: execution.folder,
    idempotencyKey: digestOf([context.runId, definition.id, null]),
    secrets: Object.fromEntries(secrets),
    strict: context.environment.strict,
  }
}

/**
 * A function of the recipe, so that one fingerprint has one seed: of the step's name where its code is seen to draw (the
 * name is in the recipe then), else of the code, since a rename alone must give the same result.
 */
function seedOf(work: Work, random: () => number): string {
  const { definition, recipe } = work.work
  if (definition.options.random === 'fresh') return digestOf([random(), random(), random()])
  const named = recipe.settings['seed']
  return typeof named === 'string' ? named : digestOf([recipe.closure, recipe.outputs] as unknown as Json)
}

async function randomStateOf(context: RunContext, work: Work): Promise<string | null> {
  const { afterRandom } = work.work.definition.options
  if (afterRandom === null) return null
  const snapshot = work.known.snapshots.get(afterRandom)
  if (snapshot?.digests.rng === undefined) return null
  return path.join(await context.store.localPath(snapshot.address), randomStateEntry)
}
