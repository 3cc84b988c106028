/**
 * Files of the project as discovery sees them: what exists, and the digest of what is in it. A file that was not touched
 * since it was last hashed is not read again; git's racy rule says when its time stamp cannot be trusted.
 */
import { readFileSync, readdirSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { sha256 } from '../../canonical.ts'
import { folderOfFile, join } from '../../fingerprint/python/modules.ts'
import type { Tree } from '../../fingerprint/python/modules.ts'

export interface FileState {
  readonly size: number
  readonly mtimeNs: string
  readonly inode: string
  readonly digest: string
  /** When it was hashed, in ms since 1970. */
  readonly hashedAt: number
}

export type FileStates = Readonly<Record<string, FileState>>

/** A change within this time before hashing may be followed by another one with the same time stamp. */
const racyMs = 2000
const ignoredFolders = new Set(['node_modules', '__pycache__', 'dist', 'build'])
const maxFiles = 20_000
/** Larger files are told apart by their stamps: hashing them each time they are touched would take too long. */
const maxHashedBytes = 256_000_000

export class ProjectFiles implements Tree {
  readonly #root: string
  readonly #known: FileStates
  readonly #nowMs: number
  readonly #entries: Map<string, ReadonlyMap<string, 'file' | 'folder'>> = new Map()
  readonly #states: Map<string, FileState> = new Map()
  readonly #contents: Map<string, Buffer> = new Map()
  #isChanged = false

  constructor(root: string, known: FileStates, nowMs: number) {
    this.#root = root
    this.#known = known
    this.#nowMs = nowMs
  }

  /** States of the files asked for, to be kept. */
  get states(): FileStates {
    return Object.fromEntries([...this.#states].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  get isChanged(): boolean {
    return this.#isChanged || this.#states.size !== Object.keys(this.#known).length
  }

  hasFile(file: string): boolean {
    return this.#kind(file) === 'file'
  }

  hasFolder(folder: string): boolean {
    return folder === '' || this.#kind(folder) === 'folder'
  }

  /** Null when there is no such file, or it cannot be read. */
  digest(file: string): string | null {
    const done = this.#states.get(file)
    if (done !== undefined) return done.digest
    const stat = statSync(path.join(this.#root, file), { bigint: true, throwIfNoEntry: false })
    if (!stat?.isFile()) return null
    const seen = { size: Number(stat.size), mtimeNs: String(stat.mtimeNs), inode: String(stat.ino) }
    const old = Object.hasOwn(this.#known, file) ? this.#known[file]! : null
    if (old !== null && isSame(old, seen) && Number(stat.mtimeMs) + racyMs < old.hashedAt) {
      this.#states.set(file, old)
      return old.digest
    }
    const digest = seen.size > maxHashedBytes ? sha256(JSON.stringify(seen)) : this.#hash(file)
    if (digest === null) return null
    this.#isChanged = true
    this.#states.set(file, { ...seen, digest, hashedAt: this.#nowMs })
    return digest
  }

  /** For what is too much to be counted: another one each time, so that nothing stale is ever found. */
  unknownDigest(): string {
    return sha256(`unknown:${this.#nowMs}`)
  }

  /** The bytes that `digest` speaks of, or those that are there now. */
  content(file: string): Buffer | null {
    return this.#contents.get(file) ?? this.#read(file)
  }

  /** Every file below, hidden ones and build folders left out; null when there are too many to count by content. */
  below(folder: string): readonly string[] | null {
    const found: string[] = []
    const seen = new Set<string>()
    const queue = [folder]
    for (let current = queue.pop(); current !== undefined; current = queue.pop()) {
      if (!this.#isInside(current, seen) || this.#list(current).has('pyvenv.cfg')) continue
      for (const [name, kind] of this.#list(current)) {
        if (name.startsWith('.') || ignoredFolders.has(name)) continue
        const entry = join(current, name)
        if (kind === 'folder') queue.push(entry)
        else found.push(entry)
        if (found.length > maxFiles) return null
      }
    }
    return found.sort()
  }

  /** Links may lead in circles, or out of the project. */
  #isInside(folder: string, seen: Set<string>): boolean {
    try {
      const real = realpathSync(path.join(this.#root, folder))
      const root = realpathSync(this.#root)
      if (seen.has(real) || (real !== root && !real.startsWith(root + path.sep))) return false
      seen.add(real)
      return true
    } catch {
      // Gone meanwhile: nothing below it.
      return false
    }
  }

  #hash(file: string): string | null {
    const content = this.#read(file)
    if (content === null) return null
    if (file.endsWith('.py')) this.#contents.set(file, content)
    return sha256(content)
  }

  #read(file: string): Buffer | null {
    try {
      return readFileSync(path.join(this.#root, file))
    } catch {
      // Not readable, or gone meanwhile: the same as not there.
      return null
    }
  }

  #kind(entry: string): 'file' | 'folder' | null {
    if (entry === '' || entry.startsWith('../') || entry.includes('\0')) return null
    return this.#list(folderOfFile(entry)).get(path.posix.basename(entry)) ?? null
  }

  #list(folder: string): ReadonlyMap<string, 'file' | 'folder'> {
    let entries = this.#entries.get(folder)
    if (entries === undefined) {
      entries = listFolder(path.join(this.#root, folder))
      this.#entries.set(folder, entries)
    }
    return entries
  }
}

function isSame(old: FileState, seen: Pick<FileState, 'size' | 'mtimeNs' | 'inode'>): boolean {
  return old.size === seen.size && old.mtimeNs === seen.mtimeNs && old.inode === seen.inode
}

function listFolder(folder: string): ReadonlyMap<string, 'file' | 'folder'> {
  const entries = new Map<string, 'file' | 'folder'>()
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const stat = entry.isSymbolicLink() ? statSync(path.join(folder, entry.name), { throwIfNoEntry: false }) : entry
      if (stat?.isFile()) entries.set(entry.name, 'file')
      else if (stat?.isDirectory()) entries.set(entry.name, 'folder')
    }
  } catch {
    // No such folder, or not readable: it holds no modules.
  }
  return entries
}
