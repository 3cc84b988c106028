/** For projects without a lock: the interpreter and its standard library, nothing else. */
import { findPython } from './find-python.ts'
import type { PythonEnvironment } from './python-environment.ts'
import { syncEmpty } from './sync-empty.ts'

/** An environment without packages, made once per interpreter. */
export async function bareEnvironment(): Promise<PythonEnvironment> {
  return syncEmpty(await findPython())
}
