/** Offsets in a text to places that diagnostics show. Offsets count UTF-16 units, as JavaScript strings do. */
import type { Place } from '../diagnostics.ts'

export function placeAt(file: string, text: string, offset: number, length: number): Place {
  const start = Math.max(0, Math.min(offset, text.length))
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const lineEnd = text.indexOf('\n', start)
  const lineText = text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd).replace(/\r$/, '')
  let line = 1
  for (let i = text.indexOf('\n'); i >= 0 && i < start; i = text.indexOf('\n', i + 1)) line++
  const column = start - lineStart + 1
  return { file, line, column, length: Math.max(1, Math.min(length, lineText.length - column + 2)), lineText }
}

/** The first line of a file, where nothing better is known. */
export function topOf(file: string, text: string): Place {
  const lineText = (text.split('\n', 1)[0] ?? '').replace(/\r$/, '')
  return { file, line: 1, column: 1, length: Math.max(1, lineText.length), lineText }
}
