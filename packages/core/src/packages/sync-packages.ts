/**
 * Installs a lock into its environment. The folder's name says what is in it; it is filled under its own name behind a
 * lock, since a Python environment cannot be moved, and counts only once its inspection is written.
 */
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { sha256 } from '../canonical.ts'
import { CellmillError } from '../errors.ts'
import { environmentFolder } from './environment-folder.ts'
import type { FoundPython } from './find-python.ts'
import { findUv, toolEnvironment } from './find-uv.ts'
import { inspectEnvironment } from './inspect-environment.ts'
import { readInspection, writeInspection } from './inspection.ts'
import { whileLocked } from './install-lock.ts'
import { minorVersion, parseLockHeader } from './lock-file.ts'
import type { PythonEnvironment } from './python-environment.ts'
import { runCommand } from './run-command.ts'
import { toolFailure } from './tool-failure.ts'

export interface SyncOptions {
  /** Folder that holds `requirements.lock`. */
  readonly root: string
  readonly interpreter: FoundPython
  /** @default requirements.lock */
  readonly lockFile?: string
  readonly signal?: AbortSignal | undefined
}

const installMs = 3_600_000

/** Throws PACKAGES_FAILED naming the package; nothing half-installed is ever used. */
export async function syncPackages(options: SyncOptions): Promise<PythonEnvironment> {
  const lockPath = path.join(options.root, options.lockFile ?? 'requirements.lock')
  const lockText = await readFile(lockPath, 'utf8')
  checkInterpreter(lockText, options.interpreter)
  return makeEnvironment({
    folder: environmentFolder(lockText, options.interpreter),
    lockDigest: sha256(lockText),
    signal: options.signal,
    fill: (folder) => install(folder, lockPath, options),
  })
}

/** A lock holds the versions for one minor version of Python. Throws PACKAGES_NOT_INSTALLED. */
export function checkInterpreter(lockText: string, interpreter: FoundPython): void {
  const header = parseLockHeader(lockText)
  if (header === null || minorVersion(header.python) === minorVersion(interpreter.version)) return
  throw new CellmillError(
    'PACKAGES_NOT_INSTALLED',
    `requirements.lock was made for Python ${minorVersion(header.python)}, and this is Python ${interpreter.version}.`,
    { hint: `cellmill packages lock  or  export CELLMILL_PYTHON=python${minorVersion(header.python)}` },
  )
}

export interface MakeEnvironment {
  readonly folder: string
  readonly lockDigest: string
  readonly signal?: AbortSignal | undefined
  /** Makes a complete environment in the folder, which is not there yet. */
  readonly fill: (folder: string) => Promise<void>
}

/** The environment in the folder; made first when it is not there or was never finished. */
export async function makeEnvironment(options: MakeEnvironment): Promise<PythonEnvironment> {
  const { folder, lockDigest, signal } = options
  const ready = readInspection(folder)
  if (ready !== null) return ready.environment
  return whileLocked(folder, signal, async () => {
    const meanwhile = readInspection(folder)
    if (meanwhile !== null) return meanwhile.environment
    await rm(folder, { recursive: true, force: true })
    try {
      await options.fill(folder)
      const environment = { ...(await inspectEnvironment(folder)), lockDigest }
      await writeInspection(folder, environment)
      return environment
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  })
}

async function install(folder: string, lockPath: string, options: SyncOptions): Promise<void> {
  const uv = await findUv()
  const run = async (args: readonly string[]): Promise<void> => {
    const { signal } = options
    // Not the project's folder, whose configuration of uv is no part of the lock.
    const where = { cwd: path.dirname(folder), env: toolEnvironment(), signal, timeoutMs: installMs }
    const ended = await runCommand(uv, args, where)
    if (ended.code !== 0) throw failed(ended.stderr)
  }
  await run(['venv', '--quiet', '--no-project', '--python', options.interpreter.python, folder])
  const exact = ['--require-hashes', '--only-binary', ':all:', '--compile-bytecode', '--allow-empty-requirements']
  await run(['pip', 'sync', '--quiet', '--python', path.join(folder, 'bin', 'python'), ...exact, lockPath])
}

function failed(stderr: string): CellmillError {
  return toolFailure({
    stderr,
    message: 'The packages of requirements.lock cannot be installed',
    hint: 'look at the package that is named; cellmill packages lock  resolves requirements.txt again',
    again: 'cellmill packages sync',
  })
}
