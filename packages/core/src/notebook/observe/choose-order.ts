/**
 * Tries candidate orders and takes the one that runs and reproduces most stored outputs; the earlier candidate wins a
 * tie. Invariant: two orders that both run and end with different values or outputs are reported, never chosen between
 * in silence, even when no output is stored.
 */
import type { NotebookDocument } from '../document.ts'
import type { Observation, ObservedCell } from '../observation.ts'
import { isSame, reproducedOutputs, type ReproducedOutputs } from './compare-outputs.ts'
import { expectsError } from './observe-notebook.ts'

export interface CandidateOrder {
  readonly kind: 'document' | 'recorded' | 'repaired'
  readonly execution: readonly number[]
}

export interface TriedOrder extends CandidateOrder {
  readonly observation: Observation
  readonly runs: boolean
  readonly outputs: ReproducedOutputs
}

export interface OrderChoice {
  /** Null when no candidate runs. */
  readonly chosen: TriedOrder | null
  readonly tried: readonly TriedOrder[]
  /** Orders that run as well and give other results, with what differs. */
  readonly rivals: readonly { readonly order: TriedOrder; readonly differs: readonly string[] }[]
}

export interface ChooseOrderOptions {
  readonly document: NotebookDocument
  /** Nearest to what the author meant first. Equal ones are tried once. */
  readonly candidates: readonly CandidateOrder[]
  /** Runs the notebook in one order: `observeNotebook` in mode `end-only`. */
  readonly observe: (execution: readonly number[]) => Promise<Observation>
  /** Stops at the first order that runs and reproduces every stored output. @default false */
  readonly stopWhenConfirmed?: boolean
}

export async function chooseOrder(options: ChooseOrderOptions): Promise<OrderChoice> {
  const tried: TriedOrder[] = []
  const seen = new Set<string>()
  for (const candidate of options.candidates) {
    const key = candidate.execution.join(',')
    if (seen.has(key)) continue
    seen.add(key)
    const observation = await options.observe(candidate.execution)
    const outputs = reproducedOutputs(options.document, observation)
    const order = { ...candidate, observation, runs: runsThrough(options.document, observation), outputs }
    tried.push(order)
    const confirmed = order.runs && outputs.compared > 0 && outputs.reproduced === outputs.compared
    if (confirmed && options.stopWhenConfirmed === true) break
  }
  const running = tried.filter((order) => order.runs)
  const chosen = running.reduce<TriedOrder | null>(
    (best, order) => (best === null || order.outputs.reproduced > best.outputs.reproduced ? order : best),
    null,
  )
  return { chosen, tried, rivals: chosen === null ? [] : rivalsOf(chosen, running) }
}

function runsThrough(document: NotebookDocument, observation: Observation): boolean {
  return observation.cells.every((cell) => {
    const source = document.cells.find((candidate) => candidate.index === cell.index)
    return cell.state === 'ok' || (cell.state === 'error' && source !== undefined && expectsError(source))
  })
}

/** An order that reproduces fewer stored outputs has lost on evidence; what is left differs without any. */
function rivalsOf(chosen: TriedOrder, running: readonly TriedOrder[]): OrderChoice['rivals'] {
  return running
    .filter((order) => order !== chosen && order.outputs.reproduced === chosen.outputs.reproduced)
    .map((order) => ({ order, differs: differences(chosen.observation, order.observation) }))
    .filter(({ differs }) => differs.length > 0)
}

/** Names and cells, in words, whose values at the end or outputs differ. */
export function differences(one: Observation, other: Observation): readonly string[] {
  const found: string[] = []
  const names = new Set([...one.final, ...other.final].map((value) => value.name))
  for (const name of [...names].sort()) {
    const [left, right] = [one, other].map((side) => side.final.find((value) => value.name === name))
    if (left === undefined || right === undefined) found.push(`${name} exists in one of them only`)
    else if (left.digest !== right.digest) found.push(`${name} has another value`)
  }
  for (const cell of one.cells) {
    const same = other.cells.find((candidate) => candidate.index === cell.index)
    if (same !== undefined && !showSame(cell, same)) found.push(`cell ${cell.index} shows something else`)
  }
  return found
}

function showSame(one: ObservedCell, other: ObservedCell): boolean {
  const [left, right] = [one, other].map((cell) => cell.outputs.filter((output) => output.kind !== 'stderr'))
  if (left === undefined || right === undefined || left.length !== right.length) return false
  return left.every((output, index) => isSame(output, right[index]))
}
