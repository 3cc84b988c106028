/**
 * The Python part of a project: steps, project parameters and the facts of its code, read without running any of it.
 * Everything is cached by content, so that a project that did not change costs one look at its files and no interpreter.
 */
import { readCache, writeCache } from '../cache-file.ts'
import type { Clock } from '../../clock.ts'
import type { Diagnostic, Place } from '../../diagnostics.ts'
import { placeIn } from '../../fingerprint/python/closure-diagnostics.ts'
import type { ModuleFacts, PythonFacts } from '../../fingerprint/python/facts.ts'
import { folderOfFile } from '../../fingerprint/python/modules.ts'
import type { ProjectParameter, StepDefinition } from '../../model/project.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import { dataFiles } from './data-files.ts'
import { ModuleFactsLoader } from './module-facts.ts'
import type { CachedFacts } from './module-facts.ts'
import { ProjectFiles } from './python-files.ts'
import type { FileStates } from './python-files.ts'
import { stepsOf } from './python-steps.ts'

export interface DiscoverPythonRequest {
  /** Absolute path of the project. */
  readonly root: string
  /** Asset files, project-relative with forward slashes; found below `assets/` when left out. */
  readonly files?: readonly string[]
  /** `.cellmill/cache`. */
  readonly cacheFolder: string
  /** Asked only when some file is not cached. */
  readonly environment: () => Promise<PythonEnvironment>
  readonly clock: Clock
}

export interface DiscoveredPython {
  readonly steps: readonly StepDefinition[]
  readonly parameters: readonly ProjectParameter[]
  readonly facts: PythonFacts
  readonly diagnostics: readonly Diagnostic[]
}

interface Cache {
  readonly facts: CachedFacts
  readonly files: FileStates
}

const cacheName = 'python.json'

/** Throws PYTHON_NOT_FOUND, and whatever `environment` throws. */
export async function discoverPython(request: DiscoverPythonRequest): Promise<DiscoveredPython> {
  const { root, cacheFolder, environment, clock } = request
  const cache = readCache<Cache>(cacheFolder, cacheName)
  const files = new ProjectFiles(root, cache?.files ?? {}, Date.parse(clock.now()))
  const assetFiles = request.files ?? findAssetFiles(files)
  const loader = new ModuleFactsLoader(files, cache?.facts ?? null, environment)
  const loaded = await loader.load(assetFiles)
  const assetFolders = [...new Set(assetFiles.map(folderOfFile))].sort()
  const modules: PythonFacts = { ...loaded, data: {}, folders: {}, assetFolders }
  const facts: PythonFacts = { ...modules, ...dataFiles(files, modules) }
  if (cache === null || loader.isChanged || files.isChanged) {
    writeCache(cacheFolder, cacheName, { facts: loader.kept, files: files.states } satisfies Cache)
  }
  return { ...definitionsOf(facts, assetFiles), facts }
}

function findAssetFiles(files: ProjectFiles): string[] {
  return (files.below('assets') ?? []).filter((file) => file.endsWith('.py'))
}

function definitionsOf(facts: PythonFacts, assetFiles: readonly string[]): Omit<DiscoveredPython, 'facts'> {
  const diagnostics: Diagnostic[] = []
  const steps: StepDefinition[] = []
  const isAsset = new Set(assetFiles)
  for (const file of [
    ...isAsset,
    ...Object.keys(facts.modules)
      .filter((other) => !isAsset.has(other))
      .sort(),
  ]) {
    const module = facts.modules[file]?.facts
    if (module === undefined || module.error !== undefined) diagnostics.push(unreadable(file, module))
    else if (isAsset.has(file)) {
      const found = stepsOf(file, module)
      steps.push(...found.steps)
      diagnostics.push(...found.diagnostics)
    } else diagnostics.push(...strayed(file, module))
  }
  const parameters = projectParameters(facts)
  diagnostics.push(...parameters.diagnostics)
  return { steps: withFunctionTargets(steps, facts), parameters: parameters.parameters, diagnostics }
}

function unreadable(file: string, module: ModuleFacts | undefined): Diagnostic {
  const at: Place = { file, line: 1, column: 1, length: 1, lineText: '' }
  const error = module?.error
  return {
    code: 'D001',
    severity: 'error',
    message: error === undefined ? `${file} cannot be read` : `${file} does not parse: ${error.message}`,
    at: error === undefined ? at : placeIn(file, error.at),
    notes: [],
    fix: error === undefined ? `check the file's permissions` : 'correct the line above',
  }
}

/** A module outside of `assets/` may be imported by assets, but holds none. */
function strayed(file: string, module: ModuleFacts): Diagnostic[] {
  return module.steps.map((step) => ({
    code: 'D042',
    severity: 'warning',
    message: `'${step.symbol}' is decorated, but ${file} is not below assets/, so it is not a step`,
    at: placeIn(file, step.at),
    notes: [],
    fix: 'move it below assets/, or take the decorator off',
  }))
}

/** `@check(orders_clean)` names a function; its asset may have another name, or several. */
function withFunctionTargets(steps: readonly StepDefinition[], facts: PythonFacts): StepDefinition[] {
  const bySymbol = Map.groupBy(
    steps.filter((step) => step.kind === 'asset'),
    (step) => step.symbol,
  )
  const assetOf = (symbol: string, file: string): string | null => {
    const candidates = bySymbol.get(symbol) ?? []
    const near = candidates.find((step) => step.file === file) ?? (candidates.length === 1 ? candidates[0] : undefined)
    return near?.outputs[0]?.asset ?? null
  }
  return steps.map((step) => {
    const own = facts.modules[step.file]?.facts.steps.find((other) => other.symbol === step.symbol)
    if (step.check === null || own?.target?.function !== true) return step
    return { ...step, check: { ...step.check, asset: assetOf(own.target.name, step.file) ?? step.check.asset } }
  })
}

function projectParameters(facts: PythonFacts): { parameters: ProjectParameter[]; diagnostics: Diagnostic[] } {
  const found = new Map<string, ProjectParameter & { readonly place: Place }>()
  const diagnostics: Diagnostic[] = []
  for (const file of Object.keys(facts.modules).sort()) {
    for (const { at, ...parameter } of facts.modules[file]!.facts.parameters ?? []) {
      const place = placeIn(file, at)
      const first = found.get(parameter.name)
      if (first === undefined) found.set(parameter.name, { ...parameter, fromEnv: null, place })
      else if (first.type !== parameter.type || JSON.stringify(first.default) !== JSON.stringify(parameter.default)) {
        diagnostics.push({
          code: 'D022',
          severity: 'error',
          message: `the parameter '${parameter.name}' is declared twice with different defaults`,
          at: place,
          notes: [`first at ${first.place.file}:${first.place.line}, as ${JSON.stringify(first.default)}`],
          fix: 'declare it once, and import it where it is used',
        })
      }
    }
  }
  return { parameters: [...found.values()], diagnostics }
}
