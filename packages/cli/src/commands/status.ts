/** `cellmill status`. */
import { readStatus } from '@cellmill/core/operations/read-status.ts'
import type { ProjectStatus } from '@cellmill/core/operations/read-status.ts'
import type { CommandContext } from '../command.ts'
import { formatAge, formatSize } from '../output/format.ts'
import { renderTable } from '../output/text-table.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const status = await readStatus(workspace, context.global.env)
  if (context.output.json) context.output.writeJson(status)
  else showStatus(context, status, workspace.clock.now())
  return 0
}

function showStatus(context: CommandContext, status: ProjectStatus, now: string): void {
  const { output } = context
  if (status.release === 0) output.sayAlways(`nothing is published in ${status.environment} yet   hint: cellmill run`)
  else {
    const held = status.held ? `  ${output.colors.yellow('held')}` : ''
    output.say(`${status.environment}  release ${status.release}, ${formatAge(status.releasedAt!, now)}${held}`)
    const rows = status.assets.map((asset) => [
      asset.asset,
      asset.kind,
      asset.rows,
      formatSize(asset.sizeBytes),
      formatAge(asset.builtAt, now),
    ])
    output.writeData(renderTable({ columns: ['asset', 'kind', 'rows', 'size', 'built'], rows }, 'table'))
  }
  if (status.releases.length > 0) {
    const rows = status.releases.map((release) => [
      release.number,
      release.createdAt,
      release.cause,
      release.author,
      release.message,
    ])
    output.writeData(`\n${renderTable({ columns: ['release', 'at', 'cause', 'by', 'message'], rows }, 'table')}`)
  }
  if (status.runs.length > 0) {
    const rows = status.runs.map((run) => [run.id.slice(-6), run.environment, run.state, run.startedAt, run.release])
    output.writeData(
      `\n${renderTable({ columns: ['run', 'environment', 'state', 'started', 'release'], rows }, 'table')}`,
    )
  }
}
