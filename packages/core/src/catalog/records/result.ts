/**
 * Results: what one fingerprint made, all outputs or none. At most one is current; a later one takes its place, and one
 * that is not reusable never is current.
 */
import type { Kysely } from 'kysely'
import { canonicalJson } from '../../canonical.ts'
import type { SnapshotRecord } from '../../model/snapshot.ts'
import { crashPoint } from '../../crash-points.ts'
import type { CommitRequest, RunStepInput } from '../catalog.ts'
import type { CatalogTables, ResultInputRow } from '../schema.ts'
import { dropClaim } from './claim.ts'
import { internRecipe } from './recipe.ts'
import { snapshotFromRow, snapshotToRow } from './snapshot.ts'
import { rememberStep } from './step.ts'

export function inputFromRow(row: ResultInputRow): RunStepInput {
  return {
    argument: row.argument,
    digest: row.digest,
    snapshotId: row.snapshot_id,
    address: row.address,
    name: row.name,
  }
}

/** The caller's transaction. The claim is spent by it: the same request again is `already`. */
export async function commitResult(
  db: Kysely<CatalogTables>,
  request: CommitRequest,
  now: string,
): Promise<'committed' | 'already' | 'stale'> {
  const { claim, result } = request
  if (!(await dropClaim(db, claim))) {
    const before = await db
      .selectFrom('results')
      .select('id')
      .where('fingerprint', '=', claim.fingerprint)
      .where('epoch', '=', claim.epoch)
      .where('run_id', '=', request.runId)
      .executeTakeFirst()
    return before === undefined ? 'stale' : 'already'
  }
  const reusable = result.snapshots.every((snapshot) => snapshot.reusable)
  const differs = await differsFromBefore(db, claim.fingerprint, result.snapshots)
  await supersede(db, claim.fingerprint, now)
  const { id } = await db
    .insertInto('results')
    .values({
      fingerprint: claim.fingerprint,
      epoch: claim.epoch,
      recipe_digest: await internRecipe(db, request.recipe),
      run_id: request.runId,
      step: request.step,
      attempt: request.attempt,
      committed_at: now,
      reusable: reusable ? 1 : 0,
      superseded_at: reusable ? null : now,
      differs: differs ? 1 : 0,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  for (const [position, snapshot] of result.snapshots.entries()) {
    await db
      .insertInto('snapshots')
      .values(snapshotToRow(snapshot, id, position))
      .execute()
    if (position === 0) crashPoint('catalog.mid-commit')
  }
  for (const [position, input] of request.inputs.entries()) {
    await db
      .insertInto('result_inputs')
      .values(inputToRow(input, id, position))
      .execute()
  }
  await endStep(db, request, now)
  return 'committed'
}

function inputToRow(input: RunStepInput, resultId: number, position: number): ResultInputRow {
  return {
    result_id: resultId,
    position,
    argument: input.argument,
    name: input.name,
    digest: input.digest,
    snapshot_id: input.snapshotId,
    address: input.address,
  }
}

async function endStep(db: Kysely<CatalogTables>, request: CommitRequest, now: string): Promise<void> {
  await db
    .updateTable('run_steps')
    .set({
      state: 'succeeded',
      fingerprint: request.claim.fingerprint,
      attempt: request.attempt,
      inputs: JSON.stringify(request.inputs),
      finished_at: now,
      error: null,
    })
    .where('run_id', '=', request.runId)
    .where('step', '=', request.step)
    .where('state', 'not in', ['succeeded', 'reused'])
    .execute()
  await rememberStep(db, request.runId, request.step)
}

/** Two builds of one fingerprint with different contents: the step does not follow from its inputs alone. */
async function differsFromBefore(
  db: Kysely<CatalogTables>,
  fingerprint: string,
  snapshots: readonly SnapshotRecord[],
): Promise<boolean> {
  const before = await db.selectFrom('snapshots').selectAll().where('fingerprint', '=', fingerprint).execute()
  const digests = new Map(snapshots.map((snapshot) => [snapshot.output, contentOf(snapshot)]))
  return before.map(snapshotFromRow).some((other) => {
    const digest = digests.get(other.output)
    return digest !== undefined && digest !== contentOf(other)
  })
}

function contentOf(snapshot: SnapshotRecord): string {
  if (!snapshot.unordered) return canonicalJson(snapshot.digests)
  return canonicalJson({ multiset: snapshot.digests.multiset })
}

export async function supersede(db: Kysely<CatalogTables>, fingerprint: string, now: string): Promise<void> {
  await db
    .updateTable('results')
    .set({ superseded_at: now })
    .where('fingerprint', '=', fingerprint)
    .where('superseded_at', 'is', null)
    .execute()
}

/** A result with a lost snapshot is lost whole: a step's outputs are reused together or not at all. */
export async function invalidateSnapshots(
  db: Kysely<CatalogTables>,
  ids: readonly string[],
  request: { readonly because: string; readonly now: string },
): Promise<void> {
  for (const id of ids) {
    await db
      .updateTable('snapshots')
      .set({ reusable: 0, not_reusable_because: request.because })
      .where('id', '=', id)
      .execute()
    await db
      .updateTable('results')
      .set({ reusable: 0, superseded_at: request.now })
      .where('id', 'in', (eb) => eb.selectFrom('snapshots').select('result_id').where('snapshots.id', '=', id))
      .execute()
  }
}

/** Fingerprints whose builds gave different contents. */
export async function selectDiffering(db: Kysely<CatalogTables>): Promise<readonly string[]> {
  const rows = await db.selectFrom('results').select('fingerprint').distinct().where('differs', '=', 1).execute()
  return rows.map((row) => row.fingerprint)
}
