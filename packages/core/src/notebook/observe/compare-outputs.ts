/**
 * How many of a notebook's stored outputs a run reproduced. Evidence for an order or a repair, not a proof: pictures are
 * stored as pixels and are not compared, warnings on stderr are not either, and both are counted apart.
 */
import type { NotebookCell, NotebookDocument } from '../document.ts'
import type { Observation, ObservedOutput } from '../observation.ts'
import { observedOutputs } from './observed-outputs.ts'

export interface ComparedCell {
  readonly cell: number
  readonly state: 'same' | 'different' | 'not-compared'
  /** In words; '' when the same. */
  readonly why: string
}

export interface ReproducedOutputs {
  readonly cells: readonly ComparedCell[]
  /** Cells whose stored outputs could be compared. */
  readonly compared: number
  readonly reproduced: number
}

export function reproducedOutputs(document: NotebookDocument, observation: Observation): ReproducedOutputs {
  const cells = document.cells
    .filter((cell) => cell.type === 'code' && cell.outputs.length > 0)
    .map((cell) => compareCell(cell, observation))
  const compared = cells.filter((cell) => cell.state !== 'not-compared').length
  return { cells, compared, reproduced: cells.filter((cell) => cell.state === 'same').length }
}

function compareCell(cell: NotebookCell, observation: Observation): ComparedCell {
  const observed = observation.cells.find((candidate) => candidate.index === cell.index)
  if (observed === undefined || observed.state === 'not-run') {
    return { cell: cell.index, state: 'not-compared', why: 'the cell was not run' }
  }
  const difference = differenceOf(observedOutputs(cell.outputs), observed.outputs)
  return { cell: cell.index, ...difference }
}

/** Compares two lists of outputs; used for stored against fresh, where pictures are pixels on one side only. */
function differenceOf(stored: readonly ObservedOutput[], fresh: readonly ObservedOutput[]): Omit<ComparedCell, 'cell'> {
  const left = stored.filter(isComparable)
  const right = fresh.filter(isComparable)
  const pictures = [stored, fresh].map((outputs) => outputs.filter(isPicture).length)
  if (pictures[0] !== pictures[1]) {
    return { state: 'different', why: `${pictures[0] ?? 0} pictures stored, ${pictures[1] ?? 0} shown` }
  }
  if (left.length !== right.length) {
    return { state: 'different', why: `${left.length} outputs stored, ${right.length} shown` }
  }
  const position = left.findIndex((output, index) => !isSame(output, right[index]))
  if (position >= 0) return { state: 'different', why: firstDifference(left[position], right[position]) }
  if (left.length === 0) return { state: 'not-compared', why: 'only pictures or warnings' }
  return { state: 'same', why: '' }
}

function isComparable(output: ObservedOutput): boolean {
  return output.kind !== 'stderr' && !isPicture(output)
}

function isPicture(output: ObservedOutput): boolean {
  return output.kind === 'figure' || output.kind === 'image'
}

/** Equal kinds and digests; an output that could not be digested equals nothing. */
export function isSame(one: ObservedOutput | undefined, other: ObservedOutput | undefined): boolean {
  if (one === undefined || other === undefined || one.digest === '') return false
  return one.kind === other.kind && one.digest === other.digest
}

function firstDifference(stored: ObservedOutput | undefined, fresh: ObservedOutput | undefined): string {
  if (stored === undefined || fresh === undefined) return ''
  if (stored.kind !== fresh.kind) return `${stored.kind} stored, ${fresh.kind} shown`
  const lines = [stored, fresh].map((output) => output.preview.split('\n'))
  const row = (lines[0] ?? []).findIndex((line, index) => line !== lines[1]?.[index])
  const [was, is] = lines.map((side) => (side[row < 0 ? side.length - 1 : row] ?? '').trim().slice(0, 120))
  return row < 0
    ? 'they differ beyond the part that is kept'
    : `line ${row + 1}: stored ${quoted(was)}, now ${quoted(is)}`
}

function quoted(text: string | undefined): string {
  return text === undefined || text === '' ? 'nothing' : `"${text}"`
}
