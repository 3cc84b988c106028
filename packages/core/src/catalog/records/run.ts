/** Runs. A run that has ended stays as it ended: `finish` and `recover` change only running ones. */
import type { Kysely } from 'kysely'
import type { Json } from '../../canonical.ts'
import type { RunPatch, RunRecord } from '../catalog.ts'
import type { CatalogTables, RunRow, RunStepRow } from '../schema.ts'

export function runFromRow(row: RunRow): RunRecord {
  return {
    id: row.id,
    environment: row.environment,
    state: row.state as RunRecord['state'],
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    baseRelease: row.base_release,
    release: row.release,
    gitCommit: row.git_commit,
    parameters: JSON.parse(row.parameters) as Json,
    packages: JSON.parse(row.packages) as Json,
    sources: JSON.parse(row.sources) as Json,
    codeBundle: row.code_bundle,
    pid: row.pid,
    sandbox: row.sandbox,
    counts: JSON.parse(row.counts) as Json,
  }
}

export function runToRow(run: RunRecord): RunRow {
  return {
    id: run.id,
    environment: run.environment,
    state: run.state,
    started_at: run.startedAt,
    finished_at: run.finishedAt,
    base_release: run.baseRelease,
    release: run.release,
    git_commit: run.gitCommit,
    parameters: JSON.stringify(run.parameters),
    packages: JSON.stringify(run.packages),
    sources: JSON.stringify(run.sources),
    code_bundle: run.codeBundle,
    pid: run.pid,
    sandbox: run.sandbox,
    counts: JSON.stringify(run.counts),
  }
}

export async function insertRun(db: Kysely<CatalogTables>, run: RunRecord): Promise<void> {
  await db.insertInto('runs').values(runToRow(run)).execute()
}

export async function finishRun(db: Kysely<CatalogTables>, id: string, patch: RunPatch): Promise<void> {
  const ended = await db
    .updateTable('runs')
    .set({
      state: patch.state,
      finished_at: patch.finishedAt,
      release: patch.release,
      counts: JSON.stringify(patch.counts),
      ...(patch.sources === undefined ? {} : { sources: JSON.stringify(patch.sources) }),
    })
    .where('id', '=', id)
    .where('state', '=', 'running')
    .executeTakeFirst()
  if (ended.numUpdatedRows === 0n) return
  await endSteps(db, id, ['queued', 'running'], { state: 'cancelled', finished_at: patch.finishedAt })
  await dropRun(db, id)
}

/** An ended run has no step that goes on. */
async function endSteps(
  db: Kysely<CatalogTables>,
  id: string,
  states: readonly string[],
  end: Pick<RunStepRow, 'state' | 'finished_at'>,
): Promise<void> {
  await db.updateTable('run_steps').set(end).where('run_id', '=', id).where('state', 'in', states).execute()
}

/** Claims and leases of a run fall with it. Epochs stay, and only rise. */
async function dropRun(db: Kysely<CatalogTables>, id: string): Promise<void> {
  await db
    .updateTable('claims')
    .set({ owner: null })
    .where((eb) => eb.or([eb('owner', '=', id), eb('owner', 'like', `${id}:%`)]))
    .execute()
  await db.deleteFrom('leases').where('run_id', '=', id).execute()
}

export async function selectRuns(db: Kysely<CatalogTables>, limit: number): Promise<readonly RunRecord[]> {
  const rows = await db.selectFrom('runs').selectAll().orderBy('id', 'desc').limit(limit).execute()
  return rows.map(runFromRow)
}

export async function selectRun(db: Kysely<CatalogTables>, id: string): Promise<RunRecord | null> {
  const row = await db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? null : runFromRow(row)
}

export async function selectRunning(db: Kysely<CatalogTables>): Promise<readonly RunRecord[]> {
  const rows = await db.selectFrom('runs').selectAll().where('state', '=', 'running').execute()
  return rows.map(runFromRow)
}

/** Ends a run whose process is gone: what was under way failed with it. */
export async function endLostRun(db: Kysely<CatalogTables>, id: string, at: string): Promise<void> {
  await endSteps(db, id, ['running'], { state: 'failed', finished_at: at })
  await endSteps(db, id, ['queued'], { state: 'cancelled', finished_at: at })
  await dropRun(db, id)
  await db
    .updateTable('runs')
    .set({ state: 'failed', finished_at: at })
    .where('id', '=', id)
    .where('state', '=', 'running')
    .execute()
}
