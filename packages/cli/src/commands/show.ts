/** `cellmill show ASSET`. */
import { showAsset } from '@cellmill/core/operations/show-asset.ts'
import type { ShownAsset } from '@cellmill/core/operations/show-asset.ts'
import { textArgument, textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { formatAge, formatCount, formatSize } from '../output/format.ts'
import { safeText } from '../output/output.ts'
import { renderTable } from '../output/text-table.ts'
import { countOption, formatOf } from './table-options.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const shown = await showAsset(workspace, {
    asset: textArgument(context, 0),
    environment: context.global.env,
    version: textOption(context, 'version'),
    rows: countOption(context, 'rows', 10),
  })
  if (context.output.json) {
    const { asset, environment, release, releasedAt, snapshot, folder, files, table, texts, summary } = shown
    context.output.writeJson({
      asset,
      environment,
      release,
      releasedAt,
      snapshot,
      folder,
      files,
      table,
      texts,
      summary,
    })
    return 0
  }
  context.output.say(headline(shown, workspace.clock.now()))
  if (shown.table !== null) {
    const columns = shown.table.columns.map((column) => column.name)
    context.output.writeData(renderTable({ columns, rows: shown.table.rows }, formatOf(context)))
    if (context.global.verbose > 0) context.output.writeData(`\n${profileTable(shown)}`)
    return 0
  }
  for (const { text } of shown.texts) context.output.writeData(`${safeText(text)}\n`)
  for (const [key, value] of Object.entries(shown.summary)) {
    context.output.writeData(`${key}: ${safeText(typeof value === 'string' ? value : JSON.stringify(value))}\n`)
  }
  if (shown.snapshot.kind === 'report')
    context.output.say(`figures and all: cellmill export ${shown.asset} --to ${shown.asset}.html`)
  return 0
}

function headline(shown: ShownAsset, now: string): string {
  const { snapshot } = shown
  const size =
    snapshot.rows === null
      ? formatSize(snapshot.sizeBytes)
      : `${formatCount(snapshot.rows, 'row')} x ${snapshot.columns?.length ?? 0}, ${formatSize(snapshot.sizeBytes)}`
  return `${shown.asset}  ${snapshot.kind}  ${size}  ${shown.environment} release ${shown.release}, built ${formatAge(snapshot.createdAt, now)}`
}

function profileTable(shown: ShownAsset): string {
  const types = new Map((shown.snapshot.columns ?? []).map((column) => [column.name, column.type]))
  const rows = (shown.snapshot.profile ?? []).map((column) => [
    column.name,
    types.get(column.name) ?? '',
    column.nulls,
    column.min,
    column.max,
  ])
  return renderTable({ columns: ['column', 'type', 'nulls', 'min', 'max'], rows }, 'table')
}
