/**
 * Cuts the notebook into steps. One group per cell to start; groups merge when state that cannot be handed over as a
 * value would cross (shared objects that change, iterators, generators of random numbers, files written and read), and
 * whenever `simulate` says that a step would see another version than the notebook did. Merging always ends in a valid
 * plan, since one step with all statements is the notebook itself.
 */
import { CutError } from './cut-error.ts'
import { Grouping, type CutInput, type Merge } from './grouping.ts'
import { joinReports, mergeForReading } from './merge-for-reading.ts'
import { mergeIdentity, mergeResources, mergeShared, mergeSticky } from './merge-forced.ts'
import { mergeRandom, randomPredecessors } from './merge-random.ts'
import { chooseOutputs } from './results.ts'
import { settle } from './settle.ts'
import { isConflict, simulate, type NameVersion, type Simulation } from './simulate.ts'

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
  readonly merges: readonly Merge[]
}

export function cut(input: CutInput): Plan {
  const cells = new Grouping(input)
  mergeSticky(cells)
  mergeShared(cells)
  mergeIdentity(cells)
  mergeResources(cells)
  mergeRandom(cells)
  settle(cells)
  mergeForReading(cells)
  joinReports(cells)
  for (let plan = planned(cells); ; plan = planned(cells)) {
    const mute = plan.steps.find(
      (step) => step.afterRandom !== null && plan.steps[step.afterRandom]?.outputs.length === 0,
    )
    if (mute === undefined) return plan
    const before = plan.steps[mute.afterRandom ?? 0]
    cells.join(before?.units[0] ?? 0, mute.units[0] ?? 0, 'they draw in turn from one generator of random numbers')
    settle(cells)
  }
}

function planned(cells: Grouping): Plan {
  const { input } = cells
  const groups = cells.groups().map((group) => ({ group, units: cells.unitsOf(group) }))
  const simulations = groups.map((one) => simulated(input, one.units))
  const displays = cells.displays.map((display) => ({ display, simulation: simulated(input, display.units) }))
  const crossing = new Set(
    [...simulations, ...displays.map((one) => one.simulation)].flatMap((one) =>
      one.inputs.map((needed) => needed.version),
    ),
  )
  const previous = randomPredecessors(cells)
  const steps: PlannedStep[] = groups.map(({ group, units }, at) => {
    const simulation = simulations[at] as Simulation
    const before = previous.get(group)
    return {
      kind: 'asset',
      units,
      simulation,
      outputs: chooseOutputs(input, units, simulation, crossing),
      afterRandom: before === undefined ? null : groups.findIndex((one) => one.group === before),
      writes: [],
    }
  })
  for (const { display, simulation } of displays) {
    const { kind, units, writes } = display
    steps.push({ kind, units, simulation, outputs: [], afterRandom: null, writes })
  }
  return { steps, merges: cells.merges() }
}

function simulated(input: CutInput, units: readonly number[]): Simulation {
  const result = simulate(input, units)
  if (isConflict(result)) throw new CutError('N12', result.unit, `${result.name} means different things in one step`)
  return result
}
