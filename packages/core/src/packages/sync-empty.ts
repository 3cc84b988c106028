/** An environment without packages, made with the interpreter's own venv: needs neither uv nor a network. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import { environmentFolder, inspectionFile } from './environment-folder.ts'
import type { FoundPython } from './find-python.ts'
import { inspectEnvironment } from './inspect-environment.ts'
import type { PythonEnvironment } from './python-environment.ts'
import { runCommand } from './run-command.ts'
import { readInspection } from './sync-packages.ts'

export async function syncEmpty(interpreter: FoundPython): Promise<PythonEnvironment> {
  const folder = environmentFolder('', interpreter)
  const ready = await readInspection(folder)
  if (ready !== null) return ready
  await mkdir(path.dirname(folder), { recursive: true })
  await rm(folder, { recursive: true, force: true })
  const made = await runCommand(interpreter.python, ['-I', '-m', 'venv', '--without-pip', folder])
  if (made.code !== 0) {
    throw new CellmillError('PACKAGES_FAILED', 'Python could not make an environment', {
      hint: 'apt install python3-venv',
      details: { stderr: made.stderr.slice(-2000) },
    })
  }
  const environment = await inspectEnvironment(path.join(folder, 'bin', 'python'))
  await writeFile(path.join(folder, inspectionFile), JSON.stringify(environment))
  return environment
}
