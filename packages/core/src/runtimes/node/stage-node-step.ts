/**
 * Prepares the attempt's folder and says what the process may see: Node, our runner, the SDK, DuckDB, copies of the
 * closure's files, the project's npm packages, inputs read-only, and writable only `outputs`, `work` and `tmp`.
 */
import { existsSync } from 'node:fs'
import { mkdir, realpath, symlink } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { siblingModule } from '../../sibling.ts'
import { copyCode } from '../attempt/copy-code.ts'
import type { StepInput, StepWork } from '../runtime.ts'
import type { Bind, Sandbox } from '../sandbox/sandbox.ts'
import type { RequestInput, StepRequest } from './runner/request.ts'

export interface StagedNodeStep {
  readonly binds: readonly Bind[]
  readonly request: StepRequest
  /** Paths as the process sees them. */
  readonly main: string
  readonly workFolder: string
  readonly tmpFolder: string
}

const insideFolder = '/step'

export async function stageNodeStep(work: StepWork, sandbox: Sandbox, sdkEntry: string): Promise<StagedNodeStep> {
  const bind = (source: string, name: string, writable: boolean): Bind => ({
    source,
    target: sandbox.level === 'bubblewrap' ? `${insideFolder}/${name}` : source,
    writable,
  })
  for (const name of ['outputs', 'work', 'tmp', 'code']) await mkdir(path.join(work.folder, name), { recursive: true })
  await copyCode(work)
  await linkPackages(work)
  const [outputs, ownWork, tmp, code] = [
    bind(path.join(work.folder, 'outputs'), 'outputs', true),
    bind(path.join(work.folder, 'work'), 'work', true),
    bind(path.join(work.folder, 'tmp'), 'tmp', true),
    bind(path.join(work.folder, 'code'), 'code', false),
  ] as const
  const inputs = work.inputs.map((input, i) => bind(input.folder, `inputs/${i}`, false))
  const codeRoot = sandbox.inside(code)
  const { definition } = work
  const request: StepRequest = {
    module: path.join(codeRoot, definition.file),
    codeRoot,
    symbol: definition.symbol,
    id: definition.id,
    kind: definition.kind,
    sdkUrl: pathToFileURL(sdkEntry).href,
    inputs: work.inputs.map((input, i) => requestInput(input, sandbox.inside(inputs[i]!))),
    outputs: definition.outputs,
    parameters: work.parameters,
    projectParameters: work.projectParameters,
    runTime: work.runTime,
    seed: work.seed,
    isFresh: definition.options.random === 'fresh',
    idempotencyKey: work.idempotencyKey,
    secrets: work.secrets,
    outputFolder: sandbox.inside(outputs),
    workFolder: sandbox.inside(ownWork),
    exportName: definition.options.export === null ? null : path.posix.basename(definition.options.export),
    threads: definition.options.threads,
  }
  return {
    binds: [...(await programBinds(work, sdkEntry)), outputs, ownWork, tmp, code, ...inputs],
    request,
    main: siblingModule(import.meta.url, './runner/main'),
    workFolder: sandbox.inside(ownWork),
    tmpFolder: sandbox.inside(tmp),
  }
}

function requestInput(input: StepInput, folder: string): RequestInput {
  const { argument, name, form, annotation, columns, origin, codec, files, isGlob, options } = input
  return { argument, name, form, annotation, columns, origin, codec, folder, files, isGlob, options }
}

/** Each at its own path: Node resolves modules by where they really are. */
async function programBinds(work: StepWork, sdkEntry: string): Promise<readonly Bind[]> {
  const packageRoot = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
  const duckDb = fileURLToPath(import.meta.resolve('@duckdb/node-api'))
  const modules = duckDb.slice(0, duckDb.lastIndexOf('node_modules') + 'node_modules'.length)
  const folders = [
    path.dirname(await realpath(process.execPath)),
    path.dirname(process.execPath),
    packageRoot,
    modules,
    path.dirname(sdkEntry),
  ]
  const own = path.join(work.projectRoot, 'node_modules')
  if (existsSync(own)) folders.push(own)
  const distinct = [...new Set(folders)].filter((folder) => folder !== '/usr' && !folder.startsWith('/usr/'))
  return distinct.map((folder) => ({ source: folder, target: folder, writable: false }))
}

/** npm packages are found through a link beside the code. */
async function linkPackages(work: StepWork): Promise<void> {
  const packages = path.join(work.projectRoot, 'node_modules')
  if (existsSync(packages)) await symlink(packages, path.join(work.folder, 'code', 'node_modules'))
}
