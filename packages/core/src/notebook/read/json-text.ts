/**
 * JSON from an untrusted file: depth is checked before parsing, and errors say where the text is wrong and what it
 * seems to be instead. Invariant: nothing that comes out nests deeper than `MAX_DEPTH`, so that readers may recurse.
 */
import type { Json } from '../../canonical.ts'
import { CellmillError } from '../../errors.ts'
import { jsonErrorPosition } from './json-error-position.ts'

export const MAX_DEPTH = 400

export function unreadable(
  path: string,
  what: string,
  hint: string,
  details: Record<string, unknown> = {},
): CellmillError {
  return new CellmillError('NOTEBOOK_UNREADABLE', `${path} ${what}`, { hint, details: { path, ...details } })
}

/** Text of the file's bytes: UTF-8, or UTF-16 with its mark; the byte order mark is dropped. */
export function decodeText(bytes: Uint8Array, path: string): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
      throw unreadable(path, 'is compressed with gzip.', `Type \`gunzip\` on it first.`)
    }
    if (bytes[0] === 0x50 && bytes[1] === 0x4b)
      throw unreadable(path, 'is a zip archive, not a notebook.', 'Unpack it first.')
    throw unreadable(path, 'is not UTF-8 text.', 'Open it in Jupyter and save it again, or convert it with iconv.')
  }
}

export function parseJson(text: string, path: string): Json {
  refuseOtherKinds(text, path)
  const depth = depthOf(text)
  if (depth > MAX_DEPTH) {
    throw unreadable(
      path,
      `nests brackets more than ${MAX_DEPTH} deep, which no notebook does.`,
      'It was not written by Jupyter.',
    )
  }
  try {
    return JSON.parse(text) as Json
  } catch {
    throw notJson(text, path)
  }
}

function refuseOtherKinds(text: string, path: string): void {
  const start = text.slice(0, 500).trimStart()
  if (start === '' && text.trim() === '') {
    throw unreadable(path, 'is empty.', 'Nothing was saved in it; look for a checkpoint in .ipynb_checkpoints.')
  }
  if (start.startsWith('<')) {
    const conflict = start.startsWith('<<<<<<<')
    throw conflict
      ? conflicted(path)
      : unreadable(path, 'is a web page, not a notebook.', 'Download the raw file: on GitHub, the button "Raw".')
  }
  if (start.startsWith('version https://git-lfs')) {
    throw unreadable(path, 'is a Git LFS pointer; the notebook itself was not fetched.', 'Type `git lfs pull`.')
  }
  if (!start.startsWith('{') && /^(#|import |from |"""|%|!)/.test(start)) {
    throw unreadable(
      path,
      'is a script, not a notebook.',
      'Cellmill reads .ipynb files; `jupytext --to ipynb` converts scripts.',
    )
  }
}

function conflicted(path: string): CellmillError {
  return unreadable(path, 'holds merge conflict markers (<<<<<<<).', 'Resolve the conflict first; `nbdime` helps.')
}

/** Deepest nesting of brackets outside strings; stops counting once past the limit. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (inString) {
      if (code === 92) index += 1
      else if (code === 34) inString = false
    } else if (code === 34) {
      inString = true
    } else if (code === 123 || code === 91) {
      depth += 1
      if (depth > deepest) deepest = depth
      if (deepest > MAX_DEPTH) return deepest
    } else if (code === 125 || code === 93) {
      depth -= 1
    }
  }
  return deepest
}

function notJson(text: string, path: string): CellmillError {
  if (/^(<{7}|={7}|>{7})/m.test(text)) return conflicted(path)
  const position = jsonErrorPosition(text)
  const truncated = position >= text.length || isOpenString(text, position)
  const before = text.slice(0, position)
  const line = before.split('\n').length
  const column = position - before.lastIndexOf('\n')
  const where = truncated ? `it ends in the middle (line ${line})` : `line ${line}, column ${column}`
  return unreadable(
    path,
    `is not valid JSON: ${where}.`,
    truncated
      ? 'The file was cut off; get it again, or look in .ipynb_checkpoints.'
      : 'It was damaged after Jupyter saved it; restore it from version control.',
    { line, column, truncated },
  )
}

/** A string that starts there and never ends: the file was cut inside it. */
function isOpenString(text: string, position: number): boolean {
  return text.charAt(position) === '"' && !/[^\\]"/.test(text.slice(position, position + 1_000_000))
}
