/** `cellmill gc [--dry-run]`. */
import { collectGarbage } from '@cellmill/core/operations/collect-garbage.ts'
import { flagOption } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { formatCount, formatSize } from '../output/format.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const collected = await collectGarbage(workspace, flagOption(context, 'dryRun'))
  if (context.output.json) context.output.writeJson(collected)
  else {
    const what = `${formatCount(collected.snapshots, 'snapshot')} (${formatSize(collected.sizeBytes)}) and ${formatCount(collected.orphans, 'orphan')}`
    context.output.sayAlways(collected.dryRun ? `would remove ${what}` : `removed ${what}`)
  }
  return 0
}
