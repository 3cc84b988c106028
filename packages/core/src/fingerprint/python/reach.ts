/**
 * Everything that running one step may execute or read in the project: the function, transitively the units it may reach
 * by name, and the whole top level of every module that is imported on the way. Never stale first: what may be reached is.
 */
import type { VolatileUse } from '../closures.ts'
import type { TopLevels } from './effects.ts'
import { runBy } from './effects.ts'
import type { CodeFacts, FactPlace, ImportFact } from './facts.ts'
import type { Located } from './modules.ts'
import type { Found, Names } from './names.ts'
import { pathsOf, readPaths } from './paths.ts'
import type { ReachedPath } from './paths.ts'

export interface PlacedUse {
  readonly what: string
  readonly file: string
  readonly at: FactPlace
}

export interface OutsideImport extends PlacedUse {
  /** Top-level module: `sklearn`. */
  readonly top: string
  readonly optional: boolean
  /** The project has a module of that name too. */
  readonly inProject: boolean
}

export class Reach {
  readonly files: Set<string> = new Set()
  /** `file\nname`, of units and of names bound by imports. */
  readonly units: Set<string> = new Set()
  /** Those of `units` that some code reads by name. */
  readonly called: Set<string> = new Set()
  readonly bindings: Set<string> = new Set()
  readonly outside: OutsideImport[] = []
  readonly computed: PlacedUse[] = []
  readonly volatile: VolatileUse[] = []
  readonly draws: PlacedUse[] = []
  readonly paths: ReachedPath[] = []
  readonly parameters: Set<string> = new Set()
  dynamic = false
  readonly #names: Names
  readonly #topLevels: TopLevels
  readonly #wholes: Set<string> = new Set()
  readonly #todo: (() => void)[] = []

  constructor(names: Names, topLevels: TopLevels) {
    this.#names = names
    this.#topLevels = topLevels
  }

  /** The module as the step process imports it, and these functions of it. */
  start(file: string, functions: readonly string[]): void {
    for (const init of this.#topLevels.packages(file)) this.#run(init)
    this.#run(file)
    for (const name of functions) this.#unit(file, name)
    this.#finish()
  }

  /** Everything of every module reached, and of those that these reach: names are computed. */
  widen(): void {
    for (let before = -1; before !== this.files.size;) {
      before = this.files.size
      for (const file of this.files) this.#whole(file)
      this.#finish()
    }
  }

  /** A worklist rather than recursion: chains of units may be long. */
  #finish(): void {
    for (let next = this.#todo.pop(); next !== undefined; next = this.#todo.pop()) next()
  }

  #run(file: string): void {
    if (this.files.has(file)) return
    this.files.add(file)
    const module = this.#names.module(file)
    if (module === null) return
    for (const item of module.sequence) {
      for (const fact of item.imports ?? []) this.#import(file, fact)
      if (item.effect !== undefined) this.#todo.push(() => this.#code(file, item))
      const name = item.unit
      if (name !== undefined && this.#topLevels.isLoudClass(file, name)) this.#todo.push(() => this.#unit(file, name))
    }
  }

  #import(file: string, fact: ImportFact): void {
    for (const run of runBy(this.#names, file, fact)) this.#todo.push(() => this.#run(run))
    for (const [module, level] of fact.modules) {
      if (level > 0) continue
      const top = module.split('.')[0]!
      const inProject = this.#names.search.locate(module, 0, file) !== null
      this.outside.push({ what: module, top, file, at: fact.at, optional: fact.optional === true, inProject })
    }
  }

  #code(file: string, code: Partial<CodeFacts>): void {
    for (const fact of code.imports ?? []) this.#import(file, fact)
    for (const chain of code.reads ?? []) this.#found(this.#names.lookUp(file, chain, code.local))
    for (const [what, at] of code.computed ?? []) this.computed.push({ what, file, at })
    for (const [kind, what, line] of code.volatile ?? []) {
      this.volatile.push({ kind: kind as VolatileUse['kind'], what, file, line })
    }
    const seeders = new Set((code.draws ?? []).flatMap(([what, , seeded]) => (seeded ? [what] : [])))
    for (const [what, at, seeded] of code.draws ?? []) {
      // A unit that seeds the global generators itself draws from its own seed.
      const seeder = what.startsWith('random.') ? 'random.seed' : 'numpy.random.seed'
      if (!seeded && !seeders.has(seeder)) this.draws.push({ what, file, at })
    }
    this.paths.push(...pathsOf(this.#names, file, code))
    if (code.dynamic === true) this.dynamic = true
  }

  #found(found: Found): void {
    for (const { file, name } of found.bindings) this.bindings.add(`${file}\n${name}`)
    for (const { file, name } of found.units) {
      this.called.add(`${file}\n${name}`)
      this.#todo.push(() => this.#unit(file, name))
    }
    for (const located of found.passed) this.#imported(located)
    for (const located of found.wholes) if (located.file !== null) this.#wholeLater(located.file)
    for (const file of found.opaque) this.#wholeLater(file)
    if (found.external.some((name) => name === 'cellmill.run_time')) this.parameters.add('run_time')
  }

  #imported(located: Located): void {
    for (const file of located.runs) this.#todo.push(() => this.#run(file))
  }

  #wholeLater(file: string): void {
    this.#todo.push(() => this.#whole(file))
  }

  #whole(file: string): void {
    if (this.#wholes.has(file)) return
    this.#wholes.add(file)
    this.#run(file)
    const module = this.#names.module(file)
    if (module === null) return
    for (const name of Object.keys(module.units)) {
      this.called.add(`${file}\n${name}`)
      this.#unit(file, name)
    }
    for (const name of Object.keys(module.bindings)) this.#found(this.#names.lookUp(file, name))
  }

  #unit(file: string, name: string): void {
    const key = `${file}\n${name}`
    if (this.units.has(key)) return
    const unit = this.#names.module(file)?.units[name]
    if (unit === undefined) return
    this.units.add(key)
    if (unit.param !== undefined) this.parameters.add(unit.param)
    this.#code(file, { ...unit, data: readPaths(unit) })
  }
}
