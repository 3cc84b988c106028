/**
 * Facts of asset files and of every module of the project that they may import, from the cache where the bytes are known.
 * Invariant: facts follow from the bytes and the reader alone, so a project that did not change starts no Python.
 */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { sha256 } from '../../canonical.ts'
import { runBy } from '../../fingerprint/python/effects.ts'
import type { ImportFact, ModuleFacts, ModuleRecord, PythonFacts } from '../../fingerprint/python/facts.ts'
import { folderOfFile, packagesAbove } from '../../fingerprint/python/modules.ts'
import { Names } from '../../fingerprint/python/names.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import { pythonPackageRoot } from '../../sibling.ts'
import type { ProjectFiles } from './python-files.ts'
import { PythonReader } from './python-reader.ts'

export interface CachedFacts {
  /** Digest of the reader's own code. */
  readonly reader: string
  /** Version of the interpreter whose parser read them. */
  readonly interpreter: string
  readonly stdlib: readonly string[]
  /** By sha256 of the file. */
  readonly modules: Readonly<Record<string, ModuleFacts>>
}

export class ModuleFactsLoader {
  readonly #files: ProjectFiles
  readonly #environment: () => Promise<PythonEnvironment>
  #cached: CachedFacts
  #reader: PythonReader | null = null
  readonly #modules: Record<string, ModuleRecord> = {}
  readonly #used: Map<string, ModuleFacts> = new Map()
  isChanged = false

  constructor(files: ProjectFiles, cached: CachedFacts | null, environment: () => Promise<PythonEnvironment>) {
    this.#files = files
    this.#environment = environment
    const reader = readerDigest()
    this.#cached =
      cached !== null && cached.reader === reader ? cached : { reader, interpreter: '', stdlib: [], modules: {} }
  }

  /** Only the facts in use, for the cache. */
  get kept(): CachedFacts {
    return { ...this.#cached, modules: Object.fromEntries([...this.#used].sort(([a], [b]) => (a < b ? -1 : 1))) }
  }

  async load(assetFiles: readonly string[]): Promise<Pick<PythonFacts, 'modules' | 'stdlib'>> {
    try {
      // The first file that is not cached may show that the interpreter is another one: then all are read again.
      while (!(await this.#loadAll(assetFiles))) this.#used.clear()
    } finally {
      this.#reader?.close()
      this.#reader = null
    }
    if (this.#used.size !== Object.keys(this.#cached.modules).length) this.isChanged = true
    return { modules: this.#modules, stdlib: this.#cached.stdlib }
  }

  async #loadAll(assetFiles: readonly string[]): Promise<boolean> {
    for (const file of Object.keys(this.#modules)) delete this.#modules[file]
    const folders = Map.groupBy(assetFiles, folderOfFile)
    for (const [folder, files] of folders) {
      const facts = { modules: this.#modules, data: {}, folders: {}, assetFolders: [], stdlib: [] }
      const names = new Names(facts, this.#files, folder)
      const seen = new Set<string>()
      const queue = files.flatMap((file) => [...packagesAbove(this.#files, folderOfFile(file)), file])
      for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
        if (seen.has(file)) continue
        seen.add(file)
        const interpreter = this.#cached.interpreter
        const module = await this.#loadOne(file)
        if (interpreter !== '' && interpreter !== this.#cached.interpreter) return false
        if (module === null) continue
        for (const fact of importsOf(module)) {
          const before = queue.length
          queue.push(...runBy(names, file, fact))
          // A star takes the submodules that `__all__` names, which are known when the package has been read.
          if (fact.modules.some(([, , name]) => name === '*'))
            queue.push(...(await this.#starred(names, file, fact, queue.slice(before))))
        }
      }
    }
    return true
  }

  async #starred(names: Names, file: string, fact: ImportFact, packages: readonly string[]): Promise<string[]> {
    for (const each of packages) await this.#loadOne(each)
    return runBy(names, file, fact)
  }

  async #loadOne(file: string): Promise<ModuleFacts | null> {
    const done = this.#modules[file]
    if (done !== undefined) return done.facts
    const digest = this.#files.digest(file)
    if (digest === null) return null
    const cached = Object.hasOwn(this.#cached.modules, digest) ? this.#cached.modules[digest]! : null
    const known = this.#used.get(digest) ?? cached
    const read = known === null ? await this.#read(file) : { text: digest, facts: known }
    if (read === null) return null
    this.#used.set(read.text, read.facts)
    this.#modules[file] = read
    return read.facts
  }

  /** Under the digest of the bytes that were parsed, even when the file changed since it was hashed. */
  async #read(file: string): Promise<ModuleRecord | null> {
    const content = this.#files.content(file)
    if (content === null) return null
    if (this.#reader === null) {
      const environment = await this.#environment()
      this.#reader = new PythonReader(environment.python)
      const { version, stdlib } = await this.#reader.open()
      const isSame = version === this.#cached.interpreter
      this.#cached = { ...this.#cached, interpreter: version, stdlib, modules: isSame ? this.#cached.modules : {} }
    }
    this.isChanged = true
    return { text: sha256(content), facts: await this.#reader.read(content) }
  }
}

/** Every import in the module, inside functions too: which of them run is for closures to say. */
export function importsOf(module: ModuleFacts): ImportFact[] {
  return [...module.sequence, ...Object.values(module.units)].flatMap((code) => code.imports ?? [])
}

function readerDigest(): string {
  const folder = path.join(pythonPackageRoot(), 'cellmill', '_discover')
  const files = readdirSync(folder).filter((name) => name.endsWith('.py'))
  return sha256(
    files
      .sort()
      .map((name) => `${name}\n${readFileSync(path.join(folder, name), 'utf8')}`)
      .join('\0'),
  )
}
