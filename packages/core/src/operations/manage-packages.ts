/** `packages lock|sync`: resolves requirements.txt into requirements.lock, and installs the lock. Works before a project is valid. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import { findPython } from '../packages/find-python.ts'
import { lockPackages } from '../packages/lock-packages.ts'
import type { PythonEnvironment } from '../packages/python-environment.ts'
import { syncPackages } from '../packages/sync-packages.ts'
import { findProject } from '../project/find-project.ts'

export interface PackagesOptions {
  readonly folder: string
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export interface LockedProject {
  readonly file: string
  readonly packages: number
  readonly python: string
  readonly asOf: string | null
}

export async function lockProject(options: PackagesOptions & { readonly asOf: string | null }): Promise<LockedProject> {
  const root = findProject(options.folder)
  if (!existsSync(path.join(root, 'requirements.txt'))) {
    throw new CellmillError('USAGE', 'there is no requirements.txt to lock', {
      hint: 'write one: a package a line, such as  pandas',
    })
  }
  const interpreter = await findPython()
  options.say(`resolving requirements.txt for Python ${interpreter.version}`)
  const locked = await lockPackages({ root, interpreter, asOf: options.asOf, signal: options.signal })
  return { file: 'requirements.lock', packages: locked.packages.length, python: interpreter.version, asOf: locked.asOf }
}

export async function syncProject(
  options: PackagesOptions,
): Promise<{ readonly packages: number; readonly python: string; readonly prefix: string }> {
  const root = findProject(options.folder)
  const environment = await syncRoot(root, options)
  return { packages: environment.distributions.length, python: environment.version, prefix: environment.prefix }
}

export async function syncRoot(
  root: string,
  options: Pick<PackagesOptions, 'signal' | 'say'>,
): Promise<PythonEnvironment> {
  if (!existsSync(path.join(root, 'requirements.lock'))) {
    throw new CellmillError('USAGE', 'there is no requirements.lock to install', { hint: 'cellmill packages lock' })
  }
  const interpreter = await findPython()
  options.say(`installing requirements.lock for Python ${interpreter.version}`)
  return syncPackages({ root, interpreter, signal: options.signal })
}
