/** Runs a plan in a workspace. A plan with nothing to do is answered at once, without opening what only builds need. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Catalog } from '../catalog/catalog.ts'
import { createId } from '../ids.ts'
import { dataEntries } from '../run/resolve-inputs.ts'
import type { RunEvent } from '../run/events.ts'
import type { RunContext } from '../run/run-context.ts'
import type { RunOutcome } from '../run/run-plan.ts'
import { authorName, currentCommit } from '../project/git.ts'
import { CellmillError } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { planProject } from './plan-project.ts'
import type { PlanOptions, Planned } from './plan-project.ts'
import type { Workspace } from './workspace.ts'

export interface RunOptions extends PlanOptions {
  readonly publish: boolean
  readonly allowMixed: boolean
  /** @default first-first */
  readonly order?: RunContext['order']
  readonly message: string
  readonly emit: (event: RunEvent) => void
  readonly signal: AbortSignal
}

export async function runProject(workspace: Workspace, options: RunOptions): Promise<RunOutcome> {
  const planned = await planProject(workspace, options)
  workspace.useSandbox(planned.environment.sandbox)
  await endLostRuns(workspace)
  if (await nothingToDo(workspace, planned, options)) return reportNothing(workspace, planned, options)
  const catalog = await workspace.catalog()
  await sweepAttempts(workspace, catalog)
  const context = await contextOf(workspace, planned, options)
  startEngine(workspace, planned.plan)
  const { runPlan } = await import('../run/run-plan.ts')
  try {
    return await runPlan(context)
  } finally {
    await removeAttempts(workspace, context.runId)
  }
}

/** Also when there is nothing to do: a run may have been killed between its publish and its end. */
async function endLostRuns(workspace: Workspace): Promise<void> {
  const view = await workspace.view()
  if (view.runningPids().every(isAlive)) return
  await (await workspace.catalog()).recover(isAlive)
}

/** Its workers start while the first step runs, which needs them only at its end. */
function startEngine(workspace: Workspace, plan: Plan): void {
  const building = plan.steps.filter(({ action }) => action === 'build' || action === 'depends')
  if (building.length === 0) return
  const steps = building.some((row) => plan.work[row.step]?.definition.language === 'sql')
  // What keeps it from starting is told by the first step that uses it.
  void workspace.engine().then(
    (engine) => engine.startAhead({ steps, ingest: true }),
    () => {},
  )
}

/** By the state of the runs and not by what was just recovered: whoever recovered last may have been killed before this. */
async function sweepAttempts(workspace: Workspace, catalog: Catalog): Promise<void> {
  const folder = path.join(await workspace.stateFolder(), 'tmp', 'attempts')
  for (const runId of existsSync(folder) ? await readdir(folder) : []) {
    if ((await catalog.run(runId))?.state !== 'running') await removeAttempts(workspace, runId)
  }
}

async function removeAttempts(workspace: Workspace, runId: string): Promise<void> {
  await rm(path.join(await workspace.stateFolder(), 'tmp', 'attempts', runId), { recursive: true, force: true })
}

/** Nothing builds, nothing moves, every verdict is a stored pass, and all bytes are there. */
async function nothingToDo(workspace: Workspace, planned: Planned, options: RunOptions): Promise<boolean> {
  const rows = planned.plan.steps.filter((row) => row.kind !== 'effect')
  if (rows.some((row) => row.action !== 'reuse' || (row.publishes && options.publish))) return false
  const view = await workspace.view()
  const store = await workspace.store()
  for (const row of rows) {
    if (row.kind === 'check') {
      const verdict = view.verdict(row.fingerprint!)
      if (verdict === null || (!verdict.passed && verdict.severity === 'error')) return false
      continue
    }
    for (const snapshot of view.result(row.fingerprint!)?.snapshots ?? []) {
      if (!(await store.has(snapshot.address))) return false
    }
  }
  return true
}

function reportNothing(workspace: Workspace, planned: Planned, options: RunOptions): RunOutcome {
  const at = workspace.clock.now()
  const runId = createId(at, workspace.random)
  const counts = countReused(planned.plan)
  const common = { at, runId }
  options.emit({
    ...common,
    type: 'run-started',
    environment: planned.environment.name,
    steps: 0,
    reused: counts.reused,
    sandbox: 'not-needed',
  })
  for (const row of planned.plan.steps) {
    if (row.kind !== 'asset' && row.kind !== 'report') continue
    const asset = row.assets[0] ?? null
    options.emit({
      ...common,
      type: 'step-reused',
      step: row.step,
      asset,
      partition: null,
      attempt: 0,
      reason: row.reason.detail,
      rows: null,
    })
  }
  const finished = { state: 'succeeded', ...counts, ms: 0, release: null } as const
  options.emit({ ...common, type: 'run-finished', ...finished, diagnostics: planned.plan.diagnostics })
  return { runId, ...finished, failures: [], publish: null }
}

function countReused(plan: Plan): Omit<RunOutcome, 'runId' | 'state' | 'ms' | 'release' | 'failures' | 'publish'> {
  const reused = plan.steps.filter((row) => row.kind === 'asset').length
  return { built: 0, reused, failed: 0, waiting: 0, checks: 0, reports: 0, attempts: 0 }
}

async function contextOf(workspace: Workspace, planned: Planned, options: RunOptions): Promise<RunContext> {
  const { loaded, environment } = planned
  const catalog = await workspace.catalog()
  const startedAt = workspace.clock.now()
  const runId = createId(startedAt, workspace.random)
  const view = catalog.view()
  return {
    runId,
    owner: runId,
    project: loaded.project,
    graph: planned.graph,
    plan: planned.plan,
    environment,
    parameters: planned.parameters,
    recipes: planned.recipes,
    digests: { ...planned.digests, columnDigest: (id, form, key) => view.columnDigest(id, form, key) },
    observed: planned.observed,
    runTime: planned.runTime,
    author: authorName(workspace.root, workspace.variables),
    gitCommit: currentCommit(workspace.root),
    packages: loaded.packages,
    codeFiles: loaded.codeFiles,
    store: await workspace.store(),
    catalog,
    clock: workspace.clock,
    stateFolder: await workspace.stateFolder(),
    engine: () => workspace.engine(),
    dispatch: () => workspace.dispatch(),
    captureSqlite: async (database, query, folder) =>
      captureSqlite(workspace, { database, query, folder, signal: options.signal }),
    secrets: secretsOf(workspace, planned),
    rebuild: planned.rebuild,
    publish: options.publish,
    allowMixed: options.allowMixed,
    message: options.message,
    order: options.order ?? 'first-first',
    slots: loaded.project.config.parallel,
    sandboxLevel: (await workspace.sandbox()).level,
    random: workspace.random,
    emit: options.emit,
    signal: options.signal,
  }
}

interface SqliteCapture {
  readonly database: string
  readonly query: string
  readonly folder: string
  readonly signal: AbortSignal
}

async function captureSqlite(workspace: Workspace, capture: SqliteCapture) {
  const engine = await workspace.engine()
  // The engine's workers only read the store, so the result is made beside it and moved.
  const temporary = path.join(await workspace.stateFolder(), 'tmp')
  await mkdir(temporary, { recursive: true })
  const scratch = await mkdtemp(path.join(temporary, 'capture-'))
  try {
    await engine.runSqlite(capture.database, capture.query, scratch, capture.signal)
    for (const name of await readdir(scratch)) await rename(path.join(scratch, name), path.join(capture.folder, name))
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  const ingested = await engine.ingest(
    {
      folder: capture.folder,
      kind: 'table',
      codec: 'parquet',
      unordered: false,
      columnSets: [],
      maxRows: null,
      maxBytes: null,
    },
    capture.signal,
  )
  const [file] = dataEntries(ingested.entries)
  return { file: file!, digest: ingested.facts.digests.sequence! }
}

/** Values of declared secrets, from `CELLMILL_SECRET_NAME`; a missing one is refused before anything starts. */
function secretsOf(workspace: Workspace, planned: Planned): Readonly<Record<string, string>> {
  const secrets: Record<string, string> = {}
  for (const row of planned.plan.steps) {
    if (row.action === 'remove' || row.action === 'reuse') continue
    for (const name of planned.plan.work[row.step]!.definition.options.secrets) {
      const variable = `CELLMILL_SECRET_${name.toUpperCase()}`
      const value = workspace.variables[variable]
      if (value === undefined) {
        throw new CellmillError('USAGE', `'${row.step}' needs the secret '${name}'`, { hint: `set ${variable}` })
      }
      secrets[name] = value
    }
  }
  return secrets
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
