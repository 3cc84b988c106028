/**
 * Claims on fingerprints. Each change is one conditional statement, and a row is never deleted, so that an epoch is
 * given once. A heartbeat from the future is as dead as an old one: the clock was moved back since.
 */
import type { Kysely } from 'kysely'
import type { Claim, ClaimState } from '../catalog.ts'
import type { CatalogTables } from '../schema.ts'

export interface ClaimRequest {
  readonly fingerprint: string
  readonly owner: string
  readonly leaseMs: number
  readonly now: string
}

export async function takeClaim(db: Kysely<CatalogTables>, request: ClaimRequest): Promise<Claim | null> {
  const { fingerprint, owner, now } = request
  const at = Date.parse(now)
  const oldest = new Date(at - request.leaseMs).toISOString()
  const newest = new Date(at + request.leaseMs).toISOString()
  const row = await db
    .insertInto('claims')
    .values({ fingerprint, epoch: 1, owner, heartbeat_at: now })
    .onConflict((conflict) =>
      conflict
        .column('fingerprint')
        .doUpdateSet((eb) => ({ epoch: eb('claims.epoch', '+', 1), owner, heartbeat_at: now }))
        .where((eb) =>
          eb.or([
            eb('claims.owner', 'is', null),
            eb('claims.heartbeat_at', '<', oldest),
            eb('claims.heartbeat_at', '>', newest),
          ]),
        ),
    )
    .returning('epoch')
    .executeTakeFirst()
  return row === undefined ? null : { fingerprint, owner, epoch: row.epoch }
}

export async function beatClaim(db: Kysely<CatalogTables>, claim: Claim, now: string): Promise<boolean> {
  const result = await db
    .updateTable('claims')
    .set({ heartbeat_at: now })
    .where('fingerprint', '=', claim.fingerprint)
    .where('epoch', '=', claim.epoch)
    .where('owner', '=', claim.owner)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** False when the claim is not ours any more. */
export async function dropClaim(db: Kysely<CatalogTables>, claim: Claim): Promise<boolean> {
  const result = await db
    .updateTable('claims')
    .set({ owner: null })
    .where('fingerprint', '=', claim.fingerprint)
    .where('epoch', '=', claim.epoch)
    .where('owner', '=', claim.owner)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Null when nobody has it. */
export async function selectClaim(db: Kysely<CatalogTables>, fingerprint: string): Promise<ClaimState | null> {
  const row = await db.selectFrom('claims').selectAll().where('fingerprint', '=', fingerprint).executeTakeFirst()
  if (row === undefined || row.owner === null) return null
  return { owner: row.owner, epoch: row.epoch, heartbeatAt: row.heartbeat_at }
}
