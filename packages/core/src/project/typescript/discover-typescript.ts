/**
 * `assets/**.ts` to steps and the facts of all modules that they reach, read without running any of it. Whatever Node
 * would only refuse at run time is a Diagnostic here.
 */
import type { Diagnostic, Place } from '../../diagnostics.ts'
import type { ImportTarget, ModuleFacts, TypeScriptFacts } from '../../fingerprint/typescript/facts.ts'
import type { StepDefinition } from '../../model/project.ts'
import { placeAt } from '../place.ts'
import type { ProjectFiles } from '../python/python-files.ts'
import { assetName } from '../sql/discover-sql.ts'
import { checkStripping } from './check-stripping.ts'
import { checkTypeImports } from './check-type-imports.ts'
import type { TypeExports } from './check-type-imports.ts'
import { literalValue } from './literals.ts'
import { readModule } from './module-facts.ts'
import type { ReadModule } from './module-facts.ts'
import { npmPackages } from './npm-packages.ts'
import { parseTypeScript } from './parse-typescript.ts'
import type { ParsedTypeScript } from './parse-typescript.ts'
import { readStep } from './read-steps.ts'
import { resolveImport } from './resolve-import.ts'
import { propertyValue } from './step-calls.ts'
import type { StepCall } from './step-calls.ts'

export interface DiscoverTypeScriptRequest {
  readonly root: string
  readonly files: ProjectFiles
  readonly listing: readonly string[]
}

export interface DiscoveredTypeScript {
  readonly steps: readonly StepDefinition[]
  /** Project parameters that steps name. */
  readonly parameters: readonly { readonly name: string; readonly place: Place }[]
  readonly facts: TypeScriptFacts
  readonly packages: Readonly<Record<string, string>>
  readonly diagnostics: readonly Diagnostic[]
}

interface Module {
  readonly file: string
  readonly text: string
  readonly digest: string
  readonly parsed: ParsedTypeScript
  readonly read: ReadModule
  readonly targets: Readonly<Record<string, ImportTarget>>
}

const assetModule = /^assets\/(?:.*\/)?(?!_)[^/]+(?<!\.d|\.test|\.spec)\.(ts|mts)$/

export function discoverTypeScript(request: DiscoverTypeScriptRequest): DiscoveredTypeScript {
  const assets = request.listing.filter((file) => assetModule.test(file))
  const diagnostics: Diagnostic[] = []
  const modules = readModules(request, assets, diagnostics)
  const npm = npmPackages(request.root, packagesOf(modules.values()))
  for (const module of modules.values()) {
    diagnostics.push(
      ...checkTypeImports(module.file, module.text, module.parsed, (specifier) =>
        typeExports(modules, module, specifier),
      ),
    )
    diagnostics.push(...packageProblems(module, npm.problems))
  }
  const found = readSteps(assets, modules)
  return {
    steps: found.steps,
    parameters: found.parameters,
    facts: factsOf(request.files, modules, npm),
    packages: Object.fromEntries(Object.entries(npm.packages).map(([name, { version }]) => [name, version])),
    diagnostics: [...diagnostics, ...found.diagnostics],
  }
}

function readModules(
  request: DiscoverTypeScriptRequest,
  assets: readonly string[],
  diagnostics: Diagnostic[],
): ReadonlyMap<string, Module> {
  const modules = new Map<string, Module>()
  const queue = [...assets].reverse()
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (modules.has(file)) continue
    const digest = request.files.digest(file)
    const text = request.files.content(file)?.toString('utf8')
    if (digest === null || text === undefined) continue
    const parsed = parseTypeScript(file, text)
    diagnostics.push(...checkStripping(file, text, parsed))
    if (parsed.problems.length > 0) continue
    const read = readModule(file, text, parsed.program)
    const targets: Record<string, ImportTarget> = {}
    for (const { text: specifier, node, isType } of read.specifiers) {
      const { target, problem } = resolveImport(request.files, file, specifier)
      targets[specifier] = target
      // A type's module is never loaded.
      if (problem !== null && !isType) {
        const at = placeAt(file, text, node.start, node.end - node.start)
        diagnostics.push({ code: 'D003', severity: 'error', message: problem.message, at, notes: [], fix: problem.fix })
      }
      if (target.type === 'module') queue.push(target.file)
    }
    modules.set(file, { file, text, digest, parsed, read, targets })
  }
  return modules
}

function packagesOf(modules: Iterable<Module>): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { read, targets } of modules) {
    for (const { text, isType } of read.specifiers) {
      const target = targets[text]
      if (target?.type === 'package' && !isType) names.add(target.name)
    }
  }
  return names
}

function packageProblems(module: Module, problems: ReturnType<typeof npmPackages>['problems']): Diagnostic[] {
  return module.read.specifiers.flatMap(({ text, node, isType }) => {
    const target = module.targets[text]
    const problem = target?.type === 'package' && !isType ? problems[target.name] : undefined
    if (problem === undefined) return []
    const at = placeAt(module.file, module.text, node.start, node.end - node.start)
    return [{ code: 'D041', severity: 'error', message: problem.message, at, notes: [], fix: problem.fix }]
  })
}

/** Names that a module exports as types only; null where that is not known. */
function typeExports(modules: ReadonlyMap<string, Module>, from: Module, specifier: string): TypeExports {
  const target = from.targets[specifier]
  if (target?.type === 'sdk') return { kind: 'sdk' }
  const module = target?.type === 'module' ? modules.get(target.file) : undefined
  return module === undefined ? { kind: 'unknown' } : { kind: 'module', program: module.parsed.program }
}

interface FoundSteps {
  readonly steps: readonly StepDefinition[]
  readonly parameters: DiscoveredTypeScript['parameters']
  readonly diagnostics: readonly Diagnostic[]
}

function readSteps(assets: readonly string[], modules: ReadonlyMap<string, Module>): FoundSteps {
  const steps: StepDefinition[] = []
  const parameters: { name: string; place: Place }[] = []
  const diagnostics: Diagnostic[] = []
  for (const file of assets) {
    const module = modules.get(file)
    if (module === undefined) continue
    const { text, read } = module
    const assetOf = (symbol: string): string | null => assetBehind(modules, module, symbol)
    for (const call of read.steps) {
      const result = readStep(call, { file, text, bindings: read.facts.bindings, assetOf })
      if (result.step !== null) steps.push(result.step)
      diagnostics.push(...result.diagnostics)
      for (const { name, node } of call.projectParameters) {
        parameters.push({ name, place: placeAt(file, text, node.start, node.end - node.start) })
      }
    }
  }
  return { steps, parameters, diagnostics }
}

function assetBehind(modules: ReadonlyMap<string, Module>, module: Module, symbol: string): string | null {
  const here = module.read.steps.find((step) => step.symbol === symbol && step.kind === 'asset')
  if (here !== undefined) return assetName(module.file, writtenName(here) ?? here.symbol)
  const binding = module.read.facts.bindings[symbol]
  const target = binding === undefined ? undefined : module.targets[binding.from]
  const other = target?.type === 'module' ? modules.get(target.file) : undefined
  return other === undefined || binding!.name === null ? null : assetBehind(modules, other, binding!.name)
}

function writtenName(call: StepCall): string | null {
  const name = call.options === null ? undefined : literalValue(propertyValue(call.options, 'name'))
  return typeof name === 'string' ? name : null
}

function factsOf(
  files: ProjectFiles,
  modules: ReadonlyMap<string, Module>,
  npm: ReturnType<typeof npmPackages>,
): TypeScriptFacts {
  const facts: Record<string, ModuleFacts> = {}
  const data: Record<string, string | null> = {}
  for (const { file, digest, read, targets } of modules.values()) {
    facts[file] = { ...read.facts, text: digest, targets }
    for (const target of Object.values(targets))
      if (target.type === 'data') data[target.file] = files.digest(target.file)
    const code = [
      ...Object.values(read.facts.units),
      ...read.facts.effects,
      ...Object.values(read.facts.steps).map((step) => step.code),
    ]
    for (const name of code.flatMap((each) => each.data)) data[name] = files.digest(name)
  }
  return { modules: facts, data, packages: npm.packages, installed: npm.installed }
}
