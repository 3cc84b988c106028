/**
 * One process at a time fills an environment's folder: the second waits and finds it done. The lock is a file with its
 * owner's machine and pid, so that one left by a killed process is taken over.
 */
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CellmillError } from '../errors.ts'

/** For owners on other machines, of whom nothing else is known. */
const staleMs = 3_600_000
const pollMs = 200

export async function whileLocked<T>(
  folder: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const file = `${folder}.lock`
  await mkdir(path.dirname(file), { recursive: true })
  while (!(await take(file))) {
    if (signal?.aborted === true) throw new CellmillError('CANCELLED', 'The command was interrupted.')
    if (await isAbandoned(file)) await rm(file, { force: true })
    else await sleep(pollMs)
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

/** By a link, so that the file never exists without its owner's name in it. */
async function take(file: string): Promise<boolean> {
  const own = `${file}.${process.pid}`
  await writeFile(own, JSON.stringify({ host: hostname(), pid: process.pid }))
  try {
    await link(own, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(own, { force: true })
  }
}

async function isAbandoned(file: string): Promise<boolean> {
  try {
    const { host, pid } = JSON.parse(await readFile(file, 'utf8')) as { readonly host: string; readonly pid: number }
    if (host !== hostname()) return Date.now() - (await stat(file)).mtimeMs > staleMs
    process.kill(pid, 0)
    return false
  } catch (error) {
    // ENOENT: its owner is done. EPERM: it lives, as another user. A text that is no JSON was not written by us.
    return (error as NodeJS.ErrnoException).code === 'ESRCH' || error instanceof SyntaxError
  }
}
