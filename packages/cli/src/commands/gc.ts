/** `cellmill gc [--dry-run]`. */
import { freeSpace } from '@cellmill/core/operations/free-space.ts'
import { flagOption } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { formatCount, formatSize } from '../output/format.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const dryRun = flagOption(context, 'dryRun')
  const freed = await freeSpace(workspace, { dryRun, signal: context.signal })
  if (context.output.json) context.output.writeJson({ ...freed, dryRun })
  else {
    const what = `${formatCount(freed.snapshots, 'snapshot')} in ${formatCount(freed.blobs, 'blob')} (${formatSize(freed.freedBytes)})`
    context.output.sayAlways(dryRun ? `would free ${what}` : `freed ${what}`)
  }
  return 0
}
