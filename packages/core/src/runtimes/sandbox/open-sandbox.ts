/**
 * Chooses the best walls that this machine has, by starting a process behind them once: what the kernel allows is only
 * known by trying. Never a silent fallback: the level is in the answer, and `require` accepts no machine without walls.
 */
import { statSync } from 'node:fs'
import path from 'node:path'
import { CellmillError } from '../../errors.ts'
import type { SandboxMode } from '../../model/project.ts'
import { bubblewrapSandbox } from './bubblewrap/bubblewrap-sandbox.ts'
import { landlockSandbox } from './landlock/landlock-sandbox.ts'
import { findResourceGroups } from './limits/resource-groups.ts'
import { noneSandbox } from './none/none-sandbox.ts'
import type { Sandbox, SandboxLevel } from './sandbox.ts'

export interface OpenSandboxOptions {
  readonly mode: SandboxMode
  /** Runs the Landlock launcher; null where there is no Python. */
  readonly python: string | null
  /** Between TERM and KILL. @default 2000 */
  readonly graceMs?: number
}

const levels: readonly SandboxLevel[] = ['bubblewrap', 'landlock', 'none']

/** Throws SANDBOX_UNAVAILABLE when walls are required, or one level is forced, and there are none that work. */
export async function openSandbox(options: OpenSandboxOptions): Promise<Sandbox> {
  if (options.mode === 'off') return noneSandbox(options)
  const forced = forcedLevel()
  for (const level of forced === null ? levels : [forced]) {
    // A variable must not take away the walls that a project requires.
    if (level === 'none' && options.mode === 'require') continue
    const sandbox = await openLevel(level, options)
    if (sandbox !== null) return sandbox
  }
  throw new CellmillError(
    'SANDBOX_UNAVAILABLE',
    forced === null
      ? 'steps must run in a sandbox, and this machine has none that works'
      : `CELLMILL_SANDBOX_LEVEL is ${forced}, which does not work here`,
    { hint: 'apt install bubblewrap, and allow user namespaces; cellmill doctor  tries it' },
  )
}

function forcedLevel(): SandboxLevel | null {
  const name = process.env['CELLMILL_SANDBOX_LEVEL']
  if (name === undefined || name === '') return null
  const level = levels.find((known) => known === name)
  if (level !== undefined) return level
  throw new CellmillError('USAGE', `CELLMILL_SANDBOX_LEVEL is ${name}`, { hint: `one of ${levels.join(', ')}` })
}

/** Null where it does not work. */
async function openLevel(level: SandboxLevel, options: OpenSandboxOptions): Promise<Sandbox | null> {
  switch (level) {
    case 'none':
      return noneSandbox(options)
    case 'landlock':
      if (process.platform !== 'linux' || options.python === null) return null
      return ifItWorks(landlockSandbox({ ...options, python: options.python, groups: findResourceGroups() }))
    case 'bubblewrap': {
      const bwrap = findOnPath('bwrap')
      return bwrap === null ? null : ifItWorks(bubblewrapSandbox({ ...options, bwrap, groups: findResourceGroups() }))
    }
  }
}

function findOnPath(name: string): string | null {
  for (const folder of ['/usr/bin', '/usr/local/bin', ...(process.env['PATH'] ?? '').split(path.delimiter)]) {
    const file = path.join(folder, name)
    if (path.isAbsolute(file) && statSync(file, { throwIfNoEntry: false })?.isFile() === true) return file
  }
  return null
}

async function ifItWorks(sandbox: Sandbox): Promise<Sandbox | null> {
  const probe = sandbox.spawn({
    command: '/bin/sh',
    args: ['-c', 'exit 7'],
    env: {},
    cwd: '/',
    binds: [],
    network: false,
    memoryBytes: null,
    cpuSeconds: null,
    maxProcesses: null,
    maxFileBytes: null,
    maxOutputBytes: 65_536,
    timeoutMs: 10_000,
    control: 'none',
  })
  return (await probe.exited).code === 7 ? sandbox : null
}
