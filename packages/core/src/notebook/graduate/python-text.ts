/**
 * Moves the text of Python statements without parsing or printing them again: comments, spacing and the contents of
 * strings that run over lines stay exactly as they were written. A line that starts inside a string is never indented.
 */
import type { Span } from '../ir.ts'

export interface TextLine {
  readonly text: string
  /** 1-based line of the cell it came from; null for lines of ours. */
  readonly line: number | null
  /** Starts inside a string: its first characters are data. */
  readonly raw: boolean
}

export interface TextEdit {
  readonly span: Span
  readonly text: string
}

export interface StatementText {
  readonly lines: readonly TextLine[]
  /** Comment lines directly above. */
  readonly comments: readonly TextLine[]
}

/** The statement at `span`, dedented, with `edits` applied and a comment at its end kept. */
export function statementText(
  source: string,
  span: Span,
  edits: readonly TextEdit[],
  previousEndLine: number,
): StatementText {
  const lines = source.split('\n').map((line) => line.replace(/\r$/u, ''))
  const rows = lines.slice(span.line - 1, span.endLine)
  const tail = trailingComment(rows.at(-1) ?? '', span.endColumn)
  if (rows.length === 0) return { lines: [], comments: [] }
  rows[rows.length - 1] = (rows.at(-1) ?? '').slice(0, span.endColumn)
  const sorted = [...edits].sort((a, b) => b.span.line - a.span.line || b.span.column - a.span.column)
  const marks = new Map<number, number>()
  for (const edit of sorted) applyEdit(rows, edit, span, marks)
  rows[0] = (rows[0] ?? '').slice(span.column)
  const inside = startsInString(rows)
  const indent = leadingSpace(lines[span.line - 1] ?? '', span.column)
  const out = rows.map((text, row): TextLine => ({
    text: inside[row] === true || row === 0 ? text : dedent(text, indent),
    line: span.line + (marks.get(row) ?? row),
    raw: inside[row] === true,
  }))
  const last = out.at(-1)
  if (last !== undefined && tail !== '') out[out.length - 1] = { ...last, text: `${last.text}  ${tail}` }
  return { lines: out, comments: commentsAbove(lines, span, previousEndLine) }
}

function applyEdit(rows: string[], edit: TextEdit, span: Span, marks: Map<number, number>): void {
  const first = edit.span.line - span.line
  const last = edit.span.endLine - span.line
  if (first < 0 || last >= rows.length) return
  const head = (rows[first] ?? '').slice(0, edit.span.column)
  const rest = (rows[last] ?? '').slice(edit.span.endColumn)
  rows.splice(first, last - first + 1, head + edit.text + rest)
  if (last > first) {
    for (let row = first + 1; row < rows.length; row += 1) marks.set(row, row + (last - first))
  }
}

function trailingComment(line: string, column: number): string {
  const rest = line
    .slice(column)
    .trim()
    .replace(/^;+\s*/u, '')
  return rest.startsWith('#') ? rest : ''
}

function commentsAbove(lines: readonly string[], span: Span, previousEndLine: number): TextLine[] {
  const found: TextLine[] = []
  for (let line = span.line - 1; line > previousEndLine; line -= 1) {
    const text = (lines[line - 1] ?? '').trim()
    if (text === '') continue
    if (!text.startsWith('#')) break
    found.unshift({ text, line, raw: false })
  }
  return found
}

function leadingSpace(line: string, column: number): string {
  const before = line.slice(0, column)
  return before.trim() === '' ? before : ''
}

function dedent(text: string, indent: string): string {
  return indent !== '' && text.startsWith(indent) ? text.slice(indent.length) : text
}

/** For each row, whether it begins inside a string literal. */
export function startsInString(rows: readonly string[]): boolean[] {
  const inside: boolean[] = []
  let quote = ''
  for (const row of rows) {
    inside.push(quote !== '')
    quote = scanRow(row, quote)
  }
  return inside
}

function scanRow(row: string, open: string): string {
  let quote = open
  for (let at = 0; at < row.length; at += 1) {
    const char = row[at] ?? ''
    if (quote !== '') {
      if (char === '\\') {
        at += 1
      } else if (row.startsWith(quote, at)) {
        at += quote.length - 1
        quote = ''
      }
    } else if (char === '#') {
      return ''
    } else if (char === '"' || char === "'") {
      quote = row.startsWith(char.repeat(3), at) ? char.repeat(3) : char
      at += quote.length - 1
    }
  }
  return quote.length === 3 || (quote !== '' && row.endsWith('\\')) ? quote : ''
}

export function indented(line: TextLine, by: string): TextLine {
  return line.raw || line.text === '' ? line : { ...line, text: by + line.text }
}

export function ownLine(text: string): TextLine {
  return { text, line: null, raw: false }
}

/** Python source of a string, quoted as people do. */
export function pythonString(value: string): string {
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

/** Where the first positional argument of the call at `span` stands; null when it is not one plain expression. */
export function firstArgumentSpan(source: string, span: Span): Span | null {
  const lines = source.split('\n')
  if (span.line !== span.endLine) return null
  const line = lines[span.line - 1] ?? ''
  const open = openingOf(line, span)
  if (open === null) return null
  let depth = 0
  let quote = ''
  for (let at = open + 1; at < span.endColumn; at += 1) {
    const char = line[at] ?? ''
    if (quote !== '') {
      if (char === '\\') at += 1
      else if (char === quote) quote = ''
    } else if (char === '"' || char === "'") quote = char
    else if ('([{'.includes(char)) depth += 1
    else if (depth > 0 && ')]}'.includes(char)) depth -= 1
    else if (depth === 0 && (char === ',' || char === ')')) {
      const text = line.slice(open + 1, at)
      const start = open + 1 + (text.length - text.trimStart().length)
      const plain = text.trim() !== '' && !/^\s*(\*|\w+\s*=[^=])/u.test(text)
      return plain
        ? { line: span.line, column: start, endLine: span.line, endColumn: start + text.trim().length }
        : null
    }
  }
  return null
}

/** The bracket that the call's last character closes. */
function openingOf(line: string, span: Span): number | null {
  const open: number[] = []
  let quote = ''
  for (let at = span.column; at < span.endColumn; at += 1) {
    const char = line[at] ?? ''
    if (quote !== '') {
      if (char === '\\') at += 1
      else if (char === quote) quote = ''
    } else if (char === '"' || char === "'") quote = char
    else if (char === '(') open.push(at)
    else if (char === ')') {
      const start = open.pop()
      if (at === span.endColumn - 1) return start ?? null
    }
  }
  return null
}
