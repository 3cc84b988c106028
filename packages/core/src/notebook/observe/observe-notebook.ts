/**
 * Runs a notebook's cells in a real kernel and reports what each did. The run has its own writable copy of the project,
 * no secrets and no network but what was allowed. Invariant: names that changed without a cell being seen to change them
 * are never passed over: the run is done again, with everything hashed after every cell.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CellmillError, isCellmillError } from '../../errors.ts'
import { openKernel } from '../../runtimes/kernel/kernel-client.ts'
import type { ExecuteResult, Kernel } from '../../runtimes/kernel/kernel.ts'
import type { NotebookCell } from '../document.ts'
import type { Observation, ObservedCell, ObservedOutput } from '../observation.ts'
import { defaultObserveLimits, type ObserveLimits, type ObserveOptions } from './observe-options.ts'
import { observedOutputs } from './observed-outputs.ts'
import { cellAnswer, finalAnswer, type CellAnswer, type FinalAnswer } from './observer-answers.ts'
import { createRunFolder, kernelSpec, writeConfig, type RunFolder } from './run-folder.ts'

const request = 'cellmill_request'
/** Reading what a cell left behind may take long, but not for ever: the notebook's own code is in the same process. */
const analysisMs = 60 * 60_000

interface Session {
  readonly options: ObserveOptions
  readonly limits: ObserveLimits
  readonly kernel: Kernel
  readonly folder: RunFolder
}

/** Throws KERNEL_FAILED when the kernel does not start; one that dies in a cell gives that cell's error `KernelDied`. */
export async function observeNotebook(options: ObserveOptions): Promise<Observation> {
  const limits = { ...defaultObserveLimits, ...options.limits }
  const first = await observeOnce(options, limits, false)
  if (options.mode === 'end-only' || (first.unclaimed ?? []).length === 0) return first
  return observeOnce(options, limits, true)
}

async function observeOnce(options: ObserveOptions, limits: ObserveLimits, full: boolean): Promise<Observation> {
  const started = options.clock.monotonicMs()
  await emptyCaptures(options.captureFolder)
  const folder = await createRunFolder(options, limits)
  try {
    const kernel = await startKernel(options, limits, folder, full)
    try {
      const observed = await runCells({ options, limits, kernel, folder })
      return { ...observed, ms: options.clock.monotonicMs() - started, sandbox: options.sandbox.level }
    } finally {
      await kernel.close()
    }
  } finally {
    await folder.remove()
  }
}

async function emptyCaptures(captureFolder: string | null): Promise<void> {
  if (captureFolder === null) return
  await rm(captureFolder, { recursive: true, force: true })
  await mkdir(captureFolder, { recursive: true })
}

async function startKernel(
  options: ObserveOptions,
  limits: ObserveLimits,
  folder: RunFolder,
  full: boolean,
): Promise<Kernel> {
  return openKernel({
    sandbox: options.sandbox,
    clock: options.clock,
    startTimeoutMs: limits.startTimeoutMs,
    maxCellBytes: limits.cellOutputBytes,
    signal: options.signal,
    spec: async (connection) => {
      await writeConfig(folder, connection, options, { full, limits })
      return kernelSpec(folder, connection, options, limits)
    },
  })
}

type Observed = Omit<Observation, 'ms' | 'sandbox'>

async function runCells(session: Session): Promise<Observed> {
  const { options } = session
  const cells: ObservedCell[] = []
  let stopped = false
  let alive = true
  for (const index of options.execution) {
    options.signal?.throwIfAborted()
    const cell = options.document.cells.find((candidate) => candidate.index === index)
    if (cell === undefined) throw new CellmillError('INTERNAL', `There is no cell ${index} in the notebook.`)
    if (stopped) {
      cells.push(notRun(index))
      continue
    }
    const ran = cell.source.trim() === '' ? { ...notRun(index), state: 'ok' as const } : await runCell(session, cell)
    cells.push(ran)
    options.onCell?.(index, ran.state === 'ok' ? 'ok' : 'error')
    alive = ran.error?.name !== 'KernelDied'
    stopped = !alive || (ran.state === 'error' && !expectsError(cell))
  }
  const final = alive ? await finish(session) : null
  return {
    order: options.execution,
    cells,
    final: final?.values ?? [],
    distributions: final?.distributions ?? {},
    python: final?.python ?? options.environment.version,
    unwatched: final?.unwatched ?? [],
    clock: final?.clock ?? 'none',
    unclaimed: final?.unclaimed ?? [],
  }
}

/** A cell that is meant to fail: tagged so, or stored with an error as its output. */
export function expectsError(cell: NotebookCell): boolean {
  return cell.tags.includes('raises-exception') || cell.outputs.some((output) => output.type === 'error')
}

async function runCell(session: Session, cell: NotebookCell): Promise<ObservedCell> {
  const { kernel, limits } = session
  try {
    const result = await kernel.execute(cell.source, {
      timeoutMs: limits.cellTimeoutMs,
      metadata: { cellmill: { cell: cell.index } },
    })
    const answer = cellAnswer(await kernel.request(request, { op: 'observe', cell: cell.index }, analysisMs))
    if (answer.problem !== null) {
      throw new CellmillError('INTERNAL', `Cell ${cell.index} could not be observed: ${answer.problem}.`)
    }
    return observedCell(session, cell, result, answer)
  } catch (error) {
    if (!isCellmillError(error, 'KERNEL_FAILED')) throw error
    session.options.signal?.throwIfAborted()
    return { ...notRun(cell.index), state: 'error', error: { name: 'KernelDied', value: error.message, line: null } }
  }
}

function observedCell(session: Session, cell: NotebookCell, result: ExecuteResult, answer: CellAnswer): ObservedCell {
  const outputs = observedOutputs(result.outputs, session.folder.places)
  const cut = `more than ${session.limits.cellOutputBytes.toLocaleString('en')} bytes of output: ${result.cutBytes.toLocaleString('en')} were not kept`
  return {
    index: cell.index,
    ms: answer.ms,
    state: result.state === 'ok' ? 'ok' : 'error',
    error: errorOf(session, result, answer),
    bound: answer.bound,
    mutated: answer.mutated,
    deleted: answer.deleted,
    values: answer.values,
    outputs: result.cutBytes === 0 ? outputs : withProblem(outputs, cut),
    events: answer.events,
    changedTokens: answer.changedTokens,
    openFigures: answer.openFigures,
    peakMemoryBytes: answer.peakMemoryBytes,
    comms: result.comms,
  }
}

/** A part of what was shown equals nothing. */
function withProblem(outputs: readonly ObservedOutput[], problem: string): readonly ObservedOutput[] {
  const cut = { kind: 'other', mime: '', digest: '', preview: '', problem } as const
  return [...outputs.map((output) => ({ ...output, digest: '', problem })), cut]
}

function errorOf(session: Session, result: ExecuteResult, answer: CellAnswer): ObservedCell['error'] {
  if (result.state === 'ok') return null
  if (result.state === 'time-limit') {
    const seconds = Math.round((session.limits.cellTimeoutMs ?? 0) / 1000)
    return { name: 'TimeLimit', value: `the cell ran longer than ${seconds} s`, line: answer.line }
  }
  const shown = result.outputs.findLast((output) => output.type === 'error')
  return {
    name: result.error?.name ?? shown?.errorName ?? 'Aborted',
    value: (result.error?.value ?? shown?.errorValue ?? '').slice(0, 2_000),
    line: answer.line,
  }
}

async function finish(session: Session): Promise<FinalAnswer | null> {
  const imports = session.options.facts.cells.flatMap((cell) =>
    cell.statements.flatMap((statement) => statement.imports.map((fact) => fact.module)),
  )
  try {
    const answer = finalAnswer(await session.kernel.request(request, { op: 'finish', imports }, analysisMs))
    if (answer.problem === null) return answer
    throw new CellmillError('INTERNAL', `The values at the end could not be observed: ${answer.problem}.`)
  } catch (error) {
    if (!isCellmillError(error, 'KERNEL_FAILED')) throw error
    return null
  }
}

function notRun(index: number): ObservedCell {
  return {
    index,
    ms: 0,
    state: 'not-run',
    error: null,
    bound: [],
    mutated: [],
    deleted: [],
    values: [],
    outputs: [],
    events: [],
    changedTokens: [],
    openFigures: 0,
  }
}

/** Where a run's captures are listed. */
export function captureIndex(captureFolder: string): string {
  return join(captureFolder, 'index.json')
}
