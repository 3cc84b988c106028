/** N01, N04, N06, N39: what the saved execution counts and outputs say. Invariant: nothing of the code is read here. */
import type { NotebookCell } from '../../document.ts'
import type { Finding } from '../../finding.ts'
import { cellsListed, finding, type AuditContext, type Rule } from '../audit-context.ts'

export const orderRules: readonly Rule[] = [
  { codes: ['N01'], needs: 'file', find: outOfOrder },
  { codes: ['N04'], needs: 'file', find: repeatedRuns },
  { codes: ['N06'], needs: 'file', find: neverRun },
  { codes: ['N39'], needs: 'file', find: expectedErrors },
]

function counted(context: AuditContext): { cell: NotebookCell; count: number }[] {
  return context.codeCells.flatMap((cell) =>
    cell.executionCount === null ? [] : [{ cell, count: cell.executionCount }],
  )
}

function outOfOrder(context: AuditContext): readonly Finding[] {
  const cells = counted(context)
  const findings: Finding[] = []
  let highest = cells[0]
  for (const current of cells.slice(1)) {
    if (highest !== undefined && current.count < highest.count) {
      findings.push(
        finding('N01', {
          cell: current.cell.index,
          message: `This cell ran before cell ${highest.cell.index}, which stands above it: from top to bottom the notebook may give other results.`,
          evidence: `In [${highest.count}] in cell ${highest.cell.index}, then In [${current.count}] in cell ${current.cell.index}`,
        }),
      )
    } else {
      highest = current
    }
  }
  return findings
}

function repeatedRuns(context: AuditContext): readonly Finding[] {
  const cells = counted(context)
  if (cells.length === 0) return []
  const counts = cells.map(({ count }) => count)
  const highest = Math.max(...counts)
  const repeated = counts.filter((count, index) => counts.indexOf(count) !== index)
  const missing = highest - new Set(counts).size
  if (missing <= 0 && repeated.length === 0) return []
  const first = cells.find(({ count }, index) => count !== index + 1)
  const parts = [
    missing > 0 ? `${missing} runs that left no cell` : '',
    repeated.length > 0 ? `${repeated.length} counts that occur twice` : '',
  ].filter((part) => part !== '')
  return [
    finding('N04', {
      cell: first?.cell.index ?? null,
      message: `The counts go up to ${highest} for ${cells.length} cells that ran: cells were run again, changed or deleted. Stored outputs may come from code that is gone.`,
      evidence: parts.join(', '),
    }),
  ]
}

function neverRun(context: AuditContext): readonly Finding[] {
  const wasRun = context.codeCells.some((cell) => cell.executionCount !== null)
  const empty = context.codeCells.filter((cell) => cell.source.trim() === '')
  const skipped = context.codeCells.filter(
    (cell) => cell.source.trim() !== '' && cell.executionCount === null && wasRun,
  )
  const findings = skipped.map((cell) =>
    finding('N06', {
      cell: cell.index,
      message: 'This cell was never run, though others were: its code was no part of the saved results.',
      evidence: cell.source.trim().split('\n')[0] ?? '',
    }),
  )
  // The last cell of a notebook is usually an empty one; that is how Jupyter leaves it.
  const last = context.document.cells.at(-1)
  const inside = empty.filter((cell) => cell.index !== last?.index)
  if (inside.length === 0) return findings
  return [
    ...findings,
    finding('N06', {
      cell: inside[0]?.index ?? null,
      message: `${inside.length === 1 ? 'A code cell is' : `${inside.length} code cells are`} empty.`,
      evidence: cellsListed(inside.map((cell) => cell.index)),
      fix: { kind: 'automatic', diff: '' },
    }),
  ]
}

function expectedErrors(context: AuditContext): readonly Finding[] {
  return context.codeCells.flatMap((cell) => {
    const error = cell.outputs.find((output) => output.type === 'error')
    const tagged = cell.tags.includes('raises-exception')
    if (error === undefined && !tagged) return []
    return [
      finding('N39', {
        cell: cell.index,
        message: tagged
          ? 'The cell is tagged `raises-exception`: its error is part of the notebook.'
          : `The saved output is an error (${error?.errorName ?? 'unknown'}): on purpose, or the notebook did not work when it was saved.`,
        evidence: error === undefined ? 'tag raises-exception' : `${error.errorName ?? ''}: ${error.errorValue ?? ''}`,
      }),
    ]
  })
}
