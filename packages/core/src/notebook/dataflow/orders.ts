/**
 * Orders in which the cells of a notebook may have been meant to run: as written, as recorded by execution counts, and
 * the fewest moves that put every definition before its first use. Which one is right only runs can tell.
 */
import type { NotebookDocument } from '../document.ts'
import type { CellFacts, NotebookFacts } from '../ir.ts'
import { BUILTIN_NAMES } from '../graduate/names.ts'

export interface ProposedOrder {
  readonly kind: 'document' | 'recorded' | 'repaired'
  readonly cells: readonly number[]
  /** Names read before anything defines them, with the cell. */
  readonly undefinedReads: readonly { readonly cell: number; readonly name: string }[]
}

const MAX_ORDERS = 20

export function proposeOrders(document: NotebookDocument, facts: NotebookFacts): ProposedOrder[] {
  const code = facts.cells.filter((cell) => document.cells[cell.index]?.type === 'code')
  const byIndex = new Map(code.map((cell) => [cell.index, cell]))
  const written = code.map((cell) => cell.index)
  const candidates: { kind: ProposedOrder['kind']; cells: readonly number[] }[] = [{ kind: 'document', cells: written }]
  const recorded = recordedOrder(document, written)
  if (recorded !== null) candidates.push({ kind: 'recorded', cells: recorded })
  for (const start of [written, ...(recorded === null ? [] : [recorded])]) {
    for (const cells of repairs(start, byIndex)) candidates.push({ kind: 'repaired', cells })
  }
  const seen = new Set<string>()
  const orders: ProposedOrder[] = []
  for (const one of candidates) {
    const key = one.cells.join()
    if (seen.has(key)) continue
    seen.add(key)
    orders.push({ ...one, undefinedReads: undefinedReads(one.cells, byIndex) })
  }
  return orders.slice(0, MAX_ORDERS)
}

/** Null when nothing was recorded or when it says the same. Cells without a count keep their place after their neighbour. */
function recordedOrder(document: NotebookDocument, written: readonly number[]): number[] | null {
  const counts = new Map<number, number>()
  let last = 0
  for (const index of written) {
    last = document.cells[index]?.executionCount ?? last
    counts.set(index, last)
  }
  const sorted = [...written].sort((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0) || a - b)
  return sorted.join() === written.join() ? null : sorted
}

interface CellNames {
  readonly needs: ReadonlySet<string>
  readonly gives: ReadonlySet<string>
}

function cellNames(cell: CellFacts): CellNames {
  const gives = new Set<string>()
  const needs = new Set<string>()
  for (const statement of cell.statements) {
    for (const access of [...statement.reads, ...statement.mutations])
      if (!gives.has(access.name)) needs.add(access.name)
    for (const name of [...statement.binds, ...statement.mayBind]) gives.add(name)
  }
  return { needs, gives }
}

function undefinedReads(
  order: readonly number[],
  cells: ReadonlyMap<number, CellFacts>,
): { cell: number; name: string }[] {
  const bound = new Set<string>()
  const ever = new Set([...cells.values()].flatMap((cell) => [...cellNames(cell).gives]))
  const missing: { cell: number; name: string }[] = []
  for (const index of order) {
    const cell = cells.get(index)
    if (cell === undefined) continue
    const names = cellNames(cell)
    for (const name of names.needs)
      if (!bound.has(name) && ever.has(name) && !BUILTIN_NAMES.has(name)) missing.push({ cell: index, name })
    for (const name of names.gives) bound.add(name)
  }
  return missing
}

/** Moves the one provider of an undefined name before its first reader, or the reader behind it, nearest first. */
function repairs(start: readonly number[], cells: ReadonlyMap<number, CellFacts>): number[][] {
  const found: number[][] = []
  const seen = new Set<string>()
  const queue: number[][] = [[...start]]
  for (let tried = 0; queue.length > 0 && tried < 200 && found.length < MAX_ORDERS; tried += 1) {
    const order = queue.shift() as number[]
    const missing = undefinedReads(order, cells)[0]
    if (missing === undefined) {
      if (tried > 0) found.push(order)
      continue
    }
    const reader = order.indexOf(missing.cell)
    const providers = order.filter((index, at) => {
      const cell = cells.get(index)
      return at > reader && cell !== undefined && cellNames(cell).gives.has(missing.name)
    })
    for (const provider of providers.slice(0, 3)) {
      const rest = order.filter((index) => index !== provider)
      const earlier = [...rest.slice(0, reader), provider, ...rest.slice(reader)]
      const without = order.filter((index) => index !== missing.cell)
      const at = without.indexOf(provider) + 1
      const later = [...without.slice(0, at), missing.cell, ...without.slice(at)]
      for (const next of [earlier, later]) {
        if (seen.has(next.join())) continue
        seen.add(next.join())
        queue.push(next)
      }
    }
  }
  return found
}
