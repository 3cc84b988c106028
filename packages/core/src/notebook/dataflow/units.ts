/**
 * Statements of a notebook in one execution order, each with what it reads, binds and changes. Observation refines the
 * static facts here and nowhere else: an assumed change that a run did not show is cleared and noted as an assumption,
 * a change that static reading missed is added. Later stages never look at the observation for effects again.
 */
import type { NotebookDocument } from '../document.ts'
import type { Magic, NotebookFacts, StatementFacts, TokenUse } from '../ir.ts'
import type { Observation, ObservedCell } from '../observation.ts'

export interface Unit {
  /** Position in execution order. */
  readonly id: number
  readonly cell: number
  readonly facts: StatementFacts
  readonly magic: Magic | null
  readonly reads: ReadonlySet<string>
  readonly binds: readonly string[]
  readonly mayBinds: readonly string[]
  readonly deletes: readonly string[]
  readonly mutates: ReadonlySet<string>
  readonly tokens: readonly TokenUse[]
  readonly isLastOfCell: boolean
}

export interface Units {
  readonly list: readonly Unit[]
  /** Every name that the notebook binds anywhere. */
  readonly names: ReadonlySet<string>
  readonly assumptions: readonly string[]
}

export function makeUnits(
  document: NotebookDocument,
  facts: NotebookFacts,
  execution: readonly number[],
  observation: Observation | null,
): Units {
  const factsByCell = new Map(facts.cells.map((cell) => [cell.index, cell]))
  const observed = new Map((observation?.cells ?? []).map((cell) => [cell.index, cell]))
  const names = boundNames(facts)
  const assumptions = new Set<string>()
  const list: Unit[] = []
  for (const cellIndex of execution) {
    const cell = factsByCell.get(cellIndex)
    if (cell === undefined || document.cells[cellIndex]?.type !== 'code') continue
    const seen = observed.get(cellIndex) ?? null
    cell.statements.forEach((statement, position) => {
      const unit: Unit = {
        id: list.length,
        cell: cellIndex,
        facts: statement,
        magic: cell.magics.find((magic) => holds(statement, magic)) ?? null,
        reads: readNames(statement, names),
        binds: statement.binds,
        mayBinds: statement.mayBind.filter((name) => !statement.binds.includes(name)),
        deletes: statement.deletes,
        mutates: changedNames(statement, seen, assumptions),
        tokens: statement.tokens,
        isLastOfCell: position === cell.statements.length - 1,
      }
      list.push(unit)
    })
    addUnseenChanges(list, cellIndex, seen)
  }
  return { list, names, assumptions: [...assumptions] }
}

function holds(statement: StatementFacts, magic: Magic): boolean {
  return (
    (magic.kind !== 'cell' && magic.span.line >= statement.span.line && magic.span.line <= statement.span.endLine) ||
    (statement.kind === 'magic' && magic.span.line === statement.span.line)
  )
}

function boundNames(facts: NotebookFacts): Set<string> {
  const names = new Set<string>()
  for (const cell of facts.cells) {
    for (const statement of cell.statements) {
      for (const name of statement.binds) names.add(name)
      for (const name of statement.mayBind) names.add(name)
      for (const definition of statement.definitions) for (const name of definition.lateWrites) names.add(name)
    }
  }
  return names
}

function readNames(statement: StatementFacts, names: ReadonlySet<string>): Set<string> {
  const reads = new Set(statement.reads.map((access) => access.name))
  for (const mutation of statement.mutations) reads.add(mutation.name)
  for (const call of statement.calls) if (call.receiver !== null) reads.add(call.receiver)
  // A definition's strings are read when it is called, not here.
  const defines = statement.kind === 'def' || statement.kind === 'class'
  if (!defines)
    for (const name of statement.namesInStrings)
      if (names.has(name) && mayBeReadByName(statement, name)) reads.add(name)
  return reads
}

const READS_NAMES =
  /(^|\.)(query|eval|sql|read_sql|read_sql_query|execute|ols|glm|logit|probit|mixedlm|dmatrices|dmatrix|from_formula|substitute|safe_substitute|format_map)$/u

/** In a query, a formula or SQL; a word of any other text is only a word. */
function mayBeReadByName(statement: StatementFacts, name: string): boolean {
  if (statement.calls.some((call) => READS_NAMES.test(call.callee))) return true
  return statement.literals.some((literal) => literal.value.includes(`@${name}`))
}

function changedNames(statement: StatementFacts, seen: ObservedCell | null, assumptions: Set<string>): Set<string> {
  const changed = new Set<string>()
  for (const mutation of statement.mutations) {
    if (!mutation.certain && seen !== null && seen.state === 'ok') {
      const touched = seen.mutated.includes(mutation.name) || seen.bound.includes(mutation.name)
      if (!touched) {
        assumptions.add(`${mutation.name} is not changed by ${mutation.how} in cell ${seen.index} on this data`)
        continue
      }
    }
    changed.add(mutation.name)
  }
  return changed
}

/** A change that the run showed and no statement claims belongs to every statement of the cell that reads the name. */
function addUnseenChanges(list: Unit[], cell: number, seen: ObservedCell | null): void {
  if (seen === null) return
  const mine = list.filter((unit) => unit.cell === cell)
  for (const name of seen.mutated) {
    if (mine.some((unit) => unit.mutates.has(name) || unit.binds.includes(name))) continue
    const last = mine.at(-1)
    if (last === undefined) continue
    const readers = mine.filter((unit) => unit.reads.has(name))
    for (const unit of readers.length > 0 ? readers : [last]) {
      list[unit.id] = {
        ...unit,
        reads: new Set([...unit.reads, name]),
        mutates: new Set([...unit.mutates, name]),
      }
    }
  }
}

/** `x` for `f(x)`; true when every occurrence of the name in this text is a direct call. */
export function onlyCalled(name: string, text: string): boolean {
  const escaped = name.replaceAll(/[^\w]/g, '')
  return !new RegExp(`(?<![\\w.])${escaped}\\b(?!\\s*\\()`, 'u').test(text)
}
