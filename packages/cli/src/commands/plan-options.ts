/** The options that plan and run share, from text to values. */
import { CellmillError } from '@cellmill/core/errors.ts'
import type { PlanOptions } from '@cellmill/core/operations/plan-project.ts'
import { flagOption, listArgument, listOption, textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'

export function planOptions(context: CommandContext): PlanOptions {
  const runTime = textOption(context, 'runTime')
  return {
    environment: context.global.env,
    select: listArgument(context, 0),
    parameters: assignments(listOption(context, 'param'), '--param'),
    rebuild: flagOption(context, 'rebuild'),
    offline: flagOption(context, 'offline'),
    runTime: runTime === null ? null : instantOf(runTime),
  }
}

/** `name=value` pairs; the value may hold further equals signs. */
export function assignments(texts: readonly string[], flag: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  for (const text of texts) {
    const at = text.indexOf('=')
    if (at <= 0)
      throw new CellmillError('USAGE', `${flag} takes name=value, and got '${text}'`, {
        hint: `${flag} ${text.replace('=', '') || 'name'}=VALUE`,
      })
    pairs.set(text.slice(0, at).trim(), text.slice(at + 1))
  }
  return pairs
}

function instantOf(text: string): string {
  const at = new Date(text)
  if (Number.isNaN(at.getTime()))
    throw new CellmillError('USAGE', `--run-time is no instant: '${text}'`, { hint: '--run-time 2024-03-01T06:00:00Z' })
  return at.toISOString()
}
