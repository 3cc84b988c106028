/** What the operating system says about the store's folder, as a CellmillError. */
import { CellmillError } from '../../errors.ts'

const full = new Set(['ENOSPC', 'EDQUOT'])
const unavailable = new Set(['EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOTDIR', 'EMFILE', 'ENFILE', 'ESTALE', 'ENODEV'])

/** Never returns. An error that is not the system's passes unchanged. */
export function throwStoreError(error: unknown, root: string): never {
  if (error instanceof CellmillError || !(error instanceof Error)) throw error
  const { code } = error as NodeJS.ErrnoException
  if (code !== undefined && full.has(code)) {
    throw new CellmillError('DISK_FULL', `the disk of the store is full: ${root}`, {
      hint: 'free some space (cellmill gc) and run again: what was finished is kept',
      retryable: true,
      details: { root, system: code },
      cause: error,
    })
  }
  if (code !== undefined && unavailable.has(code)) {
    throw new CellmillError('STATE_UNAVAILABLE', `the store cannot be read or written: ${error.message}`, {
      hint: `check the permissions and the disk of ${root}`,
      details: { root, system: code },
      cause: error,
    })
  }
  throw error
}

/** True for a disk that is full, read-only, failing or closed to us. */
export function isDiskProblem(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code !== undefined && (full.has(code) || unavailable.has(code))
}
