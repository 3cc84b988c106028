/**
 * Runs Python steps: one process each, on the project's locked environment, in the sandbox. The process is not trusted:
 * what it says is taken only in the shapes of ../runtime.ts, and what it left is looked at when it is gone.
 */
import path from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import { attemptOutcome } from '../attempt/outcome.ts'
import type { AttemptReader } from '../attempt/outcome.ts'
import type { Runtime, StepLog, StepOutcome, StepWork } from '../runtime.ts'
import type { Sandbox, SandboxExit, SandboxSpec } from '../sandbox/sandbox.ts'
import { readCellLines } from './cell-lines.ts'
import { compiledPackage } from './compiled-package.ts'
import { copyFonts, openFontCache } from './font-cache.ts'
import { stageStep } from './stage-step.ts'
import type { StagedStep } from './stage-step.ts'
import { stepEnvironment } from './step-environment.ts'
import { exitError, refusedByStrict } from './step-failure.ts'
import { readStepError, readStepReport } from './step-report.ts'

export interface PythonRuntimeOptions {
  readonly sandbox: Sandbox
  /** Asked once for each step, so that a missing or drifted environment fails the step and not the start. */
  readonly environment: () => Promise<PythonEnvironment>
  /**
   * The folder that holds the Python package `cellmill`.
   * @default a compiled copy of the one that comes with this package
   */
  readonly packageRoot?: string
  /**
   * Folder of the maps from generated lines to notebook cells.
   * @default `.cellmill/lines` of the project
   */
  readonly linesFolder?: string
  /**
   * Folder for what can be made again, such as matplotlib's list of fonts.
   * @default none: each step lists the fonts itself
   */
  readonly cacheFolder?: string
  /** @default 64 MiB of standard output and error together */
  readonly maxOutputBytes?: number
  /** @default 1024 processes and threads */
  readonly maxProcesses?: number
}

const defaultMaxOutputBytes = 64 * 1024 * 1024
const defaultMaxProcesses = 1024

export function pythonRuntime(options: PythonRuntimeOptions): Runtime {
  const fonts = new Map<string, Promise<string | null>>()
  const packages = new Map<string, Promise<string>>()
  return {
    language: 'python',
    run: (work, log, signal) => runPython(options, { work, log, signal, fonts, packages }),
    close: async () => {},
  }
}

interface Attempt {
  readonly work: StepWork
  readonly log: StepLog
  readonly signal: AbortSignal
  /** Font caches by environment, asked for once. */
  readonly fonts: Map<string, Promise<string | null>>
  /** Compiled packages, likewise. */
  readonly packages: Map<string, Promise<string>>
}

async function runPython(options: PythonRuntimeOptions, attempt: Attempt): Promise<StepOutcome> {
  const { work, signal } = attempt
  if (signal.aborted) return { state: 'cancelled' }
  const environment = await options.environment()
  const lines = await readCellLines(options.linesFolder ?? `${work.projectRoot}/.cellmill/lines`, work.codeFiles)
  const staged = await stageStep(work, {
    sandbox: options.sandbox,
    environment,
    packageRoot: options.packageRoot ?? (await packageFor(attempt, environment)),
    lines,
  })
  await stageFonts(options, attempt, { environment, binds: staged.binds })
  const exit = await spawnStep(options, attempt, staged, environment)
  return attemptOutcome(pythonAttempts, attempt, exit)
}

function packageFor({ packages }: Attempt, environment: PythonEnvironment): Promise<string> {
  const known = packages.get(environment.prefix)
  if (known !== undefined) return known
  const made = compiledPackage(environment)
  packages.set(environment.prefix, made)
  return made
}

async function stageFonts(
  { cacheFolder, sandbox }: PythonRuntimeOptions,
  { fonts, work }: Attempt,
  given: { readonly environment: PythonEnvironment; readonly binds: StagedStep['binds'] },
): Promise<void> {
  if (cacheFolder === undefined) return
  const key = given.environment.prefix
  if (!fonts.has(key)) fonts.set(key, openFontCache({ ...given, sandbox, cacheFolder }))
  const cache = await fonts.get(key)!
  if (cache !== null) await copyFonts(cache, path.join(work.folder, 'tmp', 'matplotlib'))
}

async function spawnStep(
  options: PythonRuntimeOptions,
  attempt: Attempt,
  staged: StagedStep,
  environment: PythonEnvironment,
): Promise<SandboxExit> {
  const { work, log, signal } = attempt
  const limits = work.definition.options
  const spec: SandboxSpec = {
    command: environment.python,
    // Not -I, which would ignore PYTHONHASHSEED; the environment holds only what is set here.
    args: ['-s', '-P', staged.main, staged.folder],
    env: stepEnvironment(work, environment, staged.folder),
    cwd: `${staged.folder}/work`,
    binds: staged.binds,
    network: limits.network.length > 0,
    memoryBytes: limits.memoryBytes,
    cpuSeconds: null,
    maxProcesses: options.maxProcesses ?? defaultMaxProcesses,
    maxFileBytes: null,
    maxOutputBytes: options.maxOutputBytes ?? defaultMaxOutputBytes,
    timeoutMs: limits.timeoutMs,
    control: 'none',
  }
  const child = options.sandbox.spawn(spec, signal)
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }
  child.onOutput((stream, chunk) => {
    const text = decoders[stream].write(chunk)
    if (text !== '') log.write(stream, text)
  })
  return child.exited
}

/** How Python's attempts are read. */
export const pythonAttempts: AttemptReader = {
  readError: readStepError,
  exitError,
  readReport: readStepReport,
  refusedByStrict,
  returnHint: 'return from the function instead of ending the process, and leave the outputs folder alone',
}
