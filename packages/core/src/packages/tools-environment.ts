/**
 * What a notebook's kernel needs besides the notebook's own packages: ipykernel and cloudpickle, locked by us. It is
 * appended at the end of sys.path, so that the project's versions win.
 */
import path from 'node:path'
import { pythonPackageRoot } from '../sibling.ts'
import type { FoundPython } from './find-python.ts'
import { syncPackages } from './sync-packages.ts'

/** The site-packages folder of the tools. Throws PACKAGES_FAILED. */
export async function toolsEnvironment(interpreter: FoundPython): Promise<string> {
  const environment = await syncPackages({
    root: path.join(pythonPackageRoot()),
    interpreter,
    lockFile: 'tools-requirements.lock',
  })
  return environment.sitePackages
}
