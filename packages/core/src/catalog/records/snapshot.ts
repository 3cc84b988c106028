/** Snapshots: all outputs of a result, in the order in which the step reported them. */
import type { Kysely } from 'kysely'
import type { ContentFacts, SnapshotRecord } from '../../model/snapshot.ts'
import type { CatalogTables, SnapshotRow } from '../schema.ts'

export function snapshotFromRow(row: SnapshotRow): SnapshotRecord {
  return {
    ...(JSON.parse(row.facts) as ContentFacts),
    id: row.id,
    output: row.output,
    fingerprint: row.fingerprint,
    address: row.address,
    createdAt: row.created_at,
    runId: row.run_id,
    reusable: row.reusable === 1,
    notReusableBecause: row.not_reusable_because,
  }
}

export function snapshotToRow(snapshot: SnapshotRecord, resultId: number, position: number): SnapshotRow {
  const { id, output, fingerprint, address, createdAt, runId, reusable, notReusableBecause, ...facts } = snapshot
  return {
    id,
    result_id: resultId,
    position,
    output,
    fingerprint,
    address,
    created_at: createdAt,
    run_id: runId,
    reusable: reusable ? 1 : 0,
    not_reusable_because: notReusableBecause,
    facts: JSON.stringify(facts satisfies ContentFacts),
  }
}

export async function snapshotsAt(db: Kysely<CatalogTables>, address: string): Promise<readonly SnapshotRecord[]> {
  const rows = await db.selectFrom('snapshots').selectAll().where('address', '=', address).orderBy('id').execute()
  return rows.map(snapshotFromRow)
}
