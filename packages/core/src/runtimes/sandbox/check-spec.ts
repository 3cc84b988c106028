/** What every adapter refuses before it starts anything: relative paths, NUL bytes, and bound sources that are not there. */
import { realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { CellmillError } from '../../errors.ts'
import type { Bind, SandboxSpec } from './sandbox.ts'

/** Throws SANDBOX_FAILED. */
export function checkSpec(spec: SandboxSpec): void {
  const texts = [spec.command, spec.cwd, ...spec.args, ...Object.entries(spec.env).flat()]
  if (texts.some((text) => text.includes('\0'))) throw refused('an argument or a variable holds a NUL byte')
  for (const name of Object.keys(spec.env)) {
    if (name === '' || name.includes('=')) throw refused(`${JSON.stringify(name)} is no name of a variable`)
  }
  for (const file of [spec.command, spec.cwd]) if (!path.isAbsolute(file)) throw refused(`${file} is not absolute`)
  for (const bind of spec.binds) checkBind(bind)
}

/** Without capabilities, root inside may write only to what is root's outside. */
export function checkOwners(spec: SandboxSpec): void {
  if (process.geteuid?.() !== 0) return
  for (const { source, writable } of spec.binds) {
    if (!writable) continue
    const { uid, mode } = statSync(realpathSync(source))
    if (uid === 0 || (mode & 0o002) !== 0) continue
    throw new CellmillError(
      'SANDBOX_FAILED',
      `${source} belongs to another user (${uid}), so a sandboxed process of root cannot write to it.`,
      {
        hint: `run as that user, or  chown root ${source}`,
        details: { folder: source, uid },
      },
    )
  }
}

function checkBind({ source, target }: Bind): void {
  for (const file of [source, target]) {
    if (!path.isAbsolute(file) || file.includes('\0')) throw refused(`${JSON.stringify(file)} is no absolute path`)
    if (path.resolve(file) === '/') throw refused('the whole file system cannot be given to a step')
  }
  if (statSync(source, { throwIfNoEntry: false }) === undefined) throw refused(`${source} is not there`)
}

function refused(why: string): CellmillError {
  return new CellmillError('SANDBOX_FAILED', `A process could not be started in its sandbox: ${why}.`, {
    hint: 'Restore the file or folder that is named, and run again.',
  })
}
