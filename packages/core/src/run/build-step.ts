/**
 * One step of a run: its fingerprint is closed with what it reads, found or claimed, built by attempts, and committed by
 * the owner of the claim in one transaction. Nothing before that transaction can be seen, so a crash anywhere leaves
 * either the whole result or none.
 */
import { rm, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { digestOf } from '../canonical.ts'
import type { Json } from '../canonical.ts'
import type { Claim, RunStepRecord, StepState } from '../catalog/catalog.ts'
import { crashPoint } from '../crash-points.ts'
import type { UserCodeError } from '../errors.ts'
import type { StepDefinition } from '../model/project.ts'
import { fingerprintOf, recipeDigest } from '../model/recipe.ts'
import type { SnapshotRecord, StepResult } from '../model/snapshot.ts'
import type { PlanStep, PlannedWork } from '../plan/plan.ts'
import type { StepOutcome, StepReport, StepWork } from '../runtimes/runtime.ts'
import { openAttemptLog } from './attempt-log.ts'
import type { Claims } from './claims.ts'
import { commitOutputs } from './commit-outputs.ts'
import { asUserCodeError } from './failure.ts'
import { randomStateEntry, resolveInputs, stepInputs } from './resolve-inputs.ts'
import type { ResolvedInputs, RunKnowledge } from './resolve-inputs.ts'
import { retryDelayMs } from './retry-delay.ts'
import type { RunContext } from './run-context.ts'

export interface StepEnd {
  readonly state: 'built' | 'reused' | 'failed' | 'cancelled'
  /** By asset name; null unless it succeeded. */
  readonly snapshots: ReadonlyMap<string, SnapshotRecord> | null
  readonly attempts: number
  readonly error: UserCodeError | null
  readonly ms: number
}

export interface StepRequest {
  readonly row: PlanStep
  readonly work: PlannedWork
  readonly known: RunKnowledge
  /** Build although a result exists. */
  readonly forced: boolean
}

export async function buildStep(context: RunContext, claims: Claims, request: StepRequest): Promise<StepEnd> {
  const { definition, recipe } = request.work
  const startedAt = context.clock.monotonicMs()
  const inputs = await resolveInputs(context, definition, request.known)
  const fingerprint = fingerprintOf(recipe, inputs.digests)
  const work = { ...request, fingerprint, inputs, startedAt }
  for (;;) {
    context.signal.throwIfAborted()
    const found = request.forced ? null : await findResult(context, fingerprint)
    if (found !== null) return reuse(context, work, found)
    const taken = await claims.take(fingerprint, context.owner)
    if (taken === null) {
      await claims.wait(context.signal)
      continue
    }
    try {
      const finished = request.forced ? null : await findResult(context, fingerprint)
      if (finished !== null) return await reuse(context, work, finished)
      return await attemptUntilDone(context, work, taken)
    } finally {
      await claims.giveUp(taken.claim)
    }
  }
}

export interface Work extends StepRequest {
  readonly fingerprint: string
  readonly inputs: ResolvedInputs
  readonly startedAt: number
}

/** A fingerprint resolves only to snapshots whose bytes exist. */
export async function findResult(context: RunContext, fingerprint: string): Promise<StepResult | null> {
  const result = context.catalog.view().result(fingerprint)
  if (result === null) return null
  for (const snapshot of result.snapshots) {
    if (await context.store.has(snapshot.address)) continue
    await context.catalog.invalidate([snapshot.id], 'its bytes are missing')
    return null
  }
  return result
}

async function reuse(context: RunContext, work: Work, result: StepResult): Promise<StepEnd> {
  const snapshots = byAsset(work.work.definition, result.snapshots)
  await context.catalog.lease(
    context.runId,
    result.snapshots.map((snapshot) => snapshot.id),
  )
  await saveStep(context, work, { state: 'reused', attempt: 0, error: null, logPath: null })
  return { state: 'reused', snapshots, attempts: 0, error: null, ms: context.clock.monotonicMs() - work.startedAt }
}

export function byAsset(
  step: StepDefinition,
  snapshots: readonly SnapshotRecord[],
): ReadonlyMap<string, SnapshotRecord> {
  return new Map(
    step.outputs.map((output) => [output.asset, snapshots.find((snapshot) => snapshot.output === output.output)!]),
  )
}

interface Taken {
  readonly claim: Claim
  readonly lost: AbortSignal
}

async function attemptUntilDone(context: RunContext, work: Work, taken: Taken): Promise<StepEnd> {
  const { definition } = work.work
  const most = definition.options.retries + 1
  for (let attempt = 1; ; attempt++) {
    const end = await attemptOnce(context, work, taken, attempt)
    if (end.outcome !== 'retry') return end.outcome
    if (attempt >= most || !end.retryable) return end.failed
    const delayMs = retryDelayMs(attempt, context.random)
    context.emit({
      ...stepEvent(context, definition, attempt),
      type: 'step-retrying',
      error: end.failed.error!,
      delayMs,
      attempts: most,
    })
    await context.clock.sleep(delayMs, context.signal)
  }
}

type AttemptEnd =
  | { readonly outcome: StepEnd }
  | { readonly outcome: 'retry'; readonly retryable: boolean; readonly failed: StepEnd }

async function attemptOnce(context: RunContext, work: Work, taken: Taken, attempt: number): Promise<AttemptEnd> {
  const { definition } = work.work
  const folder = attemptFolder(context, definition, attempt)
  const log = openAttemptLog({
    stateFolder: context.stateFolder,
    runId: context.runId,
    step: definition.id,
    attempt,
    now: () => context.clock.now(),
    onText: (stream, text) =>
      context.emit({ ...stepEvent(context, definition, attempt), type: 'step-log', stream, text }),
  })
  const save = (state: StepState, error: UserCodeError | null): Promise<void> =>
    saveStep(context, work, { state, attempt, error, logPath: log.relativePath })
  const ended = (state: StepEnd['state'], error: UserCodeError | null): StepEnd => ({
    state,
    snapshots: null,
    attempts: attempt,
    error,
    ms: context.clock.monotonicMs() - work.startedAt,
  })
  try {
    await mkdir(folder, { recursive: true })
    await save('running', null)
    context.emit({ ...stepEvent(context, definition, attempt), type: 'step-started' })
    const outcome = await execute(context, work, { taken, attempt, folder, log })
    if (outcome.state === 'cancelled') {
      await save('cancelled', null)
      return { outcome: ended('cancelled', null) }
    }
    if (outcome.state === 'failed') {
      await save('failed', outcome.error)
      return { outcome: 'retry', retryable: outcome.retryable, failed: ended('failed', outcome.error) }
    }
    const snapshots = await commitAttempt(context, work, {
      claim: taken.claim,
      attempt,
      folder,
      report: outcome.report,
    })
    if (snapshots === null) return { outcome: ended('cancelled', null) }
    await save('succeeded', null)
    return { outcome: { ...ended('built', null), snapshots: byAsset(definition, snapshots) } }
  } finally {
    await log.close()
    await rm(folder, { recursive: true, force: true })
  }
}

export function attemptFolder(context: RunContext, step: StepDefinition, attempt: number): string {
  const safe = step.id.replaceAll(/[^\w.-]/g, '_').slice(0, 120)
  return path.join(context.stateFolder, 'tmp', 'attempts', context.runId, `${safe}.${attempt}`)
}

interface Execution {
  readonly taken: Taken
  readonly attempt: number
  readonly folder: string
  readonly log: StepWorkLog
}
type StepWorkLog = ReturnType<typeof openAttemptLog>

async function execute(context: RunContext, work: Work, execution: Execution): Promise<StepOutcome> {
  const signal = AbortSignal.any([context.signal, execution.taken.lost])
  try {
    const dispatch = await context.dispatch()
    const stepWork = await stepWorkOf(context, work, execution)
    return await dispatch.execute(stepWork, execution.log, signal)
  } catch (error) {
    if (signal.aborted) return { state: 'cancelled' }
    return { state: 'failed', error: asUserCodeError(error, work.work.definition), retryable: false }
  }
}

export async function stepWorkOf(
  context: RunContext,
  work: Work,
  execution: Pick<Execution, 'attempt' | 'folder'>,
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

interface Attempted {
  readonly claim: Claim
  readonly attempt: number
  readonly folder: string
  readonly report: StepReport
}

/** Null when the claim is another's now: what was built is thrown away. */
async function commitAttempt(
  context: RunContext,
  work: Work,
  attempted: Attempted,
): Promise<readonly SnapshotRecord[] | null> {
  const { definition, recipe } = work.work
  const snapshots = await commitOutputs(context, {
    step: definition,
    fingerprint: work.fingerprint,
    report: attempted.report,
    folder: attempted.folder,
    notReusableBecause: notReusableBecause(context, definition, attempted.report),
  })
  if (work.forced) await context.catalog.supersede(work.fingerprint)
  const result = { fingerprint: work.fingerprint, recipeDigest: recipeDigest(recipe), snapshots }
  const answer = await context.catalog.commit({
    claim: attempted.claim,
    runId: context.runId,
    step: definition.id,
    attempt: attempted.attempt,
    recipe,
    inputs: work.inputs.recorded,
    result,
  })
  crashPoint('run.after-commit')
  if (answer === 'stale') return null
  const kept =
    answer === 'already' ? ((await findResult(context, work.fingerprint))?.snapshots ?? snapshots) : snapshots
  await context.catalog.lease(
    context.runId,
    kept.map((snapshot) => snapshot.id),
  )
  return kept
}

/** Why a result may serve this run only; null when it follows from its recipe. */
function notReusableBecause(context: RunContext, step: StepDefinition, report: StepReport): string | null {
  if (step.options.random === 'fresh') return "it draws fresh random numbers (random='fresh')"
  const declared = step.options.refresh !== null
  const seen = report.undeclared.find(({ kind }) => {
    if (kind === 'clock' || kind === 'random' || kind === 'network') return !declared
    return kind === 'file' || kind === 'process'
  })
  if (seen !== undefined)
    return `it read ${seen.what}, which is not declared${seen.where === '' ? '' : ` (${seen.where})`}`
  if (context.sandboxLevel === 'none' && step.language !== 'sql')
    return 'it ran without a sandbox, where undeclared reads cannot be seen'
  return null
}

interface SavedEnd {
  readonly state: StepState
  readonly attempt: number
  readonly error: UserCodeError | null
  readonly logPath: string | null
}

async function saveStep(context: RunContext, work: Work, end: SavedEnd): Promise<void> {
  const { definition, recipe } = work.work
  const now = context.clock.now()
  const durationMs = context.clock.monotonicMs() - work.startedAt
  const record: RunStepRecord = {
    runId: context.runId,
    step: definition.id,
    kind: definition.kind,
    assets: definition.outputs.map((output) => output.asset),
    state: end.state,
    fingerprint: work.fingerprint,
    recipe,
    inputs: work.inputs.recorded,
    reason: work.row.reason as unknown as Json,
    attempt: end.attempt,
    startedAt: new Date(Date.parse(now) - durationMs).toISOString(),
    finishedAt: end.state === 'running' ? null : now,
    error: end.error,
    logPath: end.logPath,
  }
  await context.catalog.saveStep(record)
}

/** The members that all events of a step share. */
export function stepEvent(
  context: RunContext,
  step: StepDefinition,
  attempt: number,
): { at: string; runId: string; step: string; asset: string | null; partition: null; attempt: number } {
  const asset = step.outputs[0]?.asset ?? null
  return { at: context.clock.now(), runId: context.runId, step: step.id, asset, partition: null, attempt }
}
