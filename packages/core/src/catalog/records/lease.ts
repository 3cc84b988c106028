/** Leases: what a plan reuses stays until its run ends, or the lease does. */
import type { Kysely } from 'kysely'
import type { CatalogTables } from '../schema.ts'

const leaseMs = 24 * 60 * 60 * 1000

/** Ids that are gone already: whoever counted on them must plan again. */
export async function takeLeases(
  db: Kysely<CatalogTables>,
  request: { readonly runId: string; readonly snapshotIds: readonly string[]; readonly now: string },
): Promise<readonly string[]> {
  const expires_at = new Date(Date.parse(request.now) + leaseMs).toISOString()
  const gone: string[] = []
  for (const id of request.snapshotIds) {
    const found = await db.selectFrom('snapshots').select('id').where('id', '=', id).executeTakeFirst()
    if (found === undefined) gone.push(id)
    else {
      await db
        .insertInto('leases')
        .values({ run_id: request.runId, snapshot_id: id, expires_at })
        .onConflict((conflict) => conflict.columns(['run_id', 'snapshot_id']).doUpdateSet({ expires_at }))
        .execute()
    }
  }
  return gone
}

export async function endLeases(db: Kysely<CatalogTables>, runId: string): Promise<void> {
  await db.deleteFrom('leases').where('run_id', '=', runId).execute()
}
