/**
 * Cells of every notebook format in one shape. Invariant: any JSON is accepted, and what has the wrong type reads as
 * absent; keys of the file (`__proto__` too) only ever become own properties of plain records.
 */
import type { Json } from '../../canonical.ts'
import type { NotebookCell, NotebookOutput } from '../document.ts'

/** Longer values of outputs (images, embedded data) are cut: nobody compares them, and they fill memory. */
export const MAX_OUTPUT_CHARACTERS = 2_000_000

type JsonObject = { readonly [key: string]: Json | undefined }

/** Short names of formats 1 to 3. */
const OLD_MIME: Readonly<Record<string, string>> = {
  text: 'text/plain',
  html: 'text/html',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpeg: 'image/jpeg',
  latex: 'text/latex',
  json: 'application/json',
  javascript: 'application/javascript',
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function member(value: Json | undefined, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

export function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null
}

/** A string, or an array of its lines. */
function joined(value: Json | undefined): string | null {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map((part: Json) => (typeof part === 'string' ? part : '')).join('')
  return null
}

export function normaliseCells(cells: readonly Json[]): NotebookCell[] {
  const ids = new Set<string>()
  return cells.map((cell, index) => {
    const id = textOf(member(cell, 'id'))
    const isNew = id !== null && !ids.has(id)
    if (id !== null) ids.add(id)
    return normaliseCell(cell, index, isNew ? id : null)
  })
}

function normaliseCell(cell: Json, index: number, id: string | null): NotebookCell {
  const written = textOf(member(cell, 'cell_type'))
  const type =
    written === 'code'
      ? 'code'
      : written === 'markdown' || written === 'heading' || written === 'html'
        ? 'markdown'
        : 'raw'
  const text = joined(member(cell, 'source')) ?? joined(member(cell, 'input')) ?? joined(member(cell, 'code')) ?? ''
  const level = member(cell, 'level')
  const source =
    written === 'heading'
      ? `${'#'.repeat(typeof level === 'number' ? Math.min(6, Math.max(1, level)) : 1)} ${text}`
      : text
  const count = member(cell, 'execution_count') ?? member(cell, 'prompt_number')
  const tags = member(member(cell, 'metadata'), 'tags')
  const outputs = member(cell, 'outputs')
  return {
    index,
    id,
    type,
    source: source.replace(/\r\n?/g, '\n'),
    tags: Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [],
    executionCount: typeof count === 'number' && Number.isInteger(count) ? count : null,
    outputs: type === 'code' && Array.isArray(outputs) ? outputs.map(normaliseOutput) : [],
  }
}

function normaliseOutput(output: Json): NotebookOutput {
  const kind = textOf(member(output, 'output_type'))
  if (kind === 'stream') {
    const name = textOf(member(output, 'name')) ?? textOf(member(output, 'stream'))
    return finish({
      type: 'stream',
      stream: name === 'stderr' ? 'stderr' : 'stdout',
      data: { 'text/plain': joined(member(output, 'text')) ?? '' },
      errorName: null,
      errorValue: null,
    })
  }
  if (kind === 'error' || kind === 'pyerr') {
    const traceback = member(output, 'traceback')
    const lines = Array.isArray(traceback) ? traceback.filter((line): line is string => typeof line === 'string') : []
    return finish({
      type: 'error',
      stream: null,
      data: { 'text/plain': lines.join('\n') },
      errorName: textOf(member(output, 'ename')),
      errorValue: textOf(member(output, 'evalue')),
    })
  }
  const type = kind === 'execute_result' || kind === 'pyout' ? 'result' : 'display'
  return finish({ type, stream: null, data: dataOf(output), errorName: null, errorValue: null })
}

function dataOf(output: Json): Record<string, Json> {
  const data = member(output, 'data')
  if (isObject(data)) {
    return Object.fromEntries(Object.entries(data).map(([mime, value]) => [mime, joinedUnlessJson(mime, value)]))
  }
  if (!isObject(output)) return {}
  const known = Object.entries(output).filter(([key]) => Object.hasOwn(OLD_MIME, key))
  return Object.fromEntries(
    known.map(([key, value]) => [OLD_MIME[key] ?? key, joinedUnlessJson(OLD_MIME[key] ?? key, value)]),
  )
}

function joinedUnlessJson(mime: string, value: Json | undefined): Json {
  const isJson = mime.endsWith('json')
  if (isJson && typeof value !== 'string') return value ?? null
  return joined(value) ?? value ?? null
}

function finish(output: NotebookOutput): NotebookOutput {
  const sizes = Object.values(output.data).map((value) => (typeof value === 'string' ? value.length : 0))
  if (sizes.every((size) => size <= MAX_OUTPUT_CHARACTERS)) return output
  const data = Object.entries(output.data).map(
    ([mime, value]) => [mime, typeof value === 'string' ? value.slice(0, MAX_OUTPUT_CHARACTERS) : value] as const,
  )
  return {
    ...output,
    data: Object.fromEntries(data),
    cut: true,
    characters: sizes.reduce((sum, size) => sum + size, 0),
  }
}
