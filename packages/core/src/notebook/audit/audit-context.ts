/**
 * What every rule gets: the document, the facts where they could be computed, the files around, and the names' flow.
 * Invariant: rules are pure; a rule that needs facts or an observation is not run without them, and says so.
 */
import type { NotebookCell, NotebookDocument } from '../document.ts'
import type { Finding } from '../finding.ts'
import type { CellFacts, NotebookFacts, Span, StatementFacts } from '../ir.ts'
import type { Observation } from '../observation.ts'
import { defects, type DefectCode } from './defects.ts'
import type { NameFlow } from './name-flow.ts'

/** What lies around the notebook, as the caller listed it. */
export interface AuditFiles {
  /** Relative to the project's root, or to the notebook's folder where there is no project; forward slashes. */
  readonly paths: readonly string[]
  /** The notebook's own folder in the same terms; '' is the base itself. */
  readonly notebookFolder: string
  /** Texts of requirements, lock and environment files, by path. */
  readonly requirements: Readonly<Record<string, string>>
}

/** One top-level statement with its place in document order. */
export interface PlacedStatement {
  readonly cell: number
  readonly order: number
  readonly facts: StatementFacts
}

export interface AuditContext {
  readonly document: NotebookDocument
  readonly codeCells: readonly NotebookCell[]
  readonly facts: NotebookFacts | null
  readonly cellFacts: ReadonlyMap<number, CellFacts>
  readonly statements: readonly PlacedStatement[]
  readonly statementsByCell: ReadonlyMap<number, readonly PlacedStatement[]>
  readonly flow: NameFlow
  readonly projectRoot: string | null
  readonly files: AuditFiles | null
  readonly observation: Observation | null
}

export type Needs = 'file' | 'facts' | 'files' | 'observation'

export interface Rule {
  readonly codes: readonly DefectCode[]
  readonly needs: Needs
  readonly find: (context: AuditContext) => readonly Finding[]
}

export interface FindingParts {
  readonly cell: number | null
  readonly line?: number | null
  readonly message: string
  readonly evidence?: string
  readonly fix?: Finding['fix']
  readonly basis?: Finding['basis']
}

const MAX_EVIDENCE = 300

export function finding(code: DefectCode, parts: FindingParts): Finding {
  return {
    code,
    level: defects[code].level,
    basis: parts.basis ?? defects[code].basis,
    cell: parts.cell,
    line: parts.line ?? null,
    message: parts.message,
    evidence: shorten(parts.evidence ?? ''),
    fix: parts.fix ?? null,
  }
}

export function shorten(text: string, length: number = MAX_EVIDENCE): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

/** The text of the line where a span starts, as evidence. */
export function lineText(context: AuditContext, cell: number, span: Span): string {
  return (context.document.cells[cell]?.source.split('\n')[span.line - 1] ?? '').trim()
}

/** Names as a list for people: `a`, `a and b`, `a, b and 3 more`. */
export function listed(names: readonly string[], most: number = 5): string {
  const quoted = names.slice(0, most).map((name) => `\`${name}\``)
  const rest = names.length - quoted.length
  if (rest > 0) return `${quoted.join(', ')} and ${rest} more`
  if (quoted.length < 2) return quoted.join('')
  return `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1) ?? ''}`
}

export function cellsListed(cells: readonly number[]): string {
  const unique = [...new Set(cells)].sort((a, b) => a - b)
  const shown = unique.slice(0, 6).join(', ')
  return `${unique.length === 1 ? 'cell' : 'cells'} ${shown}${unique.length > 6 ? ', …' : ''}`
}

/** One entry per key, in the order of the first. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
