/**
 * Notebook text of any format (1 to 4) as a document. Invariant: nothing is executed or fetched, and everything that
 * is not a notebook is a NOTEBOOK_UNREADABLE that says what it seems to be.
 */
import { sha256, type Json } from '../../canonical.ts'
import type { NotebookDocument } from '../document.ts'
import { parseJson, unreadable } from './json-text.ts'
import { isObject, member, normaliseCells, textOf } from './normalise-cells.ts'

export interface ParseOptions {
  /** What messages and findings call it. */
  readonly path: string
  /** sha256 of the bytes, where the text was decoded from a file. */
  readonly digest?: string
  readonly sizeBytes?: number
}

const MAX_CELLS = 200_000

const LANGUAGES: Readonly<Record<string, string>> = {
  ipython: 'python',
  ir: 'r',
  python2: 'python',
  python3: 'python',
  deno: 'typescript',
  tslab: 'typescript',
  jslab: 'javascript',
  ijavascript: 'javascript',
}

/** For text that is small or trusted; files go through `readNotebook`, which parses large ones in a limited process. */
export function parseNotebook(text: string, options: ParseOptions): NotebookDocument {
  const root = parseJson(text.startsWith('\uFEFF') ? text.slice(1) : text, options.path)
  const cells = cellsOf(root, options.path)
  const metadata = member(root, 'metadata')
  const kernel = member(metadata, 'kernelspec')
  const info = member(metadata, 'language_info')
  const kernelName = textOf(member(kernel, 'name'))
  const saved = languageName(textOf(member(info, 'name')))
  const language =
    languageName(textOf(member(kernel, 'language'))) ??
    languageOfKernel(kernelName) ??
    saved ??
    languageName(textOf(member(metadata, 'language'))) ??
    languageOfCells(cells) ??
    'python'
  const format = member(root, 'nbformat')
  return {
    path: options.path,
    digest: options.digest ?? sha256(text),
    nbformat: typeof format === 'number' ? format : Array.isArray(member(root, 'worksheets')) ? 3 : 4,
    language,
    kernelName,
    languageVersion: textOf(member(info, 'version')),
    ...(saved !== null && saved !== language ? { savedLanguage: saved } : {}),
    cells: normaliseCells(cells),
    sizeBytes: options.sizeBytes ?? Buffer.byteLength(text),
  }
}

function cellsOf(root: Json, path: string): readonly Json[] {
  if (!isObject(root)) {
    throw unreadable(
      path,
      `is JSON, but not a notebook: it holds ${kindOf(root)} where a notebook has an object.`,
      'Name a file that Jupyter saved.',
    )
  }
  const cells = member(root, 'cells')
  const worksheets = member(root, 'worksheets')
  const format = member(root, 'nbformat')
  if (typeof format === 'number' && format > 4) {
    throw unreadable(
      path,
      `has notebook format ${format}; formats up to 4 are known.`,
      'Save it as format 4: `jupyter nbconvert --to notebook --nbformat 4`.',
    )
  }
  const found = Array.isArray(cells)
    ? (cells as readonly Json[])
    : Array.isArray(worksheets)
      ? worksheets.flatMap((sheet: Json) => arrayOf(member(sheet, 'cells')))
      : null
  if (found === null) {
    const keys = Object.keys(root).slice(0, 4).join(', ')
    throw unreadable(
      path,
      `is JSON, but not a notebook: it has no list of cells${keys === '' ? '' : ` (its keys: ${keys})`}.`,
      'Name a file that Jupyter saved.',
    )
  }
  if (found.length > MAX_CELLS) {
    throw unreadable(
      path,
      `has ${found.length.toLocaleString('en-US')} cells; more than ${MAX_CELLS.toLocaleString('en-US')} are not read.`,
      'Split it.',
    )
  }
  if (found.length === 0) throw unreadable(path, 'has no cells.', 'There is nothing to read in it.')
  return found
}

function arrayOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : []
}

function kindOf(value: Json): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

function languageName(name: string | null): string | null {
  if (name === null || name.trim() === '') return null
  const lower = name.trim().toLowerCase()
  return LANGUAGES[lower] ?? lower
}

function languageOfKernel(kernel: string | null): string | null {
  if (kernel === null) return null
  const lower = kernel.toLowerCase()
  if (Object.hasOwn(LANGUAGES, lower)) return LANGUAGES[lower] ?? null
  if (lower.startsWith('python') || lower.startsWith('conda-env') || lower.includes('pyspark')) return 'python'
  if (lower.startsWith('julia')) return 'julia'
  return null
}

/** Format 3 names the language in each cell. */
function languageOfCells(cells: readonly Json[]): string | null {
  for (const cell of cells) {
    const name = languageName(textOf(member(cell, 'language')))
    if (name !== null) return name
  }
  return null
}
