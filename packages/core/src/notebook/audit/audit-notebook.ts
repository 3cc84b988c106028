/**
 * The audit: every rule over one notebook, as findings in document order. Invariant: pure; nothing is executed or read
 * here, and a code whose rule could not be applied stands in `notChecked`, never silently absent.
 */
import type { NotebookDocument } from '../document.ts'
import type { AuditResult, Finding } from '../finding.ts'
import type { NotebookFacts } from '../ir.ts'
import type { Observation } from '../observation.ts'
import type { AuditContext, AuditFiles, Needs, PlacedStatement, Rule } from './audit-context.ts'
import { defectCodes } from './defects.ts'
import { nameFlow } from './name-flow.ts'
import { displayRules } from './rules/display-rules.ts'
import { formRules } from './rules/form-rules.ts'
import { habitRules } from './rules/habit-rules.ts'
import { hiddenCodeRules } from './rules/hidden-code-rules.ts'
import { modelRules } from './rules/model-rules.ts'
import { nameRules } from './rules/name-rules.ts'
import { observedRules } from './rules/observed-rules.ts'
import { orderRules } from './rules/order-rules.ts'
import { packageRules } from './rules/package-rules.ts'
import { parameterRules } from './rules/parameter-rules.ts'
import { pathRules } from './rules/path-rules.ts'
import { randomRules } from './rules/random-rules.ts'
import { secretRules } from './rules/secret-rules.ts'
import { settingRules } from './rules/setting-rules.ts'
import { stateRules } from './rules/state-rules.ts'
import { valueRules } from './rules/value-rules.ts'

export interface AuditInput {
  readonly document: NotebookDocument
  /** Null for other languages than Python, or where no interpreter was found. */
  readonly facts: NotebookFacts | null
  readonly projectRoot: string | null
  /** Null when the files around are not known: missing files are then not checked. */
  readonly files: AuditFiles | null
  readonly observation?: Observation | null
}

const rules: readonly Rule[] = [
  ...orderRules,
  ...nameRules,
  ...stateRules,
  ...hiddenCodeRules,
  ...packageRules,
  ...pathRules,
  ...secretRules,
  ...parameterRules,
  ...randomRules,
  ...settingRules,
  ...valueRules,
  ...displayRules,
  ...formRules,
  ...modelRules,
  ...habitRules,
  ...observedRules,
]

export function auditNotebook(input: AuditInput): AuditResult {
  const context = contextOf(input)
  const applied = rules.filter(({ needs }) => isThere(context, needs))
  const findings = applied.flatMap((rule) => [...rule.find(context)]).sort(inDocumentOrder)
  const checked = new Set<string>(applied.flatMap(({ codes }) => codes))
  return {
    notebook: input.document.path,
    language: input.document.language,
    runnable: runnable(context, findings),
    order: orderOf(context, findings),
    findings,
    notChecked: defectCodes.filter((code) => !checked.has(code)),
  }
}

function contextOf(input: AuditInput): AuditContext {
  const statements = placed(input.facts)
  return {
    document: input.document,
    codeCells: input.document.cells.filter(({ type }) => type === 'code'),
    facts: input.facts,
    cellFacts: new Map(input.facts?.cells.map((cell) => [cell.index, cell]) ?? []),
    statements,
    statementsByCell: byCell(statements),
    flow: nameFlow(input.facts, statements),
    projectRoot: input.projectRoot,
    files: input.files,
    observation: input.observation ?? null,
  }
}

function placed(facts: NotebookFacts | null): PlacedStatement[] {
  const all =
    facts?.cells.flatMap((cell) => cell.statements.map((statement) => ({ cell: cell.index, facts: statement }))) ?? []
  return all.map((statement, order) => ({ ...statement, order }))
}

function byCell(statements: readonly PlacedStatement[]): Map<number, PlacedStatement[]> {
  const cells = new Map<number, PlacedStatement[]>()
  for (const statement of statements) cells.set(statement.cell, [...(cells.get(statement.cell) ?? []), statement])
  return cells
}

function isThere(context: AuditContext, needs: Needs): boolean {
  switch (needs) {
    case 'file':
      return true
    case 'facts':
      return context.facts !== null
    case 'files':
      return context.facts !== null && context.files !== null
    case 'observation':
      return context.observation !== null
  }
}

function inDocumentOrder(a: Finding, b: Finding): number {
  return (a.cell ?? -1) - (b.cell ?? -1) || (a.line ?? 0) - (b.line ?? 0) || a.code.localeCompare(b.code)
}

/** An observed run decides; else only what must fail is known. */
function runnable(context: AuditContext, findings: readonly Finding[]): boolean | null {
  if (context.observation !== null) {
    return context.observation.cells.every(
      (cell) =>
        cell.state !== 'error' || findings.some(({ code, cell: index }) => code === 'N39' && index === cell.index),
    )
  }
  return findings.some(({ code }) => code === 'N02' || code === 'N03' || code === 'N40' || code === 'N49')
    ? false
    : null
}

/** Document order unless names come too late; then the recorded order if it would provide them, else a repaired one. */
function orderOf(context: AuditContext, findings: readonly Finding[]): AuditResult['order'] {
  const early = findings.filter(({ code }) => code === 'N03')
  if (early.length === 0) return 'document'
  const counts = new Map(
    context.codeCells.flatMap((cell) =>
      cell.executionCount === null ? [] : [[cell.index, cell.executionCount] as const],
    ),
  )
  const provided = context.flow.reads.every((read) => {
    const bindings = context.flow.bindings.get(read.name)
    if (bindings === undefined || !read.certain) return true
    const at = counts.get(read.cell) ?? Number.POSITIVE_INFINITY
    return bindings.some(
      (binding) => binding.order < read.order || (counts.get(binding.cell) ?? Number.POSITIVE_INFINITY) < at,
    )
  })
  return provided && findings.some(({ code }) => code === 'N01') ? 'recorded' : 'repaired'
}
