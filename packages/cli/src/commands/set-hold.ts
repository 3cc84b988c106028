/** What hold and unhold share. */
import { holdEnvironment } from '@cellmill/core/operations/hold-environment.ts'
import { textArgument } from '../command.ts'
import type { CommandContext } from '../command.ts'

export async function setHold(context: CommandContext, held: boolean): Promise<number> {
  const workspace = await context.workspace()
  const named = textArgument(context, 0)
  const answer = await holdEnvironment(workspace, { environment: named === '' ? context.global.env : named, held })
  if (context.output.json) context.output.writeJson(answer)
  else {
    const undo = `undo: cellmill ${held ? 'unhold' : 'hold'} ${answer.environment}`
    context.output.sayAlways(
      held
        ? `${answer.environment} is held: runs build but do not publish   ${undo}`
        : `${answer.environment} publishes again   ${undo}`,
    )
  }
  return 0
}
