/**
 * The static part of a Python step's recipe: units of code, packages and files. Pure over facts. Options, asset names,
 * annotations of inputs and values of parameters are elsewhere in the recipe and therefore not in the code.
 */
import { digestOf } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import type { Diagnostic } from '../../diagnostics.ts'
import type { InputForm, StepDefinition } from '../../model/project.ts'
import type { PackageEntry } from '../../model/recipe.ts'
import type { NamedGlobal } from '../../model/snapshot.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import type { Closure, Closures } from '../closures.ts'
import { unitsOf } from './closure-units.ts'
import { computedNames, drawsWithoutSeed, missingPackages } from './closure-diagnostics.ts'
import type { KnownModules } from './closure-diagnostics.ts'
import { TopLevels } from './effects.ts'
import type { PythonFacts } from './facts.ts'
import { folderOfFile, treeOf } from './modules.ts'
import type { Tree } from './modules.ts'
import { Names } from './names.ts'
import { Packages } from './packages.ts'
import { Reach } from './reach.ts'
import { labelIn } from './view.ts'
import type { View } from './view.ts'

/** Distributions that our runner uses to hand an input over. */
const usedByForm: Readonly<Partial<Record<InputForm, readonly string[]>>> = {
  pandas: ['pandas', 'pyarrow'],
  polars: ['polars'],
  'polars-lazy': ['polars'],
  pyarrow: ['pyarrow'],
  duckdb: ['duckdb', 'pyarrow'],
  rows: ['pyarrow'],
  object: ['pandas', 'pyarrow', 'polars'],
}

export function pythonClosures(facts: PythonFacts, environment: PythonEnvironment | null): Closures {
  return new PythonClosures(facts, environment)
}

class PythonClosures implements Closures {
  readonly #facts: PythonFacts
  readonly #tree: Tree
  readonly #packages: Packages | null
  readonly #stdlib: ReadonlySet<string>
  readonly #known: KnownModules | null
  readonly #views: Map<string, View> = new Map()
  readonly #closures: Map<string, Closure> = new Map()
  readonly #globals: Map<string, string | null> = new Map()

  constructor(facts: PythonFacts, environment: PythonEnvironment | null) {
    this.#facts = facts
    this.#tree = treeOf(Object.keys(facts.modules))
    this.#packages = environment === null ? null : new Packages(environment)
    this.#stdlib = new Set(facts.stdlib)
    const modules = Object.keys(facts.modules)
    this.#known =
      this.#packages === null ? null : { packages: this.#packages, stdlib: this.#stdlib, modules, nearest: new Map() }
  }

  closureOf(step: StepDefinition): Closure {
    // A changed definition under one id (another form, say) must not find the old answer.
    const key = JSON.stringify([step.id, step.file, step.symbol, step.inputs.map((input) => input.form)])
    let closure = this.#closures.get(key)
    if (closure === undefined) {
      closure = this.#closureOf(step)
      this.#closures.set(key, closure)
    }
    return closure
  }

  globalDigest(global: NamedGlobal): string | null {
    const key = `${global.module}\n${global.name}`
    let digest = this.#globals.get(key)
    if (digest === undefined) {
      digest = this.#globalDigest(global)
      this.#globals.set(key, digest)
    }
    return digest
  }

  #closureOf(step: StepDefinition): Closure {
    const view = this.#view(folderOfFile(step.file))
    const module = view.names.module(step.file)
    const reach = new Reach(view.names, view.topLevels)
    reach.start(step.file, [...(module?.setups ?? []), step.symbol])
    const precise = { volatile: [...reach.volatile], draws: [...reach.draws], parameters: new Set(reach.parameters) }
    if (reach.computed.length > 0) reach.widen()
    const own = module?.steps.find((other) => other.symbol === step.symbol)
    const parameters = new Set(reach.parameters)
    if (own?.parameters.some((parameter) => isRunTime(parameter))) parameters.add('run_time')
    const { units, files } = unitsOf({ facts: this.#facts, view, stdlib: this.#stdlib }, reach, {
      file: step.file,
      symbol: step.symbol,
      digest: own?.digest ?? null,
    })
    return {
      units,
      packages: this.#packagesOf(reach, step),
      projectParameters: [...parameters].sort(),
      files,
      volatile: unique(precise.volatile),
      drawsRandom: precise.draws.length > 0,
      diagnostics: this.#diagnosticsOf(reach, step, precise.draws),
    }
  }

  #diagnosticsOf(reach: Reach, step: StepDefinition, draws: Reach['draws']): Diagnostic[] {
    const found = [...computedNames(step.id, reach.computed), ...drawsWithoutSeed(step, draws)]
    return this.#known === null ? found : [...missingPackages(this.#known, reach), ...found]
  }

  #packagesOf(reach: Reach, step: StepDefinition | null): readonly PackageEntry[] {
    if (this.#packages === null) return []
    if (reach.dynamic) return this.#packages.all()
    const forms = (step?.inputs ?? []).flatMap((input) => usedByForm[input.form] ?? [])
    return this.#packages.reachedFrom([...reach.outside.map((found) => found.top), ...forms])
  }

  /** Pickles name a module as it was imported: from the root, or from the folder of some asset. */
  #globalDigest({ module, name }: NamedGlobal): string | null {
    const digests = new Set<string>()
    for (const folder of new Set(['', ...this.#facts.assetFolders])) {
      const view = this.#view(folder)
      const file = view.names.search.locate(module, 0, '')?.file
      if (file != null) digests.add(this.#codeDigest(view, file, name.split('.')[0]!))
    }
    if (digests.size === 0) return null
    return digests.size === 1 ? [...digests][0]! : digestOf([...digests].sort())
  }

  #codeDigest(view: View, file: string, name: string): string {
    const reach = new Reach(view.names, view.topLevels)
    reach.start(file, [name])
    const module = view.names.module(file)
    const isKnown = module !== null && (name in module.units || module.effectNames.includes(name))
    if (reach.computed.length > 0 || !isKnown) reach.widen()
    const { units } = unitsOf({ facts: this.#facts, view, stdlib: this.#stdlib }, reach, {
      file,
      symbol: '',
      digest: isKnown ? null : this.#facts.modules[file]!.text,
    })
    return digestOf({ units, packages: this.#packagesOf(reach, null) } as unknown as Json)
  }

  #view(folder: string): View {
    let view = this.#views.get(folder)
    if (view === undefined) {
      const names = new Names(this.#facts, this.#tree, folder)
      view = { folder, names, topLevels: new TopLevels(names, this.#tree, (file) => labelIn(folder, file)) }
      this.#views.set(folder, view)
    }
    return view
  }
}

/** A keyword-only argument `run_time` is the logical time of the run. */
export function isRunTime(parameter: { readonly name: string }): boolean {
  return parameter.name === 'run_time'
}

function unique(uses: Closure['volatile']): Closure['volatile'] {
  return [...new Map(uses.map((use) => [JSON.stringify(use), use])).values()]
}
