/** The project's model from its files, when no cached one holds: discovery of each language, then linking. */
import { sha256 } from '../canonical.ts'
import { isError } from '../diagnostics.ts'
import type { Diagnostic } from '../diagnostics.ts'
import type { Clock } from '../clock.ts'
import type { SqlParser } from '../engines/sql-parser.ts'
import type { PythonFacts } from '../fingerprint/python/facts.ts'
import type { SqlFacts } from '../fingerprint/sql/sql-closures.ts'
import type { TypeScriptFacts } from '../fingerprint/typescript/facts.ts'
import { linkProject } from '../model/link.ts'
import type { ProjectParameter, SourceDefinition, StepDefinition } from '../model/project.ts'
import { NameIndex, folderOf } from '../model/references.ts'
import type { PythonEnvironment } from '../packages/python-environment.ts'
import { CellmillError } from '../errors.ts'
import { cacheKey } from './project-model.ts'
import type { ProjectModel, Watched } from './project-model.ts'
import { loadConfig } from './config/load-config.ts'
import type { LoadedConfig } from './config/load-config.ts'
import { configFile } from './find-project.ts'
import { languagesOf } from './languages.ts'
import { mergeParameters, unknownOverrides, unknownUses } from './merge-parameters.ts'
import type { ParameterUse } from './merge-parameters.ts'
import type { ProjectFiles } from './python/python-files.ts'
import { discoverSql } from './sql/discover-sql.ts'
import type { DiscoveredSql, ProjectFile } from './sql/discover-sql.ts'
import { linkSql } from './sql/link-sql.ts'
import type { DiscoveredTypeScript } from './typescript/discover-typescript.ts'

export interface BuildModelRequest {
  readonly root: string
  readonly cacheFolder: string
  readonly clock: Clock
  readonly engineVersion: string
  readonly environment: PythonEnvironment | null
  readonly sqlParser: () => Promise<SqlParser>
  readonly files: ProjectFiles
  /** Code files of the project. */
  readonly listing: readonly string[]
}

export interface BuiltModel {
  readonly model: ProjectModel
  readonly watched: Watched
}

interface OtherSteps {
  readonly steps: readonly StepDefinition[]
  readonly parameters: readonly ProjectParameter[]
  readonly facts: PythonFacts
  readonly diagnostics: readonly Diagnostic[]
}

export async function buildModel(request: BuildModelRequest): Promise<BuiltModel> {
  const config = await loadConfig(request.root, request.cacheFolder)
  const { sql, used } = await readSql(request)
  const python = await readPython(request)
  const typescript = await readTypeScript(request)
  const code = [...python.steps, ...typescript.steps]
  const linkedSql = linkAllSql(sql, code, config.config.sources)
  const linked = linkProject([...code, ...linkedSql.steps], config.config.sources)
  const merged = mergeParameters([...config.config.parameters, ...python.parameters])
  const uses: readonly ParameterUse[] = [
    ...linkedSql.parameters.map((use) => ({
      ...use,
      declaration: `declare it in the file:  -- @param ${use.name} int = 1`,
    })),
    ...typescript.parameters.map((use) => ({
      ...use,
      declaration: `declare it in ${configFile}, as  parameters: { ${use.name}: 1 }`,
    })),
  ]
  const facts = {
    python: python.facts,
    sql: { steps: linkedSql.facts } satisfies SqlFacts,
    typescript: typescript.facts,
  }
  const diagnostics = [
    ...config.diagnostics,
    ...python.diagnostics,
    ...sql.diagnostics,
    ...typescript.diagnostics,
    ...linkedSql.diagnostics,
    // Without a configuration every source is unknown; only what is wrong with it helps.
    ...(config.diagnostics.some(isError) ? [] : linked.diagnostics),
    ...merged.diagnostics,
    ...unknownUses(uses, merged.parameters),
    ...(await overrideProblems(request, config, linked.steps, merged.parameters)),
  ]
  const model: ProjectModel = {
    project: {
      config: config.config,
      steps: linked.steps,
      parameters: merged.parameters,
      code: facts,
      diagnostics: inOrder(diagnostics),
    },
    codeFiles: codeFiles(request, config, linked.steps, facts),
    npmPackages: typescript.packages,
  }
  return { model, watched: watchedOf(used, config, python.facts, typescript.facts) }
}

interface ReadSql {
  readonly sql: DiscoveredSql
  /** Digests of the bytes that were parsed. */
  readonly used: Readonly<Record<string, string>>
}

async function readSql(request: BuildModelRequest): Promise<ReadSql> {
  const used: Record<string, string> = {}
  const read = (file: string): ProjectFile => {
    const content = request.files.content(file) ?? Buffer.alloc(0)
    used[file] = sha256(content)
    return { file, text: content.toString('utf8') }
  }
  const files = request.listing.filter((file) => file.startsWith('assets/') && file.endsWith('.sql')).map(read)
  const macros = request.listing.filter((file) => /^sql\/macros\/[^/]+\.sql$/.test(file)).map(read)
  const parsing = {
    parser: request.sqlParser,
    engineVersion: request.engineVersion,
    cacheFolder: request.cacheFolder,
    cacheKey: cacheKey(request.root),
  }
  return { sql: await discoverSql(files, macros, parsing), used }
}

const noPython: OtherSteps = {
  steps: [],
  parameters: [],
  facts: { modules: {}, data: {}, folders: {}, assetFolders: [], stdlib: [] },
  diagnostics: [],
}

async function readPython(request: BuildModelRequest): Promise<OtherSteps> {
  const files = request.listing.filter((file) => file.startsWith('assets/') && file.endsWith('.py'))
  if (files.length === 0) return noPython
  const { discoverPython } = await import('./python/discover-python.ts')
  const environment = async (): Promise<PythonEnvironment> => {
    if (request.environment !== null) return request.environment
    throw new CellmillError(
      'PACKAGES_NOT_INSTALLED',
      'the project has Python assets, and its packages are not installed here',
      {
        hint: 'cellmill packages sync',
      },
    )
  }
  return discoverPython({
    root: request.root,
    files,
    cacheFolder: request.cacheFolder,
    environment,
    clock: request.clock,
  })
}

const noTypeScript: DiscoveredTypeScript = {
  steps: [],
  parameters: [],
  facts: { modules: {}, data: {}, packages: {}, installed: [] },
  packages: {},
  diagnostics: [],
}

async function readTypeScript(request: BuildModelRequest): Promise<DiscoveredTypeScript> {
  if (!request.listing.some((file) => /^assets\/.*\.m?ts$/.test(file))) return noTypeScript
  const { discoverTypeScript } = await import('./typescript/discover-typescript.ts')
  return discoverTypeScript(request)
}

/** Views that Python, TypeScript or a check reads must be tables; other queries inline them. */
function linkAllSql(
  sql: DiscoveredSql,
  others: readonly StepDefinition[],
  sources: readonly SourceDefinition[],
): ReturnType<typeof linkSql> {
  const names = new NameIndex([
    ...sql.assets.map((asset) => asset.name),
    ...others.flatMap((step) => (step.kind === 'asset' ? step.outputs.map((output) => output.asset) : [])),
    ...sources.map((source) => source.name),
  ])
  const views = new Set(sql.assets.filter((asset) => asset.annotations.isView).map((asset) => asset.name))
  const materialised = new Set<string>()
  for (const step of others) {
    const from = folderOf(step.outputs[0]?.asset ?? step.id)
    const references = [
      ...step.inputs.map((input) => input.reference),
      ...(step.check === null ? [] : [step.check.asset]),
    ]
    for (const reference of references) {
      const resolution = names.resolve(reference, from)
      if (resolution.type === 'found' && views.has(resolution.name)) materialised.add(resolution.name)
    }
  }
  return linkSql(sql, names, materialised)
}

async function overrideProblems(
  request: BuildModelRequest,
  { config }: LoadedConfig,
  steps: readonly StepDefinition[],
  parameters: readonly ProjectParameter[],
): Promise<Diagnostic[]> {
  const unknown = unknownOverrides(config.environments, steps, parameters)
  if (unknown.length === 0) return []
  const { keyLocator } = await import('./config/locate-key.ts')
  const locate = keyLocator(configFile, request.files.content(configFile)?.toString('utf8') ?? '')
  return unknown.map(({ environment, name, near }) => ({
    code: 'D004',
    severity: 'error',
    message: `there is no parameter called '${name}'`,
    at: locate(['environments', environment, 'parameters', name]),
    notes: ["a parameter of one asset is written 'asset.name'"],
    fix: near === null ? `remove it, or declare '${name}' in parameters` : `did you mean '${near}'?`,
  }))
}

/** By place, so that the same project always shows the same list. */
function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const key = ({ at, code, message }: Diagnostic): string =>
    at === null
      ? ''
      : `${at.file}\0${String(at.line).padStart(7, '0')}\0${String(at.column).padStart(7, '0')}\0${code}\0${message}`
  return [...diagnostics].sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

const lockFiles = ['requirements.txt', 'requirements.lock', 'package.json', 'package-lock.json']

/** What a release must keep to run again without the working tree. */
function codeFiles(
  request: BuildModelRequest,
  config: LoadedConfig,
  steps: readonly StepDefinition[],
  facts: ProjectModel['project']['code'],
): readonly string[] {
  const languages = languagesOf(facts, request.environment, request.engineVersion)
  const files = new Set<string>(config.files)
  for (const file of request.listing) {
    if (/^(assets|sql\/macros)\//.test(file) || lockFiles.includes(file)) files.add(file)
  }
  for (const step of steps) for (const file of languages[step.language].closures.closureOf(step).files) files.add(file)
  return [...files].filter((file) => !file.startsWith('../')).sort()
}

function watchedOf(
  sql: ReadSql['used'],
  config: LoadedConfig,
  python: PythonFacts,
  typescript: TypeScriptFacts,
): Watched {
  const used: Record<string, string | null> = { ...sql, ...python.data, ...typescript.data }
  for (const { modules } of [python, typescript]) {
    for (const [file, module] of Object.entries(modules)) used[file] = module.text
  }
  for (const [i, file] of config.files.entries()) used[file] = config.digests?.[i] ?? ''
  return {
    used,
    files: [...config.files, ...Object.keys(python.data), ...Object.keys(typescript.data), ...typescript.installed],
    folders: python.folders,
  }
}
