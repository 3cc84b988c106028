/**
 * External state that statements read and write, in document order: uses inside functions count where the function is
 * called. Invariant: a use of a function that nothing calls appears once, at its definition, marked `late`.
 */
import type { Span, TokenUse } from '../ir.ts'
import type { AuditContext, PlacedStatement } from './audit-context.ts'
import { functionsUsed, lateTokensOf } from './name-flow.ts'

export interface PlacedToken {
  readonly statement: PlacedStatement
  readonly cell: number
  readonly order: number
  /** Its span is in `cell`: for a use inside a function, that of the statement that calls it. */
  readonly use: TokenUse
  /** Where the use itself is written. */
  readonly written: Span
  /** The function in which it happens. */
  readonly through: string | null
}

export function tokensOf(context: AuditContext): readonly PlacedToken[] {
  const { definitions } = context.flow
  const called = new Set<string>()
  const result: PlacedToken[] = []
  for (const statement of context.statements) {
    const place = { statement, cell: statement.cell, order: statement.order }
    for (const use of statement.facts.tokens) result.push({ ...place, use, written: use.span, through: null })
    for (const name of functionsUsed(statement, definitions)) {
      called.add(name)
      for (const use of lateTokensOf(name, definitions)) {
        result.push({ ...place, use: { ...use, span: statement.facts.span }, written: use.span, through: name })
      }
    }
  }
  for (const statement of context.statements) {
    for (const fact of statement.facts.definitions) {
      if (called.has(fact.name) || isCalledInside(fact.name, context)) continue
      for (const use of fact.lateTokens)
        result.push({
          statement,
          cell: statement.cell,
          order: statement.order,
          use,
          written: use.span,
          through: fact.name,
        })
    }
  }
  return result
}

function isCalledInside(name: string, context: AuditContext): boolean {
  return [...context.flow.definitions.values()].some(({ fact }) => fact.lateReads.includes(name))
}

/** `file:data/a.csv` as its kind and name. */
export function tokenParts(token: string): { readonly kind: string; readonly name: string } {
  const colon = token.indexOf(':')
  return colon < 0 ? { kind: token, name: '' } : { kind: token.slice(0, colon), name: token.slice(colon + 1) }
}

export function isDraw({ use }: PlacedToken): boolean {
  return use.token.startsWith('rng:') && use.mode === 'write' && use.why.includes('draws')
}

export function isSeed({ use }: PlacedToken): boolean {
  return use.token.startsWith('rng:') && use.mode === 'write' && use.why.includes('seeds')
}
