/** Draws from one generator of the process are one sequence: steps that draw follow each other and hand its state on. */
import type { Grouping } from './grouping.ts'
import { isSeed, maySeed } from './randomness.ts'

/** Draws from a seeded generator of the process are one sequence: steps hand its state on, in order. */
export function mergeRandom(cells: Grouping): void {
  for (let changed = true; changed;) {
    changed = false
    const seen: number[] = []
    for (const unit of randomUnits(cells)) {
      const group = cells.groupOf(unit)
      if (group === undefined) continue
      if (seen.at(-1) !== group && seen.includes(group)) {
        for (const between of seen.slice(seen.indexOf(group) + 1)) {
          changed = cells.join(group, between, 'they draw in turn from one generator of random numbers') || changed
        }
        break
      }
      if (seen.at(-1) !== group) seen.push(group)
    }
  }
  joinLoneSeeds(cells)
}

function randomUnits(cells: Grouping): number[] {
  const ids: number[] = []
  let seeded = false
  cells.input.flow.units.forEach((flow, id) => {
    const unit = cells.input.units.list[id]
    if (unit === undefined || !flow.tokens.some((token) => token.token.startsWith('rng:') && token.mode === 'write'))
      return
    seeded ||= maySeed(unit, flow.tokens)
    if (seeded) ids.push(id)
  })
  return ids
}

function joinLoneSeeds(cells: Grouping): void {
  const random = randomUnits(cells)
  random.forEach((unit, at) => {
    const facts = cells.input.units.list[unit]
    const next = random[at + 1]
    if (facts === undefined || !isSeed(facts) || next === undefined) return
    const group = cells.groupOf(unit)
    const mine = group === undefined ? [] : cells.unitsOf(group)
    const lone = mine.every((id) => {
      const other = cells.input.units.list[id]
      return other !== undefined && isSeed(other)
    })
    if (lone) cells.join(unit, next, 'a seed belongs to what is drawn after it')
  })
}

/** Group to the group whose generator states it starts from. */
export function randomPredecessors(cells: Grouping): Map<number, number> {
  const previous = new Map<number, number>()
  const settled = new Set<number>()
  const alive = new Set<string>()
  let last: number | null = null
  for (const id of randomUnits(cells)) {
    const group = cells.groupOf(id)
    const unit = cells.input.units.list[id]
    if (group === undefined || unit === undefined) continue
    for (const token of cells.input.flow.units[id]?.tokens ?? [])
      if (token.token.startsWith('rng:')) alive.add(token.token)
    if (last !== null && last !== group && !settled.has(group) && !seedsItself(cells, group, alive))
      previous.set(group, last)
    settled.add(group)
    last = group
  }
  return previous
}

/** Every generator in use so far is seeded in the group before it draws. */
function seedsItself(cells: Grouping, group: number, alive: ReadonlySet<string>): boolean {
  const seeded = new Set<string>()
  for (const id of cells.unitsOf(group)) {
    const unit = cells.input.units.list[id]
    for (const token of cells.input.flow.units[id]?.tokens ?? []) {
      if (!token.token.startsWith('rng:') || token.mode !== 'write') continue
      if (unit !== undefined && isSeed(unit)) seeded.add(token.token)
      else if (!seeded.has(token.token)) return false
    }
  }
  return [...alive].every((token) => seeded.has(token))
}
