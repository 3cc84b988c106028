/** Edits text by spans (lines 1-based, columns 0-based in characters), so that everything else stays as it was written. */
import type { Span } from '../ir.ts'

export interface Replacement {
  readonly span: Span
  readonly text: string
}

export function replaceSpans(source: string, replacements: readonly Replacement[]): string {
  const starts = lineStarts(source)
  const ranges = replacements
    .map(({ span, text }) => ({
      from: offsetOf(source, starts, span.line, span.column),
      to: offsetOf(source, starts, span.endLine, span.endColumn),
      text,
    }))
    .sort((a, b) => b.from - a.from)
  let edited = source
  for (const { from, to, text } of ranges) edited = edited.slice(0, from) + text + edited.slice(to)
  return edited
}

function lineStarts(source: string): readonly number[] {
  const starts = [0]
  for (let i = source.indexOf('\n'); i >= 0; i = source.indexOf('\n', i + 1)) starts.push(i + 1)
  return starts
}

/** Python counts characters, JavaScript UTF-16 units: they differ beyond the basic plane. */
function offsetOf(source: string, starts: readonly number[], line: number, column: number): number {
  let offset = starts[line - 1] ?? source.length
  for (let i = 0; i < column; i++) offset += (source.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1
  return offset
}
