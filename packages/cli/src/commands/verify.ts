/** `cellmill verify`: exit 1 when something is damaged. */
import { verifyProject } from '@cellmill/core/operations/verify-project.ts'
import type { CommandContext } from '../command.ts'
import { formatCount } from '../output/format.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const report = await verifyProject(workspace, context.signal)
  const { output } = context
  const healthy = report.problems.length === 0 && report.catalog.length === 0
  if (output.json) output.writeJson({ healthy, ...report })
  else {
    for (const problem of report.problems)
      output.sayAlways(`${output.colors.red('x')} ${problem.state}  ${problem.address.slice(0, 12)}  ${problem.detail}`)
    for (const problem of report.catalog) output.sayAlways(`${output.colors.red('x')} catalog  ${problem}`)
    const orphans = report.orphans === 0 ? '' : `, ${formatCount(report.orphans, 'orphan')} (cellmill gc removes them)`
    output.sayAlways(
      healthy
        ? `${output.colors.green('ok')} ${formatCount(report.ok, 'stored result')} intact${orphans}`
        : `${report.problems.length + report.catalog.length} problems   hint: cellmill run  rebuilds what is lost`,
    )
  }
  return healthy ? 0 : 1
}
