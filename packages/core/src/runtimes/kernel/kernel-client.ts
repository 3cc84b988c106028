/**
 * Starts a kernel in a sandbox and talks to it. A cell is finished only when both the shell reply and iopub `idle` with
 * its id came; the first outputs of a kernel are lost until an iopub message was seen, so nothing runs before that.
 * Invariant: no promise outlives the process: its exit settles everything that waits.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../clock.ts'
import { CellmillError } from '../../errors.ts'
import type { Sandbox, SandboxedProcess, SandboxExit, SandboxSpec } from '../sandbox/sandbox.ts'
import { CellOutputs } from './cell-outputs.ts'
import { createConnection, type KernelConnection } from './connection.ts'
import type { ExecuteOptions, ExecuteResult, Kernel, KernelInfo } from './kernel.ts'
import { KernelSockets, type Channel } from './kernel-sockets.ts'
import { recordOf, textOf, type WireMessage } from './wire.ts'

export interface KernelOptions {
  readonly sandbox: Sandbox
  readonly clock: Clock
  /** How to start it, given the connection; its folder must be bound writable. */
  readonly spec: (connection: KernelConnection) => Promise<SandboxSpec>
  readonly startTimeoutMs: number
  /** Bytes of output that are kept of one cell. */
  readonly maxCellBytes: number
  readonly signal?: AbortSignal | undefined
}

const graceMs = 5_000
const resendMs = 200
const idleMs = 60_000
const tailBytes = 8_192

interface Pending {
  readonly outputs: CellOutputs
  reply: Readonly<Record<string, unknown>> | null
  idle: boolean
  settle: (result: Readonly<Record<string, unknown>> | Error) => void
  /** Set while the reply is there and `idle` is not. */
  idleTimer: NodeJS.Timeout | null
  /** A cell needs both; our own requests and those on control only the reply. */
  readonly needsIdle: boolean
}

export async function openKernel(options: KernelOptions): Promise<Kernel> {
  options.signal?.throwIfAborted()
  const connection = await createConnection()
  const client = new KernelClient(options, connection)
  try {
    await client.open()
    return client
  } catch (error) {
    await client.close()
    options.signal?.throwIfAborted()
    throw error
  }
}

class KernelClient implements Kernel {
  readonly #options: KernelOptions
  readonly #connection: KernelConnection
  readonly #sockets: KernelSockets
  readonly #pending = new Map<string, Pending>()
  #process: SandboxedProcess | null = null
  #exited: Promise<void> = Promise.resolve()
  #tail = ''
  #dead: CellmillError | null = null
  #seenIopub = false
  #closing = false
  #info: KernelInfo = { implementation: '', implementationVersion: '', language: '', languageVersion: '' }

  constructor(options: KernelOptions, connection: KernelConnection) {
    this.#options = options
    this.#connection = connection
    this.#sockets = new KernelSockets(connection, options.clock, (channel, message) => this.#take(channel, message))
  }

  get info(): KernelInfo {
    return this.#info
  }

  tail(): string {
    return this.#tail
  }

  async open(): Promise<void> {
    await this.#sockets.open()
    const process = this.#options.sandbox.spawn(await this.#options.spec(this.#connection), this.#options.signal)
    this.#process = process
    process.onOutput((_, chunk) => {
      this.#tail = (this.#tail + chunk.toString('utf8')).slice(-tailBytes)
    })
    this.#exited = process.exited.then(
      (exit) => this.#fail(exit),
      (cause: unknown) => this.#die(`The kernel could not be started: ${(cause as Error).message}.`, {}, cause),
    )
    await this.#waitUntilReady()
  }

  /** Asks until the kernel both answers and is heard on iopub: whatever it publishes before that is lost. */
  async #waitUntilReady(): Promise<void> {
    const { clock, startTimeoutMs } = this.#options
    const until = clock.monotonicMs() + startTimeoutMs
    while (clock.monotonicMs() < until) {
      this.#throwIfDead()
      this.#options.signal?.throwIfAborted()
      const answer = this.#ask('shell', 'kernel_info_request', {}, { needsIdle: false }).promise
      const reply = await Promise.race([answer.catch(() => null), sleep(resendMs, null, { ref: false })])
      this.#throwIfDead()
      if (reply === null) continue
      if (this.#seenIopub) {
        const language = recordOf(reply['language_info'])
        this.#info = {
          implementation: textOf(reply['implementation']),
          implementationVersion: textOf(reply['implementation_version']),
          language: textOf(language['name']),
          languageVersion: textOf(language['version']),
        }
        return
      }
      await sleep(10)
    }
    throw new CellmillError(
      'KERNEL_FAILED',
      `The kernel did not answer within ${Math.round(this.#options.startTimeoutMs / 1000)} s.`,
      { hint: 'Run again; if it persists, look at what it wrote.', details: { stderr: this.#tail } },
    )
  }

  async execute(source: string, options: ExecuteOptions = {}): Promise<ExecuteResult> {
    const started = this.#options.clock.monotonicMs()
    const content = {
      code: source,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: options.stopOnError ?? false,
    }
    const asked = this.#ask('shell', 'execute_request', content, {
      needsIdle: true,
      ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
    })
    const limit = this.#limit(options.timeoutMs ?? null)
    try {
      const reply = await asked.promise
      return resultOf(reply, asked.outputs, {
        ms: this.#options.clock.monotonicMs() - started,
        timedOut: limit.passed(),
      })
    } catch (error) {
      if (!limit.passed()) throw error
      return resultOf({}, asked.outputs, { ms: this.#options.clock.monotonicMs() - started, timedOut: true })
    } finally {
      limit.cancel()
    }
  }

  async request(
    type: string,
    content: Readonly<Record<string, unknown>>,
    timeoutMs: number | null,
  ): Promise<Readonly<Record<string, unknown>>> {
    const asked = this.#ask('shell', type, content, { needsIdle: false })
    const limit = this.#limit(timeoutMs)
    try {
      return await asked.promise
    } finally {
      limit.cancel()
    }
  }

  #throwIfDead(): void {
    if (this.#dead !== null) throw this.#dead
  }

  async interrupt(): Promise<void> {
    if (this.#dead !== null) return
    await this.#ask('control', 'interrupt_request', {}, { needsIdle: false }).promise
  }

  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    const process = this.#process
    if (process !== null) {
      if (this.#dead === null) this.#sockets.send('control', 'shutdown_request', { restart: false })
      await Promise.race([this.#exited, sleep(graceMs, null, { ref: false })])
      if (this.#dead === null) process.kill('cancelled')
      await this.#exited
    }
    this.#sockets.close()
    await this.#connection.remove()
  }

  #ask(
    channel: 'shell' | 'control',
    type: string,
    content: Readonly<Record<string, unknown>>,
    how: { readonly needsIdle: boolean; readonly metadata?: Readonly<Record<string, unknown>> },
  ): { readonly promise: Promise<Readonly<Record<string, unknown>>>; readonly outputs: CellOutputs } {
    const outputs = new CellOutputs(this.#options.maxCellBytes)
    if (this.#dead !== null) return { promise: Promise.reject(this.#dead), outputs }
    const { promise, resolve, reject } = Promise.withResolvers<Readonly<Record<string, unknown>>>()
    const id = this.#sockets.send(channel, type, content, how.metadata)
    const settle = (result: Readonly<Record<string, unknown>> | Error): void => {
      const pending = this.#pending.get(id)
      if (pending?.idleTimer) clearTimeout(pending.idleTimer)
      this.#pending.delete(id)
      if (result instanceof Error) reject(result)
      else resolve(result)
    }
    this.#pending.set(id, { outputs, reply: null, idle: false, settle, idleTimer: null, needsIdle: how.needsIdle })
    return { promise, outputs }
  }

  #take(channel: Channel, message: WireMessage): void {
    if (channel === 'iopub') this.#seenIopub = true
    const pending = this.#pending.get(message.parentId)
    if (pending === undefined) return
    if (channel !== 'iopub') pending.reply = message.content
    else if (message.type === 'status') pending.idle ||= message.content['execution_state'] === 'idle'
    else pending.outputs.take(message)
    this.#advance(pending)
  }

  #advance(pending: Pending): void {
    if (pending.reply === null) return
    if (pending.idle || !pending.needsIdle) return pending.settle(pending.reply)
    if (pending.idleTimer !== null) clearTimeout(pending.idleTimer)
    pending.idleTimer = setTimeout(() => {
      const text = 'The kernel finished a cell without saying that it is idle, so its outputs may be incomplete.'
      pending.settle(new CellmillError('KERNEL_FAILED', text, { hint: 'Run it again.', retryable: true }))
    }, idleMs)
  }

  /** Interrupts when the time is over, and kills when that does not help. */
  #limit(timeoutMs: number | null): { readonly passed: () => boolean; readonly cancel: () => void } {
    if (timeoutMs === null) return { passed: () => false, cancel: () => {} }
    let passed = false
    let kill: NodeJS.Timeout | undefined
    const timer = setTimeout(() => {
      passed = true
      // The answer to an interrupt does not matter: either the cell ends or the process is killed.
      this.interrupt().catch(() => {})
      kill = setTimeout(() => this.#process?.kill('time-limit'), graceMs)
    }, timeoutMs)
    const cancel = (): void => {
      clearTimeout(timer)
      clearTimeout(kill)
    }
    return { passed: () => passed, cancel }
  }

  #fail(exit: SandboxExit): void {
    const how = exit.code === null ? `by signal ${exit.signal ?? 'unknown'}` : `with exit code ${exit.code}`
    const because = exit.reason === 'exited' ? '' : ` (${exit.reason})`
    const last = lastLines(this.#tail)
    const message = `The kernel ended ${how}${because}.${last === '' ? '' : ` It wrote: ${last}`}`
    this.#die(message, { code: exit.code, signal: exit.signal, reason: exit.reason, stderr: this.#tail })
  }

  #die(message: string, details: Readonly<Record<string, unknown>>, cause?: unknown): void {
    const hint = 'Look at the cell that ran last: it may exit, crash a library or use more memory than there is.'
    this.#dead = new CellmillError('KERNEL_FAILED', message, { hint, details, cause })
    for (const pending of this.#pending.values()) pending.settle(this.#dead)
  }
}

function resultOf(
  reply: Readonly<Record<string, unknown>>,
  outputs: CellOutputs,
  how: { readonly ms: number; readonly timedOut: boolean },
): ExecuteResult {
  const status = textOf(reply['status'])
  const state = how.timedOut ? 'time-limit' : status === 'ok' ? 'ok' : status === 'error' ? 'error' : 'aborted'
  const count = reply['execution_count']
  return {
    state,
    outputs: outputs.finish(),
    cutBytes: outputs.cutBytes,
    comms: outputs.comms,
    error: status === 'error' ? { name: textOf(reply['ename']), value: textOf(reply['evalue']) } : null,
    ms: how.ms,
    executionCount: typeof count === 'number' ? count : null,
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ').slice(-500)
}
