/**
 * What may be forgotten. Results are kept or forgotten whole, and one query says which, so that `unreachable` and the
 * recheck inside the deleting transaction cannot disagree.
 */
import type { Kysely } from 'kysely'
import type { SnapshotRecord } from '../../model/snapshot.ts'
import type { RetentionOptions } from '../catalog.ts'
import type { CatalogTables } from '../schema.ts'
import { snapshotFromRow } from './snapshot.ts'

/** Results of which some snapshot is reached: by releases, leases, evidence of verdicts, or the run that made it and goes on. */
function reachedResults(db: Kysely<CatalogTables>, now: string) {
  const running = db.selectFrom('runs').select('id').where('state', '=', 'running')
  const pointed = db.selectFrom('pointers').select('snapshot_id')
  const leased = db
    .selectFrom('leases')
    .select('snapshot_id')
    .where((eb) => eb.or([eb('expires_at', '>', now), eb('run_id', 'in', running)]))
  const evidence = db
    .selectFrom('verdicts')
    .select((eb) => eb.ref('evidence').$notNull().as('evidence'))
    .where('evidence', 'is not', null)
  return db
    .selectFrom('snapshots as reached')
    .select('reached.result_id')
    .where((eb) =>
      eb.or([
        eb('reached.id', 'in', pointed),
        eb('reached.id', 'in', leased),
        eb('reached.id', 'in', evidence),
        eb('reached.run_id', 'in', running),
      ]),
    )
}

export async function selectUnreachable(
  db: Kysely<CatalogTables>,
  now: string,
  options: RetentionOptions,
): Promise<readonly SnapshotRecord[]> {
  let query = db
    .selectFrom('snapshots')
    .innerJoin('results', 'results.id', 'snapshots.result_id')
    .selectAll('snapshots')
    .where('results.id', 'not in', reachedResults(db, now))
    .orderBy('snapshots.id')
  if (options.committedBefore !== undefined) query = query.where('results.committed_at', '<', options.committedBefore)
  return (await query.execute()).map(snapshotFromRow)
}

/** Forgets the results of these snapshots that are still unreachable; returns addresses that nothing refers to now. */
export async function forgetSnapshots(
  db: Kysely<CatalogTables>,
  ids: readonly string[],
  now: string,
): Promise<readonly string[]> {
  const addresses = new Set<string>()
  for (const id of ids) {
    const result = await db
      .selectFrom('results')
      .innerJoin('snapshots', 'snapshots.result_id', 'results.id')
      .select('results.id')
      .where('snapshots.id', '=', id)
      .where('results.id', 'not in', reachedResults(db, now))
      .executeTakeFirst()
    if (result === undefined) continue
    for (const address of await addressesOfResult(db, result.id)) addresses.add(address)
    await db.deleteFrom('results').where('id', '=', result.id).execute()
  }
  const freed: string[] = []
  for (const address of addresses) if (!(await isReferred(db, address))) freed.push(address)
  return freed
}

/** Where a column may be NULL, the condition or the reader leaves those rows out. */
interface Address {
  readonly address: string
}

async function addressesOfResult(db: Kysely<CatalogTables>, resultId: number): Promise<readonly string[]> {
  const snapshots = await db.selectFrom('snapshots').select('address').where('result_id', '=', resultId).execute()
  const inputs = await db.selectFrom('result_inputs').select('address').where('result_id', '=', resultId).execute()
  return [...snapshots, ...inputs].flatMap((row) => (row.address === null ? [] : [row.address]))
}

export async function isReferred(db: Kysely<CatalogTables>, address: string): Promise<boolean> {
  const referring = db
    .selectFrom('snapshots')
    .select('address')
    .where('address', '=', address)
    .unionAll(db.selectFrom('result_inputs').select('address').where('address', '=', address).$castTo<Address>())
    .unionAll(db.selectFrom('observations').select('address').where('address', '=', address).$castTo<Address>())
    .unionAll(
      db.selectFrom('releases').select('code_bundle as address').where('code_bundle', '=', address).$castTo<Address>(),
    )
    .unionAll(
      db
        .selectFrom('environments')
        .select('held_bundle as address')
        .where('held_bundle', '=', address)
        .$castTo<Address>(),
    )
    .unionAll(
      db.selectFrom('runs').select('code_bundle as address').where('code_bundle', '=', address).$castTo<Address>(),
    )
  return (await referring.limit(1).executeTakeFirst()) !== undefined
}

export async function selectAddresses(db: Kysely<CatalogTables>): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('snapshots')
    .select('address')
    .union((eb) => eb.selectFrom('result_inputs').select('address').$castTo<Address>())
    .union((eb) => eb.selectFrom('observations').select('address').$castTo<Address>())
    .union((eb) => eb.selectFrom('releases').select('code_bundle as address').$castTo<Address>())
    .union((eb) => eb.selectFrom('environments').select('held_bundle as address').$castTo<Address>())
    .union((eb) => eb.selectFrom('runs').select('code_bundle as address').$castTo<Address>())
    .execute()
  return new Set(rows.map((row) => row.address as string | null).filter((address) => address !== null))
}
