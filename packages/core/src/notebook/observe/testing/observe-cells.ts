/** Runs cells given as text through the real kernel, with real facts, for tests of what observation sees. */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../../clock.ts'
import { inspectEnvironment } from '../../../packages/inspect-environment.ts'
import { openSandbox } from '../../../runtimes/sandbox/open-sandbox.ts'
import type { NotebookCell, NotebookDocument } from '../../document.ts'
import { loadFacts } from '../../facts/load-facts.ts'
import type { Observation, ObservedCell, ObservedValue } from '../../observation.ts'
import { observeNotebook } from '../observe-notebook.ts'
import type { ObserveOptions } from '../observe-options.ts'
import { kernelConditions } from '../run-conditions.ts'

export const testPython: string = fileURLToPath(new URL('../../../../../../.venv/bin/python', import.meta.url))

export type CellInput = string | Partial<NotebookCell>

export interface ObserveCellsOptions extends Partial<ObserveOptions> {
  /** Project-relative path to text. */
  readonly files?: Readonly<Record<string, string>>
}

export function documentOf(cells: readonly CellInput[], path = 'notebooks/test.ipynb'): NotebookDocument {
  const full = cells.map((cell, index): NotebookCell => {
    const given = typeof cell === 'string' ? { source: cell } : cell
    const empty = { id: null, type: 'code', source: '', tags: [], executionCount: null, outputs: [] } as const
    return { ...empty, ...given, index }
  })
  const kernel = { language: 'python', kernelName: 'python3', languageVersion: null }
  return { path, digest: '', nbformat: 4, ...kernel, cells: full, sizeBytes: 0 }
}

export async function prepare(
  cells: readonly CellInput[],
  { files = {}, ...given }: ObserveCellsOptions = {},
): Promise<{ readonly options: ObserveOptions; readonly remove: () => Promise<void> }> {
  const projectCopy = await mkdtemp(join(tmpdir(), 'cellmill-test-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(projectCopy, path)), { recursive: true })
    await writeFile(join(projectCopy, path), text)
  }
  const environment = await inspectEnvironment(testPython)
  const sandbox = given.sandbox ?? (await openSandbox({ mode: 'auto', python: testPython }))
  const document = documentOf(cells)
  const facts = await loadFacts(document, { python: environment, sandbox })
  const options: ObserveOptions = {
    document,
    facts,
    execution: document.cells.filter(({ type }) => type === 'code').map(({ index }) => index),
    projectCopy,
    environment,
    toolsSitePackages: null,
    sandbox,
    clock: systemClock,
    mode: 'instrumented',
    conditions: kernelConditions,
    captureFolder: null,
    allowNetwork: [],
    hostVariables: process.env,
    ...given,
  }
  return { options, remove: () => rm(projectCopy, { recursive: true, force: true }) }
}

export async function observeCells(
  cells: readonly CellInput[],
  options: ObserveCellsOptions = {},
): Promise<Observation> {
  const prepared = await prepare(cells, options)
  try {
    return await observeNotebook(prepared.options)
  } finally {
    await prepared.remove()
  }
}

export function cellOf(observation: Observation, index: number): ObservedCell {
  const found = observation.cells.find((cell) => cell.index === index)
  if (found === undefined) throw new Error(`no cell ${index}`)
  return found
}

export function valueOf(values: readonly ObservedValue[], name: string): ObservedValue {
  const found = values.find((value) => value.name === name)
  if (found === undefined) throw new Error(`no value ${name} among ${values.map((value) => value.name).join(', ')}`)
  return found
}
