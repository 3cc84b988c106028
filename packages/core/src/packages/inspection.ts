/** What was found in an environment when it was made, beside its packages: read by later loads in place of starting Python. */
import { readFileSync, readdirSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { PythonEnvironment } from './python-environment.ts'

/** Written last, so that a folder with it is complete. */
const fileName = 'cellmill-environment.json'

export interface Inspection {
  readonly environment: PythonEnvironment
  /** Names of the `dist-info` folders, as they are on disk. */
  readonly installed: readonly string[]
}

/** Null when the folder is not there or was never finished. */
export function readInspection(folder: string): Inspection | null {
  try {
    return JSON.parse(readFileSync(path.join(folder, fileName), 'utf8')) as Inspection
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return null
    throw error
  }
}

export async function writeInspection(folder: string, environment: PythonEnvironment): Promise<void> {
  const inspection: Inspection = { environment, installed: installedIn(environment) }
  const temporary = path.join(folder, `${fileName}.${process.pid}`)
  await writeFile(temporary, JSON.stringify(inspection))
  await rename(temporary, path.join(folder, fileName))
}

export function installedIn(environment: PythonEnvironment): readonly string[] {
  return readdirSync(environment.sitePackages)
    .filter((name) => name.endsWith('.dist-info') || name.endsWith('.egg-link') || name.endsWith('.egg-info'))
    .sort()
}
