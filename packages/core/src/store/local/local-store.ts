/**
 * The store on a local disk. A blob exists from the rename of its folder to its address, and what is committed is on the
 * disk before `commit` returns. Manifests are written after that and are never needed for safety: they can be made
 * again from the bytes, whose digest is the address.
 */
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Clock } from '../../clock.ts'
import { crashPoint } from '../../crash-points.ts'
import { CellmillError } from '../../errors.ts'
import type { CommittedBlob, ManifestEntry, StagedFolder, Store, VerifyResult } from '../store.ts'
import { looksUntouched, readBlob, readUnlisted } from './check-blob.ts'
import { addressOf, isAddress, manifestText, readManifest, sorted } from './manifest.ts'
import type { StoredEntry } from './manifest.ts'
import { sealFolder, syncFolder } from './seal-folder.ts'
import { isDiskProblem, throwStoreError } from './store-error.ts'
import { blobPath, manifestPath, newId, openLayout } from './store-layout.ts'
import type { StoreLayout } from './store-layout.ts'

export interface LocalStoreOptions {
  readonly root: string
  readonly clock: Clock
}

/** Makes the folder when it is not there. Throws STATE_UNAVAILABLE, STORE_CORRUPT, DISK_FULL. */
export async function openLocalStore(options: LocalStoreOptions): Promise<Store> {
  try {
    return new LocalStore(await openLayout(options.root, options.clock.now()), options.clock)
  } catch (error) {
    return throwStoreError(error, options.root)
  }
}

class LocalStore implements Store {
  readonly id: string
  readonly #layout: StoreLayout
  readonly #clock: Clock
  readonly #staged = new Set<string>()

  constructor(layout: StoreLayout, clock: Clock) {
    this.id = layout.id
    this.#layout = layout
    this.#clock = clock
  }

  stage(purpose: string): Promise<StagedFolder> {
    return this.#guard(async () => {
      crashPoint('store.before-stage')
      const label = purpose.replaceAll(/[^a-z0-9]/gi, '').slice(0, 20)
      const id = `${newId(this.#clock.now())}-${label}`
      const folder = path.join(this.#layout.tmp, id)
      await mkdir(folder)
      this.#staged.add(id)
      return { id, path: folder }
    })
  }

  commit(staged: StagedFolder, entries: readonly ManifestEntry[]): Promise<CommittedBlob> {
    return this.#guard(async () => {
      this.#checkStaged(staged)
      const stored = sorted(await sealFolder(staged.path, entries))
      crashPoint('store.after-fsync')
      const address = addressOf(stored)
      const parent = path.dirname(blobPath(this.#layout, address))
      if ((await mkdir(parent, { recursive: true })) !== undefined) await syncFolder(path.dirname(parent))
      crashPoint('store.before-rename')
      await this.#place(staged, address, stored)
      crashPoint('store.after-rename')
      await syncFolder(parent)
      crashPoint('store.after-folder-fsync')
      this.#staged.delete(staged.id)
      const sizeBytes = stored.reduce((sum, entry) => sum + entry.sizeBytes, 0)
      return { address, entries: stored.map(publicEntry), sizeBytes }
    })
  }

  /** A folder cannot be renamed over one that holds files: whoever comes second finds the first one's. */
  async #place(staged: StagedFolder, address: string, stored: readonly StoredEntry[]): Promise<void> {
    const target = blobPath(this.#layout, address)
    for (let tries = 0; tries < 3; tries++) {
      try {
        await rename(staged.path, target)
        await this.#writeManifest(address, stored)
        return
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'EEXIST' && code !== 'ENOTEMPTY') throw error
      }
      const { problem, entries } = await this.#entriesOf(address)
      if (problem === null) {
        // Bytes that are stored again are as young as new ones to whoever collects what nobody refers to.
        await this.#writeManifest(address, entries)
        await rm(staged.path, { recursive: true, force: true })
        return
      }
      await this.quarantine(address)
    }
    throw new CellmillError(
      'STORE_CORRUPT',
      `the bytes ${address.slice(0, 12)} cannot be stored: others keep spoiling them`,
    )
  }

  discard(staged: StagedFolder): Promise<void> {
    return this.#guard(async () => {
      this.#checkStaged(staged)
      await rm(staged.path, { recursive: true, force: true })
      this.#staged.delete(staged.id)
    })
  }

  localPath(address: string): Promise<string> {
    return this.#guard(async () => {
      await this.#require(address)
      return blobPath(this.#layout, address)
    })
  }

  has(address: string): Promise<boolean> {
    return this.#guard(async () => {
      checkAddress(address)
      return isFolder(blobPath(this.#layout, address))
    })
  }

  manifest(address: string): Promise<readonly ManifestEntry[]> {
    return this.#guard(async () => (await this.#require(address)).map(publicEntry))
  }

  verify(address: string): Promise<VerifyResult> {
    return this.#guard(async () => {
      checkAddress(address)
      if (!(await isFolder(blobPath(this.#layout, address))))
        return { address, state: 'missing', detail: 'it is not there' }
      const { problem } = await this.#readWhole(address)
      return problem === null ? { address, state: 'ok', detail: '' } : { address, state: 'corrupt', detail: problem }
    })
  }

  quarantine(address: string): Promise<void> {
    return this.#guard(async () => {
      checkAddress(address)
      const place = path.join(this.#layout.quarantine, `${address}-${newId(this.#clock.now())}`)
      await renameIfThere(blobPath(this.#layout, address), place)
      await renameIfThere(manifestPath(this.#layout, address), `${place}.json`)
      await syncFolder(this.#layout.quarantine)
    })
  }

  remove(address: string): Promise<void> {
    return this.#guard(async () => {
      checkAddress(address)
      const blob = blobPath(this.#layout, address)
      await renameIfThere(blob, path.join(this.#layout.tmp, `${newId(this.#clock.now())}.trash`))
      crashPoint('gc.mid-remove')
      await rm(manifestPath(this.#layout, address), { force: true })
    })
  }

  ageMs(address: string): Promise<number | null> {
    return this.#guard(async () => {
      checkAddress(address)
      const blob = await statOrNull(blobPath(this.#layout, address))
      if (blob === null) return null
      const manifest = await statOrNull(manifestPath(this.#layout, address))
      return Date.parse(this.#clock.now()) - Math.max(blob.ctimeMs, manifest?.mtimeMs ?? 0)
    })
  }

  async *list(): AsyncIterable<string> {
    const blobs = path.join(this.#layout.root, 'blobs')
    for (const group of (await this.#guard(() => readdir(blobs))).sort()) {
      const names = await this.#guard(() => readdir(path.join(blobs, group)))
      for (const name of names.sort()) if (isAddress(name) && name.startsWith(group)) yield name
    }
  }

  sweep(olderThanMs: number): Promise<readonly string[]> {
    return this.#guard(async () => {
      const oldest = Date.parse(this.#clock.now()) - olderThanMs
      const swept: string[] = []
      for (const name of await readdir(this.#layout.tmp)) {
        const folder = path.join(this.#layout.tmp, name)
        if (this.#staged.has(name)) continue
        if (!name.endsWith('.trash') && (await newestChangeMs(folder)) > oldest) continue
        await rm(folder, { recursive: true, force: true })
        swept.push(name)
      }
      return swept
    })
  }

  /** Entries of a blob that looks untouched or was read again. Throws STORE_CORRUPT. */
  async #require(address: string): Promise<readonly StoredEntry[]> {
    checkAddress(address)
    const { problem, entries } = await this.#entriesOf(address)
    if (problem === null) return entries
    throw new CellmillError('STORE_CORRUPT', `the stored bytes ${address.slice(0, 12)} are damaged: ${problem}`, {
      hint: 'cellmill verify, then run again: what is lost is rebuilt',
      details: { address, problem },
    })
  }

  async #entriesOf(
    address: string,
  ): Promise<{ readonly problem: string | null; readonly entries: readonly StoredEntry[] }> {
    const folder = blobPath(this.#layout, address)
    if (!(await isFolder(folder))) return { problem: 'it is not there', entries: [] }
    const known = await readManifest(manifestPath(this.#layout, address), address)
    if (known !== null && (await looksUntouched(folder, known))) return { problem: null, entries: known }
    return this.#readWhole(address)
  }

  /** Reads all bytes, and writes down what the files look like when they are right. */
  async #readWhole(
    address: string,
  ): Promise<{ readonly problem: string | null; readonly entries: readonly StoredEntry[] }> {
    const folder = blobPath(this.#layout, address)
    const known = await readManifest(manifestPath(this.#layout, address), address)
    const reading = known === null ? await readUnlisted(folder, address) : await readBlob(folder, known)
    if (reading.problem === null) await this.#writeManifest(address, reading.entries)
    return reading
  }

  /** Written as far as the disk lets us: a blob without a manifest is whole, and only slower to read. */
  async #writeManifest(address: string, entries: readonly StoredEntry[]): Promise<void> {
    const file = manifestPath(this.#layout, address)
    const draft = path.join(this.#layout.tmp, `${newId(this.#clock.now())}.manifest`)
    try {
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(draft, manifestText(entries), { flag: 'wx' })
      await rename(draft, file)
    } catch (error) {
      if (!isDiskProblem(error)) throw error
      await rm(draft, { force: true }).catch(() => {
        // A read-only disk holds no draft either.
      })
    }
  }

  #checkStaged(staged: StagedFolder): void {
    if (this.#staged.has(staged.id) && staged.path === path.join(this.#layout.tmp, staged.id)) return
    throw new CellmillError('INTERNAL', `the store did not stage ${staged.id}, or it was committed already`)
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      return throwStoreError(error, this.#layout.root)
    }
  }
}

function publicEntry({ name, sha256, sizeBytes }: StoredEntry): ManifestEntry {
  return { name, sha256, sizeBytes }
}

/** Addresses become paths. */
function checkAddress(address: string): void {
  if (!isAddress(address))
    throw new CellmillError('INTERNAL', `not an address: ${JSON.stringify(address.slice(0, 80))}`)
}

async function statOrNull(file: string) {
  return stat(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  })
}

async function isFolder(folder: string): Promise<boolean> {
  return (await statOrNull(folder))?.isDirectory() ?? false
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
    await syncFolder(path.dirname(from))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Of the folder and what lies directly in it: a long write into a staged file keeps the folder alive. */
async function newestChangeMs(folder: string): Promise<number> {
  const own = await statOrNull(folder)
  if (own === null) return 0
  if (!own.isDirectory()) return own.mtimeMs
  const times = [own.mtimeMs]
  for (const name of await readdir(folder)) times.push((await statOrNull(path.join(folder, name)))?.mtimeMs ?? 0)
  return Math.max(...times)
}
