/** An environment without packages, made with the interpreter's own venv: needs neither uv nor a network. */
import { CellmillError } from '../errors.ts'
import { environmentFolder } from './environment-folder.ts'
import type { FoundPython } from './find-python.ts'
import type { PythonEnvironment } from './python-environment.ts'
import { runCommand } from './run-command.ts'
import { makeEnvironment } from './sync-packages.ts'

/** Throws PACKAGES_FAILED. */
export async function syncEmpty(interpreter: FoundPython): Promise<PythonEnvironment> {
  return makeEnvironment({
    folder: environmentFolder('', interpreter),
    lockDigest: '',
    fill: async (folder) => {
      const made = await runCommand(interpreter.python, ['-I', '-m', 'venv', '--without-pip', folder])
      if (made.code === 0) return
      throw new CellmillError('PACKAGES_FAILED', `${interpreter.python} could not make an environment.`, {
        hint: 'apt install python3-venv',
        details: { stderr: made.stderr.slice(-2000) },
      })
    },
  })
}
