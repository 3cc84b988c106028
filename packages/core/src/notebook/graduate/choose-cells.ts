/**
 * Which cells run, in which order. A cell that does not parse or that failed in the run is left out only when it left
 * nothing behind; a cell that was never run is included, since a clean run of the notebook includes it.
 */
import type { NotebookDocument } from '../document.ts'
import type { NotebookFacts } from '../ir.ts'
import type { Observation } from '../observation.ts'
import type { Graduation, Refusal } from '../graduation.ts'
import { proposeOrders } from '../dataflow/orders.ts'

export interface ChosenCells {
  readonly execution: readonly number[]
  readonly order: Graduation['order']
  readonly dropped: readonly { readonly cell: number; readonly why: string }[]
  readonly refusals: readonly Refusal[]
}

export function chooseCells(
  document: NotebookDocument,
  facts: NotebookFacts,
  observation: Observation | null,
  wanted: readonly number[] | null,
): ChosenCells {
  const code = new Map(facts.cells.map((cell) => [cell.index, cell]))
  const proposed = proposeOrders(document, facts)
  const base = wanted ?? observation?.order ?? proposed[0]?.cells ?? []
  const documentOrder = [...base].sort((a, b) => a - b)
  const isDocument = base.every((cell, at) => cell === documentOrder[at])
  const recorded = proposed.find((order) => order.kind === 'recorded')
  const isRecorded = recorded !== undefined && recorded.cells.join() === base.join()
  const dropped: { cell: number; why: string }[] = []
  const refusals: Refusal[] = []
  const execution: number[] = []
  for (const index of base) {
    const cell = code.get(index)
    if (cell === undefined) continue
    const seen = observation?.cells.find((one) => one.index === index)
    const stored = document.cells[index]?.outputs.find((output) => output.type === 'error')
    const tagged = document.cells[index]?.tags.includes('raises-exception') === true
    if (cell.syntaxError !== null) {
      if (stored !== undefined && /SyntaxError|IndentationError/u.test(stored.errorName ?? ''))
        dropped.push({ cell: index, why: 'it does not parse, as its stored error says' })
      else
        refusals.push({
          code: cell.syntaxError.python2 ? 'N40' : 'N39',
          cell: index,
          message: cell.syntaxError.python2 ? 'this is Python 2' : `it does not parse: ${cell.syntaxError.message}`,
        })
      continue
    }
    if (seen?.state === 'not-run') {
      dropped.push({ cell: index, why: 'it was not run' })
      continue
    }
    const fails = seen === undefined ? stored !== undefined || tagged : seen.state === 'error'
    if (!fails) {
      execution.push(index)
      continue
    }
    const leftNothing =
      seen === undefined
        ? cell.statements.length <= 1
        : seen.bound.length + seen.mutated.length + seen.deleted.length === 0
    if (leftNothing && (stored !== undefined || tagged))
      dropped.push({
        cell: index,
        why: `it fails on purpose (${seen?.error?.name ?? stored?.errorName ?? 'an error'})`,
      })
    else
      refusals.push({
        code: 'N39',
        cell: index,
        message: `it fails with ${seen?.error?.name ?? stored?.errorName ?? 'an error'}${leftNothing ? '' : ' after it changed something'}`,
      })
  }
  return { execution, order: isDocument ? 'document' : isRecorded ? 'recorded' : 'repaired', dropped, refusals }
}
