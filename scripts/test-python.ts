/**
 * The Python environment that tests run on: the lock in test/packages, installed once per machine by the same code that
 * installs a user's lock, and linked as `.venv` so that editors and pytest find it.
 */
import { existsSync, lstatSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { syncPackages } from '@cellmill/core/packages/sync-packages.ts'
import { findPython } from '@cellmill/core/packages/find-python.ts'

const root = path.resolve(import.meta.dirname, '..')

/** Absolute path of the interpreter. */
export async function testPython(): Promise<string> {
  const interpreter = await findPython()
  const environment = await syncPackages({ root: path.join(root, 'test', 'packages'), interpreter })
  const link = path.join(root, '.venv')
  const stat = lstatSync(link, { throwIfNoEntry: false })
  if (stat?.isSymbolicLink() === true && readlinkSync(link) !== environment.prefix) rmSync(link)
  if (!existsSync(link)) symlinkSync(environment.prefix, link)
  return environment.python
}
