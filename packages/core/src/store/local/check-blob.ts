/** Is a blob what its manifest says? By a look at each file, or by reading every byte. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { addressOf, sorted } from './manifest.ts'
import type { FileFacts, StoredEntry } from './manifest.ts'

/** True when size, inode and time of every file are as stored. */
export async function looksUntouched(folder: string, entries: readonly StoredEntry[]): Promise<boolean> {
  for (const entry of entries) {
    const found = await inspectFile(path.join(folder, entry.name), false)
    if (typeof found === 'string' || found.sizeBytes !== entry.sizeBytes) return false
    if (found.facts.inode !== entry.facts.inode || found.facts.mtimeNs !== entry.facts.mtimeNs) return false
  }
  return true
}

export interface BlobReading {
  /** The first thing that is wrong; null when all is right. */
  readonly problem: string | null
  /** What the files look like now, when all is right. */
  readonly entries: readonly StoredEntry[]
}

/** Reads every byte. */
export async function readBlob(folder: string, entries: readonly StoredEntry[]): Promise<BlobReading> {
  const extra = await unexpectedFile(folder, new Set(entries.map((entry) => entry.name)))
  if (extra !== null) return { problem: `${extra} does not belong there`, entries: [] }
  const read: StoredEntry[] = []
  for (const entry of entries) {
    const found = await inspectFile(path.join(folder, entry.name), true)
    if (typeof found === 'string') return { problem: `${entry.name} ${found}`, entries: [] }
    if (found.sizeBytes !== entry.sizeBytes) {
      return { problem: `${entry.name} has ${found.sizeBytes} bytes instead of ${entry.sizeBytes}`, entries: [] }
    }
    if (found.sha256 !== entry.sha256) return { problem: `${entry.name} does not match its digest`, entries: [] }
    read.push({ ...entry, facts: found.facts })
  }
  return { problem: null, entries: read }
}

/** As `readBlob` for a blob without a manifest: the names and digests found must have this address. */
export async function readUnlisted(folder: string, address: string): Promise<BlobReading> {
  const entries: StoredEntry[] = []
  for (const name of await filesBelow(folder)) {
    const found = await inspectFile(path.join(folder, name), true)
    if (typeof found === 'string') return { problem: `${name} ${found}`, entries: [] }
    entries.push({ name, ...found })
  }
  if (addressOf(entries) !== address) return { problem: 'its files do not match its address', entries: [] }
  return { problem: null, entries: sorted(entries) }
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const items = await readdir(folder, { withFileTypes: true, recursive: true })
  return items
    .filter((item) => !item.isDirectory())
    .map((item) => path.relative(folder, path.join(item.parentPath, item.name)).split(path.sep).join('/'))
}

async function unexpectedFile(folder: string, expected: ReadonlySet<string>): Promise<string | null> {
  return (await filesBelow(folder)).find((name) => !expected.has(name)) ?? null
}

interface FoundFile {
  readonly sizeBytes: number
  readonly facts: FileFacts
  /** '' unless it was asked for. */
  readonly sha256: string
}

/** A text says what is wrong. */
async function inspectFile(file: string, hashed: boolean): Promise<FoundFile | string> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stat = await handle.stat({ bigint: true })
      if (!stat.isFile()) return 'is not a regular file'
      if (stat.nlink !== 1n) return 'has another link'
      const hash = createHash('sha256')
      if (hashed) for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk as Buffer)
      return {
        sizeBytes: Number(stat.size),
        facts: { inode: String(stat.ino), mtimeNs: String(stat.mtimeNs) },
        sha256: hashed ? hash.digest('hex') : '',
      }
    } finally {
      await handle.close()
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'is missing'
    if (code === 'ELOOP') return 'is a symbolic link'
    if (code === 'EIO') return 'cannot be read from the disk'
    throw error
  }
}
