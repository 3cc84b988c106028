/** Starts processes without isolation, as the `none` level does, so that the engine's own locks are what tests see. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Sandbox, SandboxedProcess, SandboxExit, SandboxSpec } from '../../../runtimes/sandbox/sandbox.ts'

export const plainSandbox: Sandbox = {
  level: 'none',
  inside: (bind) => bind.target,
  spawn: (spec, signal) => start(spec, signal),
}

function start(spec: SandboxSpec, signal?: AbortSignal): SandboxedProcess {
  const isPiped = spec.control === 'pipe'
  const startedAt = performance.now()
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: { ...spec.env },
    stdio: [isPiped ? 'pipe' : 'ignore', 'pipe', 'pipe', isPiped ? 'pipe' : 'ignore'],
  })
  let reason: SandboxExit['reason'] = 'exited'
  const kill = (why: 'cancelled' | 'time-limit'): void => {
    reason = why
    child.kill('SIGKILL')
  }
  signal?.addEventListener('abort', () => kill('cancelled'), { once: true })
  // A worker that died takes what is written to it with it; `exited` tells.
  child.stdin?.on('error', () => {})
  return {
    pid: child.pid ?? 0,
    onOutput: (listener) => {
      child.stdout?.on('data', (chunk: Buffer) => listener('stdout', chunk))
      child.stderr?.on('data', (chunk: Buffer) => listener('stderr', chunk))
    },
    send: (line) => void child.stdin?.write(`${line}\n`),
    onControl: (listener) => {
      createInterface({ input: child.stdio[3] as Readable }).on('line', listener)
    },
    kill,
    exited: new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, killedBy) =>
        resolve({ code, signal: killedBy, reason, ms: performance.now() - startedAt, peakMemoryBytes: null }),
      )
    }),
  }
}
