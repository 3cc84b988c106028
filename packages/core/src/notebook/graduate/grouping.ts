/**
 * Which statements share a step, while it is decided. A group is named by the smallest statement in it; joining is the
 * only change, so that deciding ends. What is only shown stands apart until it is pinned to the work.
 */
import type { NotebookDocument } from '../document.ts'
import type { Observation } from '../observation.ts'
import { CutError } from './cut-error.ts'
import { findDisplays, type DisplayGroup } from './displays.ts'
import type { StepFacts } from './simulate.ts'

export interface CutInput extends StepFacts {
  readonly document: NotebookDocument
  readonly observation: Observation | null
  readonly textOf: (unit: number) => string
}

export interface Merge {
  readonly cells: readonly number[]
  readonly why: string
}

export class Grouping {
  readonly input: CutInput
  displays: readonly DisplayGroup[]
  readonly #group = new Map<number, number>()
  readonly #merges = new Map<string, Set<number>>()

  /** One group for each cell that computes. */
  constructor(input: CutInput) {
    this.input = input
    this.displays = findDisplays({ units: input.units, flow: input.flow, roles: input.roles.of })
    const shown = new Set(this.displays.flatMap((group) => group.units))
    const firstOfCell = new Map<number, number>()
    for (const unit of input.units.list) {
      if (input.roles.of[unit.id] !== 'compute' || shown.has(unit.id)) continue
      const first = firstOfCell.get(unit.cell) ?? unit.id
      firstOfCell.set(unit.cell, first)
      this.#group.set(unit.id, first)
    }
  }

  has(unit: number): boolean {
    return this.#group.has(unit)
  }

  groupOf(unit: number): number | undefined {
    return this.#group.get(unit)
  }

  groups(): number[] {
    return [...new Set(this.#group.values())].sort((a, b) => a - b)
  }

  unitsOf(group: number): number[] {
    return [...this.#group]
      .filter(([, other]) => other === group)
      .map(([unit]) => unit)
      .sort((a, b) => a - b)
  }

  cellOf(unit: number): number {
    return this.input.units.list[unit]?.cell ?? -1
  }

  join(first: number, second: number, why: string | null): boolean {
    const a = this.#group.get(first)
    const b = this.#group.get(second)
    if (a === undefined || b === undefined || a === b) return false
    const [target, gone] = a < b ? [a, b] : [b, a]
    if (why !== null) {
      const cells = this.#merges.get(why) ?? new Set()
      for (const unit of [first, second]) cells.add(this.cellOf(unit))
      this.#merges.set(why, cells)
    }
    for (const [unit, group] of this.#group) if (group === gone) this.#group.set(unit, target)
    return true
  }

  /** A display that must stay with the work becomes part of its cell's step. */
  pin(group: DisplayGroup, near: number | null): void {
    this.displays = this.displays.filter((other) => other !== group)
    if (group.kind === 'file') {
      throw new CutError(
        'N22',
        group.units[0] ?? 0,
        `the cell writes ${group.writes.join(', ')} from a value that exists only in the middle of a step; write the file in a cell of its own`,
      )
    }
    const cell = this.input.units.list.find((unit) => unit.cell === group.cell && this.#group.has(unit.id))
    const target = near ?? cell?.id ?? null
    for (const unit of group.units)
      this.#group.set(unit, target === null ? (group.units[0] ?? unit) : (this.#group.get(target) ?? target))
  }

  /** Runs a change, and takes it back unless it left exactly `groups` groups. */
  attempt(groups: number, change: () => void): boolean {
    const group = new Map(this.#group)
    const merges = new Map([...this.#merges].map(([why, cells]) => [why, new Set(cells)]))
    const { displays } = this
    let works = true
    try {
      change()
    } catch (error) {
      if (!(error instanceof CutError)) throw error
      works = false
    }
    if (works && this.groups().length === groups) return true
    replace(this.#group, group)
    replace(this.#merges, merges)
    this.displays = displays
    return false
  }

  merges(): Merge[] {
    return [...this.#merges]
      .map(([why, cells]) => ({ cells: [...cells].sort((a, b) => a - b), why }))
      .filter((one) => one.cells.length > 1)
  }
}

function replace<K, V>(target: Map<K, V>, values: ReadonlyMap<K, V>): void {
  target.clear()
  for (const [key, value] of values) target.set(key, value)
}
