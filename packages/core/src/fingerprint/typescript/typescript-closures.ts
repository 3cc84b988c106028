/**
 * The static part of a TypeScript step's recipe: units of code, packages and files. Pure over facts. Importing a module
 * runs it, so everything at its top level that is not a plain definition belongs to the step; of the definitions only
 * those that the step's code can reach.
 */
import { digestOf } from '../../canonical.ts'
import type { Diagnostic } from '../../diagnostics.ts'
import type { StepDefinition } from '../../model/project.ts'
import type { ClosureUnit, PackageEntry } from '../../model/recipe.ts'
import type { Closure, Closures, VolatileUse } from '../closures.ts'
import type { BindingFact, CodeFacts, ModuleFacts, TypeScriptFacts } from './facts.ts'

export function typescriptClosures(facts: TypeScriptFacts): Closures {
  const closures = new Map<string, Closure>()
  return {
    closureOf: (step) => {
      const key = `${step.file}\0${step.symbol}`
      let closure = closures.get(key)
      if (closure === undefined) {
        closure = new Reach(facts, step).closure()
        closures.set(key, closure)
      }
      return closure
    },
    globalDigest: () => null,
  }
}

interface Computed {
  readonly what: string
  readonly file: string
  readonly line: number
}

class Reach {
  readonly #facts: TypeScriptFacts
  readonly #step: StepDefinition
  /** Modules that importing the step's module runs, in the order in which they end. */
  readonly #ran: string[] = []
  readonly #entered: Set<string> = new Set()
  readonly #units: Map<string, ClosureUnit> = new Map()
  readonly #packages: Set<string> = new Set()
  readonly #data: Set<string> = new Set()
  readonly #volatile: VolatileUse[] = []
  readonly #computed: Computed[] = []
  readonly #draws: Computed[] = []
  readonly #seen: Set<string> = new Set()

  constructor(facts: TypeScriptFacts, step: StepDefinition) {
    this.#facts = facts
    this.#step = step
  }

  closure(): Closure {
    const { file, symbol } = this.#step
    const module = this.#module(file)
    const own = module !== null && Object.hasOwn(module.steps, symbol) ? module.steps[symbol]! : null
    this.#run(file)
    if (own !== null) {
      this.#put(file, '(run)', own.code.digest)
      this.#code(file, own.code)
    }
    const units = this.#computed.length === 0 ? [...this.#units.values()] : this.#wholeTexts()
    return {
      units: [...units, ...this.#order(), ...this.#dataUnits()].sort(byName),
      packages: this.#packageEntries(),
      projectParameters: own?.projectParameters ?? [],
      files: [...this.#entered, ...[...this.#data].filter((name) => typeof this.#facts.data[name] === 'string')].sort(),
      volatile: this.#volatile,
      drawsRandom: (own?.drawsRandom ?? false) || this.#draws.length > 0,
      diagnostics: [
        ...this.#computed.slice(0, 1).map((use) => this.#imprecise(use)),
        ...this.#draws.slice(0, 1).map((use) => this.#unseeded(use)),
      ],
    }
  }

  #module(file: string): ModuleFacts | null {
    return Object.hasOwn(this.#facts.modules, file) ? this.#facts.modules[file]! : null
  }

  /** Runs a module's imports, then its own top level. */
  #run(file: string): void {
    const module = this.#module(file)
    if (module === null || this.#entered.has(file)) return
    this.#entered.add(file)
    for (const specifier of module.runs) this.#import(module, specifier)
    this.#ran.push(file)
    if (module.effects.length > 0) this.#put(file, '*', digestOf(module.effects.map((effect) => effect.digest)))
    for (const effect of module.effects) this.#code(file, effect)
  }

  #import(module: ModuleFacts, specifier: string): void {
    const target = module.targets[specifier]
    if (target?.type === 'module') this.#run(target.file)
    else if (target?.type === 'data') this.#data.add(target.file)
    else if (target?.type === 'package') this.#packages.add(target.name)
  }

  #code(file: string, code: CodeFacts): void {
    const module = this.#module(file)!
    for (const { kind, what, line } of code.volatile) {
      // Seeded by the runner: drawing from it gives the same result again.
      if (what === 'Math.random') this.#draws.push({ what, file, line })
      else this.#volatile.push({ kind, what, file, line })
    }
    for (const { what, line } of code.computed) this.#computed.push({ what, file, line })
    for (const name of code.data) this.#data.add(name)
    for (const specifier of code.imports) {
      this.#import(module, specifier)
      this.#binding(module, { from: specifier, name: null })
    }
    for (const name of code.reads) this.#local(file, name)
  }

  /** A name of a module's top level: a unit, another step, or what an import binds. */
  #local(file: string, name: string): void {
    const key = `${file}\0${name}`
    const module = this.#module(file)
    if (module === null || this.#seen.has(key)) return
    this.#seen.add(key)
    if (Object.hasOwn(module.units, name)) {
      const unit = module.units[name]!
      this.#put(file, name, unit.digest)
      this.#code(file, unit)
    } else if (Object.hasOwn(module.steps, name)) {
      const step = module.steps[name]!
      this.#put(file, name, step.code.digest)
      this.#code(file, step.code)
    } else if (Object.hasOwn(module.bindings, name)) {
      const binding = module.bindings[name]!
      const target = module.targets[binding.from]
      // The code says `x` alone: what `x` is imported from decides as much as the code.
      const from = target?.type === 'module' || target?.type === 'data' ? target.file : binding.from
      this.#put(file, `import ${name}`, digestOf([from, binding.name]))
      this.#binding(module, binding)
    }
  }

  #binding(module: ModuleFacts, binding: BindingFact): void {
    const target = module.targets[binding.from]
    if (target?.type !== 'module') return
    const other = this.#module(target.file)
    if (other === null) return
    if (binding.name !== null) this.#export(target.file, binding.name)
    else {
      for (const name of Object.keys(other.exports)) this.#export(target.file, name)
      for (const star of other.stars) this.#binding(other, { from: star, name: null })
    }
  }

  #export(file: string, name: string): void {
    const key = `${file}\0export ${name}`
    const module = this.#module(file)
    if (module === null || this.#seen.has(key)) return
    this.#seen.add(key)
    const found = Object.hasOwn(module.exports, name) ? module.exports[name]! : null
    // Which export it is that a name means, is code as well: `export { a as x }` may become `export { b as x }`.
    if (found !== null)
      this.#put(file, `export ${name}`, digestOf('local' in found ? [found.local] : [found.from, found.name]))
    if (found === null) for (const star of module.stars) this.#binding(module, { from: star, name })
    else if ('local' in found) this.#local(file, found.local)
    else this.#binding(module, found)
  }

  #put(file: string, unit: string, digest: string): void {
    this.#units.set(`${file}\0${unit}`, { module: this.#label(file), unit, digest })
  }

  /** The step's own module has no name, so that it can be moved. */
  #label(file: string): string {
    return file === this.#step.file ? '.' : file
  }

  /** Effects of several modules happen one after the other. */
  #order(): ClosureUnit[] {
    const acting = this.#ran.filter((file) => this.#module(file)!.effects.length > 0)
    if (acting.length < 2) return []
    return [{ module: '', unit: 'order', digest: digestOf(acting.map((file) => this.#label(file))) }]
  }

  #wholeTexts(): ClosureUnit[] {
    const texts = this.#ran.map((file) => ({
      module: this.#label(file),
      unit: 'text',
      digest: this.#module(file)!.text,
    }))
    return [...texts, ...[...this.#units.values()].filter((unit) => unit.unit === '(run)')]
  }

  #dataUnits(): ClosureUnit[] {
    return [...this.#data].map((name) => ({
      module: '',
      unit: `file:${name}`,
      digest: this.#facts.data[name] ?? 'absent',
    }))
  }

  /** What the modules import, and all that those packages require. */
  #packageEntries(): PackageEntry[] {
    const found = new Map<string, string>()
    const queue = [...this.#packages]
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      const facts = Object.hasOwn(this.#facts.packages, name) ? this.#facts.packages[name]! : null
      if (found.has(name)) continue
      found.set(name, facts?.version ?? 'absent')
      queue.push(...(facts?.requires ?? []))
    }
    return [...found].map(([name, version]) => ({ name, version })).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  #unseeded({ what, file, line }: Computed): Diagnostic {
    return {
      code: 'D050',
      severity: 'warning',
      message: `'${this.#step.id}' draws with ${what}, which is seeded per asset`,
      at: { file, line, column: 1, length: 1, lineText: '' },
      notes: [],
      fix: 'take random from what run gets, to say that this is meant',
    }
  }

  #imprecise({ what, file, line }: Computed): Diagnostic {
    return {
      code: 'D051',
      severity: 'warning',
      message: `'${this.#step.id}' reaches ${what}, so any change in its modules rebuilds it`,
      at: { file, line, column: 1, length: 1, lineText: '' },
      notes: [],
      fix: 'name what is used directly, if small changes should rebuild little',
    }
  }
}

function byName(a: ClosureUnit, b: ClosureUnit): number {
  const [x, y] = [`${a.module}\0${a.unit}`, `${b.module}\0${b.unit}`]
  return x < y ? -1 : x > y ? 1 : 0
}
