/**
 * A folder on disk to the project's model: configuration, the three languages, names joined, parameters merged, and
 * everything that is wrong with any of it, together. What is heavy comes in as functions and is asked for only when some
 * file is new; an unchanged project is one look at its files.
 */
import path from 'node:path'
import type { Clock } from '../clock.ts'
import { digestOf } from '../canonical.ts'
import type { Json } from '../canonical.ts'
import { isError } from '../diagnostics.ts'
import type { SqlParser } from '../engines/sql-parser.ts'
import { packageOf } from '../fingerprint/python/packages.ts'
import type { SqlFacts } from '../fingerprint/sql/sql-closures.ts'
import { graphOf } from '../model/graph.ts'
import type { StepDefinition } from '../model/project.ts'
import type { PythonEnvironment } from '../packages/python-environment.ts'
import type { Languages } from '../plan/language.ts'
import { buildModel } from './build-model.ts'
import { defaultStateFolder } from './config/state-folder.ts'
import { languagesOf } from './languages.ts'
import type { LoadedProject, SqlText } from './loaded-project.ts'
import { ModelCache } from './project-model.ts'
import type { ProjectModel } from './project-model.ts'

export interface LoadProjectOptions {
  /** Absolute folder that holds `cellmill.config.ts`; see find-project.ts. */
  readonly root: string
  readonly clock: Clock
  /** Version of the engine that runs SQL, known without starting it. */
  readonly engineVersion: string
  /** The environment that the project's Python runs on; null when there is none. Asked only when there are Python files. */
  readonly environment: () => Promise<PythonEnvironment | null>
  /** Asked only for SQL that no cache knows. */
  readonly sqlParser: () => Promise<SqlParser>
  /** @default `.cellmill/cache` of the main worktree */
  readonly cacheFolder?: string
}

export async function loadProject(options: LoadProjectOptions): Promise<LoadedProject> {
  const root = path.resolve(options.root)
  const cacheFolder = options.cacheFolder ?? path.join(defaultStateFolder(root), 'cache')
  const cache = new ModelCache(root, cacheFolder, Date.parse(options.clock.now()))
  const hasPython = cache.listing.some((file) => file.startsWith('assets/') && file.endsWith('.py'))
  const environment = hasPython ? await options.environment() : null
  const tools = digestOf([options.engineVersion, process.version, environment as unknown as Json])
  let model = cache.find(tools)
  if (model === null) {
    const built = await buildModel({
      ...options,
      root,
      cacheFolder,
      environment,
      files: cache.files,
      listing: cache.listing,
    })
    model = built.model
    cache.store(model, tools, built.watched)
  }
  return toLoaded(root, model, environment, options.engineVersion)
}

function toLoaded(
  root: string,
  model: ProjectModel,
  environment: PythonEnvironment | null,
  engineVersion: string,
): LoadedProject {
  const project = { root, ...model.project }
  const languages = languagesOf(project.code, environment, engineVersion)
  const sql = project.code.sql as SqlFacts
  let seenInOrder: ReadonlySet<string> | null = null
  return {
    project,
    graph: project.diagnostics.some(isError) ? null : graphOf(project.steps),
    languages,
    packageOf: environment === null ? () => null : packageOf(environment),
    sqlText: (step): SqlText => {
      const facts = Object.hasOwn(sql.steps, step) ? sql.steps[step]! : null
      if (facts === null) throw new RangeError(`no SQL step is called '${step}'`)
      const { unordered } = facts
      seenInOrder ??= assetsSeenInOrder(project.steps, languages)
      const canonicalOrder = unordered && !facts.sorted && seenInOrder.has(step)
      return { sql: facts.sql, macros: facts.macros, unordered, canonicalOrder, firstLine: 1 }
    },
    packages: packagesOf(model, environment),
    codeFiles: model.codeFiles,
  }
}

/** Assets that some step reads as rows in order. */
function assetsSeenInOrder(steps: readonly StepDefinition[], languages: Languages): ReadonlySet<string> {
  const seen = new Set<string>()
  for (const step of steps) {
    for (const input of step.inputs) {
      if (input.target?.type !== 'asset' || seen.has(input.target.name)) continue
      if (languages[step.language].formFor(step, input) === 'sequence') seen.add(input.target.name)
    }
  }
  return seen
}

function packagesOf(model: ProjectModel, environment: PythonEnvironment | null): Readonly<Record<string, string>> {
  const packages: Record<string, string> = {}
  for (const { name, version } of environment?.distributions ?? []) packages[name] = version
  for (const [name, version] of Object.entries(model.npmPackages)) packages[`npm:${name}`] = version
  return packages
}
