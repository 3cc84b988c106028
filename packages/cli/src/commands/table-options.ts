/** `--format`, `--rows` and `--limit`. */
import { CellmillError } from '@cellmill/core/errors.ts'
import { textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'
import type { TableFormat } from '../output/text-table.ts'

export function formatOf(context: CommandContext): TableFormat {
  const format = textOption(context, 'format') ?? 'table'
  if (format === 'table' || format === 'md' || format === 'csv') return format
  throw new CellmillError('USAGE', `there is no format '${format}'`, {
    hint: '--format table, md or csv; --json for JSON',
  })
}

export function countOption(context: CommandContext, name: string, fallback: number): number {
  const text = textOption(context, name)
  if (text === null) return fallback
  const count = Number(text)
  if (!Number.isInteger(count) || count < 0)
    throw new CellmillError('USAGE', `--${name} takes a whole number, and got '${text}'`, {
      hint: `--${name} ${fallback}`,
    })
  return count
}
