/**
 * One step of a run: its fingerprint is closed with what it reads, found or claimed, built by attempts, and committed by
 * the owner of the claim in one transaction. Nothing before that transaction can be seen, so a crash anywhere leaves
 * either the whole result or none.
 */
import { rm, mkdir } from 'node:fs/promises'
import type { Json } from '../canonical.ts'
import type { Claim, RunStepRecord, StepState } from '../catalog/catalog.ts'
import type { UserCodeError } from '../errors.ts'
import { fingerprintOf } from '../model/recipe.ts'
import type { SnapshotRecord, StepResult } from '../model/snapshot.ts'
import type { PlanStep, PlannedWork } from '../plan/plan.ts'
import type { StepOutcome } from '../runtimes/runtime.ts'
import { openAttemptLog } from './attempt-log.ts'
import type { Claims } from './claims.ts'
import { commitAttempt } from './commit-attempt.ts'
import { asUserCodeError } from './failure.ts'
import { resolveInputs } from './resolve-inputs.ts'
import type { ResolvedInputs, RunKnowledge } from './resolve-inputs.ts'
import { retryDelayMs } from './retry-delay.ts'
import type { RunContext } from './run-context.ts'
import { stepEvent } from './step-event.ts'
import { byAsset, findResult } from './step-results.ts'
import { attemptFolder, stepWorkOf } from './step-work.ts'

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
      return await attemptUntilDone(context, work, { ...taken, claims })
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

async function reuse(context: RunContext, work: Work, result: StepResult): Promise<StepEnd> {
  const snapshots = byAsset(work.work.definition, result.snapshots)
  await context.catalog.lease(
    context.runId,
    result.snapshots.map((snapshot) => snapshot.id),
  )
  await saveStep(context, work, { state: 'reused', attempt: 0, error: null, logPath: null })
  return { state: 'reused', snapshots, attempts: 0, error: null, ms: context.clock.monotonicMs() - work.startedAt }
}

interface Taken {
  readonly claims: Claims
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
      claims: taken.claims,
      attempt,
      folder,
      report: outcome.report,
    })
    if (snapshots === null) return { outcome: ended('cancelled', null) }
    return { outcome: { ...ended('built', null), snapshots: byAsset(definition, snapshots) } }
  } finally {
    await log.close()
    await rm(folder, { recursive: true, force: true })
  }
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
