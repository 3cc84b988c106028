/**
 * Cuts the notebook into steps. One group per cell to start; groups merge when state that cannot be handed over as a
 * value would cross (shared objects that change, iterators, generators of random numbers, files written and read), and
 * whenever `simulate` says that a step would see another version than the notebook did. Merging always ends in a valid
 * plan, since one step with all statements is the notebook itself.
 */
import type { Observation } from '../observation.ts'
import type { NotebookDocument } from '../document.ts'
import { headingCell } from './headings.ts'
import { findDisplays, isFigure, mayBeSameFile, type DisplayGroup } from './displays.ts'
import { isConflict, simulate, type NameVersion, type Simulation, type StepFacts } from './simulate.ts'
import { chooseOutputs } from './results.ts'
import { stickyVersions } from './sticky.ts'
import { isSeed, maySeed } from './randomness.ts'

export interface PlannedStep {
  readonly kind: 'asset' | 'report' | 'file'
  /** Computing or showing statements; `simulation.body` also holds what is repeated. */
  readonly units: readonly number[]
  readonly simulation: Simulation
  readonly outputs: readonly NameVersion[]
  /** Index of the step whose generator states this one starts from. */
  readonly afterRandom: number | null
  readonly writes: readonly string[]
}

export interface Plan {
  readonly steps: readonly PlannedStep[]
  readonly merges: readonly { readonly cells: readonly number[]; readonly why: string }[]
}

export interface CutInput extends StepFacts {
  readonly document: NotebookDocument
  readonly observation: Observation | null
  readonly textOf: (unit: number) => string
}

export class CutError extends Error {
  readonly unit: number
  readonly code: string
  constructor(code: string, unit: number, message: string) {
    super(message)
    this.name = 'CutError'
    this.code = code
    this.unit = unit
  }
}

export function cut(input: CutInput): Plan {
  return new Cutter(input).cut()
}

class Cutter {
  readonly #input: CutInput
  /** Unit to group: the smallest unit id in it. */
  readonly #group = new Map<number, number>()
  readonly #merges = new Map<string, Set<number>>()
  #displays: DisplayGroup[]

  constructor(input: CutInput) {
    this.#input = input
    this.#displays = findDisplays({ units: input.units, flow: input.flow, roles: input.roles.of })
  }

  cut(): Plan {
    const shown = new Set(this.#displays.flatMap((group) => group.units))
    const firstOfCell = new Map<number, number>()
    for (const unit of this.#input.units.list) {
      if (this.#input.roles.of[unit.id] !== 'compute' || shown.has(unit.id)) continue
      const first = firstOfCell.get(unit.cell) ?? unit.id
      firstOfCell.set(unit.cell, first)
      this.#group.set(unit.id, first)
    }
    this.#mergeSticky()
    this.#mergeShared()
    this.#mergeResources()
    this.#mergeRandom()
    this.#settle()
    this.#mergeForReading()
    this.#joinReports()
    for (let plan = this.#plan(); ; plan = this.#plan()) {
      const mute = plan.steps.find(
        (step) => step.afterRandom !== null && plan.steps[step.afterRandom]?.outputs.length === 0,
      )
      if (mute === undefined) return plan
      const before = plan.steps[mute.afterRandom ?? 0]
      this.#join(before?.units[0] ?? 0, mute.units[0] ?? 0, 'they draw in turn from one generator of random numbers')
      this.#settle()
    }
  }

  #join(first: number, second: number, why: string | null): boolean {
    const a = this.#group.get(first)
    const b = this.#group.get(second)
    if (a === undefined || b === undefined || a === b) return false
    const [target, gone] = a < b ? [a, b] : [b, a]
    if (why !== null) {
      const cells = this.#merges.get(why) ?? new Set()
      for (const unit of [first, second]) cells.add(this.#cellOf(unit))
      this.#merges.set(why, cells)
    }
    for (const [unit, group] of this.#group) if (group === gone) this.#group.set(unit, target)
    return true
  }

  #cellOf(unit: number): number {
    return this.#input.units.list[unit]?.cell ?? -1
  }

  /** A display that must stay with the work becomes part of its cell's step. */
  #pin(group: DisplayGroup, near: number | null): void {
    this.#displays = this.#displays.filter((other) => other !== group)
    if (group.kind === 'file') {
      throw new CutError(
        'N22',
        group.units[0] ?? 0,
        `the cell writes ${group.writes.join(', ')} from a value that exists only in the middle of a step; write the file in a cell of its own`,
      )
    }
    const cell = this.#input.units.list.find((unit) => unit.cell === group.cell && this.#group.has(unit.id))
    const target = near ?? cell?.id ?? null
    for (const unit of group.units)
      this.#group.set(unit, target === null ? (group.units[0] ?? unit) : (this.#group.get(target) ?? target))
  }

  #mergeSticky(): void {
    const sticky = stickyVersions(this.#input, (unit) =>
      isFigure({ units: this.#input.units, flow: this.#input.flow, roles: this.#input.roles.of }, unit),
    )
    for (const unit of this.#input.units.list) {
      for (const [name, version] of this.#input.flow.units[unit.id]?.uses ?? []) {
        const why = sticky.get(version)
        const maker = this.#input.flow.versions[version]?.unit
        if (why === undefined || maker === undefined || maker === unit.id) continue
        const display = this.#displays.find((group) => group.units.includes(unit.id))
        if (display !== undefined) {
          if (display.units.includes(maker)) continue
          this.#pin(display, this.#group.has(maker) ? maker : null)
        }
        this.#join(maker, unit.id, `${name} ${why}`)
      }
    }
  }

  #mergeShared(): void {
    const { flow, units } = this.#input
    for (const unit of units.list) {
      const facts = flow.units[unit.id]
      for (const group of facts?.changedGroups ?? []) {
        const live = group.filter(
          (name) => !this.#input.roles.hoisted.has(name) && this.#isLive(facts?.defs.get(name), unit.id),
        )
        const direct = new Set(unit.facts.mutations.map((mutation) => mutation.name))
        const alone = live.length === 1 && direct.size === 1 && direct.has(live[0] ?? '') && unit.unseen.size === 0
        if (live.length === 0 || alone) continue
        for (const name of group) {
          const maker = flow.versions[facts?.uses.get(name) ?? -1]?.unit
          if (maker !== undefined)
            this.#join(maker, unit.id, `${live.join(' and ')} may be one object, which cell ${unit.cell} changes`)
        }
      }
    }
  }

  #isLive(version: number | undefined, unit: number): boolean {
    if (version === undefined) return false
    if ([...this.#input.flow.final.values()].includes(version)) return true
    return this.#input.flow.units.some((other, at) => at !== unit && [...other.uses.values()].includes(version))
  }

  /** Files, tables and other state outside variables: whoever writes it and whoever touches it stay together. */
  #mergeResources(): void {
    const touching: { unit: number; token: string; write: boolean }[] = []
    this.#input.flow.units.forEach((flow, unit) => {
      for (const token of flow.tokens) {
        if (/^(stdout|figure|clock|rng:|cfg:|entropy)/u.test(token.token)) continue
        touching.push({ unit, token: token.token, write: token.mode === 'write' })
      }
    })
    for (const first of touching) {
      if (!first.write) continue
      for (const second of touching) {
        if (first.unit === second.unit || !mayBeSameFile(first.token, second.token)) continue
        for (const unit of [first.unit, second.unit]) {
          const display = this.#displays.find((group) => group.units.includes(unit))
          if (display !== undefined) this.#pin({ ...display, kind: 'report' }, null)
          this.#displays = this.#displays.filter((group) => group !== display)
        }
        this.#join(first.unit, second.unit, `${first.token.replace(':', ' ')} is written and used again`)
      }
    }
  }

  /** Draws from a seeded generator of the process are one sequence: steps hand its state on, in order. */
  #mergeRandom(): void {
    for (let changed = true; changed;) {
      changed = false
      const seen: number[] = []
      for (const unit of this.#randomUnits()) {
        const group = this.#group.get(unit)
        if (group === undefined) continue
        if (seen.at(-1) !== group && seen.includes(group)) {
          for (const between of seen.slice(seen.indexOf(group) + 1)) {
            changed = this.#join(group, between, 'they draw in turn from one generator of random numbers') || changed
          }
          break
        }
        if (seen.at(-1) !== group) seen.push(group)
      }
    }
    this.#joinLoneSeeds()
  }

  #randomUnits(): number[] {
    const ids: number[] = []
    let seeded = false
    this.#input.flow.units.forEach((flow, id) => {
      const unit = this.#input.units.list[id]
      if (unit === undefined || !flow.tokens.some((token) => token.token.startsWith('rng:') && token.mode === 'write'))
        return
      seeded ||= maySeed(unit, flow.tokens)
      if (seeded) ids.push(id)
    })
    return ids
  }

  #joinLoneSeeds(): void {
    const random = this.#randomUnits()
    random.forEach((unit, at) => {
      const facts = this.#input.units.list[unit]
      const next = random[at + 1]
      if (facts === undefined || !isSeed(facts) || next === undefined) return
      const group = this.#group.get(unit)
      const mine = [...this.#group].filter(([, other]) => other === group).map(([id]) => id)
      const lone = mine.every((id) => {
        const other = this.#input.units.list[id]
        return other !== undefined && isSeed(other)
      })
      if (lone) this.#join(unit, next, 'a seed belongs to what is drawn after it')
    })
  }

  /** Merges until every step sees what the notebook's statements saw. */
  #settle(): void {
    for (let round = 0; round < 10_000; round += 1) {
      if (this.#settleDisplays() || this.#settleGroups()) continue
      this.#mergeRandomAgain()
      if (!this.#settleGroups() && !this.#settleDisplays()) return
    }
    throw new CutError('N14', 0, 'the notebook could not be cut into steps')
  }

  #mergeRandomAgain(): void {
    this.#mergeRandom()
  }

  #unitsOf(group: number): number[] {
    return [...this.#group]
      .filter(([, other]) => other === group)
      .map(([unit]) => unit)
      .sort((a, b) => a - b)
  }

  #groups(): number[] {
    return [...new Set(this.#group.values())].sort((a, b) => a - b)
  }

  #settleGroups(): boolean {
    const simulations = new Map<number, Simulation>()
    for (const group of this.#groups()) {
      const result = simulate(this.#input, this.#unitsOf(group))
      if (isConflict(result)) {
        const maker = this.#input.flow.versions[result.wanted]?.unit
        const merged = maker !== undefined && this.#join(group, maker, `${result.name} changes between them`)
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
        const maker = this.#input.flow.versions[version]?.unit ?? -1
        const from = this.#group.get(maker)
        if (from === undefined) {
          throw new CutError(
            'N14',
            this.#unitsOf(group)[0] ?? 0,
            `${name} comes from a statement that has no place in a pipeline`,
          )
        }
        if (
          simulations.get(from)?.end.get(name) !== version &&
          this.#join(group, maker, `${name} changes between them`)
        )
          return true
      }
    }
    return this.#joinCycle(simulations)
  }

  #joinCycle(simulations: ReadonlyMap<number, Simulation>): boolean {
    const edges = new Map<number, Set<number>>()
    for (const [group, simulation] of simulations) {
      const from = simulation.inputs.map((one) => this.#group.get(this.#input.flow.versions[one.version]?.unit ?? -1))
      edges.set(group, new Set(from.filter((one): one is number => one !== undefined && one !== group)))
    }
    const previous = this.#randomPredecessors()
    for (const [group, before] of previous) edges.get(group)?.add(before)
    for (const start of edges.keys()) {
      const path = pathTo(edges, start)
      if (path === null) continue
      for (const other of path) this.#join(start, other, 'each needs a value that the other makes')
      return true
    }
    return false
  }

  /** Group to the group whose generator states it starts from. */
  #randomPredecessors(): Map<number, number> {
    const previous = new Map<number, number>()
    const settled = new Set<number>()
    const alive = new Set<string>()
    let last: number | null = null
    for (const id of this.#randomUnits()) {
      const group = this.#group.get(id)
      const unit = this.#input.units.list[id]
      if (group === undefined || unit === undefined) continue
      for (const token of this.#input.flow.units[id]?.tokens ?? [])
        if (token.token.startsWith('rng:')) alive.add(token.token)
      if (last !== null && last !== group && !settled.has(group) && !this.#seedsItself(group, alive))
        previous.set(group, last)
      settled.add(group)
      last = group
    }
    return previous
  }

  /** Every generator in use so far is seeded in the group before it draws. */
  #seedsItself(group: number, alive: ReadonlySet<string>): boolean {
    const seeded = new Set<string>()
    for (const id of this.#unitsOf(group)) {
      const unit = this.#input.units.list[id]
      for (const token of this.#input.flow.units[id]?.tokens ?? []) {
        if (!token.token.startsWith('rng:') || token.mode !== 'write') continue
        if (unit !== undefined && isSeed(unit)) seeded.add(token.token)
        else if (!seeded.has(token.token)) return false
      }
    }
    return [...alive].every((token) => seeded.has(token))
  }

  #settleDisplays(): boolean {
    for (const display of this.#displays) {
      const result = simulate(this.#input, display.units)
      if (isConflict(result)) {
        this.#pin(display, null)
        return true
      }
      for (const { name, version } of result.inputs) {
        const maker = this.#input.flow.versions[version]?.unit ?? -1
        const group = this.#group.get(maker)
        const end = group === undefined ? null : simulate(this.#input, this.#unitsOf(group))
        if (end !== null && !isConflict(end) && end.end.get(name) === version) continue
        if (end !== null && isConflict(end)) continue
        this.#pin(display, group === undefined ? null : maker)
        return true
      }
    }
    return false
  }

  /** Neighbours that work on one value under one heading read better, and build cheaper, as one step. */
  #mergeForReading(): void {
    for (let changed = true; changed;) {
      changed = false
      for (const group of this.#groups()) {
        const next = this.#onlyReader(group)
        if (next === null || this.#groups().length <= 2 || !this.#belongTogether(group, next)) continue
        const saved = new Map(this.#group)
        const displays = this.#displays
        const merges = new Map([...this.#merges].map(([why, cells]) => [why, new Set(cells)]))
        const before = this.#groups().length
        try {
          this.#join(group, next, null)
          this.#settle()
        } catch (error) {
          if (!(error instanceof CutError)) throw error
          this.#group.clear()
        }
        if (this.#groups().length === before - 1) {
          changed = true
          break
        }
        this.#group.clear()
        for (const [unit, value] of saved) this.#group.set(unit, value)
        this.#displays = displays
        this.#merges.clear()
        for (const [why, cells] of merges) this.#merges.set(why, cells)
      }
    }
  }

  /** Reports under one heading are one function, while at most one of them draws: two figures must not be one. */
  #joinReports(): void {
    const joined: DisplayGroup[] = []
    for (const display of this.#displays.toSorted((a, b) => (a.units[0] ?? 0) - (b.units[0] ?? 0))) {
      const last = joined.at(-1)
      const both = last === undefined ? [] : [...last.units, ...display.units].sort((a, b) => a - b)
      if (last === undefined || !this.#oneReport(last, display, both)) joined.push(display)
      else joined[joined.length - 1] = { ...last, units: both }
    }
    this.#displays = joined
  }

  #oneReport(last: DisplayGroup, next: DisplayGroup, both: readonly number[]): boolean {
    if (last.kind !== 'report' || next.kind !== 'report') return false
    const { document } = this.#input
    if (
      headingCell(document, last.cell) !== headingCell(document, next.cell) ||
      headingCell(document, next.cell) === null
    )
      return false
    const draws = (group: DisplayGroup): boolean => group.units.some((id) => this.#draws(id))
    if (draws(last) || draws(next)) return false
    const result = simulate(this.#input, both)
    const first = simulate(this.#input, last.units)
    return !isConflict(result) && !isConflict(first) && result.inputs.length <= first.inputs.length + 1
  }

  #draws(id: number): boolean {
    const unit = this.#input.units.list[id]
    return (
      unit !== undefined &&
      isFigure({ units: this.#input.units, flow: this.#input.flow, roles: this.#input.roles.of }, unit)
    )
  }

  #onlyReader(group: number): number | null {
    const readers = new Set<number>()
    for (const other of this.#groups()) {
      if (other === group) continue
      const simulation = simulate(this.#input, this.#unitsOf(other))
      if (isConflict(simulation)) return null
      if (
        simulation.inputs.some((one) => this.#group.get(this.#input.flow.versions[one.version]?.unit ?? -1) === group)
      )
        readers.add(other)
    }
    return readers.size === 1 ? ([...readers][0] ?? null) : null
  }

  #belongTogether(group: number, next: number): boolean {
    const mine = this.#unitsOf(group)
    const theirs = this.#unitsOf(next)
    const from = this.#cellOf(mine.at(-1) ?? group)
    const to = this.#cellOf(theirs[0] ?? next)
    const between = this.#input.document.cells.slice(Math.min(from, to) + 1, Math.max(from, to))
    if (between.some((cell) => cell.type === 'markdown' && /^\s*(#{1,6}\s|<h[1-6])/mu.test(cell.source))) return false
    const slow = (this.#input.observation?.cells ?? []).some(
      (cell) => cell.ms > 1000 && mine.some((unit) => this.#cellOf(unit) === cell.index),
    )
    if (slow) return false
    const made = new Set(mine.flatMap((unit) => [...(this.#input.flow.units[unit]?.defs.keys() ?? [])]))
    const simulation = simulate(this.#input, theirs)
    if (isConflict(simulation)) return false
    const crossing = simulation.inputs.filter((one) => made.has(one.name))
    // The reader gives the value a new version: nobody else will want the old one.
    return crossing.length > 4 || crossing.some((one) => simulation.end.get(one.name) !== one.version)
  }

  #plan(): Plan {
    const groups = this.#groups().map((group) => ({ group, units: this.#unitsOf(group) }))
    const simulations = groups.map((one) => this.#simulated(one.units))
    const displays = this.#displays.map((display) => ({ display, simulation: this.#simulated(display.units) }))
    const crossing = new Set(
      [...simulations, ...displays.map((one) => one.simulation)].flatMap((one) =>
        one.inputs.map((input) => input.version),
      ),
    )
    const previous = this.#randomPredecessors()
    const steps: PlannedStep[] = groups.map(({ group, units }, at) => {
      const simulation = simulations[at] as Simulation
      const before = previous.get(group)
      return {
        kind: 'asset',
        units,
        simulation,
        outputs: chooseOutputs(this.#input, units, simulation, crossing),
        afterRandom: before === undefined ? null : groups.findIndex((one) => one.group === before),
        writes: [],
      }
    })
    for (const { display, simulation } of displays) {
      steps.push({
        kind: display.kind,
        units: display.units,
        simulation,
        outputs: [],
        afterRandom: null,
        writes: display.writes,
      })
    }
    return {
      steps,
      merges: [...this.#merges]
        .map(([why, cells]) => ({ cells: [...cells].sort((a, b) => a - b), why }))
        .filter((one) => one.cells.length > 1),
    }
  }

  #simulated(units: readonly number[]): Simulation {
    const result = simulate(this.#input, units)
    if (isConflict(result)) throw new CutError('N12', result.unit, `${result.name} means different things in one step`)
    return result
  }
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
