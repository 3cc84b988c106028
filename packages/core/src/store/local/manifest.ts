/**
 * The manifest of a blob: sorted `name sha256 size` lines, whose sha256 is the address. It lies outside the blob's
 * folder, so that engines read the folder as it is, with what the files looked like to `stat` when they were stored:
 * that part is a cache, and decides only whether the bytes must be read again.
 */
import { readFile } from 'node:fs/promises'
import { sha256 } from '../../canonical.ts'
import type { ManifestEntry } from '../store.ts'
import { checkEntryName } from './entry-names.ts'

export interface FileFacts {
  readonly inode: string
  readonly mtimeNs: string
}

export interface StoredEntry extends ManifestEntry {
  readonly facts: FileFacts
}

export function addressOf(entries: readonly ManifestEntry[]): string {
  return sha256(
    sorted(entries)
      .map((entry) => `${entry.name} ${entry.sha256} ${entry.sizeBytes}\n`)
      .join(''),
  )
}

export function sorted<T extends ManifestEntry>(entries: readonly T[]): readonly T[] {
  return [...entries].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

export function isAddress(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

export function manifestText(entries: readonly StoredEntry[]): string {
  const rows = sorted(entries).map((entry) => [
    entry.name,
    entry.sha256,
    entry.sizeBytes,
    entry.facts.inode,
    entry.facts.mtimeNs,
  ])
  return `${JSON.stringify({ version: 1, entries: rows }, null, 1)}\n`
}

/** Null when the file is not there, is damaged, or is not the manifest of this address. */
export async function readManifest(file: string, address: string): Promise<readonly StoredEntry[] | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const entries = parseManifest(text)
  return entries !== null && addressOf(entries) === address ? entries : null
}

function parseManifest(text: string): readonly StoredEntry[] | null {
  try {
    const value = JSON.parse(text) as { readonly entries: readonly (readonly unknown[])[] }
    return value.entries.map(([name, hash, size, inode, mtimeNs]) => {
      checkEntryName(String(name))
      return {
        name: String(name),
        sha256: String(hash),
        sizeBytes: Number(size),
        facts: { inode: String(inode), mtimeNs: String(mtimeNs) },
      }
    })
  } catch {
    // A manifest that does not parse is a damaged one: the blob is told as corrupt by whoever asked.
    return null
  }
}
