/** From what a step reaches to the units of its closure, sorted, each with a digest; and the files that it must see. */
import { digestOf } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import type { ClosureUnit } from '../../model/recipe.ts'
import type { PythonFacts } from './facts.ts'
import type { Reach } from './reach.ts'
import { labelIn } from './view.ts'
import type { View } from './view.ts'

interface Known {
  readonly facts: PythonFacts
  readonly view: View
  readonly stdlib: ReadonlySet<string>
}

interface Own {
  readonly file: string
  /** The step's function, counted by `digest` under the name ''; '' when there is none. */
  readonly symbol: string
  readonly digest: string | null
}

export function unitsOf(known: Known, reach: Reach, own: Own): { units: ClosureUnit[]; files: string[] } {
  const label = (file: string): string => (file === own.file ? '.' : labelIn(known.view.folder, file))
  const data = dataUnits(known, reach)
  const code = reach.computed.length > 0 ? wholeTexts(known, reach, label) : codeUnits(known, reach, own, label)
  if (own.digest !== null) code.push({ module: '.', unit: '', digest: own.digest })
  const names = moduleNames(known, reach, label)
  const units = [...code, ...names, ...data.units].sort(byName)
  return { units, files: [...new Set([...reach.files, ...data.files])].sort() }
}

function codeUnits(known: Known, reach: Reach, own: Own, label: (file: string) => string): ClosureUnit[] {
  const { names, topLevels } = known.view
  const units: ClosureUnit[] = []
  for (const file of reach.files) {
    const digest = topLevels.digest(file, outsideOf(known, file))
    if (names.module(file) === null) units.push({ module: label(file), unit: 'text', digest: textOf(known, file) })
    else if (digest !== null) units.push({ module: label(file), unit: '*', digest })
  }
  for (const key of reach.units) {
    const [file, name] = key.split('\n') as [string, string]
    const unit = names.module(file)!.units[name]!
    const before = topLevels.before(file, unit.at)
    // The step's own function goes by its own digest, unless other code may call it by name.
    if (file === own.file && name === own.symbol && own.digest !== null && !reach.called.has(key)) continue
    const content: Json = unit.param === undefined ? unit.digest : ['param', unit.param, unit.digest]
    units.push({ module: label(file), unit: name, digest: digestOf([content, before]) })
  }
  for (const key of reach.bindings) {
    const [file, name] = key.split('\n') as [string, string]
    const module = names.module(file)!
    const at = module.sequence.findIndex((item) => item.names?.includes(name))
    const targets = module.bindings[name] as unknown as Json
    const digest = digestOf(['import', targets, at < 0 ? -1 : topLevels.before(file, at)])
    units.push({ module: label(file), unit: `import ${name}`, digest })
  }
  return units
}

function wholeTexts(known: Known, reach: Reach, label: (file: string) => string): ClosureUnit[] {
  return [...reach.files].map((file) => ({ module: label(file), unit: 'text', digest: textOf(known, file) }))
}

function textOf(known: Known, file: string): string {
  return known.facts.modules[file]?.text ?? 'absent'
}

/** Modules from outside that the import of this one runs; their order among each other carries nothing. */
function outsideOf(known: Known, file: string): string[] {
  const found = new Set<string>()
  for (const item of known.view.names.module(file)?.sequence ?? []) {
    for (const fact of item.imports ?? []) {
      for (const [module, level, attribute] of fact.modules) {
        const top = module.split('.')[0]!
        if (level > 0 || top === 'cellmill' || top === '__future__') continue
        if (known.view.names.search.locate(module, 0, file) !== null) continue
        const isStandard = known.stdlib.has(top)
        if (isStandard && !module.includes('.')) continue
        found.add(module)
        // The name may be a submodule, and importing that one may change the others.
        if (!isStandard && attribute !== null && attribute !== '*') found.add(`${module}.${attribute}`)
      }
    }
  }
  return [...found].sort()
}

/** Code that reads `__name__` sees where its module is. */
function moduleNames(known: Known, reach: Reach, label: (file: string) => string): ClosureUnit[] {
  const units: ClosureUnit[] = []
  for (const file of reach.files) {
    const module = known.view.names.module(file)
    if (module === null) continue
    const reads = [
      ...module.sequence.filter((item) => item.effect !== undefined),
      ...Object.entries(module.units)
        .filter(([name]) => reach.units.has(`${file}\n${name}`))
        .map(([, unit]) => unit),
    ].flatMap((code) => code.reads ?? [])
    if (!reads.some((name) => name === '__name__' || name === '__package__' || name === '__spec__')) continue
    units.push({ module: label(file), unit: '__name__', digest: digestOf(file) })
  }
  return units
}

function dataUnits(known: Known, reach: Reach): { units: ClosureUnit[]; files: string[] } {
  const { data, folders } = known.facts
  const found = new Map<string, string | null>()
  for (const { path, exact } of reach.paths) {
    const below = Object.hasOwn(folders, path) ? folders[path]! : null
    if (below !== null) for (const file of below) found.set(file, data[file] ?? null)
    else if (exact && Object.hasOwn(data, path)) found.set(path, data[path]!)
  }
  const { folder } = known.view
  const shown = (file: string): string =>
    folder !== '' && file.startsWith(`${folder}/`) ? `.${file.slice(folder.length)}` : file
  const units = [...found].map(([file, digest]) => ({
    module: '.',
    unit: `file:${shown(file)}`,
    digest: digest ?? 'absent',
  }))
  return {
    units,
    files: [...found].filter(([file, digest]) => digest !== null && !file.endsWith('/*')).map(([file]) => file),
  }
}

function byName(a: ClosureUnit, b: ClosureUnit): number {
  const left = `${a.module}\n${a.unit}`
  const right = `${b.module}\n${b.unit}`
  return left < right ? -1 : left > right ? 1 : 0
}
