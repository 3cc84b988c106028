/**
 * The environment of a project's lock, read from its inspection alone: no Python is started. What is installed is held
 * against the inspection by listing the `dist-info` folders, so that a hand-changed environment is refused.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import { environmentFolder } from './environment-folder.ts'
import { findPython } from './find-python.ts'
import type { PythonEnvironment } from './python-environment.ts'
import { readInspection } from './sync-packages.ts'

export interface LoadEnvironmentOptions {
  readonly root: string
}

/** Null when the project has no lock. Throws PACKAGES_NOT_INSTALLED and PACKAGES_DRIFTED. */
export async function loadEnvironment(options: LoadEnvironmentOptions): Promise<PythonEnvironment | null> {
  const lock = path.join(options.root, 'requirements.lock')
  if (!existsSync(lock)) return null
  const folder = environmentFolder(readFileSync(lock, 'utf8'), await findPython())
  const environment = await readInspection(folder)
  if (environment === null) {
    throw new CellmillError('PACKAGES_NOT_INSTALLED', 'the packages of requirements.lock are not installed here', {
      hint: 'cellmill packages sync',
    })
  }
  const differing = drift(environment)
  if (differing.length > 0) {
    throw new CellmillError(
      'PACKAGES_DRIFTED',
      `installed packages differ from the lock: ${differing.slice(0, 5).join(', ')}`,
      {
        hint: `rm -r ${folder}, then  cellmill packages sync`,
        details: { differing, folder },
      },
    )
  }
  return environment
}

function drift(environment: PythonEnvironment): readonly string[] {
  const normal = (text: string): string => text.toLowerCase().replaceAll(/[-_.]+/g, '-')
  const expected = new Set(environment.distributions.map(({ name, version }) => normal(`${name}-${version}`)))
  const installed = new Set(
    readdirSync(environment.sitePackages)
      .filter((name) => name.endsWith('.dist-info'))
      .map((name) => normal(name.slice(0, -'.dist-info'.length))),
  )
  return [
    ...[...installed].filter((name) => !expected.has(name)),
    ...[...expected].filter((name) => !installed.has(name)),
  ].sort()
}
