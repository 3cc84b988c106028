/** `cellmill publish RUN`. */
import { publishFinishedRun } from '@cellmill/core/operations/publish-finished-run.ts'
import { flagOption, textArgument, textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { reportMoved } from './report-moved.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const moved = await publishFinishedRun(workspace, {
    run: textArgument(context, 0),
    environment: textOption(context, 'to') ?? context.global.env,
    message: textOption(context, 'message') ?? '',
    allowMixed: flagOption(context, 'allowMixed'),
    dryRun: flagOption(context, 'dryRun'),
  })
  return reportMoved(context, moved, `published to ${moved.environment} as release ${moved.release}`)
}
