/**
 * Runs TypeScript steps: one Node process each, in the sandbox, which imports the step's module and nothing else. The
 * process is not trusted: what it left is looked at when it is gone, and taken only in the shapes of ../runtime.ts.
 */
import { StringDecoder } from 'node:string_decoder'
import type { UserCodeError } from '../../errors.ts'
import type { Runtime, StepLog, StepOutcome, StepReport, StepWork } from '../runtime.ts'
import type { Sandbox, SandboxExit, SandboxSpec } from '../sandbox/sandbox.ts'
import { exitError, isRetryable, refusedByStrict } from './node-failure.ts'
import { readStepError, readStepReport } from './node-report.ts'
import { stageNodeStep } from './stage-node-step.ts'

export interface NodeRuntimeOptions {
  readonly sandbox: Sandbox
  /** Entry module of `@cellmill/sdk`; see project/sdk-entry.ts. */
  readonly sdkEntry: string
  /** @default 64 MiB of standard output and error together */
  readonly maxOutputBytes?: number
}

const defaultMaxOutputBytes = 64 * 1024 * 1024
/** Node, its workers and DuckDB's threads. */
const maxProcesses = 1024

export function nodeRuntime(options: NodeRuntimeOptions): Runtime {
  return {
    language: 'typescript',
    run: (work, log, signal) => runNode(options, { work, log, signal }),
    close: async () => {},
  }
}

interface Attempt {
  readonly work: StepWork
  readonly log: StepLog
  readonly signal: AbortSignal
}

async function runNode(options: NodeRuntimeOptions, attempt: Attempt): Promise<StepOutcome> {
  if (attempt.signal.aborted) return { state: 'cancelled' }
  const tail = { stderr: '' }
  const exit = await spawnStep(options, attempt, tail)
  return outcomeOf(attempt, exit, tail.stderr)
}

async function spawnStep(
  options: NodeRuntimeOptions,
  attempt: Attempt,
  tail: { stderr: string },
): Promise<SandboxExit> {
  const { work, log, signal } = attempt
  const staged = await stageNodeStep(work, options.sandbox, options.sdkEntry)
  const limits = work.definition.options
  const spec: SandboxSpec = {
    command: process.execPath,
    args: ['--no-warnings', '--disable-proto=delete', ...heapLimit(limits.memoryBytes), staged.main],
    env: {
      TZ: 'UTC',
      LC_ALL: 'C.UTF-8',
      LANG: 'C.UTF-8',
      HOME: staged.workFolder,
      TMPDIR: staged.tmpFolder,
      NODE_ENV: 'production',
    },
    cwd: staged.workFolder,
    binds: staged.binds,
    network: limits.network.length > 0,
    memoryBytes: limits.memoryBytes,
    cpuSeconds: null,
    maxProcesses,
    maxFileBytes: null,
    maxOutputBytes: options.maxOutputBytes ?? defaultMaxOutputBytes,
    timeoutMs: limits.timeoutMs,
    control: 'pipe',
  }
  const child = options.sandbox.spawn(spec, signal)
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }
  child.onOutput((stream, chunk) => {
    const text = decoders[stream].write(chunk)
    if (stream === 'stderr') tail.stderr = (tail.stderr + text).slice(-4000)
    if (text !== '') log.write(stream, text)
  })
  child.send(JSON.stringify(staged.request))
  return child.exited
}

/** V8 stops at its own limit with a message, where the system would only kill. */
function heapLimit(memoryBytes: number | null): readonly string[] {
  return memoryBytes === null
    ? []
    : [`--max-old-space-size=${Math.max(32, Math.floor((memoryBytes * 0.7) / 1024 ** 2))}`]
}

async function outcomeOf({ work, signal }: Attempt, exit: SandboxExit, stderr: string): Promise<StepOutcome> {
  if (signal.aborted || exit.reason === 'cancelled') return { state: 'cancelled' }
  const left = await readStepError(work)
  const ended = exitError(exit, work, stderr)
  if (left !== null && (ended === null || ended.kind === 'exit-code')) return failed(left)
  if (ended !== null) return failed(ended)
  const read = await readStepReport(work)
  if ('problem' in read) return failed(withoutResult(work, read.problem))
  const report: StepReport = { ...read.report, peakMemoryBytes: exit.peakMemoryBytes ?? read.report.peakMemoryBytes }
  const refused = work.strict ? refusedByStrict(work, report) : null
  return refused === null ? { state: 'succeeded', report } : failed(refused)
}

function failed(error: UserCodeError): StepOutcome {
  return { state: 'failed', error, retryable: isRetryable(error.kind) }
}

function withoutResult(work: StepWork, problem: string): UserCodeError {
  return {
    kind: 'contract',
    type: 'contract',
    message: `${work.definition.id} ended without a result: ${problem}`,
    frames: [],
    inputs: [],
    hint: 'return from run instead of ending the process',
  }
}
