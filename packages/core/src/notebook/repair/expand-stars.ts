/**
 * `from m import *` becomes an import of the names that the notebook uses of those that a run saw it bind. A cell with two
 * of them is left alone: which one bound what cannot be told.
 */
import type { NotebookCell, NotebookDocument } from '../document.ts'
import type { Repair } from '../graduation.ts'
import type { CellFacts, NotebookFacts, StatementFacts } from '../ir.ts'
import type { Observation } from '../observation.ts'
import { cellDiff } from '../audit/cell-diff.ts'
import { replaceSpans } from './replace-spans.ts'

export interface ExpandedStars {
  readonly document: NotebookDocument
  readonly repairs: readonly Repair[]
  /** Names that were bound and that nothing uses. */
  readonly unused: readonly string[]
}

export function expandStars(document: NotebookDocument, facts: NotebookFacts, observation: Observation): ExpandedStars {
  const used = usedNames(facts)
  const repairs: Repair[] = []
  const unused = new Set<string>()
  const cells = document.cells.map((cell) => {
    const cellFacts = facts.cells.find(({ index }) => index === cell.index)
    const stars = (cellFacts?.statements ?? []).filter(isStar)
    const star = stars[0]
    if (cellFacts === undefined || star === undefined || stars.length > 1) return cell
    const bound = boundBy(cellFacts, star, observation)
    const names = bound.filter((name) => used.has(name))
    for (const name of bound) if (!used.has(name)) unused.add(name)
    const wanted = names.length > 0 ? names : bound.slice(0, 1)
    if (wanted.length === 0) return cell
    return expanded(cell, star, wanted, repairs)
  })
  return { document: { ...document, cells }, repairs, unused: [...unused].sort() }
}

function isStar(statement: StatementFacts): boolean {
  return statement.kind === 'import' && statement.imports.some(({ name }) => name === '*')
}

/** What the run saw the cell bind, without what its other statements say that they bind. */
function boundBy(cell: CellFacts, star: StatementFacts, observation: Observation): readonly string[] {
  const others = new Set(
    cell.statements
      .filter((statement) => statement !== star)
      .flatMap(({ binds, mayBind, definitions }) => [
        ...binds,
        ...mayBind,
        ...definitions.flatMap((one) => one.lateWrites),
      ]),
  )
  const seen = observation.cells.find(({ index }) => index === cell.index)
  return (seen?.bound ?? []).filter((name) => !others.has(name)).toSorted()
}

function expanded(cell: NotebookCell, star: StatementFacts, names: readonly string[], repairs: Repair[]): NotebookCell {
  const module = star.imports[0]?.module ?? ''
  const source = replaceSpans(cell.source, [{ span: star.span, text: `from ${module} import ${names.join(', ')}` }])
  repairs.push({
    code: 'N13',
    cell: cell.index,
    diff: cellDiff(cell.index, cell.source, source),
    message: `cell ${cell.index} imports everything from ${module}; the names that the notebook uses are imported instead`,
    confirmedBy: 'the names that the run bound',
  })
  return { ...cell, source }
}

function usedNames(facts: NotebookFacts): ReadonlySet<string> {
  const names = new Set<string>()
  for (const cell of facts.cells) {
    for (const magic of cell.magics) for (const name of magic.reads) names.add(name)
    for (const statement of cell.statements) {
      for (const { name } of [...statement.reads, ...statement.mutations]) names.add(name)
      for (const name of statement.namesInStrings) names.add(name)
      for (const one of statement.definitions)
        for (const name of [...one.lateReads, ...one.lateWrites, ...one.lateMayWrites]) names.add(name)
    }
  }
  return names
}
