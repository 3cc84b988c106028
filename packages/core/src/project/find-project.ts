/** The project a command means: the nearest folder upward that holds `cellmill.config.ts`, or the folder that was named. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { CellmillError } from '../errors.ts'

export const configFile = 'cellmill.config.ts'

/** Absolute root. `named` (from `--project`) is taken as it is, never searched upward from. Throws PROJECT_NOT_FOUND. */
export function findProject(from: string, named: string | null = null): string {
  if (named !== null) {
    const root = path.resolve(from, named)
    if (existsSync(path.join(root, configFile))) return root
    throw new CellmillError('PROJECT_NOT_FOUND', `there is no ${configFile} in ${root}`, {
      hint: 'cellmill init NAME  makes a project',
      details: { folder: root },
    })
  }
  const start = path.resolve(from)
  for (let at = start; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, configFile))) return at
    if (path.dirname(at) === at) break
  }
  throw new CellmillError('PROJECT_NOT_FOUND', `no folder from ${start} upward has a ${configFile}`, {
    hint: 'cellmill init NAME  makes a project; --project DIR names one',
    details: { folder: start },
  })
}
