/**
 * How the steps of a run ended: what is counted, what is told as events, and what may not be published because something
 * before or beside it failed.
 */
import type { UserCodeError } from '../errors.ts'
import type { StepDefinition } from '../model/project.ts'
import type { PlanStep } from '../plan/plan.ts'
import type { StepEnd } from './build-step.ts'
import type { CheckEnd } from './check-step.ts'
import type { RunContext } from './run-context.ts'
import { stepEvent } from './step-event.ts'

export interface StepFailure {
  readonly step: string
  readonly error: UserCodeError | null
  /** For checks: what did not hold. */
  readonly message: string
}

type Ended = 'done' | 'failed' | 'skipped' | 'cancelled'

interface RunCounts {
  built: number
  reused: number
  failed: number
  waiting: number
  checks: number
  reports: number
  attempts: number
}

export class RunTally {
  readonly ended: Map<string, Ended> = new Map()
  /** Steps whose assets keep what they show. */
  readonly broken: Set<string> = new Set()
  readonly failures: StepFailure[] = []
  readonly counts: RunCounts = { built: 0, reused: 0, failed: 0, waiting: 0, checks: 0, reports: 0, attempts: 0 }
  /** Steps with something to do. */
  readonly total: number
  readonly #context: RunContext
  readonly #rows: readonly PlanStep[]
  #finished = 0

  constructor(context: RunContext, rows: readonly PlanStep[]) {
    this.#context = context
    this.#rows = rows
    this.total = rows.filter((row) => row.action !== 'reuse' && row.kind !== 'check').length
  }

  skip(row: PlanStep): void {
    const because = this.#context.plan.work[row.step]!.after.filter((id) => this.ended.get(id) !== 'done')
    this.ended.set(row.step, 'skipped')
    this.broken.add(row.step)
    if (row.kind === 'asset') this.counts.waiting++
    this.#context.emit({ ...stepEvent(this.#context, this.#definition(row), 0), type: 'step-skipped', because })
  }

  endStep(row: PlanStep, end: StepEnd): void {
    const definition = this.#definition(row)
    const event = stepEvent(this.#context, definition, end.attempts)
    this.counts.attempts += end.attempts
    const first = end.snapshots?.values().next().value ?? null
    if (row.action !== 'reuse') this.#finished++
    switch (end.state) {
      case 'built':
        this.ended.set(row.step, 'done')
        if (row.kind === 'report') this.counts.reports++
        else this.counts.built++
        this.#context.emit({
          ...event,
          type: 'step-succeeded',
          ms: end.ms,
          rows: first?.rows ?? null,
          sizeBytes: [...(end.snapshots?.values() ?? [])].reduce((sum, snapshot) => sum + snapshot.sizeBytes, 0),
          index: this.#finished,
          total: this.total,
        })
        return
      case 'reused':
        this.ended.set(row.step, 'done')
        if (row.kind === 'asset') this.counts.reused++
        this.#context.emit({ ...event, type: 'step-reused', reason: row.reason.detail, rows: first?.rows ?? null })
        return
      case 'failed':
        this.ended.set(row.step, 'failed')
        this.broken.add(row.step)
        this.counts.failed++
        this.failures.push({ step: row.step, error: end.error, message: end.error?.message ?? '' })
        this.#context.emit({
          ...event,
          type: 'step-failed',
          ms: end.ms,
          error: end.error!,
          waiting: this.#waitingFor(row.step),
        })
        return
      case 'cancelled':
        this.ended.set(row.step, 'cancelled')
        this.broken.add(row.step)
        this.#context.emit({ ...event, type: 'step-cancelled' })
    }
  }

  #waitingFor(step: string): readonly string[] {
    const found = new Set<string>()
    const queue = [step]
    for (let i = 0; i < queue.length; i++) {
      for (const row of this.#rows) {
        if (row.kind === 'check' || found.has(row.step)) continue
        if (!this.#context.plan.work[row.step]!.after.includes(queue[i]!)) continue
        found.add(row.step)
        queue.push(row.step)
      }
    }
    return [...found]
  }

  endCheck(row: PlanStep, end: CheckEnd): void {
    const definition = this.#definition(row)
    const event = stepEvent(this.#context, definition, end.reused ? 0 : 1)
    if (!end.reused) this.counts.checks++
    this.ended.set(row.step, 'done')
    if (end.cancelled) {
      this.ended.set(row.step, 'cancelled')
      this.broken.add(row.step)
      this.#context.emit({ ...event, type: 'step-cancelled' })
      return
    }
    if (end.error !== null) {
      this.broken.add(row.step)
      this.#breakGuarded(definition)
      this.counts.failed++
      this.failures.push({ step: row.step, error: end.error, message: end.error.message })
      this.#context.emit({ ...event, type: 'step-failed', ms: 0, error: end.error, waiting: [] })
      return
    }
    const verdict = end.verdict!
    const severity = verdict.severity
    if (verdict.passed) {
      this.#context.emit({ ...event, type: 'check-passed', severity, reused: end.reused })
      return
    }
    const { message, failedRows: rows } = verdict
    this.#context.emit({ ...event, type: 'check-failed', severity, reused: end.reused, message, rows })
    if (severity !== 'error') return
    this.broken.add(row.step)
    this.#breakGuarded(definition)
    this.failures.push({ step: row.step, error: null, message })
  }

  /** What an `error` check guards may not be published. */
  #breakGuarded(check: StepDefinition): void {
    const guarded = this.#context.graph.producerOf.get(check.check!.asset)
    if (guarded !== undefined) this.broken.add(guarded.id)
  }

  #definition(row: PlanStep): StepDefinition {
    return this.#context.plan.work[row.step]!.definition
  }
}
