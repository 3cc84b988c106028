/**
 * The proof of a graduated notebook: R2 beside P1, then S, P2a and the mutants, each in its own processes, and the verdict
 * over all of it. R1 has been run: it decided the cut.
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { digestOf } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import type { NotebookDocument } from '../../notebook/document.ts'
import type { GraduatedStep, Graduation, Repair } from '../../notebook/graduation.ts'
import type { NotebookFacts } from '../../notebook/ir.ts'
import type { Observation } from '../../notebook/observation.ts'
import { observeNotebook } from '../../notebook/observe/observe-notebook.ts'
import { stepConditions } from '../../notebook/observe/run-conditions.ts'
import { loadCaptures } from '../../notebook/prove/captures.ts'
import { judgeOutputs } from '../../notebook/prove/judge-outputs.ts'
import { judgeProof } from '../../notebook/prove/judge-proof.ts'
import { judgeValues } from '../../notebook/prove/judge-values.ts'
import type { SeenValue } from '../../notebook/prove/judge-values.ts'
import type { Proof, ProofRun, ProofRunName } from '../../notebook/prove/proof.ts'
import { runPythonTask } from '../../notebook/prove/python-task.ts'
import type { TaskContext } from '../../notebook/prove/python-task.ts'
import { prepareInputs, replaySteps } from '../../notebook/prove/replay-steps.ts'
import type { ReplayContext } from '../../notebook/prove/replay-steps.ts'
import { runMutants } from '../../notebook/prove/run-mutants.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import type { StepDefinition } from '../../model/project.ts'
import type { StepInput } from '../../runtimes/runtime.ts'
import { validGraph } from '../plan-project.ts'
import type { Workspace } from '../workspace.ts'
import { buildPipeline } from './build-pipeline.ts'
import type { BuiltPipeline } from './build-pipeline.ts'

export interface ProveRequest {
  /** The project as it would be, opened. */
  readonly staged: Workspace
  /** Frozen copy of the project without the new files: what the notebook's runs read. */
  readonly projectCopy: string
  readonly scratch: string
  readonly document: NotebookDocument
  readonly facts: NotebookFacts
  readonly graduation: Graduation
  readonly reference: Observation
  readonly referenceMs: number
  readonly captureFolder: string
  readonly environment: PythonEnvironment
  readonly toolsSitePackages: string
  readonly lock: string
  readonly repairs: readonly Repair[]
  readonly storedOutputs: { readonly same: number; readonly total: number }
  readonly accepted: ReadonlyMap<string, string>
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export interface ProofEnd {
  readonly proof: Proof
  /** Reports of the pipeline, for the page. */
  readonly pipeline: BuiltPipeline
  readonly problems: readonly string[]
}

export async function proveGraduation(request: ProveRequest): Promise<ProofEnd> {
  const timed = new Timed()
  const { signal } = request
  timed.add('R1', request.referenceMs)
  request.say('proof: the notebook again, and the pipeline')
  const [second, pipeline] = await Promise.all([
    timed.run('R2', () => observeAgain(request)),
    timed.run('P1', () => buildPipeline(request.staged, { signal, rebuild: false })),
  ])
  const replay = await replayContext(request)
  request.say('proof: each step alone')
  const alone = request.graduation.steps.filter(
    (step) => step.kind !== 'report' || step.locals.length > 0 || !pipeline.shown.has(step.name),
  )
  const inputs = await prepareInputs(replay, alone)
  const replayed = await timed.run('S', () => replaySteps(replay, alone, { parallel: 2, inputs }))
  const again = await timed.run('P2a', () => buildPipeline(request.staged, { signal, rebuild: false }))
  request.say('proof: mutants')
  const budgetMs = Math.max(60_000, 2 * request.referenceMs)
  const mutants = await timed.run('M', () => runMutants({ replay, replayed, inputs, parallel: 2, budgetMs }))
  const rebuilt = await rebuildWithin(request, timed)
  const built = await pipelineValues(request, replay.tasks, pipeline)
  const values = judgeValues({
    reference: request.reference,
    second,
    graduation: request.graduation,
    replayed: new Map([...replayed].map(([name, step]) => [name, step.values])),
    locals: new Map([...replayed].map(([name, step]) => [name, step.locals])),
    pipeline: built,
    moduleNames: await moduleNames(request, replay.tasks),
    accepted: request.accepted,
  })
  const outputs = judgeOutputs({
    reference: request.reference,
    second,
    steps: request.graduation.steps,
    shown: new Map([...[...replayed].map(([name, step]) => [name, step.shown] as const), ...pipeline.shown]),
    printed: new Map([...replayed].map(([name, step]) => [name, step.printed])),
  })
  const differs = rebuilt === null ? [] : differing(built, await pipelineValues(request, replay.tasks, rebuilt))
  const reusedAll = again.outcome.built === 0 && again.outcome.state === 'succeeded' && sameBytes(pipeline, again)
  const verdict = judgeProof({
    values,
    outputs,
    runs: timed.runs,
    mutants: mutants.counts,
    comparatorFailed: mutants.comparatorFailed,
    reusedAll,
    hiddenEdges: differs.some((asset) => !isNoisyAsset(request, second, asset)),
  })
  const problems = [
    ...pipeline.outcome.failures.map(
      ({ step, error, message }) =>
        `${step} failed in the pipeline: ${error === null ? message : `${error.type}: ${error.message}`}`,
    ),
    ...differs
      .filter((asset) => !isNoisyAsset(request, second, asset))
      .map((asset) => `${asset} has another value when independent steps run in reverse order`),
    ...[...replayed.values()]
      .filter(({ state }) => state !== 'replayed')
      .map(({ step, why }) => `${step} could not be replayed: ${why}`),
  ]
  return {
    proof: {
      ...proofHead(request, pipeline),
      verdict,
      runs: timed.runs,
      values,
      outputs,
      mutants: mutants.counts,
      exclusions: exclusionsOf(request.reference),
      assumptions: request.graduation.assumptions,
      madeAt: request.staged.clock.now(),
      details: detailsOf(request, second),
    },
    pipeline,
    problems,
  }
}

/** P2b costs as much as P1, so it is left out, and said so, where the proof has taken long enough. */
async function rebuildWithin(request: ProveRequest, timed: Timed): Promise<BuiltPipeline | null> {
  if (timed.totalMs > Math.max(shortProofMs, 4 * request.referenceMs)) {
    timed.skip('P2b')
    return null
  }
  request.say('proof: the pipeline again, in reverse order')
  return timed.run('P2b', () => buildPipeline(request.staged, { signal: request.signal, rebuild: true }))
}

const shortProofMs = 45_000

/** Assets with another value in the second build. */
function differing(one: ValuesByAsset, other: ValuesByAsset): readonly string[] {
  return [...one].flatMap(([asset, values]) =>
    [...values].some(([name, { digest }]) => other.get(asset)?.get(name)?.digest !== digest) ? [asset] : [],
  )
}

/** What the notebook itself does not give twice says nothing about edges. */
function isNoisyAsset(request: ProveRequest, second: Observation, asset: string): boolean {
  const variables =
    request.graduation.steps.flatMap(({ outputs }) => outputs).find((output) => output.asset === asset)?.variables ?? []
  const digestIn = (observation: Observation, name: string) =>
    observation.final.find((value) => value.name === name)?.digest
  return variables.some((name) => digestIn(request.reference, name) !== digestIn(second, name))
}

function proofHead(request: ProveRequest, pipeline: BuiltPipeline) {
  const { document, graduation, environment } = request
  return {
    notebook: { path: document.path, digest: graduation.notebook.digest },
    reference: {
      digest: digestOf(document.cells.map(({ source }) => source)),
      order: graduation.order,
      repairs: request.repairs,
    },
    storedOutputs: request.storedOutputs,
    pipeline: { fingerprints: pipeline.fingerprints },
    packages: { python: environment.version, lock: environment.lockDigest },
    sources: pipeline.sources,
  }
}

function detailsOf(request: ProveRequest, second: Observation): Readonly<Record<string, Json>> {
  return {
    sandbox: request.reference.sandbox ?? 'none',
    clock: second.clock ?? 'none',
    unwatched: [...(request.reference.unwatched ?? [])],
  }
}

async function observeAgain(request: ProveRequest): Promise<Observation> {
  const { staged, document, facts, graduation, projectCopy, environment, toolsSitePackages } = request
  return observeNotebook({
    document,
    facts,
    execution: graduation.execution,
    projectCopy,
    environment,
    toolsSitePackages,
    sandbox: await staged.sandbox(),
    clock: staged.clock,
    mode: 'end-only',
    conditions: stepConditions,
    captureFolder: null,
    allowNetwork: [],
    hostVariables: staged.variables,
    signal: request.signal,
  })
}

async function replayContext(request: ProveRequest): Promise<ReplayContext> {
  const { staged, graduation } = request
  const loaded = await staged.project()
  const graph = validGraph(loaded)
  const sandbox = await staged.sandbox()
  const scratch = path.join(request.scratch, 'replay')
  await mkdir(scratch, { recursive: true })
  const dispatch = await staged.dispatch()
  const tasks: TaskContext = {
    sandbox,
    environment: request.environment,
    toolsSitePackages: request.toolsSitePackages,
    projectRoot: staged.root,
    mainModule: mainModule(graduation),
    scratch,
    readable: [request.captureFolder, path.join(await staged.stateFolder(), 'store')],
    signal: request.signal,
  }
  const projectParameters: Record<string, Json> = {}
  for (const parameter of loaded.project.parameters) projectParameters[parameter.name] = parameter.default
  return {
    graduation,
    captures: await loadCaptures(request.captureFolder),
    tasks,
    definitions: definitionsOf(graduation.steps, graph.order),
    projectParameters,
    codeFiles: (step) => loaded.languages[step.language].closures.closureOf(step).files,
    sourceInput: (name, step, argument) =>
      Promise.resolve(sourceInput(request, loaded.project.config.sources, { name, step, argument })),
    execute: (work, onText) => dispatch.execute(work, { write: onText }, request.signal),
    runTime: staged.clock.now(),
  }
}

/** Python steps by their function, SQL steps by the last part of their name. */
function definitionsOf(
  steps: readonly GraduatedStep[],
  order: readonly StepDefinition[],
): ReadonlyMap<string, StepDefinition> {
  const found = new Map<string, StepDefinition>()
  for (const step of steps) {
    const definition = order.find(
      (candidate) => candidate.file === step.file && (candidate.language === 'sql' || candidate.symbol === step.name),
    )
    if (definition !== undefined) found.set(step.name, definition)
  }
  return found
}

function mainModule(graduation: Graduation): string {
  const [first] = graduation.files.filter(({ path: name }) => name.endsWith('.py'))
  return path.posix.basename(first?.path ?? 'main.py', '.py')
}

interface SourceRead {
  readonly name: string
  readonly step: StepDefinition
  readonly argument: string
}

/** The notebook's own file, from the frozen copy. */
function sourceInput(
  request: ProveRequest,
  sources: readonly { readonly name: string }[],
  read: SourceRead,
): StepInput {
  const source = sources.find(({ name }) => name === read.name) as
    | { type: string; path?: string; format?: string; options?: Record<string, Json>; isGlob?: boolean }
    | undefined
  const input = read.step.inputs.find(({ argument }) => argument === read.argument)!
  const files = source?.path === undefined ? [] : [source.path]
  return {
    argument: read.argument,
    form: input.form,
    annotation: input.annotation,
    columns: input.columns,
    origin: 'source',
    codec: source?.format ?? 'other',
    folder: request.projectCopy,
    files,
    sourcePaths: files,
    isGlob: source?.isGlob ?? false,
    name: read.name,
    options: source?.options ?? {},
  }
}

type ValuesByAsset = ReadonlyMap<string, ReadonlyMap<string, SeenValue>>

/** What a reader of each asset gets, as digests. */
async function pipelineValues(
  request: ProveRequest,
  tasks: TaskContext,
  pipeline: BuiltPipeline,
): Promise<ValuesByAsset> {
  const wanted = request.graduation.steps
    .flatMap((step) => step.outputs)
    .filter(({ kind }) => kind === 'table' || kind === 'object')
  const requests = wanted.flatMap(({ asset, variables }) => {
    const stored = pipeline.assets.get(asset)
    return stored === undefined ? [] : [{ key: asset, file: stored.file, codec: stored.codec, variables }]
  })
  const answers = await runPythonTask<Readonly<Record<string, SeenValue>>>(tasks, { task: 'digest', tasks: requests })
  const values = new Map<string, ReadonlyMap<string, SeenValue>>()
  for (const [asset, answer] of Object.entries(answers)) {
    const names = wanted.find((output) => output.asset === asset)!.variables
    values.set(
      asset,
      new Map(
        answer.ok
          ? Object.entries(answer.value)
          : names.map((name) => [name, { digest: null, problem: answer.problem }]),
      ),
    )
  }
  return values
}

async function moduleNames(request: ProveRequest, tasks: TaskContext): Promise<ReadonlyMap<string, SeenValue>> {
  const names = request.reference.final.map(({ name }) => name)
  const steps = new Set(request.graduation.steps.map(({ name }) => name))
  const asked = names.filter((name) => !steps.has(name))
  const answers = await runPythonTask<Readonly<Record<string, SeenValue>>>(tasks, {
    task: 'names',
    tasks: [{ key: 'module', module: tasks.mainModule, names: asked }],
  })
  const answer = answers['module']
  return new Map(answer?.ok === true ? Object.entries(answer.value) : [])
}

/** One address holds one content, so equal addresses decode to equal values. */
function sameBytes(one: BuiltPipeline, other: BuiltPipeline): boolean {
  const places = (pipeline: BuiltPipeline) =>
    [...pipeline.assets]
      .map(([name, { file }]) => `${name} ${file}`)
      .sort()
      .join('\n')
  return places(one) === places(other)
}

function exclusionsOf(reference: Observation): readonly { readonly what: string; readonly why: string }[] {
  const found = new Set(reference.cells.flatMap((cell) => cell.outputs.flatMap((output) => output.excluded ?? [])))
  return [...found].sort().map((what) => ({ what, why: 'differs between two runs of the same code' }))
}

class Timed {
  readonly runs: ProofRun[] = []

  get totalMs(): number {
    return this.runs.reduce((sum, run) => sum + run.ms, 0)
  }

  add(name: ProofRunName, ms: number): void {
    this.runs.push({ name, ms: Math.round(ms), state: 'done' })
  }

  skip(name: ProofRunName): void {
    this.runs.push({ name, ms: 0, state: 'skipped' })
  }

  async run<T>(name: ProofRunName, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const result = await work()
    this.add(name, performance.now() - startedAt)
    return result
  }
}
