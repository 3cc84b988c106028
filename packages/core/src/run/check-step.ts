/**
 * A check as a step of its own: its verdict is stored under (check's fingerprint, digests of what it reads), so an
 * unchanged asset that passed is not checked again, and a failure is not slipped past by running again.
 */
import { rm, mkdir } from 'node:fs/promises'
import type { Json } from '../canonical.ts'
import type { VerdictRecord } from '../catalog/catalog.ts'
import type { UserCodeError } from '../errors.ts'
import type { StepDefinition } from '../model/project.ts'
import { fingerprintOf } from '../model/recipe.ts'
import { relationOf } from '../runtimes/sql/sql-runtime.ts'
import { openAttemptLog } from './attempt-log.ts'
import type { StepRequest } from './build-step.ts'
import { ruleQuery } from './check-rules.ts'
import { asUserCodeError } from './failure.ts'
import { resolveInputs, stepInputs } from './resolve-inputs.ts'
import type { ResolvedInputs } from './resolve-inputs.ts'
import type { RunContext } from './run-context.ts'
import { stepEvent } from './step-event.ts'
import { attemptFolder, stepWorkOf } from './step-work.ts'

export interface CheckEnd {
  readonly verdict: VerdictRecord | null
  readonly reused: boolean
  /** The check itself broke: neither passed nor failed. */
  readonly error: UserCodeError | null
  readonly cancelled: boolean
}

interface Judged {
  readonly passed: boolean
  readonly message: string
  readonly failedRows: number | null
}

export async function checkStep(context: RunContext, request: StepRequest): Promise<CheckEnd> {
  const { definition, recipe } = request.work
  const inputs = await resolveInputs(context, definition, request.known)
  const fingerprint = fingerprintOf(recipe, inputs.digests)
  const stored = request.forced ? null : context.catalog.view().verdict(fingerprint)
  if (stored !== null) return { verdict: stored, reused: true, error: null, cancelled: false }
  const check = definition.check!
  const startedAt = context.clock.now()
  const end = check.rule === null ? await judgeByCode(context, request, inputs) : await judgeByRule(context, request)
  const error = end !== null && 'kind' in end ? end : null
  await saveCheck(context, request, {
    fingerprint,
    inputs,
    startedAt,
    judged: end === null ? 'cancelled' : error === null ? 'succeeded' : 'failed',
    error,
  })
  if (end === null) return { verdict: null, reused: false, error: null, cancelled: true }
  if ('kind' in end) return { verdict: null, reused: false, error: end, cancelled: false }
  const verdict: VerdictRecord = {
    fingerprint,
    check: definition.id,
    severity: check.severity,
    ...end,
    evidence: null,
    runId: context.runId,
    at: context.clock.now(),
  }
  await context.catalog.saveVerdict(verdict)
  return { verdict, reused: false, error: null, cancelled: false }
}

const evidenceRows = 1000

async function judgeByRule(context: RunContext, request: StepRequest): Promise<Judged | UserCodeError | null> {
  const { definition } = request.work
  try {
    const [input] = await stepInputs(context, definition, request.known)
    const relation = relationOf(input!)
    const rule = ruleQuery(definition.check!.rule!, relation.relation)
    const engine = await context.engine()
    const counted = await engine.query(`SELECT count(*) FROM (${rule.sql})`, [relation], 1, context.signal)
    const failedRows = Number(counted.rows[0]?.[0] ?? 0)
    if (failedRows === 0) return { passed: true, message: '', failedRows: 0 }
    const examples = await engine.query(rule.sql, [relation], 3, context.signal)
    const names = examples.columns.map((column) => column.name)
    const shown = examples.rows.map((row) =>
      row
        .map((value, i) => `${names[i]}=${JSON.stringify(value)}`)
        .slice(0, 6)
        .join(' '),
    )
    return { passed: false, message: `${rule.describe(failedRows)}, such as ${shown.join('; ')}`, failedRows }
  } catch (error) {
    if (context.signal.aborted) return null
    return asUserCodeError(error, definition)
  }
}

async function judgeByCode(
  context: RunContext,
  request: StepRequest,
  inputs: ResolvedInputs,
): Promise<Judged | UserCodeError | null> {
  const { definition } = request.work
  const folder = attemptFolder(context, definition, 1)
  const log = openAttemptLog({
    stateFolder: context.stateFolder,
    runId: context.runId,
    step: definition.id,
    attempt: 1,
    now: () => context.clock.now(),
    onText: (stream, text) => context.emit({ ...stepEvent(context, definition, 1), type: 'step-log', stream, text }),
  })
  try {
    await mkdir(folder, { recursive: true })
    const dispatch = await context.dispatch()
    const outcome = await dispatch.execute(
      await stepWorkOf(context, { ...request, fingerprint: '', inputs, startedAt: 0 }, { attempt: 1, folder }),
      log,
      context.signal,
    )
    if (outcome.state === 'cancelled') return null
    if (outcome.state === 'failed') return outcome.error
    const { check } = outcome.report
    if (check === null) return contractFailure(definition)
    return {
      ...check,
      failedRows: check.failedRows === null ? null : Math.min(check.failedRows, Number.MAX_SAFE_INTEGER),
    }
  } catch (error) {
    if (context.signal.aborted) return null
    return asUserCodeError(error, definition)
  } finally {
    await log.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function contractFailure(step: StepDefinition): UserCodeError {
  return {
    kind: 'contract',
    type: 'contract',
    message: `the check '${step.id}' gave no verdict`,
    frames: [],
    inputs: [],
    hint: `return True or False, or the rows that break the rule (at most ${evidenceRows} are kept)`,
  }
}

interface SavedCheck {
  readonly fingerprint: string
  readonly inputs: ResolvedInputs
  readonly startedAt: string
  readonly judged: 'succeeded' | 'failed' | 'cancelled'
  readonly error: UserCodeError | null
}

async function saveCheck(context: RunContext, request: StepRequest, saved: SavedCheck): Promise<void> {
  const { definition, recipe } = request.work
  await context.catalog.saveStep({
    runId: context.runId,
    step: definition.id,
    kind: 'check',
    assets: [],
    state: saved.judged,
    fingerprint: saved.fingerprint,
    recipe,
    inputs: saved.inputs.recorded,
    reason: request.row.reason as unknown as Json,
    attempt: 1,
    startedAt: saved.startedAt,
    finishedAt: context.clock.now(),
    error: saved.error,
    logPath: null,
  })
}
