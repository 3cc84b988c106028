/**
 * Releases and their pointers. A pointer row spans the releases in which it did not change, so a release costs what it
 * moved. Publishing is one transaction: compare the number, move pointers, raise the number.
 */
import type { Kysely } from 'kysely'
import type { Json } from '../../canonical.ts'
import { crashPoint } from '../../crash-points.ts'
import { CellmillError } from '../../errors.ts'
import type { EnvironmentState, PointerRecord, PublishRequest, ReleaseHead, ReleaseRecord } from '../catalog.ts'
import type { CatalogTables, PointerRow, ReleaseRow } from '../schema.ts'
import { saveEnvironment, selectEnvironment } from './environment.ts'

export function pointerFromRow(row: PointerRow): PointerRecord {
  return { asset: row.asset, snapshotId: row.snapshot_id, fingerprint: row.fingerprint, step: row.step }
}

export function releaseFromRow(row: ReleaseRow): ReleaseHead {
  return {
    environment: row.environment,
    number: row.number,
    createdAt: row.created_at,
    runId: row.run_id,
    author: row.author,
    message: row.message,
    gitCommit: row.git_commit,
    codeBundle: row.code_bundle,
    packages: JSON.parse(row.packages) as Json,
    parameters: JSON.parse(row.parameters) as Json,
    sources: JSON.parse(row.sources) as Json,
    cause: row.cause,
    restores: row.restores,
    mixed: row.mixed === 1,
  }
}

function releaseToRow(release: ReleaseRecord): ReleaseRow {
  return {
    environment: release.environment,
    number: release.number,
    created_at: release.createdAt,
    run_id: release.runId,
    author: release.author,
    message: release.message,
    git_commit: release.gitCommit,
    code_bundle: release.codeBundle,
    packages: JSON.stringify(release.packages),
    parameters: JSON.stringify(release.parameters),
    sources: JSON.stringify(release.sources),
    cause: release.cause,
    restores: release.restores,
    mixed: release.mixed ? 1 : 0,
  }
}

/** The caller's transaction. */
export async function publishRelease(
  db: Kysely<CatalogTables>,
  request: PublishRequest,
  now: string,
): Promise<ReleaseRecord> {
  const { environment } = request
  const state = await selectEnvironment(db, environment)
  refuseConflict(state, request)
  const number = state.release + 1
  const release: ReleaseRecord = { ...request.release, environment, number, createdAt: now }
  await saveEnvironment(db, { ...state, ...holdAfter(state, request), release: number, releasedAt: now })
  await db.insertInto('releases').values(releaseToRow(release)).execute()
  await movePointers(db, release)
  return release
}

function refuseConflict(state: EnvironmentState, request: PublishRequest): void {
  if (state.release !== request.expectedRelease) {
    throw new CellmillError(
      'PUBLISH_CONFLICT',
      `${state.name} is at release ${state.release} now, and was at ${request.expectedRelease} when this was planned`,
      {
        hint: 'run again: what is built is reused',
        retryable: true,
        details: { environment: state.name, release: state.release, expectedRelease: request.expectedRelease },
      },
    )
  }
  if (state.held && request.hold === 'keep' && request.release.cause === 'run') {
    throw new CellmillError('ENVIRONMENT_HELD', `${state.name} is held: runs build but do not publish`, {
      hint: `cellmill unhold ${state.name}`,
      details: { environment: state.name, heldBundle: state.heldBundle },
    })
  }
}

function holdAfter(state: EnvironmentState, request: PublishRequest): Pick<EnvironmentState, 'held' | 'heldBundle'> {
  if (request.hold === 'keep') return { held: state.held, heldBundle: state.heldBundle }
  if (request.hold === 'clear') return { held: false, heldBundle: null }
  return { held: true, heldBundle: request.hold.bundle }
}

async function movePointers(db: Kysely<CatalogTables>, release: ReleaseRecord): Promise<void> {
  const { environment, number } = release
  const current = new Map((await currentPointers(db, environment)).map((row) => [row.asset, row]))
  const added: PointerRow[] = []
  const ended: string[] = []
  for (const pointer of release.pointers) {
    const before = current.get(pointer.asset)
    current.delete(pointer.asset)
    if (before !== undefined && isSame(before, pointer)) continue
    if (before !== undefined) ended.push(pointer.asset)
    added.push({
      environment,
      asset: pointer.asset,
      from_release: number,
      to_release: null,
      snapshot_id: pointer.snapshotId,
      fingerprint: pointer.fingerprint,
      step: pointer.step,
    })
  }
  ended.push(...current.keys())
  await refuseLost(db, added)
  for (const asset of ended) {
    await db
      .updateTable('pointers')
      .set({ to_release: number })
      .where('environment', '=', environment)
      .where('asset', '=', asset)
      .where('to_release', 'is', null)
      .execute()
  }
  crashPoint('catalog.mid-publish')
  for (const row of added) await db.insertInto('pointers').values(row).execute()
}

function isSame(row: PointerRow, pointer: PointerRecord): boolean {
  return row.snapshot_id === pointer.snapshotId && row.fingerprint === pointer.fingerprint && row.step === pointer.step
}

/** A snapshot that was collected since the plan cannot be published; without a lease that may happen. */
async function refuseLost(db: Kysely<CatalogTables>, rows: readonly PointerRow[]): Promise<void> {
  for (const row of rows) {
    const found = await db.selectFrom('snapshots').select('id').where('id', '=', row.snapshot_id).executeTakeFirst()
    if (found !== undefined) continue
    throw new CellmillError('PUBLISH_REFUSED', `the stored result of ${row.asset} is gone`, {
      hint: 'run again: it is rebuilt',
      details: { asset: row.asset, snapshotId: row.snapshot_id },
    })
  }
}

async function currentPointers(db: Kysely<CatalogTables>, environment: string): Promise<readonly PointerRow[]> {
  return db
    .selectFrom('pointers')
    .selectAll()
    .where('environment', '=', environment)
    .where('to_release', 'is', null)
    .execute()
}

async function pointersAt(
  db: Kysely<CatalogTables>,
  environment: string,
  number: number,
): Promise<readonly PointerRecord[]> {
  const rows = await db
    .selectFrom('pointers')
    .selectAll()
    .where('environment', '=', environment)
    .where('from_release', '<=', number)
    .where((eb) => eb.or([eb('to_release', 'is', null), eb('to_release', '>', number)]))
    .orderBy('asset')
    .execute()
  return rows.map(pointerFromRow)
}

export async function selectReleases(
  db: Kysely<CatalogTables>,
  environment: string,
  limit: number,
): Promise<readonly ReleaseHead[]> {
  const rows = await db
    .selectFrom('releases')
    .selectAll()
    .where('environment', '=', environment)
    .orderBy('number', 'desc')
    .limit(limit)
    .execute()
  return rows.map(releaseFromRow)
}

export async function selectReleaseAt(
  db: Kysely<CatalogTables>,
  environment: string,
  number: number,
): Promise<ReleaseRecord | null> {
  const row = await db
    .selectFrom('releases')
    .selectAll()
    .where('environment', '=', environment)
    .where('number', '=', number)
    .executeTakeFirst()
  if (row === undefined) return null
  return { ...releaseFromRow(row), pointers: await pointersAt(db, environment, number) }
}

/** Forgets all but the newest `keep` releases, so that what only older ones reach can be collected. */
export async function pruneReleases(db: Kysely<CatalogTables>, environment: string, keep: number): Promise<number> {
  const { release } = await selectEnvironment(db, environment)
  const oldestKept = release - Math.max(1, keep) + 1
  await db.deleteFrom('pointers').where('environment', '=', environment).where('to_release', '<=', oldestKept).execute()
  const result = await db
    .deleteFrom('releases')
    .where('environment', '=', environment)
    .where('number', '<', oldestKept)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
