/**
 * The catalog on SQLite. Each method is one transaction; what it does is in records/. Opening makes or migrates the file,
 * unless it is opened for reading.
 */
import { existsSync } from 'node:fs'
import type Database from 'better-sqlite3'
import type { Kysely } from 'kysely'
import type { Clock } from '../../clock.ts'
import { crashPoint } from '../../crash-points.ts'
import { CellmillError } from '../../errors.ts'
import type { Catalog, CommitRequest, PlanView, PublishRequest } from '../catalog.ts'
import { beatClaim, dropClaim, selectClaim, takeClaim } from '../records/claim.ts'
import { saveColumnDigest } from '../records/column-digest.ts'
import { saveEnvironment, selectEnvironment, selectEnvironments } from '../records/environment.ts'
import { endLeases, takeLeases } from '../records/lease.ts'
import { saveObservation } from '../records/observation.ts'
import { publishRelease, pruneReleases, selectReleaseAt, selectReleases } from '../records/release.ts'
import { commitResult, invalidateSnapshots, selectDiffering, supersede } from '../records/result.ts'
import { forgetSnapshots, isReferred, selectAddresses, selectUnreachable } from '../records/retention.ts'
import { endLostRun, finishRun, insertRun, selectRun, selectRunning, selectRuns } from '../records/run.ts'
import { snapshotsAt } from '../records/snapshot.ts'
import { saveStep, selectSteps } from '../records/step.ts'
import { saveVerdict } from '../records/verdict.ts'
import type { CatalogTables } from '../schema.ts'
import { kyselyOver } from './connection.ts'
import { inspectCatalog } from './inspect-catalog.ts'
import { createFile, migrate, openFile, refuseNetworkDisk } from './open-file.ts'
import { planViewOf } from './plan-view.ts'
import { catalogCorrupt, throwSqliteError } from './sqlite-error.ts'

export interface SqliteCatalogOptions {
  readonly file: string
  /** Of the store that this catalog describes; another store's catalog is refused. */
  readonly storeId: string
  readonly clock: Clock
  /** Makes and changes nothing; the file must exist. @default false */
  readonly readonly?: boolean
  /** True when the store has the bytes. Asked inside the transactions that refer to them. */
  readonly hasBlob?: (address: string) => Promise<boolean>
  /** How long a write waits for another process. @default 10 000 */
  readonly busyTimeoutMs?: number
}

/** Throws CATALOG_CORRUPT, CATALOG_NEWER, CATALOG_BUSY, STATE_UNAVAILABLE. */
export async function openSqliteCatalog(options: SqliteCatalogOptions): Promise<Catalog> {
  const { file, clock } = options
  const readonly = options.readonly ?? false
  if (!readonly) createFile(file, { storeId: options.storeId, now: clock.now() })
  else if (!existsSync(file)) throw catalogCorrupt(file, 'there is no such file')
  refuseNetworkDisk(file)
  const database = openFile({ file, readonly, busyTimeoutMs: options.busyTimeoutMs ?? 10_000 })
  try {
    if (!readonly) migrate(database, file, clock.now())
    const storeId = database.prepare(`SELECT value FROM meta WHERE key = 'store_id'`).pluck().get()
    if (storeId !== options.storeId) {
      throw new CellmillError(
        'CATALOG_CORRUPT',
        `the catalog belongs to store ${String(storeId)}, not to ${options.storeId}`,
        {
          hint: 'a catalog and its store are moved, copied and restored together',
          details: { file, storeId, expected: options.storeId },
        },
      )
    }
  } catch (error) {
    database.close()
    return throwSqliteError(error, file)
  }
  return new SqliteCatalog(database, options)
}

type Db = Kysely<CatalogTables>

class SqliteCatalog implements Catalog {
  readonly storeId: string
  readonly #db: Db
  readonly #database: Database.Database
  readonly #file: string
  readonly #clock: Clock
  readonly #hasBlob: (address: string) => Promise<boolean>
  #view: PlanView | null = null

  constructor(database: Database.Database, options: SqliteCatalogOptions) {
    this.storeId = options.storeId
    this.#db = kyselyOver(database)
    this.#database = database
    this.#file = options.file
    this.#clock = options.clock
    this.#hasBlob = options.hasBlob ?? (() => Promise.resolve(true))
  }

  view(): PlanView {
    this.#view ??= planViewOf(this.#file)
    return { ...this.#view, close: () => {} }
  }

  async close(): Promise<void> {
    this.#view?.close()
    this.#view = null
    await this.#read((db) => db.destroy())
  }

  insertRun: Catalog['insertRun'] = (run) => this.#write((db) => insertRun(db, run))
  finishRun: Catalog['finishRun'] = (id, patch) => this.#write((db) => finishRun(db, id, patch))
  runs: Catalog['runs'] = (limit) => this.#read((db) => selectRuns(db, limit))
  run: Catalog['run'] = (id) => this.#read((db) => selectRun(db, id))

  recover: Catalog['recover'] = (isAlive) =>
    this.#write(async (db) => {
      const lost = (await selectRunning(db)).filter((run) => !isAlive(run.pid)).map((run) => run.id)
      for (const id of lost) await endLostRun(db, id, this.#clock.now())
      return lost
    })

  saveStep: Catalog['saveStep'] = (step) => {
    const save = (db: Db): Promise<void> => saveStep(db, step)
    return step.state === 'running' ? this.#note(save) : this.#write(save)
  }
  saveSteps: Catalog['saveSteps'] = (steps) =>
    this.#write(async (db) => {
      for (const step of steps) await saveStep(db, step)
    })
  steps: Catalog['steps'] = (runId) => this.#read((db) => selectSteps(db, runId))

  claim: Catalog['claim'] = (fingerprint, owner, leaseMs) =>
    this.#note((db) => takeClaim(db, { fingerprint, owner, leaseMs, now: this.#clock.now() }))
  claimState: Catalog['claimState'] = (fingerprint) => this.#read((db) => selectClaim(db, fingerprint))
  heartbeat: Catalog['heartbeat'] = (claims) =>
    this.#note(async (db) => {
      const alive: boolean[] = []
      for (const claim of claims) alive.push(await beatClaim(db, claim, this.#clock.now()))
      return alive
    })
  release: Catalog['release'] = (claim) =>
    this.#note(async (db) => {
      await dropClaim(db, claim)
    })

  async commit(request: CommitRequest): Promise<'committed' | 'already' | 'stale'> {
    crashPoint('catalog.before-commit')
    const outcome = await this.#write(async (db) => {
      const now = this.#clock.now()
      const done = await commitResult(db, request, now)
      if (done !== 'committed') return done
      const { runId, result } = request
      await this.#requireBlobs(result.snapshots.map((snapshot) => snapshot.address))
      if (request.leased === true) {
        await takeLeases(db, { runId, snapshotIds: result.snapshots.map((snapshot) => snapshot.id), now })
      }
      return done
    })
    crashPoint('catalog.after-commit')
    return outcome
  }

  supersede: Catalog['supersede'] = (fingerprint) => this.#write((db) => supersede(db, fingerprint, this.#clock.now()))

  saveColumnDigest: Catalog['saveColumnDigest'] = (snapshotId, form, columnsKey, digest) =>
    this.#write((db) => saveColumnDigest(db, { snapshot_id: snapshotId, form, columns_key: columnsKey, digest }))
  saveVerdict: Catalog['saveVerdict'] = (verdict) => this.#write((db) => saveVerdict(db, verdict))
  saveObservation: Catalog['saveObservation'] = (observation) =>
    this.#write(async (db) => {
      await saveObservation(db, observation)
      await this.#requireBlobs([observation.address])
    })

  async publish(request: PublishRequest) {
    crashPoint('catalog.before-publish')
    const release = await this.#write(async (db) => {
      const published = await publishRelease(db, request, this.#clock.now())
      await this.#requireBlobs([published.codeBundle])
      return published
    })
    crashPoint('catalog.after-publish')
    return release
  }

  releases: Catalog['releases'] = (environment, limit) => this.#read((db) => selectReleases(db, environment, limit))
  releaseAt: Catalog['releaseAt'] = (environment, number) =>
    this.#read((db) => selectReleaseAt(db, environment, number))
  environments: Catalog['environments'] = () => this.#read(selectEnvironments)
  setHold: Catalog['setHold'] = (environment, held, bundle) =>
    this.#write(async (db) => {
      const state = await selectEnvironment(db, environment)
      await saveEnvironment(db, { ...state, held, heldBundle: held ? bundle : null })
    })

  lease: Catalog['lease'] = (runId, snapshotIds) =>
    this.#note((db) => takeLeases(db, { runId, snapshotIds, now: this.#clock.now() }))
  endLeases: Catalog['endLeases'] = (runId) => this.#write((db) => endLeases(db, runId))
  unreachable: Catalog['unreachable'] = (options = {}) =>
    this.#read((db) => selectUnreachable(db, this.#clock.now(), options))
  forget: Catalog['forget'] = (snapshotIds) => this.#write((db) => forgetSnapshots(db, snapshotIds, this.#clock.now()))
  pruneReleases: Catalog['pruneReleases'] = (environment, keep) =>
    this.#write((db) => pruneReleases(db, environment, keep))
  collect: Catalog['collect'] = (addresses, remove) =>
    this.#write(async (db) => {
      const removed: string[] = []
      for (const address of addresses) {
        if (await isReferred(db, address)) continue
        await remove(address)
        removed.push(address)
      }
      return removed
    })
  addresses: Catalog['addresses'] = () => this.#read(selectAddresses)
  snapshotsAt: Catalog['snapshotsAt'] = (address) => this.#read((db) => snapshotsAt(db, address))
  invalidate: Catalog['invalidate'] = (snapshotIds, because) =>
    this.#write((db) => invalidateSnapshots(db, snapshotIds, { because, now: this.#clock.now() }))
  nonReproducible: Catalog['nonReproducible'] = () => this.#read(selectDiffering)
  inspect: Catalog['inspect'] = () => this.#read(inspectCatalog)

  /** The write lock is held: a collection either saw this reference, or removed the bytes before and is seen here. */
  async #requireBlobs(addresses: readonly (string | null)[]): Promise<void> {
    for (const address of addresses) {
      if (address === null || (await this.#hasBlob(address))) continue
      throw new CellmillError('STORE_CORRUPT', `the stored bytes ${address.slice(0, 12)} are gone`, {
        hint: 'run again: they are made anew',
        retryable: true,
        details: { address },
      })
    }
  }

  async #read<T>(work: (db: Db) => Promise<T>): Promise<T> {
    try {
      return await work(this.#db)
    } catch (error) {
      return throwSqliteError(error, this.#file)
    }
  }

  async #write<T>(work: (db: Db) => Promise<T>): Promise<T> {
    return this.#read((db) => db.transaction().execute(work))
  }

  /**
   * A write of no use once this process is gone: it is in the file when this returns, on the disk with the next other
   * write. The connection is held meanwhile, so that no other write can have less than the disk.
   */
  async #note<T>(work: (db: Db) => Promise<T>): Promise<T> {
    return this.#read((db) =>
      db.connection().execute(async (held) => {
        this.#database.pragma('synchronous = NORMAL')
        try {
          return await held.transaction().execute(work)
        } finally {
          this.#database.pragma('synchronous = FULL')
        }
      }),
    )
  }
}
