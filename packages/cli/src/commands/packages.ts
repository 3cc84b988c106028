/** `cellmill packages lock|sync`. */
import { CellmillError } from '@cellmill/core/errors.ts'
import { textArgument, textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { lockProject, syncProject } from '@cellmill/core/operations/manage-packages.ts'

export async function handle(context: CommandContext): Promise<number> {
  const action = textArgument(context, 0)
  const folder = context.global.project ?? context.cwd
  if (action === 'lock') {
    const locked = await lockProject({
      folder,
      asOf: textOption(context, 'asOf'),
      signal: context.signal,
      say: (line) => context.output.say(line),
    })
    if (context.output.json) context.output.writeJson(locked)
    else context.output.sayAlways(`locked ${locked.packages} packages in ${locked.file}   next: cellmill packages sync`)
    return 0
  }
  if (action === 'sync') {
    const synced = await syncProject({ folder, signal: context.signal, say: (line) => context.output.say(line) })
    if (context.output.json) context.output.writeJson(synced)
    else context.output.sayAlways(`${synced.packages} packages for Python ${synced.python} are installed`)
    return 0
  }
  throw new CellmillError('USAGE', `packages takes lock or sync, and got '${action}'`, {
    hint: 'cellmill packages lock',
  })
}
