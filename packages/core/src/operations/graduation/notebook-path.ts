/** A notebook as typed, to its path in the project. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { CellmillError } from '../../errors.ts'

/** Relative to the project, forward slashes. Throws NOTEBOOK_UNREADABLE for what lies elsewhere or is not there. */
export function notebookPath(root: string, options: { readonly notebook: string; readonly cwd: string }): string {
  const absolute = path.resolve(options.cwd, options.notebook)
  if (!existsSync(absolute)) {
    throw new CellmillError('NOTEBOOK_UNREADABLE', `there is no notebook ${options.notebook}`, { hint: 'ls notebooks' })
  }
  const relative = path.relative(root, absolute).split(path.sep).join('/')
  if (relative.startsWith('../') || path.isAbsolute(relative)) {
    throw new CellmillError('NOTEBOOK_UNREADABLE', `${options.notebook} is not in the project`, {
      hint: `cp ${options.notebook} notebooks/`,
    })
  }
  return relative
}
