/**
 * The environment of a project's lock, read from its inspection alone: no Python is started. What is installed is held
 * against the inspection by listing the `dist-info` folders, so that a hand-changed environment is refused.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import { environmentFolder } from './environment-folder.ts'
import { findPython } from './find-python.ts'
import { installedIn, readInspection } from './inspection.ts'
import type { Inspection } from './inspection.ts'
import type { PythonEnvironment } from './python-environment.ts'
import { checkInterpreter } from './sync-packages.ts'

export interface LoadEnvironmentOptions {
  readonly root: string
}

const shown = 5

/** Null when the project has no lock. Throws PACKAGES_NOT_INSTALLED and PACKAGES_DRIFTED. */
export async function loadEnvironment(options: LoadEnvironmentOptions): Promise<PythonEnvironment | null> {
  const lock = path.join(options.root, 'requirements.lock')
  if (!existsSync(lock)) return null
  const lockText = readFileSync(lock, 'utf8')
  const interpreter = await findPython()
  checkInterpreter(lockText, interpreter)
  const folder = environmentFolder(lockText, interpreter)
  const inspection = readInspection(folder)
  if (inspection === null || !existsSync(inspection.environment.python)) {
    throw new CellmillError('PACKAGES_NOT_INSTALLED', 'The packages of requirements.lock are not installed here.', {
      hint: 'cellmill packages sync',
    })
  }
  const differing = drift(inspection)
  if (differing.length === 0) return inspection.environment
  throw new CellmillError(
    'PACKAGES_DRIFTED',
    `The installed packages differ from the lock: ${differing.slice(0, shown).join(', ')}.`,
    { hint: `rm -r ${folder}  and  cellmill packages sync`, details: { differing, folder } },
  )
}

function drift({ environment, installed }: Inspection): readonly string[] {
  const expected = new Set(installed)
  const present = new Set(existsSync(environment.sitePackages) ? installedIn(environment) : [])
  const plain = (name: string): string => name.replace(/\.[a-z-]+$/, '')
  return [
    ...[...present].filter((name) => !expected.has(name)).map((name) => `${plain(name)} was added`),
    ...[...expected].filter((name) => !present.has(name)).map((name) => `${plain(name)} is missing`),
  ].sort()
}
