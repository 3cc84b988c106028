/** N32, N33: values that cannot be stored, or can be read only once, and are used by another cell. */
import type { Finding } from '../../finding.ts'
import { cellsListed, finding, lineText, type AuditContext, type Rule } from '../audit-context.ts'

export const valueRules: readonly Rule[] = [{ codes: ['N32', 'N33'], needs: 'facts', find: crossingResources }]

function crossingResources(context: AuditContext): readonly Finding[] {
  return context.statements.flatMap((statement) =>
    Object.entries(statement.facts.resources).flatMap(([name, why]) => {
      const next = Math.min(
        ...(context.flow.bindings.get(name) ?? []).map(({ order }) => order).filter((order) => order > statement.order),
        Number.POSITIVE_INFINITY,
      )
      const readers = (context.flow.readsByName.get(name) ?? []).filter(
        (read) => read.cell !== statement.cell && read.order > statement.order && read.order <= next,
      )
      if (readers.length === 0) return []
      const types = statement.facts.bindTypes[name] ?? []
      const code = types.includes('iterator') ? 'N33' : 'N32'
      const where = cellsListed(readers.map(({ cell }) => cell))
      const message =
        code === 'N33'
          ? `\`${name}\` is an iterator and gives its items only once; ${where} ${readers.length === 1 ? 'uses' : 'use'} it too. Whoever comes second gets nothing: make it a list if it is finite.`
          : `\`${name}\` is ${why}, which cannot be stored; ${where} ${readers.length === 1 ? 'uses' : 'use'} it. It stays in one step with its users, or is opened again there.`
      return [
        finding(code, {
          cell: statement.cell,
          line: statement.facts.span.line,
          message,
          evidence: lineText(context, statement.cell, statement.facts.span),
        }),
      ]
    }),
  )
}
