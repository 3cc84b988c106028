/** What the cases of the catalog's contract share. */
import assert from 'node:assert/strict'
import { isCellmillError } from '../../errors.ts'
import type { ErrorCode } from '../../error-codes.ts'
import type { SnapshotRecord } from '../../model/snapshot.ts'
import type { Catalog, CommitRequest } from '../catalog.ts'
import { aCommit, aRun, aSnapshot, fingerprintFor } from './values.ts'
import type { SetClock } from './values.ts'

export interface CatalogUnderTest {
  readonly catalog: Catalog
  readonly clock: SetClock
  /** Addresses that the store is said to have lost. */
  readonly lost: Set<string>
}

export interface CatalogCase {
  readonly name: string
  readonly run: (under: CatalogUnderTest) => Promise<void>
}

export const lease = 30_000

interface Built {
  readonly fingerprint: string
  readonly snapshot: SnapshotRecord
  readonly request: CommitRequest
}

/** Claims, builds and commits what `code` makes. */
export async function build(
  catalog: Catalog,
  runId: string,
  code: string,
  patch: Partial<SnapshotRecord> = {},
): Promise<Built> {
  const fingerprint = fingerprintFor(code)
  const claim = await catalog.claim(fingerprint, runId, lease)
  assert.ok(claim, `claim on ${code}`)
  const snapshot = aSnapshot(fingerprint, runId, patch)
  const request = aCommit({ runId, code, claim, snapshots: [snapshot] })
  assert.equal(await catalog.commit(request), 'committed')
  return { fingerprint, snapshot, request }
}

export async function startRun(catalog: Catalog, patch: Parameters<typeof aRun>[0] = {}): Promise<string> {
  const run = aRun(patch)
  await catalog.insertRun(run)
  return run.id
}

export async function endRun(catalog: Catalog, id: string, clock: SetClock): Promise<void> {
  await catalog.finishRun(id, { state: 'succeeded', finishedAt: clock.now(), release: null, counts: {} })
}

export async function refuses(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(work, (error) => isCellmillError(error, code))
}
