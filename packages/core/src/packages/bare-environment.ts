/** For projects without a lock: the interpreter and its standard library, nothing else. */
import path from 'node:path'
import { findPython } from './find-python.ts'
import { syncEmpty } from './sync-empty.ts'
import type { PythonEnvironment } from './python-environment.ts'

/** An environment without packages, made once per interpreter. */
export async function bareEnvironment(): Promise<PythonEnvironment> {
  const interpreter = await findPython()
  const environment = await syncEmpty(interpreter)
  return { ...environment, prefix: path.resolve(environment.prefix) }
}
