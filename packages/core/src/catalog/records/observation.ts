/** The last capture of each binding of a source. */
import type { Kysely } from 'kysely'
import type { SourceObservation } from '../catalog.ts'
import type { CatalogTables, ObservationRow } from '../schema.ts'

export function observationFromRow(row: ObservationRow): SourceObservation {
  return {
    source: row.source,
    binding: row.binding,
    version: row.version,
    contentDigest: row.content_digest,
    address: row.address,
    sizeBytes: row.size_bytes,
    observedAt: row.observed_at,
  }
}

export async function saveObservation(db: Kysely<CatalogTables>, observation: SourceObservation): Promise<void> {
  const row: ObservationRow = {
    binding: observation.binding,
    source: observation.source,
    version: observation.version,
    content_digest: observation.contentDigest,
    address: observation.address,
    size_bytes: observation.sizeBytes,
    observed_at: observation.observedAt,
  }
  await db
    .insertInto('observations')
    .values(row)
    .onConflict((conflict) => conflict.column('binding').doUpdateSet(row))
    .execute()
}
