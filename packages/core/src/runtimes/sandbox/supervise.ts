/**
 * One sandboxed process under watch, whatever walls it has: output counted and cut, time and memory limited, control
 * lines bounded, and `exited` resolved only once the whole tree is gone. Adapters give the command and how to kill.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { BoundedLines } from './bounded-lines.ts'
import { treeMemoryBytes } from './process-tree.ts'
import type { SandboxExit, SandboxSpec, SandboxedProcess } from './sandbox.ts'

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Null to start in the root: the wrapper changes folder itself. */
  readonly cwd: string | null
  /** Further descriptors from 4 on, such as a seccomp program. */
  readonly extraFds: readonly number[]
  /** Kills everything that the process started. */
  readonly killTree: (child: ChildProcess) => void
}

const maxControlBytes = 64 * 1024 * 1024
const memoryPollMs = 250

export function supervise(spec: SandboxSpec, launch: Launch, signal: AbortSignal | undefined): SandboxedProcess {
  return new Supervised(spec, launch, signal)
}

class Supervised implements SandboxedProcess {
  readonly pid: number
  readonly exited: Promise<SandboxExit>
  readonly #child: ChildProcess
  readonly #launch: Launch
  readonly #spec: SandboxSpec
  readonly #outputs: ((stream: 'stdout' | 'stderr', chunk: Buffer) => void)[] = []
  readonly #controls: ((line: string) => void)[] = []
  readonly #early: { readonly stream: 'stdout' | 'stderr'; readonly chunk: Buffer }[] = []
  readonly #earlyControl: string[] = []
  readonly #startedAt = performance.now()
  #reason: SandboxExit['reason'] = 'exited'
  #outputBytes = 0
  #peakMemoryBytes: number | null = null
  #timers: NodeJS.Timeout[] = []

  constructor(spec: SandboxSpec, launch: Launch, signal: AbortSignal | undefined) {
    this.#spec = spec
    this.#launch = launch
    const piped = spec.control === 'pipe'
    const stdio: StdioOptions = [
      piped ? 'pipe' : 'ignore',
      'pipe',
      'pipe',
      piped ? 'pipe' : 'ignore',
      ...launch.extraFds,
    ]
    this.#child = spawn(launch.command, [...launch.args], {
      env: { ...launch.env },
      ...(launch.cwd === null ? { cwd: '/' } : { cwd: launch.cwd }),
      stdio,
      detached: true,
    })
    this.pid = this.#child.pid ?? -1
    this.exited = this.#watch(signal)
  }

  onOutput(listener: (stream: 'stdout' | 'stderr', chunk: Buffer) => void): void {
    this.#outputs.push(listener)
    for (const { stream, chunk } of this.#early.splice(0)) listener(stream, chunk)
  }

  onControl(listener: (line: string) => void): void {
    this.#controls.push(listener)
    for (const line of this.#earlyControl.splice(0)) listener(line)
  }

  send(line: string): void {
    const stdin = this.#child.stdin as Writable | null
    if (stdin === null || stdin.destroyed) return
    stdin.write(`${line}\n`)
  }

  kill(reason: 'cancelled' | 'time-limit'): void {
    this.#end(reason)
  }

  #end(reason: SandboxExit['reason']): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    if (this.#reason === 'exited') this.#reason = reason
    this.#launch.killTree(this.#child)
  }

  async #watch(signal: AbortSignal | undefined): Promise<SandboxExit> {
    const child = this.#child
    const onAbort = (): void => this.#end('cancelled')
    this.#read('stdout', child.stdout)
    this.#read('stderr', child.stderr)
    this.#readControl()
    const { timeoutMs, memoryBytes } = this.#spec
    if (timeoutMs !== null) this.#timers.push(setTimeout(() => this.#end('time-limit'), timeoutMs))
    this.#timers.push(setInterval(() => this.#measure(memoryBytes), memoryPollMs))
    for (const timer of this.#timers) timer.unref()
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const { code, ended } = await new Promise<{ code: number | null; ended: string | null }>((resolve, reject) => {
        child.on('error', reject)
        child.on('exit', () => {
          // A grandchild may hold our pipes; without the tree they close by themselves.
          this.#launch.killTree(child)
          setTimeout(() => {
            for (const stream of child.stdio) stream?.destroy()
          }, 2_000).unref()
        })
        child.on('close', (code, ended) => resolve({ code, ended }))
      })
      const ms = performance.now() - this.#startedAt
      return { code, signal: ended, reason: this.#reason, ms, peakMemoryBytes: this.#peakMemoryBytes }
    } finally {
      for (const timer of this.#timers) clearInterval(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #measure(limit: number | null): void {
    const bytes = treeMemoryBytes(this.pid)
    if (bytes === null) return
    this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes ?? 0, bytes)
    if (limit !== null && bytes > limit) this.#end('out-of-memory')
  }

  #read(stream: 'stdout' | 'stderr', readable: Readable | null): void {
    readable?.on('data', (chunk: Buffer) => {
      const left = this.#spec.maxOutputBytes - this.#outputBytes
      this.#outputBytes += chunk.length
      const kept = chunk.length > left ? chunk.subarray(0, Math.max(0, left)) : chunk
      if (kept.length > 0) {
        if (this.#outputs.length === 0) this.#early.push({ stream, chunk: kept })
        for (const listener of this.#outputs) listener(stream, kept)
      }
      if (chunk.length > left) this.#end('output-limit')
    })
    readable?.on('error', () => {})
  }

  #readControl(): void {
    const stdin = this.#child.stdin as Writable | null
    // A process that ended is seen by its exit; a write to it is no fault of ours.
    stdin?.on('error', () => {})
    const control = this.#child.stdio[3] as Readable | null | undefined
    if (control === null || control === undefined) return
    const lines = new BoundedLines({
      maxLineBytes: maxControlBytes,
      onLine: (line) => {
        if (this.#controls.length === 0) this.#earlyControl.push(line)
        for (const listener of this.#controls) listener(line)
      },
      onTooLong: () => this.#end('output-limit'),
    })
    control.on('data', (chunk: Buffer) => lines.push(chunk))
    control.on('end', () => lines.end())
    control.on('error', () => {})
  }
}
