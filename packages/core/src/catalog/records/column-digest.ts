/** Digests of column sets, memoised: a set is digested once for a snapshot. */
import type { Kysely } from 'kysely'
import type { CatalogTables, ColumnDigestRow } from '../schema.ts'

/** A snapshot that was collected meanwhile has nothing to remember. */
export async function saveColumnDigest(db: Kysely<CatalogTables>, row: ColumnDigestRow): Promise<void> {
  const snapshot = await db.selectFrom('snapshots').select('id').where('id', '=', row.snapshot_id).executeTakeFirst()
  if (snapshot === undefined) return
  await db
    .insertInto('column_digests')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['snapshot_id', 'form', 'columns_key']).doUpdateSet({ digest: row.digest }),
    )
    .execute()
}
