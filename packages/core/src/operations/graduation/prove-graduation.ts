/**
 * The proof of a graduated notebook: R2 beside P1, then S, P2a and the mutants, each in its own processes, and the verdict
 * over all of it. R1 has been run: it decided the cut.
 */
import { digestOf } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import type { NotebookDocument } from '../../notebook/document.ts'
import type { Repair } from '../../notebook/graduation.ts'
import type { NotebookFacts } from '../../notebook/ir.ts'
import type { Observation } from '../../notebook/observation.ts'
import { observeNotebook } from '../../notebook/observe/observe-notebook.ts'
import { stepConditions } from '../../notebook/observe/run-conditions.ts'
import { explainDifferences } from '../../notebook/prove/explain-differences.ts'
import type { Differences } from '../../notebook/prove/explain-differences.ts'
import { judgeOutputs } from '../../notebook/prove/judge-outputs.ts'
import { judgeProof } from '../../notebook/prove/judge-proof.ts'
import { judgeValues } from '../../notebook/prove/judge-values.ts'
import type { SeenValue } from '../../notebook/prove/judge-values.ts'
import type { Proof, ProofRun, ProofRunName } from '../../notebook/prove/proof.ts'
import { runPythonTask } from '../../notebook/prove/python-task.ts'
import type { TaskContext } from '../../notebook/prove/python-task.ts'
import { prepareInputs, replaySteps } from '../../notebook/prove/replay-steps.ts'
import type { ReplayedStep } from '../../notebook/prove/replay-steps.ts'
import { runMutants } from '../../notebook/prove/run-mutants.ts'
import type { MutantsEnd } from '../../notebook/prove/run-mutants.ts'
import { buildPipeline } from './build-pipeline.ts'
import type { BuiltPipeline } from './build-pipeline.ts'
import { pipelineValues } from './pipeline-values.ts'
import type { ValuesByAsset } from './pipeline-values.ts'
import { openReplay } from './replay-context.ts'
import type { ReplayRequest } from './replay-context.ts'

export interface ProveRequest extends ReplayRequest {
  readonly document: NotebookDocument
  readonly facts: NotebookFacts
  readonly reference: Observation
  readonly referenceMs: number
  readonly lock: string
  readonly repairs: readonly Repair[]
  readonly storedOutputs: { readonly same: number; readonly total: number }
  readonly accepted: ReadonlyMap<string, string>
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
  timed.add('R1', request.referenceMs)
  return endOf(request, timed, await runAll(request, timed))
}

interface ProofRuns {
  readonly second: Observation
  readonly pipeline: BuiltPipeline
  /** P2a. */
  readonly again: BuiltPipeline
  readonly replayed: ReadonlyMap<string, ReplayedStep>
  readonly differences: Differences
  readonly mutants: MutantsEnd
  /** Of P1, and of P2b where it was run. */
  readonly built: ValuesByAsset
  readonly rebuilt: ValuesByAsset | null
  readonly moduleNames: ReadonlyMap<string, SeenValue>
}

async function runAll(request: ProveRequest, timed: Timed): Promise<ProofRuns> {
  const { signal, graduation } = request
  request.say('proof: the notebook again, and the pipeline')
  const [second, pipeline] = await Promise.all([
    timed.run('R2', () => observeAgain(request)),
    timed.run('P1', () => buildPipeline(request.staged, { signal, rebuild: false })),
  ])
  const replaying = await openReplay(request)
  const replay = replaying.context
  try {
    request.say('proof: each step alone')
    const alone = graduation.steps.filter(
      (step) => step.kind !== 'report' || step.locals.length > 0 || !pipeline.shown.has(step.name),
    )
    const inputs = await prepareInputs(replay, alone)
    const replayed = await timed.run('S', () => replaySteps(replay, alone, { inputs }))
    const differences = await explainDifferences({
      replay,
      inputs,
      reference: request.reference,
      replayed,
    })
    const again = await timed.run('P2a', () => buildPipeline(request.staged, { signal, rebuild: false }))
    request.say('proof: mutants')
    const budgetMs = Math.max(60_000, 2 * request.referenceMs)
    const mutants = await timed.run('M', () => runMutants({ replay, replayed, inputs, budgetMs }))
    const rebuilt = await rebuildWithin(request, timed)
    return {
      second,
      pipeline,
      again,
      replayed,
      differences,
      mutants,
      built: await pipelineValues(graduation, replay.tasks, pipeline),
      rebuilt: rebuilt === null ? null : await pipelineValues(graduation, replay.tasks, rebuilt),
      moduleNames: await moduleNames(request, replay.tasks),
    }
  } finally {
    await replaying.close()
  }
}

function endOf(request: ProveRequest, timed: Timed, ran: ProofRuns): ProofEnd {
  const { reference, graduation, accepted } = request
  const { second, pipeline, again, replayed, mutants, built, rebuilt } = ran
  const values = judgeValues({
    reference,
    second,
    graduation,
    replayed: new Map([...replayed].map(([name, step]) => [name, step.values])),
    locals: new Map([...replayed].map(([name, step]) => [name, step.locals])),
    pipeline: built,
    moduleNames: ran.moduleNames,
    accepted,
    differences: ran.differences,
  })
  const outputs = judgeOutputs({
    reference,
    second,
    steps: graduation.steps,
    shown: new Map([...[...replayed].map(([name, step]) => [name, step.shown] as const), ...pipeline.shown]),
    printed: new Map([...replayed].map(([name, step]) => [name, step.printed])),
  })
  const differs = rebuilt === null ? [] : differing(built, rebuilt)
  const hidden = differs.filter((asset) => !isNoisyAsset(request, second, asset))
  const verdict = judgeProof({
    values,
    outputs,
    runs: timed.runs,
    mutants: mutants.counts,
    comparatorFailed: mutants.comparatorFailed,
    reusedAll: again.outcome.built === 0 && again.outcome.state === 'succeeded' && sameBytes(pipeline, again),
    hiddenEdges: hidden.length > 0,
  })
  return {
    proof: {
      ...proofHead(request, pipeline),
      verdict,
      runs: timed.runs,
      values,
      outputs,
      mutants: mutants.counts,
      exclusions: exclusionsOf(reference),
      assumptions: graduation.assumptions,
      madeAt: request.staged.clock.now(),
      details: detailsOf(request, second),
    },
    pipeline,
    problems: problemsOf(ran, hidden),
  }
}

function problemsOf({ pipeline, replayed }: ProofRuns, hidden: readonly string[]): readonly string[] {
  return [
    ...pipeline.outcome.failures.map(
      ({ step, error, message }) =>
        `${step} failed in the pipeline: ${error === null ? message : `${error.type}: ${error.message}`}`,
    ),
    ...hidden.map((asset) => `${asset} has another value when independent steps run in reverse order`),
    ...[...replayed.values()]
      .filter(({ state }) => state !== 'replayed')
      .map(({ step, why }) => `${step} could not be replayed: ${why}`),
  ]
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
