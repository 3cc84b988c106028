/**
 * Turns what a step left in a folder into files that can be stored: regular files with one link and one owner's bits,
 * exactly those that ingest digested, read-only and on the disk. Files are opened without following links, and judged by
 * the open file, so that a name cannot become another file in between.
 */
import { constants } from 'node:fs'
import { chmod, open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { crashPoint } from '../../crash-points.ts'
import { CellmillError } from '../../errors.ts'
import type { ManifestEntry } from '../store.ts'
import { checkEntryName } from './entry-names.ts'
import type { FileFacts, StoredEntry } from './manifest.ts'

export function refused(name: string, why: string): CellmillError {
  return new CellmillError('STORE_REFUSED', `${name} cannot be stored: ${why}`, {
    hint: 'write plain files only',
    details: { name },
  })
}

/** Throws STORE_REFUSED. */
export async function sealFolder(folder: string, entries: readonly ManifestEntry[]): Promise<readonly StoredEntry[]> {
  const expected = expectedEntries(entries)
  const folders = await walk(folder, expected)
  crashPoint('store.before-fsync')
  const stored: StoredEntry[] = []
  for (const entry of entries) {
    stored.push({ ...entry, facts: await sealFile(folder, entry) })
    crashPoint('store.mid-fsync')
  }
  for (const sub of folders.reverse()) await syncFolder(sub)
  return stored
}

function expectedEntries(entries: readonly ManifestEntry[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const entry of entries) {
    checkEntryName(entry.name)
    if (names.has(entry.name)) throw refused(entry.name, 'it is named twice')
    if (!/^[0-9a-f]{64}$/.test(entry.sha256)) throw refused(entry.name, 'its digest is not a sha256')
    if (!Number.isSafeInteger(entry.sizeBytes) || entry.sizeBytes < 0)
      throw refused(entry.name, 'its size is not a size')
    names.add(entry.name)
  }
  return names
}

/** Parents before children. Ends at the first name that nobody expects, however many there are. */
async function walk(folder: string, expected: ReadonlySet<string>): Promise<string[]> {
  const folders = [folder]
  const prefixes = new Set([...expected].flatMap(parentsOf))
  const pending = ['']
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    await chmod(path.join(folder, at), 0o755)
    for (const item of await readdir(path.join(folder, at), { withFileTypes: true })) {
      const name = at === '' ? item.name : `${at}/${item.name}`
      if (item.isDirectory() && prefixes.has(name)) {
        pending.push(name)
        folders.push(path.join(folder, name))
      } else if (item.isDirectory()) throw refused(name, 'the folder holds no file that was digested')
      else if (item.isSymbolicLink()) throw refused(name, 'it is a symbolic link')
      else if (!item.isFile()) throw refused(name, 'it is not a regular file')
      else if (!expected.has(name)) throw refused(name, 'it is not among the files that were digested')
    }
  }
  return folders
}

function parentsOf(name: string): readonly string[] {
  const parts = name.split('/')
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'))
}

async function sealFile(folder: string, entry: ManifestEntry): Promise<FileFacts> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const absolute = path.join(folder, entry.name)
  const file = await open(absolute, flags).catch(async (error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES') {
      // The author's code took its own permission to read; the walk has seen that it is a regular file.
      await chmod(absolute, 0o444)
      return open(absolute, flags)
    }
    if (code === 'ENOENT') throw refused(entry.name, 'it is not there')
    if (code === 'ELOOP' || code === 'ENXIO' || code === 'ENOTDIR')
      throw refused(entry.name, 'it is not a regular file')
    throw error
  })
  try {
    const stat = await file.stat({ bigint: true })
    if (!stat.isFile()) throw refused(entry.name, 'it is not a regular file')
    if (stat.nlink !== 1n) throw refused(entry.name, 'it is a hard link to another file')
    if (Number(stat.size) !== entry.sizeBytes) {
      throw refused(entry.name, `it has ${stat.size} bytes, and had ${entry.sizeBytes} when it was digested`)
    }
    // Drops the set-user-id bits too.
    await file.chmod(0o444)
    await file.sync()
    return { inode: String(stat.ino), mtimeNs: String(stat.mtimeNs) }
  } finally {
    await file.close()
  }
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
