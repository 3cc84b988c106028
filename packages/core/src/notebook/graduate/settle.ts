/** Merges until each step, run alone, sees the versions of names that the notebook's statements saw. */
import { CutError } from './cut-error.ts'
import type { Grouping } from './grouping.ts'
import { mergeRandom, randomPredecessors } from './merge-random.ts'
import { isConflict, simulate, type Simulation } from './simulate.ts'

/** Merges until every step sees what the notebook's statements saw. */
export function settle(cells: Grouping): void {
  for (let round = 0; round < 10_000; round += 1) {
    if (settleDisplays(cells) || settleGroups(cells)) continue
    mergeRandom(cells)
    if (!settleGroups(cells) && !settleDisplays(cells)) return
  }
  throw new CutError('N14', 0, 'the notebook could not be cut into steps')
}

function settleGroups(cells: Grouping): boolean {
  const simulations = new Map<number, Simulation>()
  for (const group of cells.groups()) {
    const result = simulate(cells.input, cells.unitsOf(group))
    if (isConflict(result)) {
      const maker = cells.input.flow.versions[result.wanted]?.unit
      const merged = maker !== undefined && cells.join(group, maker, `${result.name} changes between them`)
      if (!merged)
        throw new CutError(
          'N12',
          result.unit,
          `${result.name} means different things in one step: its value before and after cannot both be kept`,
        )
      return true
    }
    simulations.set(group, result)
  }
  for (const [group, simulation] of simulations) {
    for (const { name, version } of simulation.inputs) {
      const maker = cells.input.flow.versions[version]?.unit ?? -1
      const from = cells.groupOf(maker)
      if (from === undefined) {
        throw new CutError(
          'N14',
          cells.unitsOf(group)[0] ?? 0,
          `${name} comes from a statement that has no place in a pipeline`,
        )
      }
      if (simulations.get(from)?.end.get(name) !== version && cells.join(group, maker, `${name} changes between them`))
        return true
    }
  }
  return joinCycle(cells, simulations)
}

function joinCycle(cells: Grouping, simulations: ReadonlyMap<number, Simulation>): boolean {
  const edges = new Map<number, Set<number>>()
  for (const [group, simulation] of simulations) {
    const from = simulation.inputs.map((one) => cells.groupOf(cells.input.flow.versions[one.version]?.unit ?? -1))
    edges.set(group, new Set(from.filter((one): one is number => one !== undefined && one !== group)))
  }
  const previous = randomPredecessors(cells)
  for (const [group, before] of previous) edges.get(group)?.add(before)
  for (const start of edges.keys()) {
    const path = pathTo(edges, start)
    if (path === null) continue
    for (const other of path) cells.join(start, other, 'each needs a value that the other makes')
    return true
  }
  return false
}

function settleDisplays(cells: Grouping): boolean {
  for (const display of cells.displays) {
    const result = simulate(cells.input, display.units)
    if (isConflict(result)) {
      cells.pin(display, null)
      return true
    }
    for (const { name, version } of result.inputs) {
      const maker = cells.input.flow.versions[version]?.unit ?? -1
      const group = cells.groupOf(maker)
      const end = group === undefined ? null : simulate(cells.input, cells.unitsOf(group))
      if (end !== null && !isConflict(end) && end.end.get(name) === version) continue
      if (end !== null && isConflict(end)) continue
      cells.pin(display, group === undefined ? null : maker)
      return true
    }
  }
  return false
}

function pathTo(edges: ReadonlyMap<number, ReadonlySet<number>>, start: number): number[] | null {
  const seen = new Set<number>()
  const walk = (node: number): number[] | null => {
    for (const next of edges.get(node) ?? []) {
      if (next === start) return [node]
      if (seen.has(next)) continue
      seen.add(next)
      const found = walk(next)
      if (found !== null) return [node, ...found]
    }
    return null
  }
  return walk(start)
}
