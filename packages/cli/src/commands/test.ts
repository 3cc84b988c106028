/** `cellmill test [..]`: pytest with the packages of the lock. */
import { runProjectTests } from '@cellmill/core/operations/run-project-tests.ts'
import { listArgument } from '../command.ts'
import type { CommandContext } from '../command.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const ended = await runProjectTests(workspace, {
    arguments: listArgument(context, 0),
    onText: (text) => (context.output.json ? process.stderr.write(text) : context.output.writeData(text)),
    signal: context.signal,
  })
  if (context.output.json) context.output.writeJson(ended)
  return ended.passed ? 0 : 1
}
