/** Names of assets and functions: the variable's own where that can be, else what stands above the cell or what is shown. */
import type { NotebookDocument } from '../document.ts'
import type { Units } from '../dataflow/units.ts'
import type { PlannedStep } from './cut.ts'
import { headingOf } from './headings.ts'
import { identifier, type NameTable } from './names.ts'

export interface NamingInput {
  readonly steps: readonly PlannedStep[]
  readonly names: NameTable
  readonly units: Units
  readonly document: NotebookDocument
}

export interface StepNames {
  /** Asset by the version that it holds. */
  readonly assets: ReadonlyMap<number, string>
  /** By position of the step. */
  readonly functions: readonly string[]
}

export function nameSteps(input: NamingInput): StepNames {
  const assets = new Map<number, string>()
  const single = input.steps.map((step): string | null => {
    const names = step.outputs.map((output) => {
      const name = assetName(input, output.name)
      assets.set(output.version, name)
      return name
    })
    return step.kind === 'asset' && names.length === 1 ? names[0]! : null
  })
  const functions = input.steps.map((step, at) => single[at] ?? input.names.take(wantedName(input, step, assets)))
  return { assets, functions }
}

function assetName(input: NamingInput, variable: string): string {
  const wanted = identifier(variable)
  const own = input.units.names.has(variable) && wanted === variable ? variable : null
  return input.names.take(wanted, own)
}

function wantedName(input: NamingInput, step: PlannedStep, assets: ReadonlyMap<number, string>): string {
  const cell = cellsOf(input.units, step)[0] ?? 0
  if (step.kind === 'file') return identifier((step.writes[0] ?? 'file').split(/[\\/]/u).at(-1) ?? 'file')
  const heading = headingOf(input.document, cell)
  const what = step.outputs.map((one) => identifier(one.name))
  if (step.kind === 'asset' && what.length > 0) {
    return what.length <= 3 ? `make_${what.join('_')}` : `make_${what.slice(0, 2).join('_')}_and_more`
  }
  if (heading !== null && heading.length <= 50) {
    // A number behind the name of a variable would read as another version of it.
    const slug = identifier(heading)
    const isVariable = input.units.names.has(slug) || [...assets.values()].includes(slug)
    return isVariable ? `${heading} report` : heading
  }
  const shown = step.simulation.inputs.map((one) => identifier(one.name))
  return shown.length === 0 ? `shown_in_cell_${cell}` : `show_${shown.slice(0, 3).join('_')}`
}

export function cellsOf(units: Units, step: PlannedStep): number[] {
  return [...new Set(step.units.map((unit) => units.list[unit]?.cell ?? 0))]
}
