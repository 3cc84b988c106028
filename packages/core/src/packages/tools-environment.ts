/**
 * What a notebook's kernel needs besides the notebook's own packages: ipykernel and cloudpickle, locked by us. It is
 * appended at the end of sys.path, so that the project's versions win.
 */
import { pythonPackageRoot } from '../sibling.ts'
import type { FoundPython } from './find-python.ts'
import { syncPackages } from './sync-packages.ts'

/** The site-packages folder of the tools. Throws PACKAGES_FAILED. */
export async function toolsEnvironment(interpreter: FoundPython, signal?: AbortSignal): Promise<string> {
  const lockFile = 'tools-requirements.lock'
  const { sitePackages } = await syncPackages({ root: pythonPackageRoot(), interpreter, lockFile, signal })
  return sitePackages
}
