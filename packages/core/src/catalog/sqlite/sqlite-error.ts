/** What SQLite says, as a CellmillError. An error that is not SQLite's passes unchanged: it is a bug or already ours. */
import { CellmillError } from '../../errors.ts'

/** Never returns. */
export function throwSqliteError(error: unknown, file: string): never {
  const code = codeOf(error)
  if (code === null || error instanceof CellmillError) throw error
  const message = error instanceof Error ? error.message : String(error)
  const details = { file, sqlite: code, message }
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    throw new CellmillError('CATALOG_BUSY', 'another process kept the catalog locked for too long', {
      hint: 'try again; `cellmill status` shows what is running',
      retryable: true,
      details,
      cause: error,
    })
  }
  // SQLite cannot make its shared memory file larger: it says I/O error, and means that there is no room.
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE') {
    throw new CellmillError('DISK_FULL', `the disk of the catalog is full: ${file}`, {
      hint: 'free some space and run again',
      retryable: true,
      details,
      cause: error,
    })
  }
  if (/^SQLITE_(CORRUPT|NOTADB|FORMAT|SCHEMA)/.test(code)) throw catalogCorrupt(file, message, error)
  if (/^SQLITE_(READONLY|IOERR|CANTOPEN|PERM|AUTH|NOLFS|PROTOCOL)/.test(code)) {
    throw new CellmillError('STATE_UNAVAILABLE', `the catalog cannot be read or written: ${message} (${file})`, {
      hint: 'check the permissions and the disk of that folder',
      details,
      cause: error,
    })
  }
  throw error
}

export function catalogCorrupt(file: string, why: string, cause?: unknown): CellmillError {
  return new CellmillError('CATALOG_CORRUPT', `the catalog cannot be read: ${why} (${file})`, {
    hint: 'it was left as it is: restore it from a backup, or move it away to begin again',
    details: { file },
    ...(cause === undefined ? {} : { cause }),
  })
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || error.name !== 'SqliteError') return null
  return String((error as Error & { readonly code: unknown }).code)
}
