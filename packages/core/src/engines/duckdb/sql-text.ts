/**
 * The lexical shell of a SQL text: where comments are, where a closing semicolon is, where a byte offset lies. DuckDB's
 * own parser does everything else; this must agree with it about quotes, dollar quotes and nested comments only.
 */
export interface SqlComment {
  /** The comment without its `--`, or the inside of a block comment. */
  readonly text: string
  /** 1-based place of the first character of `text`. */
  readonly line: number
  readonly column: number
}

export interface SqlShell {
  readonly lineComments: readonly SqlComment[]
  /** The text with closing semicolons blanked, so that it can stand inside parentheses; offsets are unchanged. */
  readonly body: string
  /** The text with all comments and strings blanked; offsets are unchanged. */
  readonly bare: string
}

export interface TextPlace {
  readonly line: number
  readonly column: number
  readonly lineText: string
}

interface Span {
  readonly kind: 'line-comment' | 'block-comment' | 'quoted'
  readonly end: number
}

const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y

export function readSqlShell(sql: string): SqlShell {
  const lineComments: SqlComment[] = []
  const bare: string[] = []
  let at = 0
  let plainFrom = 0
  while (at < sql.length) {
    const span = spanAt(sql, at)
    if (span === null) {
      at++
      continue
    }
    bare.push(sql.slice(plainFrom, at), blank(sql.slice(at, span.end), span.kind))
    if (span.kind === 'line-comment') {
      lineComments.push({ text: sql.slice(at + 2, span.end), ...placeOfIndex(sql, at + 2) })
    }
    at = span.end
    plainFrom = at
  }
  bare.push(sql.slice(plainFrom))
  const bareText = bare.join('')
  return { lineComments, body: blankClosingSemicolons(sql, bareText), bare: bareText }
}

/** Quoted text keeps a mark, so that `'x';` is not taken for an empty statement. */
function blank(text: string, kind: Span['kind']): string {
  const filler = kind === 'quoted' ? 'q' : ' '
  return text.replaceAll(/[^\n]/g, filler)
}

function blankClosingSemicolons(sql: string, bare: string): string {
  const end = /[;\s]*$/.exec(bare)?.index ?? sql.length
  let body = sql
  for (let i = end; i < sql.length; i++) {
    if (bare[i] === ';') body = `${body.slice(0, i)} ${body.slice(i + 1)}`
  }
  return body
}

function spanAt(sql: string, at: number): Span | null {
  const two = sql.slice(at, at + 2)
  if (two === '--') {
    const newline = sql.indexOf('\n', at)
    return { kind: 'line-comment', end: newline < 0 ? sql.length : newline }
  }
  if (two === '/*') return { kind: 'block-comment', end: endOfBlockComment(sql, at) }
  const character = sql[at]
  if (character === "'") {
    const escapes = /[eE]/.test(sql[at - 1] ?? '') && !/\w/.test(sql[at - 2] ?? '')
    return { kind: 'quoted', end: endOfQuoted(sql, at, escapes) }
  }
  if (character === '"') return { kind: 'quoted', end: endOfQuoted(sql, at, false) }
  if (character === '$' && !/\w/.test(sql[at - 1] ?? '')) {
    dollarTag.lastIndex = at
    const tag = dollarTag.exec(sql)?.[0]
    if (tag !== undefined) {
      const close = sql.indexOf(tag, at + tag.length)
      return { kind: 'quoted', end: close < 0 ? sql.length : close + tag.length }
    }
  }
  return null
}

function endOfBlockComment(sql: string, at: number): number {
  let depth = 0
  let i = at
  while (i < sql.length) {
    const two = sql.slice(i, i + 2)
    if (two === '/*' || two === '*/') {
      depth += two === '/*' ? 1 : -1
      i += 2
      if (depth === 0) return i
    } else i++
  }
  return sql.length
}

function endOfQuoted(sql: string, at: number, backslashEscapes: boolean): number {
  const quote = sql[at]
  let i = at + 1
  while (i < sql.length) {
    if (backslashEscapes && sql[i] === '\\') i += 2
    else if (sql[i] !== quote) i++
    else if (sql[i + 1] === quote) i += 2
    else return i + 1
  }
  return sql.length
}

function placeOfIndex(text: string, index: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, index)
  const line = before.split('\n').length
  return { line, column: index - (before.lastIndexOf('\n') + 1) + 1 }
}

/** DuckDB's binder counts bytes of UTF-8 from 0; places count from 1. Offsets past the end give the last character. */
export function placeOfByte(text: string, byteOffset: number): TextPlace {
  return placeInText(text, Buffer.from(text, 'utf8').subarray(0, byteOffset).toString('utf8').length)
}

/** DuckDB's parser counts characters from 0. */
export function placeOfCharacter(text: string, offset: number): TextPlace {
  return placeInText(text, Array.from(text).slice(0, offset).join('').length)
}

function placeInText(text: string, index: number): TextPlace {
  const { line, column } = placeOfIndex(text, Math.min(index, text.length))
  return { line, column, lineText: (text.split('\n')[line - 1] ?? '').replace(/\r$/, '') }
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
