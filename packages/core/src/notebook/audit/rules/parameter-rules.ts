/** N27, N59: constants that could be parameters, and fixed dates. */
import type { Finding } from '../../finding.ts'
import { isSecretName } from './secret-rules.ts'
import { finding, lineText, shorten, type AuditContext, type Rule } from '../audit-context.ts'

export const parameterRules: readonly Rule[] = [
  { codes: ['N27'], needs: 'facts', find: parameters },
  { codes: ['N59'], needs: 'facts', find: fixedDates },
]

function parameters(context: AuditContext): readonly Finding[] {
  return context.statements.flatMap((statement) => {
    const { scalar } = statement.facts
    if (scalar === null || isSecretName(scalar.name)) return []
    const tagged = context.document.cells[statement.cell]?.tags.includes('parameters') ?? false
    const once = (context.flow.bindings.get(scalar.name)?.length ?? 0) === 1
    const changed = context.flow.changed.has(scalar.name)
    const elsewhere = (context.flow.readsByName.get(scalar.name) ?? []).some((read) => read.cell !== statement.cell)
    const isConstant = /^[A-Z][A-Z0-9_]*$/.test(scalar.name)
    if (!once || changed || !(tagged || isConstant || elsewhere)) return []
    return [
      finding('N27', {
        cell: statement.cell,
        line: statement.facts.span.line,
        message: `\`${scalar.name} = ${shorten(scalar.source, 60)}\` is set once and steers the result: it can be a parameter, set per run or environment, with this value as default.`,
        evidence: lineText(context, statement.cell, statement.facts.span),
        fix: {
          kind: 'automatic',
          diff: `--- cell ${statement.cell}\n+++ module\n-${scalar.name} = ${shorten(scalar.source, 200)}\n+${scalar.name} = param(${shorten(scalar.source, 200)})\n`,
        },
      }),
    ]
  })
}

const DATE = /^(?:19|20)\d{2}-[01]\d-[0-3]\d(?:[ T][\d:.]+Z?)?$/

function fixedDates(context: AuditContext): readonly Finding[] {
  return context.codeCells.flatMap((cell) => {
    const statements = context.statementsByCell.get(cell.index) ?? []
    const dates = statements.flatMap((statement) =>
      statement.facts.literals.filter(({ type, value }) => type === 'str' && DATE.test(value)),
    )
    const first = dates[0]
    if (first === undefined || dates.length > 10) return []
    return [
      finding('N59', {
        cell: cell.index,
        line: first.span.line,
        message: `The date ${first.value}${dates.length > 1 ? ` (and ${dates.length - 1} more)` : ''} is fixed in the code: it does not move with the data.`,
        evidence: lineText(context, cell.index, first.span),
      }),
    ]
  })
}
