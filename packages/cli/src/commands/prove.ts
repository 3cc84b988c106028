/** `cellmill prove NOTEBOOK`: the proof again, against what the notebook now graduates to; --accept records intended differences. */
import { CellmillError } from '@cellmill/core/errors.ts'
import { proveNotebook } from '@cellmill/core/operations/graduation/prove-notebook.ts'
import { listOption, textArgument, textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { startProgress } from '../output/progress.ts'
import { reportGraduation } from './report-graduation.ts'

export async function handle(context: CommandContext): Promise<number> {
  const accepted = listOption(context, 'accept')
  const why = textOption(context, 'message')
  if (accepted.length > 0 && why === null) {
    throw new CellmillError('USAGE', '--accept needs a reason', {
      hint: `cellmill prove ${textArgument(context, 0)} --accept ${accepted[0]!} -m "why it differs"`,
    })
  }
  const workspace = await context.workspace()
  const progress = startProgress(context.output)
  const answer = await proveNotebook(workspace, {
    notebook: textArgument(context, 0),
    cwd: context.cwd,
    accepted: new Map(accepted.map((asset) => [asset, why!])),
    signal: context.signal,
    say: progress.say,
  }).finally(() => progress.close())
  return reportGraduation(context, answer)
}
