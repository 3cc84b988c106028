/**
 * The throw-away folder of one run: a writable copy of the project, an empty home, scratch space and the observer's
 * configuration. Nothing in it outlives the run.
 */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, isAbsolute, join, normalize } from 'node:path'
import type { KernelConnection } from '../../runtimes/kernel/connection.ts'
import type { Bind, SandboxSpec } from '../../runtimes/sandbox/sandbox.ts'
import { pythonPackageRoot } from '../../sibling.ts'
import { copyTree } from './copy-tree.ts'
import type { ObserveLimits, ObserveOptions } from './observe-options.ts'
import { conditionVariables, isolationFlags } from './run-conditions.ts'

export interface RunFolder {
  readonly root: string
  readonly project: string
  readonly home: string
  readonly scratch: string
  readonly config: string
  /** Folders that appear in outputs, with the word that stands for each. */
  readonly places: Readonly<Record<string, string>>
  remove(): Promise<void>
}

export async function createRunFolder(options: ObserveOptions, limits: ObserveLimits): Promise<RunFolder> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'cellmill-run-')))
  const remove = (): Promise<void> => rm(root, { recursive: true, force: true, maxRetries: 3 })
  const project = join(root, 'project')
  const home = join(root, 'home')
  const scratch = join(root, 'tmp')
  try {
    await copyTree(options.projectCopy, project, limits.copy, options.signal)
    await Promise.all([home, scratch, join(root, 'exchange')].map((folder) => mkdir(folder)))
    // The notebook may have been written beside nothing: its folder is where it runs.
    await mkdir(workFolder(project, options), { recursive: true })
  } catch (error) {
    await remove()
    throw error
  }
  const config = join(root, 'exchange', 'config.json')
  const places = { [project]: '<project>', [home]: '<home>', [scratch]: '<tmp>' }
  return { root, project, home, scratch, config, places, remove }
}

/** The notebook's own folder; a notebook from outside the project runs at its root. */
function workFolder(project: string, { document }: ObserveOptions): string {
  const path = normalize(document.path)
  return isAbsolute(path) || path.startsWith('..') ? project : dirname(join(project, path))
}

/** The observer's configuration: which names each cell surely binds, where things are, what is allowed. */
export async function writeConfig(
  folder: RunFolder,
  connection: KernelConnection,
  options: ObserveOptions,
  how: { readonly full: boolean; readonly limits: ObserveLimits },
): Promise<void> {
  const binds = Object.fromEntries(
    options.facts.cells.map((cell) => [cell.index, cell.statements.flatMap((statement) => statement.binds)]),
  )
  const config = {
    connectionFile: connection.file,
    toolsSitePackages: options.toolsSitePackages,
    folder: connection.folder,
    mode: options.mode,
    full: how.full,
    captureFolder: options.captureFolder,
    limits: {
      captureValueBytes: how.limits.captureValueBytes,
      captureTotalBytes: how.limits.captureTotalBytes,
    },
    project: folder.project,
    codeRoot: pythonPackageRoot(),
    // What libraries keep for themselves in a home folder.
    ignored: ['.matplotlib', '.ipython', '.cache', '.config'].map((name) => join(folder.home, name)),
    allowedHosts: options.allowNetwork,
    clockShiftSeconds: options.conditions.clockShiftSeconds,
    binds,
  }
  await writeFile(folder.config, JSON.stringify(config))
}

export function kernelSpec(
  folder: RunFolder,
  connection: KernelConnection,
  options: ObserveOptions,
  limits: ObserveLimits,
): SandboxSpec {
  const { environment, captureFolder, toolsSitePackages } = options
  const readable = [environment.prefix, environment.basePrefix, environment.sitePackages, pythonPackageRoot()]
  if (toolsSitePackages !== null) readable.push(toolsSitePackages)
  const writable = [folder.root, connection.folder, ...(captureFolder === null ? [] : [captureFolder])]
  return {
    command: environment.python,
    args: [
      ...isolationFlags(options.conditions),
      // Otherwise the debugger, which is not used, writes a warning into the first cell.
      '-Xfrozen_modules=off',
      join(pythonPackageRoot(), 'cellmill', '_notebook', 'kernel_main.py'),
      folder.config,
    ],
    env: {
      ...conditionVariables(options.conditions, options.hostVariables),
      PATH: `${dirname(environment.python)}:/usr/bin:/bin`,
      HOME: folder.home,
      TMPDIR: folder.scratch,
      IPYTHONDIR: join(folder.home, '.ipython'),
      MPLCONFIGDIR: join(folder.home, '.matplotlib'),
    },
    cwd: workFolder(folder.project, options),
    binds: [...bindsOf(readable, false), ...bindsOf(writable, true)],
    network: options.allowNetwork.length > 0,
    memoryBytes: limits.memoryBytes,
    cpuSeconds: null,
    maxProcesses: null,
    maxFileBytes: null,
    maxOutputBytes: 64 * 1024 ** 2,
    timeoutMs: null,
    control: 'none',
  }
}

function bindsOf(folders: readonly string[], writable: boolean): readonly Bind[] {
  const distinct = [...new Set(folders)].filter((folder) => !folder.startsWith('/usr/') && folder !== '/usr')
  return distinct.map((folder) => ({ source: folder, target: folder, writable }))
}
