/**
 * The model of a project as one JSON value, with the stamp that says when it still holds: which files exist, what is in
 * them, and which interpreter and engine read them. While the stamp holds nothing heavy is loaded.
 */
import { digestOf } from '../canonical.ts'
import type { Project } from '../model/project.ts'
import { readCache, writeCache } from './cache-file.ts'
import { listCode } from './list-code.ts'
import { ProjectFiles } from './python/python-files.ts'
import type { FileStates } from './python/python-files.ts'

export interface ProjectModel {
  readonly project: Omit<Project, 'root'>
  readonly codeFiles: readonly string[]
  /** npm packages of the lock, for releases. */
  readonly npmPackages: Readonly<Record<string, string>>
}

export interface Stamp {
  /** Digest of the list of code files. */
  readonly listing: string
  /** Size, time and content of each file that the model depends on. */
  readonly states: FileStates
  /** Files that were looked for and are not there. */
  readonly absent: readonly string[]
  /** Folders of which every file counts, with the files below. */
  readonly folders: Readonly<Record<string, readonly string[]>>
  /** Engine, interpreter and packages. */
  readonly tools: string
}

interface CachedModel {
  readonly root: string
  readonly stamp: Stamp
  readonly model: ProjectModel
}

/** What the model depends on besides code files. */
export interface Watched {
  /** Digests of the contents that the model was made from. */
  readonly used: Readonly<Record<string, string | null>>
  readonly files: readonly string[]
  readonly folders: Readonly<Record<string, readonly string[]>>
}

export class ModelCache {
  readonly #root: string
  readonly #folder: string
  readonly #name: string
  readonly #cached: CachedModel | null
  /** Files as they are now. */
  readonly files: ProjectFiles
  readonly listing: readonly string[]

  constructor(root: string, folder: string, nowMs: number) {
    this.#root = root
    this.#folder = folder
    this.#name = `project-${cacheKey(root)}.json`
    const cached = readCache<CachedModel>(folder, this.#name)
    this.#cached = cached?.root === root ? cached : null
    this.files = new ProjectFiles(root, this.#cached?.stamp.states ?? {}, nowMs)
    this.listing = listCode(root)
  }

  /** The stored model, if nothing that it depends on differs. */
  find(tools: string): ProjectModel | null {
    if (this.#cached === null) return null
    const { stamp, model } = this.#cached
    const same =
      stamp.tools === tools &&
      stamp.listing === digestOf([...this.listing]) &&
      Object.entries(stamp.states).every(([file, state]) => this.files.digest(file) === state.digest) &&
      stamp.absent.every((file) => this.files.digest(file) === null) &&
      Object.entries(stamp.folders).every(([folder, below]) => sameList(this.files.below(folder), below))
    if (same && this.files.isChanged) this.#write(model, { ...stamp, states: this.files.states })
    return same ? model : null
  }

  store(model: ProjectModel, tools: string, watched: Watched): void {
    // Written to while the model was made: the stamp would promise what was never read.
    if (Object.entries(watched.used).some(([file, digest]) => this.files.digest(file) !== digest)) return
    const wanted = [...new Set([...this.listing, ...watched.files])]
    const absent = wanted.filter((file) => this.files.digest(file) === null)
    const listing = digestOf([...this.listing])
    this.#write(model, { listing, states: this.files.states, absent, folders: watched.folders, tools })
  }

  #write(model: ProjectModel, stamp: Stamp): void {
    writeCache(this.#folder, this.#name, { root: this.#root, stamp, model } satisfies CachedModel)
  }
}

export function cacheKey(root: string): string {
  return digestOf(root).slice(0, 12)
}

function sameList(now: readonly string[] | null, then: readonly string[]): boolean {
  return now !== null && now.length === then.length && now.every((file, i) => file === then[i])
}
