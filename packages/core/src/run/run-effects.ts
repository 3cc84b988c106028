/**
 * Effects act on the world once for each published release, after it is durable. Each gets an idempotency key made of
 * the release, the same for every attempt; a failed effect fails the run and leaves the release as it is.
 */
import { rm, mkdir } from 'node:fs/promises'
import { digestOf } from '../canonical.ts'
import type { Json } from '../canonical.ts'
import type { PlanStep } from '../plan/plan.ts'
import { openAttemptLog } from './attempt-log.ts'
import { asUserCodeError } from './failure.ts'
import { resolveInputs } from './resolve-inputs.ts'
import type { RunKnowledge } from './resolve-inputs.ts'
import type { RunContext } from './run-context.ts'
import { stepEvent } from './step-event.ts'
import { attemptFolder, stepWorkOf } from './step-work.ts'
import type { StepFailure } from './run-tally.ts'

export interface EffectsRequest {
  readonly rows: readonly PlanStep[]
  readonly known: RunKnowledge
  readonly release: number
}

export async function runEffects(context: RunContext, request: EffectsRequest): Promise<readonly StepFailure[]> {
  const failures: StepFailure[] = []
  for (const row of request.rows) {
    const failure = await runEffect(context, row, request)
    if (failure !== null) failures.push(failure)
  }
  return failures
}

async function runEffect(context: RunContext, row: PlanStep, request: EffectsRequest): Promise<StepFailure | null> {
  const work = context.plan.work[row.step]!
  const { definition } = work
  const folder = attemptFolder(context, definition, 1)
  const event = (): ReturnType<typeof stepEvent> => stepEvent(context, definition, 1)
  const log = openAttemptLog({
    stateFolder: context.stateFolder,
    runId: context.runId,
    step: definition.id,
    attempt: 1,
    now: () => context.clock.now(),
    onText: (stream, text) => context.emit({ ...event(), type: 'step-log', stream, text }),
  })
  const startedMs = context.clock.monotonicMs()
  try {
    await mkdir(folder, { recursive: true })
    const inputs = await resolveInputs(context, definition, request.known)
    const stepWork = await stepWorkOf(
      context,
      { row, work, known: request.known, forced: true, fingerprint: '', inputs, startedAt: startedMs },
      { attempt: 1, folder },
    )
    const idempotencyKey = digestOf([context.environment.name, request.release, definition.id])
    context.emit({ ...event(), type: 'step-started' })
    const dispatch = await context.dispatch()
    const startedAt = context.clock.now()
    const outcome = await dispatch.execute({ ...stepWork, idempotencyKey }, log, context.signal)
    await context.catalog.saveStep({
      runId: context.runId,
      step: definition.id,
      kind: 'effect',
      assets: [],
      state: outcome.state,
      fingerprint: null,
      recipe: work.recipe,
      inputs: inputs.recorded,
      reason: row.reason as unknown as Json,
      attempt: 1,
      startedAt,
      finishedAt: context.clock.now(),
      error: outcome.state === 'failed' ? outcome.error : null,
      logPath: log.relativePath,
    })
    const ms = context.clock.monotonicMs() - startedMs
    if (outcome.state === 'succeeded') {
      context.emit({ ...event(), type: 'step-succeeded', ms, rows: null, sizeBytes: 0, index: 0, total: 0 })
      return null
    }
    if (outcome.state === 'cancelled') {
      context.emit({ ...event(), type: 'step-cancelled' })
      return { step: definition.id, error: null, message: 'cancelled after the release was published' }
    }
    context.emit({ ...event(), type: 'step-failed', ms, error: outcome.error, waiting: [] })
    return { step: definition.id, error: outcome.error, message: outcome.error.message }
  } catch (error) {
    const failed = asUserCodeError(error, definition)
    context.emit({ ...event(), type: 'step-failed', ms: 0, error: failed, waiting: [] })
    return { step: definition.id, error: failed, message: failed.message }
  } finally {
    await log.close()
    await rm(folder, { recursive: true, force: true })
  }
}
