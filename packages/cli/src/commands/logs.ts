/** `cellmill logs [RUN] [ASSET]`: one event a line under --json. */
import { readLogs } from '@cellmill/core/operations/read-logs.ts'
import { textArgument } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { safeText } from '../output/output.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const run = textArgument(context, 0)
  const step = textArgument(context, 1)
  let lines = 0
  for await (const line of readLogs(workspace, { run: run === '' ? '@last' : run, step: step === '' ? null : step })) {
    lines++
    if (context.output.json) context.output.writeEvent({ type: 'step-log', ...line })
    else
      context.output.writeData(
        line.text
          .replace(/\n$/, '')
          .split('\n')
          .map((text) => `${line.step} | ${safeText(text)}\n`)
          .join(''),
      )
  }
  if (lines === 0) context.output.say('the steps printed nothing')
  return 0
}
