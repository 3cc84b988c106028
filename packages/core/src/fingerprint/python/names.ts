/**
 * From a dotted chain of names in a module to the units, imports and modules it may mean. In doubt all of them: a name
 * that a star import may also bind is both, and an attribute of a package may be its submodule too.
 */
import type { ImportTarget, ModuleFacts, PythonFacts } from './facts.ts'
import type { Located } from './modules.ts'
import { ModuleSearch } from './modules.ts'
import type { Tree } from './modules.ts'

export interface Named {
  readonly file: string
  readonly name: string
}

export interface Found {
  readonly units: Named[]
  /** Imports at top level that the chain went through. */
  readonly bindings: Named[]
  /** Modules used as values: anything in them may be reached. */
  readonly wholes: Located[]
  /** Modules met on the way, which run when they are imported. */
  readonly passed: Located[]
  /** Names taken from outside the project: `cellmill.run_time`. */
  readonly external: string[]
  /** Files whose exports cannot be known. */
  readonly opaque: string[]
}

export class Names {
  readonly search: ModuleSearch
  readonly #facts: PythonFacts
  readonly #cache: Map<string, Found> = new Map()

  constructor(facts: PythonFacts, tree: Tree, folder: string) {
    this.#facts = facts
    this.search = new ModuleSearch(tree, folder)
  }

  module(file: string): ModuleFacts | null {
    const record = this.#facts.modules[file]
    return record === undefined || record.facts.error !== undefined ? null : record.facts
  }

  /** `local` are names that the reading unit's own imports bind. */
  lookUp(file: string, chain: string, local?: Readonly<Record<string, readonly ImportTarget[]>>): Found {
    const parts = chain.split('.')
    const targets = local !== undefined && Object.hasOwn(local, parts[0]!) ? local[parts[0]!]! : []
    if (targets.length === 0) {
      const key = `${file}\n${chain}`
      const known = this.#cache.get(key)
      if (known !== undefined) return known
      const found = nothing()
      this.#name(file, parts, found, new Set())
      this.#cache.set(key, found)
      return found
    }
    const found = nothing()
    const seen = new Set<string>()
    for (const target of targets) this.#target(file, target, parts.slice(1), { found, seen })
    this.#name(file, parts, found, seen)
    return found
  }

  /** Whether the module has, or may have, such a name or submodule. */
  binds(located: Located, name: string): boolean {
    if (this.search.submodule(located, name) !== null) return true
    if (located.file === null) return false
    const module = this.module(located.file)
    if (module === null || name.startsWith('__') || Object.hasOwn(module.units, '__getattr__')) return true
    const found = nothing()
    return (
      this.#name(located.file, [name], found, new Set()) ||
      found.opaque.length > 0 ||
      hasForeignStar(module, this, located.file)
    )
  }

  /** Whether `chain` can be read when the module runs; in doubt it can. */
  resolves(file: string, chain: string): boolean {
    const [root, attribute] = chain.split('.') as [string, string | undefined]
    const targets = this.module(file)?.bindings[root] ?? []
    if (attribute === undefined) return true
    return targets.every(([module, level, name]) => {
      const located = this.search.locate(module, level, file)
      const value = located === null || name === null ? located : this.search.submodule(located, name)
      return value === null || this.binds(value, attribute)
    })
  }

  /** Names that `from m import *` takes; null when that cannot be known. */
  exports(file: string): ReadonlySet<string> | null {
    const names = new Set<string>()
    return this.#collectExports(file, names, new Set()) ? names : null
  }

  #collectExports(file: string, names: Set<string>, seen: Set<string>): boolean {
    const module = this.module(file)
    if (module === null || module.exports === 'computed') return false
    if (seen.has(file)) return true
    seen.add(file)
    if (module.exports !== null) {
      for (const name of module.exports) names.add(name)
      return true
    }
    const own = [...Object.keys(module.units), ...Object.keys(module.bindings), ...module.effectNames]
    for (const name of own) if (!name.startsWith('_')) names.add(name)
    for (const { star } of module.sequence) {
      const located = star === undefined ? null : this.search.locate(star[0], star[1], file)
      if (located?.file && !this.#collectExports(located.file, names, seen)) return false
    }
    return true
  }

  /** Returns whether the module may bind the name at all. */
  #name(file: string, parts: readonly string[], found: Found, seen: Set<string>): boolean {
    const [name, ...rest] = parts as [string, ...string[]]
    const key = `${file}:${parts.join('.')}`
    if (seen.has(key)) return true
    seen.add(key)
    const module = this.module(file)
    if (module === null) {
      if (this.#facts.modules[file] !== undefined) found.opaque.push(file)
      return true
    }
    let bound = module.effectNames.includes(name)
    if (Object.hasOwn(module.units, name)) {
      found.units.push({ file, name })
      bound = true
    }
    if (Object.hasOwn(module.bindings, name)) {
      found.bindings.push({ file, name })
      for (const target of module.bindings[name]!) this.#target(file, target, rest, { found, seen })
      bound = true
    }
    for (const { star } of module.sequence) {
      if (star !== undefined && this.#star(file, star, parts, { found, seen })) bound = true
    }
    if (!bound && Object.hasOwn(module.units, '__getattr__')) found.units.push({ file, name: '__getattr__' })
    return bound
  }

  #star(
    file: string,
    star: readonly [string, number],
    parts: readonly string[],
    { found, seen }: { found: Found; seen: Set<string> },
  ): boolean {
    const located = this.search.locate(star[0], star[1], file)
    if (located?.file == null) return false
    const exported = this.exports(located.file)
    if (exported === null) {
      found.opaque.push(located.file)
      this.#name(located.file, parts, found, seen)
      return false
    }
    if (!exported.has(parts[0]!)) return false
    const named = this.#name(located.file, parts, found, seen)
    const submodule = this.search.submodule(located, parts[0]!)
    if (submodule !== null) this.#value(submodule, parts.slice(1), { found, seen })
    return named || submodule !== null
  }

  #target(
    file: string,
    [module, level, attribute]: ImportTarget,
    rest: readonly string[],
    context: { found: Found; seen: Set<string> },
  ): void {
    const located = this.search.locate(module, level, file)
    if (located === null) {
      if (level === 0) {
        context.found.external.push([module, ...(attribute === null ? [] : [attribute]), ...rest].join('.'))
      }
      return
    }
    if (attribute === null) this.#value(located, rest, context)
    else this.#attribute(located, [attribute, ...rest], context)
  }

  #value(located: Located, rest: readonly string[], context: { found: Found; seen: Set<string> }): void {
    context.found.passed.push(located)
    if (rest.length === 0 || rest[0] === '__dict__') context.found.wholes.push(located)
    else this.#attribute(located, rest, context)
  }

  #attribute(located: Located, parts: readonly string[], context: { found: Found; seen: Set<string> }): void {
    context.found.passed.push(located)
    if (located.file !== null) this.#name(located.file, parts, context.found, context.seen)
    const submodule = this.search.submodule(located, parts[0]!)
    if (submodule !== null) this.#value(submodule, parts.slice(1), context)
  }
}

/** A star import from a package may bind anything. */
function hasForeignStar(module: ModuleFacts, names: Names, file: string): boolean {
  return module.sequence.some(({ star }) => star !== undefined && names.search.locate(star[0], star[1], file) === null)
}

function nothing(): Found {
  return { units: [], bindings: [], wholes: [], passed: [], external: [], opaque: [] }
}
