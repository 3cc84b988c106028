/**
 * Opens the catalog's file and says what is wrong with it. A file that is there is never replaced: a new catalog is made
 * under another name and linked to its own, so that an empty or half-made file is always damage.
 */
import { existsSync, linkSync, mkdirSync, openSync, closeSync, fsyncSync, rmSync, statSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { CellmillError } from '../../errors.ts'
import { migrations, schemaVersion } from '../migrations/migrations.ts'
import { catalogCorrupt, throwSqliteError } from './sqlite-error.ts'

/** `CMil`, so that another program's database is told from a damaged one of ours. */
const applicationId = 0x434d696c
const oldestSqlite = [3, 51, 3]

export interface OpenFileOptions {
  readonly file: string
  readonly readonly: boolean
  readonly busyTimeoutMs: number
}

/** The file exists. Throws CATALOG_CORRUPT, CATALOG_NEWER, CATALOG_BUSY, STATE_UNAVAILABLE. */
export function openFile(options: OpenFileOptions): Database.Database {
  const { file } = options
  const stat = statSync(file)
  if (!stat.isFile()) throw catalogCorrupt(file, 'it is not a file')
  if (stat.size === 0) throw catalogCorrupt(file, 'it is empty')
  let database: Database.Database | null = null
  try {
    database = new Database(file, { readonly: options.readonly, fileMustExist: true, timeout: options.busyTimeoutMs })
    refuseOldSqlite(database)
    refuseOthers(database, file)
    database.pragma('foreign_keys = ON')
    if (options.readonly) database.pragma('query_only = ON')
    else {
      database.pragma('journal_mode = WAL')
      database.pragma('synchronous = FULL')
    }
    return database
  } catch (error) {
    database?.close()
    return throwSqliteError(error, file)
  }
}

/** WAL-reset corruption was mended in 3.51.3. */
function refuseOldSqlite(database: Database.Database): void {
  const version = String(database.prepare('SELECT sqlite_version()').pluck().get())
  const parts = version.split('.').map(Number)
  for (const [i, oldest] of oldestSqlite.entries()) {
    const part = parts[i] ?? 0
    if (part > oldest) return
    if (part < oldest) throw new CellmillError('INTERNAL', `SQLite ${version} is older than ${oldestSqlite.join('.')}`)
  }
}

function refuseOthers(database: Database.Database, file: string): void {
  if (database.pragma('application_id', { simple: true }) !== applicationId) {
    throw catalogCorrupt(file, 'it is not a Cellmill catalog')
  }
  const version = versionOf(database)
  if (version > schemaVersion) {
    throw new CellmillError(
      'CATALOG_NEWER',
      `the catalog has schema ${version}, this Cellmill knows ${schemaVersion}`,
      {
        hint: 'upgrade Cellmill: npm install cellmill@latest',
        details: { file, version, known: schemaVersion },
      },
    )
  }
}

function versionOf(database: Database.Database): number {
  return Number(database.prepare('SELECT coalesce(max(version), 0) FROM schema_version').pluck().get())
}

/** Makes the file when it is not there. Two processes that do so at once end with one catalog. */
export function createFile(file: string, options: { readonly storeId: string; readonly now: string }): void {
  if (existsSync(file)) return
  if ((statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    throw catalogCorrupt(file, 'the file is gone but its write-ahead log is there')
  }
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}.${performance.now().toString(36).replace('.', '')}.new`
  try {
    fillDraft(draft, options)
    linkSync(draft, file)
    syncFolder(dirname(file))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throwSqliteError(error, file)
  } finally {
    rmSync(draft, { force: true })
  }
}

function fillDraft(draft: string, options: { readonly storeId: string; readonly now: string }): void {
  const database = new Database(draft)
  try {
    database.pragma('synchronous = FULL')
    database.transaction(() => {
      database.exec(
        'CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT',
      )
      applyMigrations(database, options.now)
      const insert = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)')
      insert.run('store_id', options.storeId)
      insert.run('created_at', options.now)
      database.pragma(`application_id = ${applicationId}`)
    })()
  } finally {
    database.close()
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Brings an older catalog up to date; the version is read again inside, since another process may do the same. */
export function migrate(database: Database.Database, file: string, now: string): void {
  if (versionOf(database) === schemaVersion) return
  try {
    database.transaction(() => applyMigrations(database, now)).immediate()
  } catch (error) {
    throwSqliteError(error, file)
  }
}

function applyMigrations(database: Database.Database, now: string): void {
  const insert = database.prepare('INSERT INTO schema_version (version, name, applied_at) VALUES (?, ?, ?)')
  for (const migration of migrations.slice(versionOf(database))) {
    for (const statement of migration.statements) database.exec(statement)
    insert.run(migration.version, migration.name, now)
  }
}

const networkDisks: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
])

/** SQLite's locks and shared memory do not hold on network disks. */
export function refuseNetworkDisk(file: string): void {
  const disk = networkDisks.get(statfsSync(dirname(file)).type)
  if (disk === undefined) return
  throw new CellmillError(
    'STATE_UNAVAILABLE',
    `the state folder is on a network disk (${disk}), where a catalog breaks`,
    {
      hint: 'put it on a local disk: `state: { folder: ... }` in cellmill.config.ts',
      details: { file, disk },
    },
  )
}
