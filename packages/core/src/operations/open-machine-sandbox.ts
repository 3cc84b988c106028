/** The best walls of this machine, for operations that need no project. */
import { findPython } from '../packages/find-python.ts'
import { openSandbox } from '../runtimes/sandbox/open-sandbox.ts'
import type { Sandbox } from '../runtimes/sandbox/sandbox.ts'

export async function openMachineSandbox(): Promise<Sandbox> {
  const python = await findPython().then(
    (found) => found.python,
    () => null,
  )
  return openSandbox({ mode: 'auto', python })
}
