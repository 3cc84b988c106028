/**
 * Interprets a plan: sources are captured, steps start as soon as all they read has ended, results are published once at
 * the end. It decides nothing that the plan did not: a `depends` row is decided by the fingerprint that its inputs give.
 * Continuing after a failure is running again; this file knows nothing of earlier runs.
 */
import { isCellmillError } from '../errors.ts'
import type { StepDefinition } from '../model/project.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import type { SourceObservation } from '../catalog/catalog.ts'
import type { PlanStep } from '../plan/plan.ts'
import { buildStep } from './build-step.ts'
import type { StepEnd } from './build-step.ts'
import { captureSources } from './capture-sources.ts'
import { storeCodeBundle } from './code-bundle.ts'
import { checkStep } from './check-step.ts'
import { Claims } from './claims.ts'
import type { RunState } from './events.ts'
import { exportFiles } from './export-files.ts'
import { publishRun, recordedParameters, recordedSources } from './publish-run.ts'
import type { PublishEnd } from './publish-run.ts'
import { runEffects } from './run-effects.ts'
import { RunTally } from './run-tally.ts'
import type { StepFailure } from './run-tally.ts'
import type { RunContext } from './run-context.ts'
import { byAsset, findResult } from './step-results.ts'

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
  readonly #tally: RunTally
  #codeBundle = ''
  readonly #running: Map<string, Promise<void>> = new Map()

  constructor(context: RunContext) {
    this.#context = context
    this.#claims = new Claims(context.catalog, context.clock)
    this.#rows = context.plan.steps.filter((row) => row.action !== 'remove' && row.kind !== 'effect')
    this.#tally = new RunTally(context, this.#rows)
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
    const bad = this.#tally.counts.failed > 0 || this.#tally.broken.size > 0 || publish?.state === 'refused'
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
      steps: this.#tally.total,
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
        if (ready === 'skip') this.#tally.skip(row)
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
    const states = this.#context.plan.work[row.step]!.after.map((id) => this.#tally.ended.get(id))
    if (states.some((state) => state === 'failed' || state === 'skipped' || state === 'cancelled')) return 'skip'
    return states.every((state) => state === 'done') ? 'run' : 'wait'
  }

  async #runRow(row: PlanStep): Promise<void> {
    const work = this.#context.plan.work[row.step]!
    const known = { snapshots: this.#snapshots, captures: this.#captures }
    const request = { row, work, known, forced: this.#context.rebuild.has(row.step) }
    if (row.kind === 'check') {
      this.#tally.endCheck(row, await checkStep(this.#context, request))
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

  #endStep(row: PlanStep, end: StepEnd): void {
    for (const [asset, snapshot] of end.snapshots ?? []) this.#snapshots.set(asset, snapshot)
    this.#tally.endStep(row, end)
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

  async #publish(): Promise<PublishEnd | null> {
    const context = this.#context
    if (!context.publish) return null
    const [first] = this.#tally.failures
    const because =
      first === undefined ? '' : `${first.step} failed${first.error === null ? ` (${first.message})` : ''}`
    const known = { snapshots: this.#snapshots, captures: this.#captures }
    const end = await publishRun(context, { known, broken: this.#tally.broken, because, codeBundle: this.#codeBundle })
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
      this.#tally.counts.failed++
      this.#tally.failures.push(failure)
    }
  }

  async #finish(state: RunState, startedMs: number, publish: PublishEnd | null): Promise<RunOutcome> {
    const context = this.#context
    const release = publish?.state === 'published' ? publish.release.number : null
    const ms = Math.round(context.clock.monotonicMs() - startedMs)
    const counts = { ...this.#tally.counts, ms }
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
    return { runId: context.runId, state, ...counts, release, failures: this.#tally.failures, publish }
  }
}
