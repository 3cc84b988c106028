/**
 * Walls by bubblewrap: own namespaces for everything, a root that holds only what was bound, no capabilities, no way to
 * make further namespaces, and a filter of system calls. Invariant: the launcher's environment is empty (pid 1 inside
 * shows it to all) and every process ends with the pid namespace, whose first process is killed when bwrap ends.
 */
import { checkOwners, checkSpec } from '../check-spec.ts'
import { prlimitArguments } from '../limits/prlimit.ts'
import type { ResourceGroups } from '../limits/resource-groups.ts'
import { childrenOf, startOf } from '../process-tree.ts'
import type { Sandbox, SandboxSpec } from '../sandbox.ts'
import { filteredArchitecture, seccompFilter } from '../seccomp/filter.ts'
import { firstDataDescriptor, supervise } from '../supervise.ts'
import type { Launch, ProcessExit, ProcessTree } from '../supervise.ts'
import { hostsText, passwdText, profileArguments } from './profile.ts'
import { signalOfCode } from '../signal-of-code.ts'

export interface BubblewrapOptions {
  /** The bwrap program, absolute. */
  readonly bwrap: string
  readonly groups: ResourceGroups | null
  /** Between TERM and KILL. @default 2000 */
  readonly graceMs?: number
}

export function bubblewrapSandbox(options: BubblewrapOptions): Sandbox {
  const architecture = filteredArchitecture()
  const filter = architecture === null ? null : seccompFilter({ architecture, internetSockets: true })
  return {
    level: 'bubblewrap',
    spawn: (spec, signal) => {
      checkSpec(spec)
      checkOwners(spec)
      return supervise(spec, launchOf(spec, options, filter), signal)
    },
    inside: (bind) => bind.target,
  }
}

function launchOf(spec: SandboxSpec, options: BubblewrapOptions, filter: Buffer | null): Launch {
  const data: (string | Buffer)[] = []
  const descriptorOf = (bytes: string | Buffer): number => firstDataDescriptor + data.push(bytes) - 1
  const args = descriptorOf('')
  const passwd = descriptorOf(passwdText)
  const hosts = spec.network ? null : descriptorOf(hostsText)
  const seccomp = filter === null ? null : descriptorOf(filter)
  const info = firstDataDescriptor + data.length
  data[0] = profileArguments(spec, { passwd, hosts, seccomp, info })
    .map((argument) => `${argument}\0`)
    .join('')
  const { memoryBytes, maxProcesses } = spec
  const isGrouped = options.groups !== null && (memoryBytes !== null || maxProcesses !== null)
  return {
    command: options.bwrap,
    args: [
      '--args',
      String(args),
      '--',
      ...prlimitArguments(spec, { countsOwnProcesses: true }),
      spec.command,
      ...spec.args,
    ],
    env: {},
    cwd: '/',
    data,
    hasReport: true,
    tree: (pid) => new NamespaceTree(pid),
    readExit,
    group: isGrouped ? options.groups.open({ memoryBytes, maxProcesses }) : null,
    graceMs: options.graceMs ?? 2000,
  }
}

/** bwrap passes a signal of the command on as a shell does. */
function readExit({ code, signal }: ProcessExit): ProcessExit {
  const name = signalOfCode(code)
  return name === null ? { code, signal } : { code: null, signal: name }
}

class NamespaceTree implements ProcessTree {
  readonly #outer: number
  /** The first process of the namespace, as seen from here. */
  #first: { readonly pid: number; readonly startedAt: string | null } | null = null

  constructor(outer: number) {
    this.#outer = outer
  }

  onReport(text: string): void {
    const pid = Number(/"child-pid":\s*(\d+)/.exec(text)?.[1])
    if (this.#first === null && pid > 0) this.#first = { pid, startedAt: startOf(pid) }
  }

  terminate(): void {
    const [command] = this.#first === null ? [] : childrenOf(this.#first.pid)
    if (command === undefined) this.kill()
    else send(command, 'SIGTERM')
  }

  kill(): void {
    if (this.#first !== null && !this.isGone()) send(this.#first.pid, 'SIGKILL')
    // It leads its own group, with what has not yet become the namespace's first process.
    send(-this.#outer, 'SIGKILL')
  }

  isGone(): boolean {
    const first = this.#first
    return first === null || first.startedAt === null || startOf(first.pid) !== first.startedAt
  }
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Gone meanwhile.
  }
}
