/** `cellmill verify`: exit 1 when something is damaged. */
import { verifyProject } from '@cellmill/core/operations/verify-project.ts'
import type { CommandContext } from '../command.ts'
import { formatCount } from '../output/format.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const state = await verifyProject(workspace, context.signal)
  const { output } = context
  const healthy = state.problems.length === 0 && state.blobs.length === 0
  if (output.json) output.writeJson({ healthy, ...state })
  else {
    for (const blob of state.blobs) {
      output.sayAlways(`${output.colors.red('x')} ${blob.state}  ${blob.address.slice(0, 12)}  ${blob.detail}`)
    }
    for (const problem of state.problems) output.sayAlways(`${output.colors.red('x')} catalog  ${problem}`)
    for (const fingerprint of state.nonReproducible) {
      output.say(`${output.colors.yellow('!')} ${fingerprint.slice(0, 12)}  was built twice with different contents`)
    }
    const orphans = state.orphans === 0 ? '' : `, ${formatCount(state.orphans, 'orphan')} (cellmill gc frees them)`
    const bad = state.problems.length + state.blobs.length
    output.sayAlways(
      healthy
        ? `${output.colors.green('ok')} ${formatCount(state.checkedBlobs, 'stored blob')} intact${orphans}`
        : `${formatCount(bad, 'problem')}   hint: cellmill run  rebuilds what is lost`,
    )
  }
  return healthy ? 0 : 1
}
