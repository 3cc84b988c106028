/**
 * The top level of a module as a sequence: which of its items run code that may change anything. Invariant: two modules
 * with equal `digest` do the same when they are imported, given equal units and equal imported modules.
 */
import { digestOf } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import type { ImportFact, ImportTarget, SequenceItem, UnitFacts } from './facts.ts'
import { packagesAbove } from './modules.ts'
import type { Located, Tree } from './modules.ts'
import type { Names } from './names.ts'

/** Modules whose classes run no code of the project when they are subclassed. */
const quietBases = new Set(
  `abc enum typing typing_extensions collections dataclasses json logging threading unittest html string ast
  contextlib io types numbers datetime decimal sklearn torch pydantic`.split(/\s+/),
)

/** The project's own modules that an import statement runs, parents first. */
export function runBy(names: Names, file: string, fact: ImportFact): string[] {
  const files: string[] = []
  const add = (located: Located | null): void => {
    if (located !== null) files.push(...located.runs)
  }
  for (const [module, level, attribute] of fact.modules) {
    const located = names.search.locate(module, level, file) ?? nearestParent(names, module, level, file)
    add(located)
    if (located === null || attribute === null) continue
    if (attribute !== '*') add(names.search.submodule(located, attribute))
    else if (located.file !== null) {
      for (const name of names.module(located.file)?.exports ?? []) add(names.search.submodule(located, name))
    }
  }
  return [...new Set(files)]
}

/** `import a.b` where only `a` is there runs `a` before it fails. */
function nearestParent(names: Names, module: string, level: number, file: string): Located | null {
  const parts = module.split('.')
  for (let n = parts.length - 1; n > 0; n--) {
    const located = names.search.locate(parts.slice(0, n).join('.'), level, file)
    if (located !== null) return located
  }
  return null
}

export class TopLevels {
  readonly #names: Names
  readonly #tree: Tree
  readonly #loud: Map<string, boolean> = new Map()
  readonly #marks: Map<string, readonly (Json | null)[]> = new Map()
  readonly #imported: Map<string, readonly string[]> = new Map()
  readonly #missing: Map<string, readonly string[]> = new Map()
  readonly #label: (file: string) => string

  /** `label` names a module in digests; the same for every step of a folder, so that one step's answer serves all. */
  constructor(names: Names, tree: Tree, label: (file: string) => string) {
    this.#names = names
    this.#tree = tree
    this.#label = label
  }

  /** Whether importing the module runs effects, its own or those of what it imports. */
  isLoud(file: string): boolean {
    const known = this.#loud.get(file)
    if (known !== undefined) return known
    const seen = new Set([file])
    const queue = [file]
    let loud = false
    for (let current = queue.pop(); current !== undefined && !loud; current = queue.pop()) {
      loud = this.#hasOwnEffects(current)
      for (const next of this.#importedBy(current)) {
        if (seen.has(next)) continue
        seen.add(next)
        queue.push(next)
      }
    }
    this.#loud.set(file, loud)
    return loud
  }

  /** One entry for each item of the sequence: what it contributes, or null when it changes nothing. */
  #marksOf(file: string): readonly (Json | null)[] {
    const known = this.#marks.get(file)
    if (known !== undefined) return known
    const marks = (this.#names.module(file)?.sequence ?? []).map((item) => this.#mark(file, item))
    this.#marks.set(file, marks)
    return marks
  }

  /** How many effects come before position `at` of the sequence. */
  before(file: string, at: number): number {
    return this.#marksOf(file)
      .slice(0, at)
      .filter((mark) => mark !== null).length
  }

  /** Null when the module's top level only binds names. */
  digest(file: string, outside: readonly string[]): string | null {
    const marks = this.#marksOf(file).filter((mark) => mark !== null)
    const missing = this.#missingFrom(file)
    if (marks.length + outside.length + missing.length === 0) return null
    return digestOf([marks, outside, ...missing])
  }

  /** Names of the project that importing the module reads and that are not there: it fails, whoever imports it. */
  #missingFrom(file: string): readonly string[] {
    let missing = this.#missing.get(file)
    if (missing !== undefined) return missing
    const module = this.#names.module(file)
    const plain = (module?.sequence ?? []).filter((item) => item.effect === undefined || item.names !== undefined)
    const imports = plain.flatMap((item) => (item.imports ?? []).flatMap((fact) => fact.modules))
    const chains = Object.values(module?.units ?? {}).flatMap((unit) => unit.eager ?? [])
    missing = [
      ...imports.filter((target) => !this.#isThere(file, target)).map((target) => JSON.stringify(target)),
      ...chains.filter((chain) => !this.#names.resolves(file, chain)),
    ].sort()
    this.#missing.set(file, missing)
    return missing
  }

  #isThere(file: string, [module, level, name]: ImportTarget): boolean {
    const located = this.#names.search.locate(module, level, file)
    if (located === null) return level === 0 && nearestParent(this.#names, module, level, file) === null
    return name === null || name === '*' || this.#names.binds(located, name)
  }

  isLoudClass(file: string, name: string, seen: Set<string> = new Set()): boolean {
    const unit = this.#names.module(file)?.units[name]
    if (unit === undefined || seen.has(`${file}:${name}`)) return false
    seen.add(`${file}:${name}`)
    return (unit.bases ?? []).some((base) => this.#isLoudBase(file, base, seen))
  }

  #isLoudBase(file: string, base: string, seen: Set<string>): boolean {
    const found = this.#names.lookUp(file, base)
    const outside = found.external.some((name) => !quietBases.has(name.split('.')[0]!))
    if (outside || found.opaque.length > 0 || found.wholes.length > 0) return true
    const isProject = found.units.length > 0
    if (!isProject && found.external.length === 0) return !isBuiltinBase(base) || this.#isBound(file, base)
    return found.units.some((named) => {
      const unit: UnitFacts | undefined = this.#names.module(named.file)?.units[named.name]
      return (
        unit === undefined ||
        unit.kind !== 'class' ||
        unit.hooks === true ||
        this.isLoudClass(named.file, named.name, seen)
      )
    })
  }

  #isBound(file: string, base: string): boolean {
    return this.#names.module(file)?.effectNames.includes(base.split('.')[0]!) ?? true
  }

  #hasOwnEffects(file: string): boolean {
    const module = this.#names.module(file)
    if (module === null) return true
    return module.sequence.some(
      (item) => item.effect !== undefined || (item.unit !== undefined && this.isLoudClass(file, item.unit)),
    )
  }

  #importedBy(file: string): readonly string[] {
    let found = this.#imported.get(file)
    if (found === undefined) {
      const facts = (this.#names.module(file)?.sequence ?? []).flatMap((item) => item.imports ?? [])
      found = [...new Set(facts.flatMap((fact) => runBy(this.#names, file, fact)))]
      this.#imported.set(file, found)
    }
    return found
  }

  #mark(file: string, item: SequenceItem): Json | null {
    const parts: Json[] = []
    if (item.effect !== undefined) parts.push(['effect', item.effect])
    if (item.unit !== undefined && this.isLoudClass(file, item.unit)) {
      parts.push(['class', this.#names.module(file)!.units[item.unit]!.digest])
    }
    if (item.star !== undefined) {
      const located = this.#names.search.locate(item.star[0], item.star[1], file)
      parts.push(['star', located?.file ? this.#label(located.file) : item.star[0]])
    }
    for (const fact of item.imports ?? []) {
      for (const run of runBy(this.#names, file, fact)) {
        if (run !== file && this.isLoud(run)) parts.push(['import', this.#label(run)])
      }
    }
    return parts.length === 0 ? null : parts
  }

  /** Files that run before the module itself when it is imported as part of its package. */
  packages(file: string): string[] {
    const folder = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : ''
    return packagesAbove(this.#tree, folder).filter((init) => init !== file)
  }
}

function isBuiltinBase(name: string): boolean {
  return /^(object|dict|list|tuple|set|frozenset|str|bytes|int|float|bool|complex|type|property|[A-Z]\w*(Error|Exception|Warning)|Exception|BaseException|KeyboardInterrupt|StopIteration)$/.test(
    name,
  )
}
