/**
 * Interprets a plan: sources are captured, steps start as soon as all they read has ended, results are published once at
 * the end. It decides nothing that the plan did not: a `depends` row is decided by the fingerprint that its inputs give.
 * Continuing after a failure is running again; this file knows nothing of earlier runs.
 */
import { isCellmillError } from '../errors.ts'
import type { UserCodeError } from '../errors.ts'
import type { StepDefinition } from '../model/project.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import type { SourceObservation } from '../catalog/catalog.ts'
import type { PlanStep } from '../plan/plan.ts'
import { buildStep } from './build-step.ts'
import type { StepEnd } from './build-step.ts'
import { captureSources } from './capture-sources.ts'
import { storeCodeBundle } from './code-bundle.ts'
import { checkStep } from './check-step.ts'
import type { CheckEnd } from './check-step.ts'
import { Claims } from './claims.ts'
import type { RunState } from './events.ts'
import { exportFiles } from './export-files.ts'
import { publishRun, recordedParameters, recordedSources } from './publish-run.ts'
import type { PublishEnd } from './publish-run.ts'
import { runEffects } from './run-effects.ts'
import type { RunContext } from './run-context.ts'
import { stepEvent } from './step-event.ts'
import { byAsset, findResult } from './step-results.ts'

export interface StepFailure {
  readonly step: string
  readonly error: UserCodeError | null
  /** For checks: what did not hold. */
  readonly message: string
}

export interface RunOutcome {
  readonly runId: string
  readonly state: RunState
  readonly built: number
  readonly reused: number
  readonly failed: number
  readonly waiting: number
  readonly checks: number
  readonly reports: number
  readonly attempts: number
  readonly ms: number
  readonly release: number | null
  readonly failures: readonly StepFailure[]
  readonly publish: PublishEnd | null
}

type Ended = 'done' | 'failed' | 'skipped' | 'cancelled'

interface MutableCounts {
  built: number
  reused: number
  failed: number
  waiting: number
  checks: number
  reports: number
  attempts: number
}

export async function runPlan(context: RunContext): Promise<RunOutcome> {
  const run = new PlanRun(context)
  return run.run()
}

class PlanRun {
  readonly #context: RunContext
  readonly #claims: Claims
  readonly #rows: readonly PlanStep[]
  readonly #snapshots: Map<string, SnapshotRecord> = new Map()
  readonly #captures: Map<string, SourceObservation> = new Map()
  readonly #ended: Map<string, Ended> = new Map()
  readonly #broken: Set<string> = new Set()
  readonly #failures: StepFailure[] = []
  readonly #counts: MutableCounts = { built: 0, reused: 0, failed: 0, waiting: 0, checks: 0, reports: 0, attempts: 0 }
  readonly #total: number
  #finished = 0
  #codeBundle = ''
  readonly #running: Map<string, Promise<void>> = new Map()

  constructor(context: RunContext) {
    this.#context = context
    this.#claims = new Claims(context.catalog, context.clock)
    this.#rows = context.plan.steps.filter((row) => row.action !== 'remove' && row.kind !== 'effect')
    this.#total = this.#rows.filter((row) => row.action !== 'reuse' && row.kind !== 'check').length
  }

  async run(): Promise<RunOutcome> {
    const startedMs = this.#context.clock.monotonicMs()
    await this.#start()
    let publish: PublishEnd | null = null
    try {
      await this.#prepare()
      await this.#runSteps()
      publish = await this.#publish()
      if (publish?.state === 'published') {
        await this.#exportFiles()
        await this.#runEffects(publish.release.number)
      }
    } catch (error) {
      await Promise.allSettled(this.#running.values())
      if (!this.#context.signal.aborted) {
        await this.#finish('failed', startedMs, publish)
        throw error
      }
    } finally {
      this.#claims.close()
      await this.#context.catalog.endLeases(this.#context.runId)
    }
    return this.#finish(this.#state(publish), startedMs, publish)
  }

  #state(publish: PublishEnd | null): RunState {
    if (this.#context.signal.aborted) return 'cancelled'
    const bad = this.#counts.failed > 0 || this.#broken.size > 0 || publish?.state === 'refused'
    return bad ? 'failed' : 'succeeded'
  }

  async #start(): Promise<void> {
    const context = this.#context
    const now = context.clock.now()
    this.#codeBundle = await storeCodeBundle(context.store, context.project.root, context.codeFiles)
    await context.catalog.insertRun({
      id: context.runId,
      environment: context.environment.name,
      state: 'running',
      startedAt: now,
      finishedAt: null,
      baseRelease: context.plan.base?.release ?? 0,
      release: null,
      gitCommit: context.gitCommit,
      parameters: recordedParameters(context),
      packages: context.packages,
      sources: {},
      codeBundle: this.#codeBundle,
      pid: process.pid,
      sandbox: context.sandboxLevel,
      counts: {},
    })
    const reused = this.#rows.filter((row) => row.action === 'reuse' && row.kind === 'asset').length
    context.emit({
      type: 'run-started',
      at: now,
      runId: context.runId,
      environment: context.environment.name,
      steps: this.#total,
      reused,
      sandbox: context.sandboxLevel,
    })
  }

  /** What is already there: pointers of steps that are not in the plan, and the captures of sources. */
  async #prepare(): Promise<void> {
    const { plan, graph, catalog, environment } = this.#context
    const view = catalog.view()
    for (const [asset, pointer] of view.pointers(environment.name)) {
      const step = graph.producerOf.get(asset)
      const snapshot = view.snapshot(pointer.snapshotId)
      if (snapshot !== null && (step === undefined || plan.work[step.id] === undefined))
        this.#snapshots.set(asset, snapshot)
    }
    await catalog.lease(
      this.#context.runId,
      [...this.#snapshots.values()].map((snapshot) => snapshot.id),
    )
    const needed = new Set<string>()
    for (const row of this.#rows) {
      for (const { target } of this.#definition(row).inputs) {
        if (target?.type !== 'source') continue
        const last = view.observation(this.#context.observed.get(target.name)!.binding)
        if (row.action === 'reuse' && last !== null) this.#captures.set(target.name, last)
        else needed.add(target.name)
      }
    }
    for (const [name, capture] of await captureSources(this.#context, needed)) this.#captures.set(name, capture)
  }

  #definition(row: PlanStep): StepDefinition {
    return this.#context.plan.work[row.step]!.definition
  }

  async #runSteps(): Promise<void> {
    const { signal } = this.#context
    const isReverse = this.#context.order === 'last-first'
    const waiting = new Set(isReverse ? [...this.#rows].reverse() : this.#rows)
    const running = this.#running
    const slots = isReverse ? 1 : Math.max(1, this.#context.slots)
    while (waiting.size > 0 || running.size > 0) {
      for (const row of waiting) {
        if (signal.aborted || running.size >= slots) break
        const ready = this.#readiness(row)
        if (ready === 'wait') continue
        waiting.delete(row)
        if (ready === 'skip') this.#skip(row)
        else
          running.set(
            row.step,
            this.#runRow(row).finally(() => running.delete(row.step)),
          )
      }
      if (running.size > 0) await Promise.race(running.values())
      else if (signal.aborted) break
    }
    signal.throwIfAborted()
  }

  #readiness(row: PlanStep): 'run' | 'wait' | 'skip' {
    const states = this.#context.plan.work[row.step]!.after.map((id) => this.#ended.get(id))
    if (states.some((state) => state === 'failed' || state === 'skipped' || state === 'cancelled')) return 'skip'
    return states.every((state) => state === 'done') ? 'run' : 'wait'
  }

  #skip(row: PlanStep): void {
    const because = this.#context.plan.work[row.step]!.after.filter((id) => this.#ended.get(id) !== 'done')
    this.#ended.set(row.step, 'skipped')
    this.#broken.add(row.step)
    if (row.kind === 'asset') this.#counts.waiting++
    this.#context.emit({ ...stepEvent(this.#context, this.#definition(row), 0), type: 'step-skipped', because })
  }

  async #runRow(row: PlanStep): Promise<void> {
    const work = this.#context.plan.work[row.step]!
    const known = { snapshots: this.#snapshots, captures: this.#captures }
    const request = { row, work, known, forced: this.#context.rebuild.has(row.step) }
    if (row.kind === 'check') {
      this.#endCheck(row, await checkStep(this.#context, request))
      return
    }
    const planned =
      row.action === 'reuse' && row.fingerprint !== null ? await findResult(this.#context, row.fingerprint) : null
    if (planned !== null) {
      await this.#context.catalog.lease(
        this.#context.runId,
        planned.snapshots.map((snapshot) => snapshot.id),
      )
      const snapshots = byAsset(work.definition, planned.snapshots)
      this.#endStep(row, { state: 'reused', snapshots, attempts: 0, error: null, ms: 0 })
      return
    }
    this.#endStep(row, await this.#cancellable(buildStep(this.#context, this.#claims, request)))
  }

  /** A wait that ends by cancellation is an end of the step, not a fault. */
  async #cancellable(step: Promise<StepEnd>): Promise<StepEnd> {
    try {
      return await step
    } catch (error) {
      const cancelled = this.#context.signal.aborted || isCellmillError(error, 'CANCELLED')
      if (!cancelled) throw error
      return { state: 'cancelled', snapshots: null, attempts: 0, error: null, ms: 0 }
    }
  }

  #endStep(row: PlanStep, end: StepEnd): void {
    const definition = this.#definition(row)
    const event = stepEvent(this.#context, definition, end.attempts)
    this.#counts.attempts += end.attempts
    for (const [asset, snapshot] of end.snapshots ?? []) this.#snapshots.set(asset, snapshot)
    const first = end.snapshots?.values().next().value ?? null
    if (row.action !== 'reuse') this.#finished++
    switch (end.state) {
      case 'built':
        this.#ended.set(row.step, 'done')
        if (row.kind === 'report') this.#counts.reports++
        else this.#counts.built++
        this.#context.emit({
          ...event,
          type: 'step-succeeded',
          ms: end.ms,
          rows: first?.rows ?? null,
          sizeBytes: [...(end.snapshots?.values() ?? [])].reduce((sum, snapshot) => sum + snapshot.sizeBytes, 0),
          index: this.#finished,
          total: this.#total,
        })
        return
      case 'reused':
        this.#ended.set(row.step, 'done')
        if (row.kind === 'asset') this.#counts.reused++
        this.#context.emit({ ...event, type: 'step-reused', reason: row.reason.detail, rows: first?.rows ?? null })
        return
      case 'failed':
        this.#ended.set(row.step, 'failed')
        this.#broken.add(row.step)
        this.#counts.failed++
        this.#failures.push({ step: row.step, error: end.error, message: end.error?.message ?? '' })
        this.#context.emit({
          ...event,
          type: 'step-failed',
          ms: end.ms,
          error: end.error!,
          waiting: this.#waitingFor(row.step),
        })
        return
      case 'cancelled':
        this.#ended.set(row.step, 'cancelled')
        this.#broken.add(row.step)
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

  #endCheck(row: PlanStep, end: CheckEnd): void {
    const definition = this.#definition(row)
    const event = stepEvent(this.#context, definition, end.reused ? 0 : 1)
    if (!end.reused) this.#counts.checks++
    this.#ended.set(row.step, 'done')
    if (end.cancelled) {
      this.#ended.set(row.step, 'cancelled')
      this.#broken.add(row.step)
      this.#context.emit({ ...event, type: 'step-cancelled' })
      return
    }
    if (end.error !== null) {
      this.#broken.add(row.step)
      this.#breakGuarded(definition)
      this.#counts.failed++
      this.#failures.push({ step: row.step, error: end.error, message: end.error.message })
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
    this.#broken.add(row.step)
    this.#breakGuarded(definition)
    this.#failures.push({ step: row.step, error: null, message })
  }

  /** What an `error` check guards may not be published. */
  #breakGuarded(check: StepDefinition): void {
    const guarded = this.#context.graph.producerOf.get(check.check!.asset)
    if (guarded !== undefined) this.#broken.add(guarded.id)
  }

  async #publish(): Promise<PublishEnd | null> {
    const context = this.#context
    if (!context.publish) return null
    const [first] = this.#failures
    const because =
      first === undefined ? '' : `${first.step} failed${first.error === null ? ` (${first.message})` : ''}`
    const known = { snapshots: this.#snapshots, captures: this.#captures }
    const end = await publishRun(context, { known, broken: this.#broken, because, codeBundle: this.#codeBundle })
    const event = { at: context.clock.now(), runId: context.runId, environment: context.environment.name }
    if (end.state === 'published') {
      context.emit({ ...event, type: 'published', release: end.release.number, moved: end.moved })
    } else if (end.state === 'held' || end.state === 'refused') {
      context.emit({ ...event, type: 'publish-held', reason: end.reason })
    }
    return end
  }

  async #exportFiles(): Promise<void> {
    const { project, store, graph, runId } = this.#context
    await exportFiles({ root: project.root, store, steps: graph.order, snapshots: this.#snapshots, tag: runId })
  }

  async #runEffects(release: number): Promise<void> {
    const rows = this.#context.plan.steps.filter((row) => row.kind === 'effect')
    const known = { snapshots: this.#snapshots, captures: this.#captures }
    for (const failure of await runEffects(this.#context, { rows, known, release })) {
      this.#counts.failed++
      this.#failures.push(failure)
    }
  }

  async #finish(state: RunState, startedMs: number, publish: PublishEnd | null): Promise<RunOutcome> {
    const context = this.#context
    const release = publish?.state === 'published' ? publish.release.number : null
    const ms = Math.round(context.clock.monotonicMs() - startedMs)
    const counts = { ...this.#counts, ms }
    const sources = recordedSources({ snapshots: this.#snapshots, captures: this.#captures })
    await context.catalog.finishRun(context.runId, { state, finishedAt: context.clock.now(), release, counts, sources })
    context.emit({
      type: 'run-finished',
      at: context.clock.now(),
      runId: context.runId,
      state,
      ...counts,
      release,
      diagnostics: context.plan.diagnostics,
    })
    return { runId: context.runId, state, ...counts, release, failures: this.#failures, publish }
  }
}
