/**
 * The coordinator's end of one engine worker: starts it when first needed, matches answers to calls, and starts it
 * again after it died. A call under way when the worker dies is tried once more alone, since another one may have been
 * the cause; a call that kills a worker it had to itself is the cause, and fails.
 */
import { CellmillError } from '../../errors.ts'
import type { Sandbox, SandboxExit, SandboxedProcess, SandboxSpec } from '../../runtimes/sandbox/sandbox.ts'
import type { Limits, MethodTable, Methods, WorkerAnswer } from './protocol.ts'
import { fromWire } from './query-error.ts'

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | null
}

interface Call {
  readonly request: { readonly id: number }
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** Set when we asked for its end: what to report instead of the worker's own error. */
  ending: CellmillError | null
  alone: boolean
}

const graceMs = 2000

export class WorkerClient<Table extends MethodTable<keyof Table> = Methods> {
  readonly #sandbox: Sandbox
  readonly #spec: SandboxSpec
  #process: SandboxedProcess | null = null
  #stderr = ''
  #nextId = 1
  #calls = new Map<number, Call>()
  /** Calls that wait to run alone after a crash; while there are any, new calls wait behind them. */
  #queue: Call[] = []
  #closed = false

  constructor(sandbox: Sandbox, spec: SandboxSpec) {
    this.#sandbox = sandbox
    this.#spec = spec
  }

  /** Starts the worker ahead of its first call, unless it runs already. */
  start(): void {
    if (!this.#closed) this.#process ??= this.#start()
  }

  async call<M extends keyof Table & string>(
    method: M,
    params: Table[M]['params'],
    limits: Limits | null,
    options: CallOptions = {},
  ): Promise<Table[M]['result']> {
    if (this.#closed) throw new CellmillError('CANCELLED', 'The engine is closed.')
    if (options.signal?.aborted === true) throw cancelled()
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const request = { id, method, limits, params }
    const call: Call = { request, resolve, reject, ending: null, alone: false }
    const onAbort = (): void => this.#end(call, cancelled())
    options.signal?.addEventListener('abort', onAbort, { once: true })
    const timeoutMs = options.timeoutMs ?? null
    const timer = timeoutMs === null ? null : setTimeout(() => this.#end(call, timedOut(timeoutMs)), timeoutMs)
    try {
      this.#submit(call)
      return await promise
    } finally {
      options.signal?.removeEventListener('abort', onAbort)
      if (timer !== null) clearTimeout(timer)
    }
  }

  /** Pid of the worker's process, null while none is running. */
  get pid(): number | null {
    return this.#process?.pid ?? null
  }

  async close(): Promise<void> {
    this.#closed = true
    const process = this.#process
    for (const call of [...this.#calls.values(), ...this.#queue]) call.reject(cancelled())
    this.#calls.clear()
    this.#queue = []
    if (process === null) return
    process.kill('cancelled')
    await process.exited
  }

  #submit(call: Call): void {
    const busyAlone = [...this.#calls.values()].some((other) => other.alone)
    if (busyAlone || this.#queue.length > 0) this.#queue.push(call)
    else this.#send(call)
  }

  #send(call: Call): void {
    this.#calls.set(call.request.id, call)
    try {
      this.#process ??= this.#start()
      this.#process.send(JSON.stringify(call.request))
    } catch (error) {
      this.#calls.delete(call.request.id)
      call.reject(error)
    }
  }

  #start(): SandboxedProcess {
    this.#stderr = ''
    const started = this.#sandbox.spawn(this.#spec)
    started.onControl((line) => this.#onAnswer(JSON.parse(line) as WorkerAnswer))
    started.onOutput((_stream, chunk) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-4000)
    })
    started.exited.then(
      (exit) => this.#onExit(started, exit),
      () => this.#onExit(started, null),
    )
    return started
  }

  #onAnswer(value: WorkerAnswer): void {
    const call = this.#calls.get(value.id)
    if (call === undefined) return
    this.#calls.delete(value.id)
    if (value.ok) call.resolve(value.result)
    else call.reject(call.ending ?? fromWire(value.error))
    this.#next()
  }

  /** Sends the next waiting call alone; when all that crashed are done, the rest go together. */
  #next(): void {
    if (this.#calls.size > 0) return
    const first = this.#queue.shift()
    if (first === undefined) return
    this.#send(first)
    if (first.alone) return
    while (this.#queue.length > 0 && this.#queue[0]?.alone === false) this.#send(this.#queue.shift() as Call)
  }

  #onExit(process: SandboxedProcess, exit: SandboxExit | null): void {
    if (this.#process !== process) return
    this.#process = null
    const died = [...this.#calls.values()]
    this.#calls.clear()
    const retried: Call[] = []
    for (const call of died) {
      if (call.ending !== null) call.reject(call.ending)
      else if (died.length === 1 || call.alone) call.reject(workerDied(exit, this.#stderr))
      else retried.push(Object.assign(call, { alone: true }))
    }
    this.#queue.unshift(...retried)
    if (!this.#closed) this.#next()
  }

  /** Asks for the end of a call, and takes the worker down with it if it does not answer. */
  #end(call: Call, why: CellmillError): void {
    const waiting = this.#queue.indexOf(call)
    if (waiting >= 0) {
      this.#queue.splice(waiting, 1)
      call.reject(why)
      return
    }
    if (!this.#calls.has(call.request.id) || call.ending !== null) return
    call.ending = why
    const process = this.#process
    process?.send(JSON.stringify({ id: call.request.id, cancel: true }))
    const timer = setTimeout(() => {
      if (this.#calls.get(call.request.id) === call && this.#process === process) process?.kill('cancelled')
    }, graceMs)
    timer.unref()
  }
}

function cancelled(): CellmillError {
  return new CellmillError('CANCELLED', 'The query was cancelled.', { details: { kind: 'cancelled' } })
}

function timedOut(timeoutMs: number): CellmillError {
  return new CellmillError('QUERY_FAILED', `The query did not end within ${timeoutMs} ms.`, {
    details: { kind: 'time-limit', timeoutMs },
  })
}

function workerDied(exit: SandboxExit | null, stderr: string): CellmillError {
  const how = exit === null ? 'could not be started' : `ended (${exit.signal ?? `exit code ${exit.code}`})`
  const outOfMemory = exit?.reason === 'out-of-memory' || exit?.signal === 'SIGKILL'
  return new CellmillError('QUERY_FAILED', `The engine worker ${how} while it ran this query.`, {
    retryable: true,
    details: { kind: outOfMemory ? 'out-of-memory' : 'signal', stderr },
    ...(outOfMemory ? { hint: 'It may have run out of memory: read fewer columns, or run fewer steps at once.' } : {}),
  })
}
