/**
 * Walls by Landlock where there are no user namespaces: `python/cellmill/_launch.py` restricts itself and becomes the
 * command, and a second process of it ends all that the command started. Files, network and signals are guarded; other
 * processes stay visible by their names, /tmp and /dev/shm are not there to write to, and nothing can be moved.
 */
import path from 'node:path'
import { CellmillError } from '../../../errors.ts'
import { pythonPackageRoot } from '../../../sibling.ts'
import { checkOwners, checkSpec } from '../check-spec.ts'
import type { ResourceGroups } from '../limits/resource-groups.ts'
import { descendantsOf } from '../process-tree.ts'
import type { Sandbox, SandboxSpec } from '../sandbox.ts'
import { filteredArchitecture, seccompFilter } from '../seccomp/filter.ts'
import { supervise } from '../supervise.ts'
import type { Launch, ProcessTree } from '../supervise.ts'
import { systemFiles, systemFolders } from '../system-files.ts'

export interface LandlockOptions {
  /** Runs the launcher; any Python 3. */
  readonly python: string
  readonly groups: ResourceGroups | null
  /** Between TERM and KILL. @default 2000 */
  readonly graceMs?: number
}

const readable = ['/proc', '/sys/devices/system/cpu', '/dev/random', '/dev/urandom']
const devices = ['/dev/null', '/dev/zero', '/dev/full']

export function landlockSandbox(options: LandlockOptions): Sandbox {
  return {
    level: 'landlock',
    spawn: (spec, signal) => {
      checkSpec(spec)
      checkOwners(spec)
      checkUnmoved(spec)
      return supervise(spec, launchOf(spec, options), signal)
    },
    inside: (bind) => bind.source,
  }
}

function checkUnmoved(spec: SandboxSpec): void {
  const moved = spec.binds.find(({ source, target }) => path.resolve(source) !== path.resolve(target))
  if (moved === undefined) return
  throw new CellmillError('SANDBOX_FAILED', `Landlock cannot show ${moved.source} as ${moved.target}.`, {
    hint: 'apt install bubblewrap',
  })
}

function launchOf(spec: SandboxSpec, options: LandlockOptions): Launch {
  const { memoryBytes, maxProcesses } = spec
  const isGrouped = options.groups !== null && (memoryBytes !== null || maxProcesses !== null)
  return {
    command: options.python,
    args: ['-I', '-S', '-B', path.join(pythonPackageRoot(), 'cellmill', '_launch.py')],
    env: {},
    cwd: '/',
    data: [JSON.stringify(specification(spec))],
    hasReport: false,
    tree: (pid) => new ReapedTree(pid),
    group: isGrouped ? options.groups.open({ memoryBytes, maxProcesses }) : null,
    graceMs: options.graceMs ?? 2000,
  }
}

function specification(spec: SandboxSpec): Readonly<Record<string, unknown>> {
  const { command, args, env, cwd, network, binds, cpuSeconds, maxFileBytes } = spec
  const architecture = filteredArchitecture()
  const filter = architecture === null ? null : seccompFilter({ architecture, internetSockets: network })
  const sources = (writable: boolean): readonly string[] =>
    binds.filter((bind) => bind.writable === writable).map(({ source }) => source)
  return {
    command,
    args,
    env,
    cwd,
    network,
    maxFileBytes,
    devices,
    cpuSeconds: cpuSeconds === null ? null : Math.ceil(cpuSeconds),
    control: spec.control === 'pipe',
    parent: process.pid,
    read: [...systemFolders, ...systemFiles(network), ...readable, ...sources(false)],
    write: sources(true),
    filter: filter?.toString('base64') ?? null,
  }
}

/** The launcher's second process is the parent of all orphans, and ends last. */
class ReapedTree implements ProcessTree {
  readonly #launcher: number

  constructor(launcher: number) {
    this.#launcher = launcher
  }

  terminate(): void {
    send(this.#launcher, 'SIGTERM')
  }

  kill(): void {
    const below = descendantsOf(this.#launcher)
    for (const pid of below) send(pid, 'SIGKILL')
    // It may have been stopped by what it guards, on kernels whose Landlock does not guard signals.
    send(this.#launcher, 'SIGCONT')
    send(this.#launcher, below.length === 0 ? 'SIGKILL' : 'SIGUSR1')
  }

  isGone(): boolean {
    return descendantsOf(this.#launcher).length === 0
  }
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Gone meanwhile.
  }
}
