/** Merges that are not forced: what a person would have written as one function. */
import { isFigure, type DisplayGroup } from './displays.ts'
import type { Grouping } from './grouping.ts'
import { headingCell } from './headings.ts'
import { settle } from './settle.ts'
import { isConflict, simulate } from './simulate.ts'

/** Neighbours that work on one value under one heading read better, and build cheaper, as one step. */
export function mergeForReading(cells: Grouping): void {
  for (let changed = true; changed;) {
    changed = cells.groups().some((group) => {
      const next = onlyReader(cells, group)
      if (next === null || cells.groups().length <= 2 || !belongTogether(cells, group, next)) return false
      return cells.attempt(cells.groups().length - 1, () => {
        cells.join(group, next, null)
        settle(cells)
      })
    })
  }
}

/** Reports under one heading are one function, while at most one of them draws: two figures must not be one. */
export function joinReports(cells: Grouping): void {
  const joined: DisplayGroup[] = []
  for (const display of cells.displays.toSorted((a, b) => (a.units[0] ?? 0) - (b.units[0] ?? 0))) {
    const last = joined.at(-1)
    const both = last === undefined ? [] : [...last.units, ...display.units].sort((a, b) => a - b)
    if (last === undefined || !oneReport(cells, last, display, both)) joined.push(display)
    else joined[joined.length - 1] = { ...last, units: both }
  }
  cells.displays = joined
}

function oneReport(cells: Grouping, last: DisplayGroup, next: DisplayGroup, both: readonly number[]): boolean {
  if (last.kind !== 'report' || next.kind !== 'report') return false
  const { document } = cells.input
  if (
    headingCell(document, last.cell) !== headingCell(document, next.cell) ||
    headingCell(document, next.cell) === null
  )
    return false
  const draws = (group: DisplayGroup): boolean => group.units.some((id) => drawsFigure(cells, id))
  if (draws(last) || draws(next)) return false
  const result = simulate(cells.input, both)
  const first = simulate(cells.input, last.units)
  return !isConflict(result) && !isConflict(first) && result.inputs.length <= first.inputs.length + 1
}

function drawsFigure(cells: Grouping, id: number): boolean {
  const unit = cells.input.units.list[id]
  return (
    unit !== undefined &&
    isFigure({ units: cells.input.units, flow: cells.input.flow, roles: cells.input.roles.of }, unit)
  )
}

function onlyReader(cells: Grouping, group: number): number | null {
  const readers = new Set<number>()
  for (const other of cells.groups()) {
    if (other === group) continue
    const simulation = simulate(cells.input, cells.unitsOf(other))
    if (isConflict(simulation)) return null
    if (simulation.inputs.some((one) => cells.groupOf(cells.input.flow.versions[one.version]?.unit ?? -1) === group))
      readers.add(other)
  }
  return readers.size === 1 ? ([...readers][0] ?? null) : null
}

function belongTogether(cells: Grouping, group: number, next: number): boolean {
  const mine = cells.unitsOf(group)
  const theirs = cells.unitsOf(next)
  const from = cells.cellOf(mine.at(-1) ?? group)
  const to = cells.cellOf(theirs[0] ?? next)
  const between = cells.input.document.cells.slice(Math.min(from, to) + 1, Math.max(from, to))
  if (between.some((cell) => cell.type === 'markdown' && /^\s*(#{1,6}\s|<h[1-6])/mu.test(cell.source))) return false
  const slow = (cells.input.observation?.cells ?? []).some(
    (cell) => cell.ms > 1000 && mine.some((unit) => cells.cellOf(unit) === cell.index),
  )
  if (slow) return false
  const made = new Set(mine.flatMap((unit) => [...(cells.input.flow.units[unit]?.defs.keys() ?? [])]))
  const simulation = simulate(cells.input, theirs)
  if (isConflict(simulation)) return false
  const crossing = simulation.inputs.filter((one) => made.has(one.name))
  // The reader gives the value a new version: nobody else will want the old one.
  return crossing.length > 4 || crossing.some((one) => simulation.end.get(one.name) !== one.version)
}
