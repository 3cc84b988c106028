/**
 * One sandboxed process under watch, whatever walls it has: output counted and cut, time and memory limited, control
 * lines bounded. Invariant: `exited` resolves exactly once, after the whole tree is gone and all its output was delivered.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import { CellmillError } from '../../errors.ts'
import { BoundedLines } from './bounded-lines.ts'
import { inheritedDescriptors } from './inherited-descriptors.ts'
import type { ResourceGroup } from './limits/resource-groups.ts'
import { watchTree } from './limits/watch-tree.ts'
import type { TreeWatch } from './limits/watch-tree.ts'
import type { SandboxExit, SandboxSpec, SandboxedProcess } from './sandbox.ts'

/** What an adapter knows about the processes that it started. */
export interface ProcessTree {
  /** Asks the user's command to end by itself. */
  terminate(): void
  /** Kills everything at once; may be called again. */
  kill(): void
  isGone(): boolean
  /** What the launcher wrote to its report descriptor so far. */
  onReport?(text: string): void
}

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Written to descriptors 4 and up, each then closed. */
  readonly data: readonly (string | Buffer)[]
  /** One more descriptor after `data`, on which the launcher reports. */
  readonly hasReport: boolean
  readonly tree: (pid: number) => ProcessTree
  /** Where the launcher's exit code stands for a signal of the command. */
  readonly readExit?: (exit: ProcessExit) => ProcessExit
  readonly group: ResourceGroup | null
  readonly graceMs: number
}

export interface ProcessExit {
  readonly code: number | null
  readonly signal: string | null
}

type Ending = SandboxExit['reason']

export const firstDataDescriptor = 4
const maxControlBytes = 64 * 1024 * 1024
const maxReportBytes = 4096
/** How long pipes may stay open after the whole tree is gone; only a process outside it can hold them. */
const closeMs = 2000
const longestPollMs = 100

export function supervise(spec: SandboxSpec, launch: Launch, signal: AbortSignal | undefined): SandboxedProcess {
  // PR_SET_PDEATHSIG follows the thread: a step started by a worker thread would die with that thread.
  if (!isMainThread) throw new CellmillError('INTERNAL', 'Sandboxed processes are started from the main thread only.')
  return new Supervised(spec, launch, signal)
}

class Supervised implements SandboxedProcess {
  readonly pid: number
  readonly exited: Promise<SandboxExit>
  readonly #spec: SandboxSpec
  readonly #launch: Launch
  readonly #child: ChildProcess
  readonly #tree: ProcessTree | null
  readonly #outputs: ((stream: 'stdout' | 'stderr', chunk: Buffer) => void)[] = []
  readonly #controls: ((line: string) => void)[] = []
  readonly #early: { readonly stream: 'stdout' | 'stderr'; readonly chunk: Buffer }[] = []
  readonly #earlyControl: string[] = []
  readonly #startedAt = performance.now()
  #watch: TreeWatch | null = null
  #ending: Ending | null = null
  #isOver = false
  #outputBytes = 0
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor(spec: SandboxSpec, launch: Launch, signal: AbortSignal | undefined) {
    this.#spec = spec
    this.#launch = launch
    this.#child = start(spec, launch)
    this.pid = this.#child.pid ?? -1
    this.#tree = this.#child.pid === undefined ? null : launch.tree(this.#child.pid)
    this.#connect()
    this.exited = this.#run(signal)
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
    const { stdin } = this.#child
    if (stdin === null || stdin.destroyed || this.#isOver) return
    stdin.write(`${line}\n`)
  }

  kill(reason: 'cancelled' | 'time-limit'): void {
    if (this.#isOver) return
    if (this.#ending !== null) {
      this.#tree?.kill()
      return
    }
    this.#ending = reason
    this.#tree?.terminate()
    this.#after(this.#launch.graceMs, () => this.#tree?.kill())
  }

  #killAtOnce(reason: Ending): void {
    if (this.#isOver) return
    this.#ending ??= reason
    this.#tree?.kill()
  }

  async #run(signal: AbortSignal | undefined): Promise<SandboxExit> {
    const onAbort = (): void => this.kill('cancelled')
    const { timeoutMs, memoryBytes, maxProcesses } = this.#spec
    const { group } = this.#launch
    try {
      const ended = this.#ended()
      if (signal?.aborted === true) this.#killAtOnce('cancelled')
      signal?.addEventListener('abort', onAbort, { once: true })
      if (timeoutMs !== null) this.#after(timeoutMs, () => this.kill('time-limit'))
      if (group === null && this.pid > 0) {
        const onOver = (what: 'out-of-memory' | 'process-limit'): void => this.#killAtOnce(what)
        this.#watch = watchTree({ pid: this.pid, memoryBytes, maxProcesses, onOver })
      }
      return this.#toExit(await ended)
    } finally {
      this.#isOver = true
      this.#watch?.stop()
      for (const timer of this.#timers) clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      group?.remove()
    }
  }

  /** The command's own end, once nothing of its tree is left and the pipes are drained. */
  async #ended(): Promise<ProcessExit> {
    const child = this.#child
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const exit = await new Promise<ProcessExit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
      child.once('error', (error) => {
        this.#take('stderr', Buffer.from(`${this.#launch.command} could not be started: ${error.message}\n`))
        if (child.pid === undefined) resolve({ code: 127, signal: null })
      })
    })
    if (child.pid === undefined) return exit
    await this.#gone()
    const drained = new AbortController()
    await Promise.race([closed, sleep(closeMs, undefined, { signal: drained.signal }).catch(() => {})])
    drained.abort()
    for (const stream of child.stdio) stream?.destroy()
    return this.#launch.readExit?.(exit) ?? exit
  }

  async #gone(): Promise<void> {
    for (let waitMs = 1; !this.#isGone(); waitMs = Math.min(waitMs * 2, longestPollMs)) {
      this.#tree?.kill()
      await sleep(waitMs)
    }
  }

  #isGone(): boolean {
    const members = this.#launch.group?.members() ?? []
    for (const pid of members) killQuietly(pid)
    return members.length === 0 && (this.#tree?.isGone() ?? true)
  }

  #toExit({ code, signal }: ProcessExit): SandboxExit {
    const { group } = this.#launch
    const failed = code !== 0
    let reason: Ending = this.#ending ?? 'exited'
    if (reason === 'exited' && failed && group?.wasOutOfMemory() === true) reason = 'out-of-memory'
    if (reason === 'exited' && signal === 'SIGXCPU' && this.#spec.cpuSeconds !== null) reason = 'time-limit'
    return {
      code,
      signal,
      reason,
      ms: performance.now() - this.#startedAt,
      peakMemoryBytes: group?.peakMemoryBytes() ?? this.#watch?.peakMemoryBytes() ?? null,
    }
  }

  #after(ms: number, action: () => void): void {
    const timer = setTimeout(action, ms)
    this.#timers.add(timer)
  }

  #connect(): void {
    const { stdin, stdout, stderr, stdio } = this.#child
    // A process that ended is seen by its exit; a write to it is no fault of ours.
    stdin?.on('error', () => {})
    this.#read('stdout', stdout)
    this.#read('stderr', stderr)
    if (this.#spec.control === 'pipe') this.#readControl(stdio[3] as Readable | undefined)
    this.#launch.data.forEach((bytes, index) => {
      const pipe = stdio[firstDataDescriptor + index] as Writable | null | undefined
      pipe?.on('error', () => {})
      pipe?.end(bytes)
    })
    if (this.#launch.hasReport) {
      this.#readReport(stdio[firstDataDescriptor + this.#launch.data.length] as Readable | undefined)
    }
  }

  #read(stream: 'stdout' | 'stderr', readable: Readable | null): void {
    readable?.on('data', (chunk: Buffer) => this.#take(stream, chunk))
    readable?.on('error', () => {})
  }

  #take(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    const left = Math.max(0, this.#spec.maxOutputBytes - this.#outputBytes)
    this.#outputBytes += chunk.length
    const kept = chunk.length > left ? chunk.subarray(0, left) : chunk
    if (kept.length > 0) {
      if (this.#outputs.length === 0) this.#early.push({ stream, chunk: kept })
      for (const listener of this.#outputs) listener(stream, kept)
    }
    if (chunk.length > left) this.#killAtOnce('output-limit')
  }

  #readControl(control: Readable | undefined): void {
    const lines = new BoundedLines({
      maxLineBytes: maxControlBytes,
      onLine: (line) => {
        if (this.#controls.length === 0) this.#earlyControl.push(line)
        for (const listener of this.#controls) listener(line)
      },
      onTooLong: () => this.#killAtOnce('output-limit'),
    })
    control?.on('data', (chunk: Buffer) => lines.push(chunk))
    control?.on('end', () => lines.end())
    control?.on('error', () => {})
  }

  #readReport(report: Readable | undefined): void {
    let text = ''
    report?.on('data', (chunk: Buffer) => {
      if (text.length < maxReportBytes) text += chunk.toString('latin1')
      this.#tree?.onReport?.(text)
    })
    report?.on('error', () => {})
  }
}

function start(spec: SandboxSpec, launch: Launch): ChildProcess {
  const control = spec.control === 'pipe' ? 'pipe' : 'ignore'
  const used: Stdio[] = [control, 'pipe', 'pipe', control, ...launch.data.map(() => 'pipe' as const)]
  if (launch.hasReport) used.push('pipe')
  const entered = launch.group?.enter(launch.command, launch.args) ?? launch
  const devNull = openSync('/dev/null', 'r')
  try {
    return spawn(entered.command, [...entered.args], {
      env: { ...launch.env },
      cwd: launch.cwd,
      stdio: withoutInherited(used, devNull),
      // A session of its own: no terminal, and one group to signal.
      detached: true,
    })
  } catch (error) {
    launch.group?.remove()
    throw new CellmillError('SANDBOX_FAILED', `${spec.command} could not be started: ${(error as Error).message}`, {
      hint: 'cellmill doctor',
      cause: error,
    })
  } finally {
    closeSync(devNull)
  }
}

type Stdio = 'pipe' | 'ignore' | number

function withoutInherited(used: readonly Stdio[], devNull: number): Stdio[] {
  const all = [...used]
  for (const descriptor of inheritedDescriptors()) {
    if (descriptor < all.length && all[descriptor] !== 'ignore') continue
    while (all.length <= descriptor) all.push('ignore')
    all[descriptor] = devNull
  }
  return all
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone meanwhile.
  }
}
