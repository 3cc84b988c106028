/** Which statements of a step show their value: by what the notebook's cell showed, else by what they do. */
import type { Unit } from '../dataflow/units.ts'
import type { NotebookDocument } from '../document.ts'
import type { Observation } from '../observation.ts'
import { isArtistText } from '../observe/artist-text.ts'
import { isFigure } from './displays.ts'
import { isSeed } from './randomness.ts'
import type { StepFacts } from './simulate.ts'

export interface ShownInput extends StepFacts {
  readonly document: NotebookDocument
  readonly observation: Observation | null
}

const GIVES_NONE = /(^|\.)(append|extend|insert|remove|clear|sort|reverse|update|add|discard|shuffle)$/u

/** Whether the statement shows its value, as the last one of a cell does in a notebook. */
export function isDisplayed(input: ShownInput, id: number): boolean {
  const unit = input.units.list[id]
  if (unit === undefined || !unit.facts.displays || unit.facts.kind !== 'expr') return false
  const draws = isFigure({ units: input.units, flow: input.flow, roles: input.roles.of }, unit)
  const shows = !draws || showedNumbers(input, unit)
  if (!showedSomething(input, unit)) return false
  const nothing =
    unit.facts.calls.length > 0 &&
    unit.facts.calls.every(
      (call) => call.callee === 'print' || call.callee === 'display' || call.callee.endsWith('.display'),
    )
  return shows && !nothing
}

/** Of a statement that draws: more than the names of what it drew, or those without the figure beside them. */
function showedNumbers(input: ShownInput, unit: Unit): boolean {
  const outputs = input.observation?.cells.find((cell) => cell.index === unit.cell)?.outputs ?? []
  const hasFigure = outputs.some((output) => output.kind === 'figure')
  return outputs.some((output) => output.kind === 'text' && !(hasFigure && isArtistText(output.preview)))
}

/** IPython shows no None: what the cell showed tells, else whether the statement is done for its effect. */
function showedSomething(input: ShownInput, unit: Unit): boolean {
  const seen = input.observation?.cells.find((cell) => cell.index === unit.cell)
  if (seen !== undefined) return seen.outputs.some((output) => !['stdout', 'stderr', 'error'].includes(output.kind))
  const cell = input.document.cells[unit.cell]
  const stored = cell?.outputs ?? []
  if (stored.length > 0) return stored.some((output) => output.type === 'result')
  if (isSeed(unit) || unit.facts.calls.some((call) => call.literals['inplace'] === 'True')) return false
  return unit.mutates.size === 0 || !unit.facts.calls.some((call) => GIVES_NONE.test(call.callee))
}
