/** What graduate and prove say, in INTERFACES' shape or in lines. */
import { isProven } from '@cellmill/core/notebook/prove/judge-proof.ts'
import type { GraduateAnswer } from '@cellmill/core/operations/graduation/graduate-notebook.ts'
import type { CommandContext } from '../command.ts'
import { formatCount } from '../output/format.ts'
import { safeText } from '../output/output.ts'

const shownReasons = 12

export function reportGraduation(context: CommandContext, answer: GraduateAnswer): number {
  if (context.output.json) context.output.writeJson(toJson(answer))
  else showGraduation(context, answer)
  return isProven(answer.verdict) ? 0 : 1
}

function toJson(answer: GraduateAnswer): unknown {
  const { graduation } = answer
  const steps = graduation?.steps ?? []
  return {
    notebook: answer.notebook,
    verdict: answer.verdict,
    reasons: answer.reasons,
    assets: steps.flatMap((step): readonly unknown[] => {
      const common = { language: step.language, file: step.file, line: step.line, cells: step.cells }
      if (step.outputs.length === 0) return [{ name: step.name, kind: step.kind, ...common, variables: {} }]
      return step.outputs.map((output) => ({
        name: output.asset,
        kind: output.kind,
        ...common,
        variables: Object.fromEntries(output.variables.map((variable) => [variable, output.asset])),
      }))
    }),
    parameters: graduation?.parameters ?? [],
    sources: graduation?.sources ?? [],
    files: answer.files,
    packages: answer.packages,
    repairs: answer.repairs,
    storedOutputs: answer.storedOutputs,
    cut: graduation?.cut ?? null,
    notes: graduation?.notes ?? [],
    proof: answer.proofPath,
    report: answer.reportPath,
  }
}

function showGraduation(context: CommandContext, answer: GraduateAnswer): void {
  const { output } = context
  const { colors } = output
  const { graduation, proof } = answer
  if (graduation !== null) {
    const assets = graduation.steps.filter((step) => step.kind === 'asset').flatMap((step) => step.outputs).length
    const reports = graduation.steps.filter((step) => step.kind === 'report').length
    const parts = [
      formatCount(assets, 'asset'),
      formatCount(graduation.parameters.length, 'parameter'),
      formatCount(reports, 'report'),
    ]
    output.say(`${graduation.cut.cells} cells -> ${parts.join(', ')}`)
    output.say(
      `${colors.green('ok')}  order    ${graduation.order}; stored outputs reproduced: ${answer.storedOutputs.same} of ${answer.storedOutputs.total}`,
    )
  }
  for (const repair of answer.repairs) {
    output.say(
      `${colors.yellow('!!')}  ${repair.code}  ${safeText(repair.message)}  ${colors.dim(repair.confirmedBy ?? '')}`,
    )
    for (const line of repair.diff.split('\n').slice(2)) {
      if (/^[+-]/.test(line))
        output.say(`      ${line.startsWith('+') ? colors.green(safeText(line)) : colors.red(safeText(line))}`)
    }
  }
  for (const merge of graduation?.cut.merges ?? [])
    output.say(`${colors.dim('..')}  cells ${merge.cells.join(', ')} stay together: ${safeText(merge.why)}`)
  for (const note of graduation?.notes ?? [])
    output.say(`${colors.dim('..')}  ${note.cell === null ? '' : `cell ${note.cell}: `}${safeText(note.message)}`)
  for (const reason of answer.reasons.slice(0, context.global.verbose > 0 ? undefined : shownReasons)) {
    const where = reason.cell === null ? '' : `cell ${reason.cell}: `
    output.sayAlways(`${colors.red('x')}   ${reason.code}  ${where}${safeText(reason.message)}`)
  }
  if (answer.reasons.length > shownReasons && context.global.verbose === 0)
    output.say(`    and ${answer.reasons.length - shownReasons} more (-v shows all)`)
  if (proof !== null) {
    const equal = proof.values.filter(({ verdict }) => verdict === 'equal').length
    const shown = proof.outputs.filter(({ verdict }) => verdict === 'equal').length
    const skipped = proof.runs.filter(({ state }) => state === 'skipped').map(({ name }) => name)
    const left = skipped.length === 0 ? '' : `; skipped ${skipped.join(', ')}`
    output.say(
      `    ${equal} of ${proof.values.length} values and ${shown} of ${proof.outputs.length} outputs equal; mutants ${proof.mutants.caught} of ${proof.mutants.made} caught${left}`,
    )
  }
  for (const file of answer.files) output.say(`wrote ${file}`)
  output.sayAlways(lastLine(context, answer))
}

function lastLine(context: CommandContext, answer: GraduateAnswer): string {
  const { colors } = context.output
  const report = answer.reportPath === null ? '' : `   report: ${answer.reportPath}`
  if (isProven(answer.verdict)) {
    const repaired =
      answer.repairs.length === 0 ? '' : ` against the notebook with ${formatCount(answer.repairs.length, 'repair')}`
    return `${colors.green(answer.verdict)}${repaired}${report}   next: cellmill run`
  }
  const code = answer.reasons[0]?.code
  const hint = answer.verdict === 'refused' && code !== undefined ? `   hint: cellmill explain ${code}` : ''
  return `${colors.red(answer.verdict)}${report}${hint}`
}
