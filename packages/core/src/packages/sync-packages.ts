/**
 * Installs a lock into its environment. The folder's name says what is in it; it is filled under its own name behind a
 * lock, since a Python environment cannot be moved, and counts only once its inspection is written.
 */
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../canonical.ts'
import { CellmillError } from '../errors.ts'
import { environmentFolder, inspectionFile } from './environment-folder.ts'
import type { FoundPython } from './find-python.ts'
import { findUv, proxyEnvironment } from './find-uv.ts'
import { inspectEnvironment } from './inspect-environment.ts'
import type { PythonEnvironment } from './python-environment.ts'
import { runCommand } from './run-command.ts'

export interface SyncOptions {
  /** Folder that holds `requirements.lock`. */
  readonly root: string
  readonly interpreter: FoundPython
  /** @default requirements.lock */
  readonly lockFile?: string
  readonly signal?: AbortSignal | undefined
}

/** Throws PACKAGES_FAILED. */
export async function syncPackages(options: SyncOptions): Promise<PythonEnvironment> {
  const lockPath = path.join(options.root, options.lockFile ?? 'requirements.lock')
  const lockText = await readFile(lockPath, 'utf8')
  const folder = environmentFolder(lockText, options.interpreter)
  const ready = await readInspection(folder)
  if (ready !== null) return ready
  await mkdir(path.dirname(folder), { recursive: true })
  const unlock = await lockFolder(folder, options.signal)
  try {
    const meanwhile = await readInspection(folder)
    if (meanwhile !== null) return meanwhile
    await rm(folder, { recursive: true, force: true })
    await install(folder, lockPath, options)
    const environment = {
      ...(await inspectEnvironment(path.join(folder, 'bin', 'python'))),
      lockDigest: sha256(lockText),
    }
    await writeFile(path.join(folder, inspectionFile), JSON.stringify(environment))
    return environment
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  } finally {
    await unlock()
  }
}

/** Null when the folder is not there or was never finished. */
export async function readInspection(folder: string): Promise<PythonEnvironment | null> {
  const file = path.join(folder, inspectionFile)
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as PythonEnvironment) : null
}

async function install(folder: string, lockPath: string, options: SyncOptions): Promise<void> {
  const uv = await findUv()
  const run = async (args: readonly string[]): Promise<void> => {
    const ended = await runCommand(uv, args, { env: proxyEnvironment(), signal: options.signal, timeoutMs: 1_800_000 })
    if (ended.code !== 0) throw failed(ended.stderr)
  }
  await run(['venv', '--quiet', '--python', options.interpreter.python, folder])
  const python = path.join(folder, 'bin', 'python')
  await run([
    'pip',
    'sync',
    '--quiet',
    '--python',
    python,
    '--require-hashes',
    '--compile-bytecode',
    '--only-binary',
    ':all:',
    '--allow-empty-requirements',
    lockPath,
  ])
}

function failed(stderr: string): CellmillError {
  const line =
    stderr.split('\n').find((text) => /error|failed|no matching|not found|because/i.test(text)) ??
    stderr.trim().split('\n')[0] ??
    ''
  return new CellmillError(
    'PACKAGES_FAILED',
    `the packages could not be installed: ${line.replace(/^\s*(?:error:|×)\s*/i, '').trim()}`,
    {
      hint: 'look at the package that is named; cellmill packages lock  resolves requirements.txt again',
      details: { stderr: stderr.slice(-4000) },
    },
  )
}

const staleLockMs = 1_800_000

/** Two processes that install the same lock: the second waits, and then finds it done. */
async function lockFolder(folder: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  const file = `${folder}.lock`
  for (;;) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(String(process.pid))
      await handle.close()
      return async () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (await isStale(file)) await rm(file, { force: true })
    else await sleep(300, undefined, signal === undefined ? {} : { signal })
  }
}

async function isStale(file: string): Promise<boolean> {
  try {
    const pid = Number(await readFile(file, 'utf8'))
    const { mtimeMs } = await stat(file)
    if (Date.now() - mtimeMs > staleLockMs) return true
    if (pid > 0) process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
