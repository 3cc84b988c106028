/** `cellmill rollback [ENV] [--to RELEASE]`. */
import { CellmillError } from '@cellmill/core/errors.ts'
import { rollback } from '@cellmill/core/operations/roll-back.ts'
import { flagOption, textArgument, textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { reportMoved } from './report-moved.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const named = textArgument(context, 0)
  const moved = await rollback(workspace, {
    environment: named === '' ? context.global.env : named,
    to: releaseOf(textOption(context, 'to')),
    dryRun: flagOption(context, 'dryRun'),
  })
  return reportMoved(context, moved, `${moved.environment} is back at release ${moved.to}, as release ${moved.release}`)
}

function releaseOf(text: string | null): number | null {
  if (text === null) return null
  const number = Number(text.replace(/^.*@/, ''))
  if (!Number.isInteger(number) || number < 1)
    throw new CellmillError('USAGE', `--to takes a release number, and got '${text}'`, {
      hint: 'cellmill status shows the releases',
    })
  return number
}
