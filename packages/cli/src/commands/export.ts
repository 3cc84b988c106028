/** `cellmill export ASSET --to FILE`. */
import { CellmillError } from '@cellmill/core/errors.ts'
import { exportSnapshot } from '@cellmill/core/operations/export-snapshot.ts'
import { flagOption, textArgument, textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'

export async function handle(context: CommandContext): Promise<number> {
  const asset = textArgument(context, 0)
  const to = textOption(context, 'to')
  if (to === null)
    throw new CellmillError('USAGE', 'export needs a target', { hint: `cellmill export ${asset} --to ${asset}.csv` })
  const workspace = await context.workspace()
  const exported = await exportSnapshot(workspace, {
    asset,
    environment: context.global.env,
    version: textOption(context, 'version'),
    to,
    force: flagOption(context, 'force'),
  })
  if (context.output.json) context.output.writeJson(exported)
  else context.output.sayAlways(`wrote ${exported.file}`)
  return 0
}
