/**
 * No walls: development on machines that have none. Time, memory and output are still limited and the process group is
 * killed as a whole; a process that made itself a new session and was orphaned is found by a mark in its environment.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { prlimitArguments } from '../limits/prlimit.ts'
import { descendantsOf, startOf } from '../process-tree.ts'
import type { Sandbox, SandboxSpec } from '../sandbox.ts'
import { supervise } from '../supervise.ts'
import type { ProcessTree } from '../supervise.ts'
import { checkSpec } from '../check-spec.ts'

export interface NoneOptions {
  /** Between TERM and KILL. @default 2000 */
  readonly graceMs?: number
}

/** Inherited by all that a step starts, and of no other use. */
const markName = 'CELLMILL_PROCESS'

export function noneSandbox(options: NoneOptions = {}): Sandbox {
  return {
    level: 'none',
    spawn: (spec, signal) => {
      checkSpec(spec)
      const mark = randomUUID()
      const launch = {
        ...launchOf(spec),
        env: { ...spec.env, [markName]: mark },
        tree: (pid: number) => new MarkedTree(pid, `${markName}=${mark}`),
        graceMs: options.graceMs ?? 2000,
      }
      return supervise(spec, launch, signal)
    },
    inside: (bind) => bind.source,
  }
}

function launchOf(spec: SandboxSpec) {
  const words = [...prlimitArguments(spec, { countsOwnProcesses: false }), spec.command, ...spec.args]
  const [command = '', ...args] = words
  return { command, args, cwd: spec.cwd, data: [], hasReport: false, group: null } as const
}

class MarkedTree implements ProcessTree {
  readonly #pid: number
  readonly #mark: string

  constructor(pid: number, mark: string) {
    this.#pid = pid
    this.#mark = mark
  }

  terminate(): void {
    signalGroup(this.#pid, 'SIGTERM')
  }

  kill(): void {
    signalGroup(this.#pid, 'SIGKILL')
    for (const pid of [...descendantsOf(this.#pid), ...this.#marked()]) signal(pid, 'SIGKILL')
  }

  isGone(): boolean {
    return !groupExists(this.#pid) && this.#marked().length === 0
  }

  #marked(): readonly number[] {
    if (process.platform !== 'linux') return []
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 1 && pid !== process.pid && this.#bears(pid) && startOf(pid) !== null)
  }

  #bears(pid: number): boolean {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(this.#mark)
    } catch {
      // Not ours, or gone.
      return false
    }
  }
}

function groupExists(pid: number): boolean {
  try {
    process.kill(-pid, 0)
  } catch {
    return false
  }
  // A group of zombies that nobody has waited for yet counts as gone.
  return process.platform !== 'linux' || groupMembers(pid).some((member) => startOf(member) !== null)
}

function groupMembers(group: number): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && groupOf(pid) === group)
}

function groupOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
  } catch {
    // Gone meanwhile.
    return null
  }
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  signal(-pid, name)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Gone meanwhile.
  }
}
