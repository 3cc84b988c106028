/** Chooses the best walls that this machine has, by starting a process behind them once. Never a silent fallback: the level is in the answer. */
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import path from 'node:path'
import { CellmillError } from '../../errors.ts'
import type { SandboxMode } from '../../model/project.ts'
import { bubblewrapSandbox } from './bubblewrap/bubblewrap-sandbox.ts'
import { noneSandbox } from './none/none-sandbox.ts'
import type { Sandbox, SandboxLevel } from './sandbox.ts'

export interface OpenSandboxOptions {
  readonly mode: SandboxMode
  /** Runs the Landlock launcher; null where there is no Python. */
  readonly python: string | null
}

/** Throws SANDBOX_UNAVAILABLE when walls are required and there are none. */
export async function openSandbox(options: OpenSandboxOptions): Promise<Sandbox> {
  const forced = process.env['CELLMILL_SANDBOX_LEVEL'] as SandboxLevel | undefined
  if (options.mode === 'off' || forced === 'none') return noneSandbox()
  if (forced !== 'landlock') {
    const bwrap = findBubblewrap()
    if (bwrap !== null) {
      const sandbox = bubblewrapSandbox(bwrap)
      if (await works(sandbox)) return sandbox
    }
  }
  if (options.mode === 'require') {
    throw new CellmillError(
      'SANDBOX_UNAVAILABLE',
      'steps must run in a sandbox, and this machine has none that works',
      {
        hint: 'apt install bubblewrap, and allow user namespaces; cellmill doctor  tries it',
      },
    )
  }
  return noneSandbox()
}

function findBubblewrap(): string | null {
  for (const folder of ['/usr/bin', '/usr/local/bin', ...(process.env['PATH'] ?? '').split(path.delimiter)]) {
    const file = path.join(folder, 'bwrap')
    if (folder !== '' && statSync(file, { throwIfNoEntry: false })?.isFile() === true) return file
  }
  return null
}

async function works(sandbox: Sandbox): Promise<boolean> {
  try {
    execFileSync('/usr/bin/true')
    const probe = sandbox.spawn({
      command: '/usr/bin/true',
      args: [],
      env: {},
      cwd: '/',
      binds: [],
      network: false,
      memoryBytes: null,
      cpuSeconds: null,
      maxProcesses: null,
      maxFileBytes: null,
      maxOutputBytes: 4096,
      timeoutMs: 10_000,
      control: 'none',
    })
    return (await probe.exited).code === 0
  } catch {
    // It cannot even be started here.
    return false
  }
}
