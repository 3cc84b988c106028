/** `cellmill graduate NOTEBOOK`: exit 0 when proven, 1 otherwise. */
import { graduateNotebook } from '@cellmill/core/operations/graduation/graduate-notebook.ts'
import { flagOption, listOption, textArgument, textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { CellmillError } from '@cellmill/core/errors.ts'
import { startProgress } from '../output/progress.ts'
import { assignments } from './plan-options.ts'
import { reportGraduation } from './report-graduation.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const progress = startProgress(context.output)
  const answer = await graduateNotebook(workspace, {
    notebook: textArgument(context, 0),
    cwd: context.cwd,
    into: textOption(context, 'into') ?? '',
    params: listOption(context, 'param'),
    sources: assignments(listOption(context, 'source'), '--source'),
    order: orderOf(textOption(context, 'order')),
    allowNetwork: listOption(context, 'allowNet'),
    pipeline: 'new',
    prove: context.options['prove'] !== false,
    force: flagOption(context, 'force'),
    accepted: new Map(),
    signal: context.signal,
    say: progress.say,
  }).finally(() => progress.close())
  return reportGraduation(context, answer)
}

function orderOf(text: string | null): 'document' | 'recorded' | null {
  if (text === null || text === 'document' || text === 'recorded') return text
  throw new CellmillError('USAGE', `there is no order '${text}'`, { hint: '--order document or --order recorded' })
}
