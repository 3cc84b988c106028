/**
 * S: each generated step alone, fed with the values that the notebook had at its boundary and the generator states before
 * its first cell. What it gives must be what the notebook had; only so is a wrong step behind a stochastic one seen.
 */
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Json } from '../../canonical.ts'
import type { UserCodeError } from '../../errors.ts'
import type { StepDefinition } from '../../model/project.ts'
import { leafOf } from '../../model/references.ts'
import type { StepInput, StepOutcome, StepWork } from '../../runtimes/runtime.ts'
import type { GraduatedStep, Graduation } from '../graduation.ts'
import type { Captured, Captures } from './captures.ts'
import type { SeenValue } from './judge-values.ts'
import { runPythonTask } from './python-task.ts'
import type { TaskContext } from './python-task.ts'
import { readShown } from './shown.ts'
import type { ShownPart } from './shown.ts'

export interface ReplayContext {
  readonly graduation: Graduation
  readonly captures: Captures
  readonly tasks: TaskContext
  /** By step id, from the project as it would be. */
  readonly definitions: ReadonlyMap<string, StepDefinition>
  readonly projectParameters: Readonly<Record<string, Json>>
  readonly codeFiles: (step: StepDefinition) => readonly string[]
  /** A staged source as a step reads it. */
  readonly sourceInput: (name: string, step: StepDefinition, argument: string) => Promise<StepInput>
  readonly execute: (
    work: StepWork,
    onText: (stream: 'stdout' | 'stderr', text: string) => void,
  ) => Promise<StepOutcome>
  readonly runTime: string
}

export interface ReplayedStep {
  readonly step: string
  readonly state: 'replayed' | 'failed' | 'unreplayable'
  readonly why: string
  readonly error: UserCodeError | null
  /** By the notebook's variable. */
  readonly values: ReadonlyMap<string, SeenValue>
  readonly locals: ReadonlyMap<string, SeenValue>
  readonly printed: string
  readonly shown: readonly ShownPart[]
  /** What it wrote, by position of its outputs; gone unless `keepIn` said where it stays. */
  readonly outputs: readonly Located[]
}

interface Located {
  readonly file: string
  readonly codec: 'parquet' | 'pickle'
}

export interface ReplayOptions {
  /** From `prepareInputs`: made once, read by every replay. */
  readonly inputs: PreparedInputs
  /** Project whose code a step runs; the staged one where it is left out. */
  readonly rootOf?: (step: GraduatedStep) => string
  /** Folder below `scratch` in which what the steps write stays. */
  readonly keepIn?: string
  /** The byte that new memory is filled with. */
  readonly memoryFill?: number
  /** Variables of a step, beside its outputs, whose values stay there as well. */
  readonly localsOf?: (step: GraduatedStep) => readonly string[]
}

export async function replaySteps(
  context: ReplayContext,
  steps: readonly GraduatedStep[],
  options: ReplayOptions,
): Promise<ReadonlyMap<string, ReplayedStep>> {
  const { inputs } = options
  const folders = options.keepIn ?? path.join(context.tasks.scratch, 'replay')
  const attempts = new Map<string, Attempt>()
  // One at a time: each has as many threads as the notebook had, and two such sets on the same cores take seven times as long.
  for (const step of steps) {
    const place = {
      folder: path.join(folders, step.name),
      inputs,
      projectRoot: options.rootOf?.(step) ?? context.tasks.projectRoot,
      locals: options.localsOf?.(step) ?? [],
      ...(options.memoryFill === undefined ? {} : { memoryFill: options.memoryFill }),
    }
    attempts.set(step.name, await attemptStep(context, step, place))
  }
  const values = await digestOutputs(context, steps, attempts)
  if (options.keepIn === undefined) await rm(folders, { recursive: true, force: true })
  return new Map(steps.map((step) => [step.name, finished(step, attempts.get(step.name)!, values)]))
}

interface Attempt {
  readonly outcome: StepOutcome | { readonly state: 'unreplayable'; readonly why: string }
  readonly outputs: readonly Located[]
  readonly locals: ReadonlyMap<string, SeenValue>
  readonly printed: string
  readonly shown: readonly ShownPart[]
}

export type PreparedInputs = ReadonlyMap<
  string,
  { readonly folder: string; readonly file: string; readonly codec: string } | { readonly why: string }
>

/** Captures as the steps' inputs, written by one process for all steps: the notebook's own classes become the module's. */
export async function prepareInputs(context: ReplayContext, steps: readonly GraduatedStep[]): Promise<PreparedInputs> {
  const { graduation, captures, tasks } = context
  const prepared = new Map<string, { folder: string; file: string; codec: string } | { why: string }>()
  const wanted = new Set(steps.flatMap((step) => step.inputs.flatMap(({ asset }) => (asset === null ? [] : [asset]))))
  const requests: { key: string; file: string; member: string | null; as: string; to: string }[] = []
  for (const asset of wanted) {
    const output = graduation.steps.flatMap((step) => step.outputs).find((candidate) => candidate.asset === asset)
    const captured =
      output === undefined ? { why: `${asset} is no output of the notebook` } : capturedOf(captures, output)
    if ('why' in captured) {
      prepared.set(asset, captured)
      continue
    }
    const folder = path.join(tasks.scratch, 'inputs', asset)
    const isRelation = output!.kind === 'table' && readBySql(context, asset)
    const file = isRelation ? 'data.parquet' : 'data.pickle'
    requests.push({
      key: asset,
      file: captured.file,
      member: captured.member,
      as: isRelation ? 'parquet' : 'pickle',
      to: path.join(folder, file),
    })
    prepared.set(asset, { folder, file, codec: isRelation ? 'parquet' : 'pickle' })
  }
  const answers = await runPythonTask<unknown>(tasks, { task: 'inputs', tasks: requests })
  for (const [asset, answer] of Object.entries(answers)) if (!answer.ok) prepared.set(asset, { why: answer.problem })
  return prepared
}

export function capturedOf(
  captures: Captures,
  output: GraduatedStep['outputs'][number],
): Captured | { readonly why: string } {
  if (output.variables.length === 1) return captures.valueAfter(output.variables[0]!, output.afterCell)
  return (
    captures.groupAfter(output.variables, output.afterCell) ?? {
      why: `${output.variables.join(', ')} were not captured together`,
    }
  )
}

function readBySql(context: ReplayContext, asset: string): boolean {
  return [...context.definitions.values()].some(
    (step) => step.language === 'sql' && step.inputs.some((input) => leafOf(input.target?.name ?? '') === asset),
  )
}

async function attemptStep(
  context: ReplayContext,
  step: GraduatedStep,
  place: {
    readonly folder: string
    readonly inputs: PreparedInputs
    readonly projectRoot: string
    readonly locals: readonly string[]
    readonly memoryFill?: number
  },
): Promise<Attempt> {
  const nothing = { outputs: [], locals: new Map<string, SeenValue>(), printed: '', shown: [] }
  const definition = context.definitions.get(step.name)
  if (definition === undefined)
    return { ...nothing, outcome: { state: 'unreplayable', why: `the written project has no step ${step.name}` } }
  const inputs: StepInput[] = []
  for (const input of definition.inputs) {
    if (input.target?.type === 'source') {
      inputs.push(await context.sourceInput(input.target.name, definition, input.argument))
      continue
    }
    const prepared = place.inputs.get(leafOf(input.target?.name ?? '')) ?? {
      why: `${input.argument} was not captured`,
    }
    if ('why' in prepared) return { ...nothing, outcome: { state: 'unreplayable', why: prepared.why } }
    const { argument, form, annotation, columns } = input
    inputs.push({
      argument,
      form,
      annotation,
      columns,
      origin: 'asset',
      codec: prepared.codec,
      folder: prepared.folder,
      files: [prepared.file],
      sourcePaths: [],
      isGlob: false,
      name: argument,
      options: {},
    })
  }
  await mkdir(place.folder, { recursive: true })
  let printed = ''
  const work = workOf(context, { ...place, step, definition, inputs })
  const outcome = await context.execute(work, (stream, text) => {
    if (stream === 'stdout') printed += text
  })
  if (outcome.state !== 'succeeded') return { ...nothing, printed, outcome }
  const outputs = outcome.report.outputs.map((output) => ({
    file: path.join(
      place.folder,
      'outputs',
      output.entry,
      output.codec === 'parquet' && definition.language === 'sql' ? 'data.parquet' : '',
    ),
    codec: output.codec === 'parquet' ? ('parquet' as const) : ('pickle' as const),
  }))
  const report = definition.kind === 'report' ? '0.report' : 'shown.report'
  const shown = await readShown(path.join(place.folder, 'outputs', report))
  return { outcome, outputs, locals: localsOf(outcome), printed, shown }
}

function localsOf(outcome: Extract<StepOutcome, { state: 'succeeded' }>): ReadonlyMap<string, SeenValue> {
  return new Map(Object.entries(outcome.report.locals ?? {}))
}

interface WorkParts {
  readonly step: GraduatedStep
  readonly definition: StepDefinition
  readonly inputs: readonly StepInput[]
  readonly folder: string
  readonly projectRoot: string
  readonly locals: readonly string[]
  readonly memoryFill?: number
}

function workOf(context: ReplayContext, parts: WorkParts): StepWork {
  const { step, definition, inputs, folder, projectRoot, locals, memoryFill } = parts
  return {
    definition,
    runId: 'replay',
    attempt: 1,
    inputs,
    parameters: Object.fromEntries(definition.parameters.map((parameter) => [parameter.name, parameter.default])),
    projectParameters: context.projectParameters,
    projectParameterTypes: {},
    runTime: context.runTime,
    seed: '0',
    randomState: context.captures.randomBefore(step.cells[0] ?? -1),
    codeFiles: context.codeFiles(definition),
    projectRoot,
    folder,
    idempotencyKey: 'replay',
    secrets: {},
    strict: false,
    recordLocals: true,
    keepLocals: locals,
    ...(memoryFill === undefined ? {} : { memoryFill }),
  }
}

type Digests = Readonly<Record<string, SeenValue>>

async function digestOutputs(
  context: ReplayContext,
  steps: readonly GraduatedStep[],
  attempts: ReadonlyMap<string, Attempt>,
) {
  const requests = steps.flatMap((step) => {
    const { outputs } = attempts.get(step.name)!
    return step.outputs.flatMap((output, i) => {
      const made = outputs[i]
      if (made === undefined || output.kind === 'report' || output.kind === 'file' || output.kind === 'effect')
        return []
      return [{ key: `${step.name}:${i}`, file: made.file, codec: made.codec, variables: output.variables }]
    })
  })
  return runPythonTask<Digests>(context.tasks, { task: 'digest', tasks: requests })
}

function finished(
  step: GraduatedStep,
  attempt: Attempt,
  digests: Awaited<ReturnType<typeof digestOutputs>>,
): ReplayedStep {
  const values = new Map<string, SeenValue>()
  step.outputs.forEach((output, i) => {
    const answer = digests[`${step.name}:${i}`]
    for (const variable of output.variables) {
      if (answer === undefined) continue
      values.set(variable, answer.ok ? answer.value[variable]! : { digest: null, problem: answer.problem })
    }
  })
  const { outcome, locals, printed, shown, outputs } = attempt
  const common = { step: step.name, values, locals, printed, shown, outputs }
  if (outcome.state === 'succeeded') return { ...common, state: 'replayed', why: '', error: null }
  if (outcome.state === 'unreplayable') return { ...common, state: 'unreplayable', why: outcome.why, error: null }
  const error = outcome.state === 'failed' ? outcome.error : null
  return { ...common, state: 'failed', why: error === null ? 'cancelled' : `${error.type}: ${error.message}`, error }
}
