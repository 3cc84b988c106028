/**
 * Runs TypeScript steps: one Node process each, in the sandbox, which imports the step's module and nothing else. The
 * process is not trusted: what it left is looked at when it is gone, and taken only in the shapes of ../runtime.ts.
 */
import { StringDecoder } from 'node:string_decoder'
import { attemptOutcome } from '../attempt/outcome.ts'
import type { Runtime, StepLog, StepOutcome, StepWork } from '../runtime.ts'
import type { Sandbox, SandboxExit, SandboxSpec } from '../sandbox/sandbox.ts'
import { exitError, refusedByStrict } from './node-failure.ts'
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
  const reader = {
    readError: readStepError,
    exitError: (ended: SandboxExit, work: StepWork) => exitError(ended, work, tail.stderr),
    readReport: readStepReport,
    refusedByStrict,
    returnHint: 'return from run instead of ending the process',
  }
  return attemptOutcome(reader, attempt, exit)
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
