/** `cellmill audit NOTEBOOK..`: findings with place, evidence and fix. */
import { auditNotebooks } from '@cellmill/core/operations/audit-notebooks.ts'
import { openMachineSandbox } from '@cellmill/core/operations/open-machine-sandbox.ts'
import type { AuditResult, Finding } from '@cellmill/core/notebook/finding.ts'
import { flagOption, listArgument } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { formatCount } from '../output/format.ts'
import { safeText } from '../output/output.ts'

export async function handle(context: CommandContext): Promise<number> {
  const notebooks = listArgument(context, 0)
  const results = flagOption(context, 'run')
    ? await auditByRunning(context, notebooks)
    : await auditNotebooks({ notebooks, cwd: context.cwd, sandbox: openMachineSandbox })
  const [first] = results
  if (context.output.json) context.output.writeJson(results.length === 1 ? first : results)
  else for (const result of results) showAudit(context, result)
  return 0
}

async function auditByRunning(context: CommandContext, notebooks: readonly string[]): Promise<readonly AuditResult[]> {
  const { auditObserved } = await import('@cellmill/core/operations/audit-observed.ts')
  const workspace = await context.workspace()
  const results: AuditResult[] = []
  for (const notebook of notebooks) {
    results.push(await auditObserved(workspace, { notebook, cwd: context.cwd, signal: context.signal }))
  }
  return results
}

const order = { E: 0, W: 1, I: 2 }

function showAudit(context: CommandContext, result: AuditResult): void {
  const { output } = context
  output.writeData(`${output.colors.bold(safeText(result.notebook))}  ${result.language}\n`)
  const findings = [...result.findings].sort((a, b) => order[a.level] - order[b.level])
  for (const finding of findings) {
    if (finding.level === 'I' && context.global.verbose === 0) continue
    showFinding(context, finding)
  }
  const count = (level: Finding['level']): number => result.findings.filter((finding) => finding.level === level).length
  const quiet = count('I') > 0 && context.global.verbose === 0 ? ` (-v shows the notes)` : ''
  const left = result.notChecked.length === 0 ? '' : `, ${result.notChecked.length} codes not checked without a run`
  output.sayAlways(
    `${formatCount(count('E'), 'error')}, ${formatCount(count('W'), 'warning')}, ${formatCount(count('I'), 'note')}${quiet}${left}   next: cellmill graduate ${safeText(result.notebook)}`,
  )
}

function showFinding(context: CommandContext, finding: Finding): void {
  const { colors } = context.output
  const mark = { E: colors.red('!!'), W: colors.yellow('! '), I: colors.dim('. ') }[finding.level]
  const where = finding.cell === null ? '' : `cell ${finding.cell}${finding.line === null ? '' : `:${finding.line}`}  `
  context.output.writeData(`${mark}  ${finding.code}  ${where}${safeText(finding.message)}\n`)
  if (finding.evidence !== '' && context.global.verbose > 0)
    context.output.writeData(`        ${colors.dim(safeText(finding.evidence))}\n`)
  if (finding.fix !== null && finding.fix.diff !== '' && context.global.verbose > 0) {
    for (const line of finding.fix.diff.split('\n')) context.output.writeData(`        ${safeText(line)}\n`)
  }
}
