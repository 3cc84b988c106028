/** `cellmill sql "select .."`. */
import { querySql } from '@cellmill/core/operations/query-sql.ts'
import { textArgument } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { formatCount } from '../output/format.ts'
import { renderTable } from '../output/text-table.ts'
import { countOption, formatOf } from './table-options.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const limit = countOption(context, 'limit', 1000)
  const answer = await querySql(workspace, {
    sql: textArgument(context, 0),
    environment: context.global.env,
    limit,
    signal: context.signal,
  })
  if (context.output.json) {
    context.output.writeJson(answer)
    return 0
  }
  const columns = answer.columns.map((column) => column.name)
  context.output.writeData(renderTable({ columns, rows: answer.rows }, formatOf(context)))
  const cut = answer.truncated ? ` (first ${formatCount(limit)}; --limit shows more)` : ''
  context.output.say(
    `${formatCount(answer.rows.length, 'row')}${cut} from ${answer.environment} release ${answer.release}`,
  )
  return 0
}
