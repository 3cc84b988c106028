/**
 * Python steps as forks of one process in one sandbox that has their packages imported already: what a proof uses to
 * replay each step and its mutants, with as many threads as the notebook had. They share one namespace and one trust:
 * that of the notebook which they came from. Results are read as those of any step; the pipeline's own runs stay one
 * sandbox for each step.
 */
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import { attemptOutcome } from '../attempt/outcome.ts'
import type { Runtime, StepLog, StepOutcome, StepWork } from '../runtime.ts'
import type { Bind, Sandbox, SandboxedProcess, SandboxExit } from '../sandbox/sandbox.ts'
import { readCellLines } from './cell-lines.ts'
import { compiledPackage } from './compiled-package.ts'
import { copyFonts, openFontCache } from './font-cache.ts'
import { pythonAttempts } from './python-runtime.ts'
import { interpreterBinds, stageStep } from './stage-step.ts'
import { kernelThreads, stepEnvironment } from './step-environment.ts'

export interface ForkingRuntimeOptions {
  readonly sandbox: Sandbox
  readonly environment: PythonEnvironment
  readonly linesFolder: string
  readonly cacheFolder: string
  /** Absolute folders that steps read: inputs, sources, captures. */
  readonly readable: readonly string[]
  /** Absolute; attempts' folders are below it. */
  readonly writable: string
  /** File of the module whose imports are done ahead. */
  readonly preload: string
  /** The process's own variables, of which only numbers of threads are passed on. */
  readonly hostVariables: Readonly<Record<string, string | undefined>>
  /** Folders whose modules are the project's own, and are not imported ahead. */
  readonly projectFolders: readonly string[]
}

interface Answer {
  readonly id: string
  /** Of a child that a signal ended, 128 and its number. */
  readonly code: number
}

const maxPrintedBytes = 16 * 1024 * 1024

export function forkingPythonRuntime(options: ForkingRuntimeOptions): Runtime {
  let server: Promise<ForkServer> | null = null
  return {
    language: 'python',
    run: async (work, log, signal) => {
      if (signal.aborted) return { state: 'cancelled' }
      return runFork(options, await (server ??= ForkServer.start(options)), { work, log, signal })
    },
    // One that did not start has said so to the step that asked for it.
    close: async () => (await server?.catch(() => null))?.close(),
  }
}

interface Attempt {
  readonly work: StepWork
  readonly log: StepLog
  readonly signal: AbortSignal
}

async function runFork(options: ForkingRuntimeOptions, server: ForkServer, attempt: Attempt): Promise<StepOutcome> {
  const { work, log } = attempt
  const lines = await readCellLines(options.linesFolder, work.codeFiles)
  const { sandbox, environment } = options
  const { packageRoot } = server
  const staged = await stageStep(work, { sandbox, environment, packageRoot, lines, inPlace: true })
  const env = kernelThreads(stepEnvironment(work, environment, staged.folder), options.hostVariables)
  const exit = await server.run({ id: work.folder, folder: staged.folder, env }, attempt.signal)
  for (const stream of ['stdout', 'stderr'] as const) {
    const text = await readFile(path.join(work.folder, stream)).catch(() => Buffer.alloc(0))
    if (text.length > 0) log.write(stream, text.subarray(0, maxPrintedBytes).toString('utf8'))
  }
  return attemptOutcome(pythonAttempts, attempt, exit)
}

interface ForkRequest {
  readonly id: string
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

class ForkServer {
  readonly packageRoot: string
  readonly #process: SandboxedProcess
  readonly #waiting: Map<string, (exit: SandboxExit) => void> = new Map()
  #ended: SandboxExit | null = null

  private constructor(process: SandboxedProcess, packageRoot: string) {
    this.#process = process
    this.packageRoot = packageRoot
    process.onControl((line) => this.#answered(line))
    void process.exited.then((exit) => {
      this.#ended = exit
      for (const end of this.#waiting.values()) end(exit)
      this.#waiting.clear()
    })
  }

  static async start(options: ForkingRuntimeOptions): Promise<ForkServer> {
    const { sandbox, environment, writable } = options
    const packageRoot = await compiledPackage(environment)
    const home = path.join(writable, 'fork-server')
    await mkdir(path.join(home, 'tmp'), { recursive: true })
    const inPlace = (folder: string, isWritable: boolean): Bind => ({
      source: folder,
      target: folder,
      writable: isWritable,
    })
    const interpreter = await interpreterBinds({ environment, packageRoot }, (folder) => inPlace(folder, false))
    const fonts = await openFontCache({ sandbox, environment, binds: interpreter, cacheFolder: options.cacheFolder })
    if (fonts !== null) await copyFonts(fonts, path.join(home, 'tmp', 'matplotlib'))
    const readable = [...new Set([...options.readable, path.dirname(options.preload)])]
    const process = sandbox.spawn({
      command: environment.python,
      args: ['-s', '-P', path.join(packageRoot, 'cellmill/_runner/fork_server.py')],
      env: kernelThreads(stepEnvironment(null, environment, home), options.hostVariables),
      cwd: home,
      binds: [...interpreter, ...readable.map((folder) => inPlace(folder, false)), inPlace(writable, true)],
      network: false,
      memoryBytes: null,
      cpuSeconds: null,
      maxProcesses: 1024,
      maxFileBytes: null,
      maxOutputBytes: maxPrintedBytes,
      timeoutMs: null,
      control: 'pipe',
    })
    process.onOutput(() => {})
    const server = new ForkServer(process, packageRoot)
    process.send(JSON.stringify({ preload: options.preload, skip: options.projectFolders }))
    return server
  }

  run(request: ForkRequest, signal: AbortSignal): Promise<SandboxExit> {
    if (this.#ended !== null) return Promise.resolve(this.#ended)
    const startedAt = performance.now()
    return new Promise((resolve) => {
      const cancel = (): void => this.#process.kill('cancelled')
      signal.addEventListener('abort', cancel, { once: true })
      this.#waiting.set(request.id, (exit) => {
        signal.removeEventListener('abort', cancel)
        resolve({ ...exit, ms: Math.round(performance.now() - startedAt) })
      })
      this.#process.send(JSON.stringify(request))
    })
  }

  async close(): Promise<void> {
    this.#process.kill('cancelled')
    await this.#process.exited
  }

  #answered(line: string): void {
    const answer = readAnswer(line)
    const end = answer === null ? undefined : this.#waiting.get(answer.id)
    if (answer === null || end === undefined) return
    this.#waiting.delete(answer.id)
    end({ code: answer.code, signal: null, reason: 'exited', ms: 0, peakMemoryBytes: null })
  }
}

function readAnswer(line: string): Answer | null {
  try {
    return JSON.parse(line) as Answer
  } catch {
    return null
  }
}
