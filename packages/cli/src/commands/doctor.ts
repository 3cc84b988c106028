/** `cellmill doctor`: works anywhere, with or without a project; exit 1 when something needed is missing. */
import { examineMachine } from '@cellmill/core/operations/examine-machine.ts'
import type { CommandContext } from '../command.ts'
import { safeText } from '../output/output.ts'

export async function handle(context: CommandContext): Promise<number> {
  const { output } = context
  const checks = await examineMachine({ folder: context.global.project ?? context.cwd, variables: process.env })
  const healthy = checks.every((check) => check.state !== 'failed')
  if (output.json) {
    output.writeJson({ healthy, checks })
    return healthy ? 0 : 1
  }
  const width = Math.max(...checks.map((check) => check.name.length))
  for (const check of checks) {
    const word = {
      ok: output.colors.green('ok'),
      warning: output.colors.yellow('! '),
      failed: output.colors.red('x '),
    }[check.state]
    output.writeData(`${word} ${check.name.padEnd(width)}  ${safeText(check.detail)}\n`)
    if (check.hint !== null) output.writeData(`   ${output.colors.cyan('hint:')} ${safeText(check.hint)}\n`)
  }
  output.sayAlways(healthy ? 'this machine can run Cellmill' : 'something that Cellmill needs is missing')
  return healthy ? 0 : 1
}
