/**
 * The lexical layer of SQL texts: where quotes, dollar quotes and comments are. Only what must be known without the
 * engine: annotations, normalised macro statements, and numbers too long for JSON. Meaning comes from the engine's tree.
 */
export interface SqlPiece {
  readonly kind: 'code' | 'string' | 'identifier' | 'comment'
  readonly start: number
  readonly end: number
}

const pieceStart = /--|\/\*|['"]|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/g

export function scanSql(sql: string): readonly SqlPiece[] {
  const pieces: SqlPiece[] = []
  let at = 0
  pieceStart.lastIndex = 0
  for (let match = pieceStart.exec(sql); match !== null; match = pieceStart.exec(sql)) {
    const start = match.index
    if (match[0].startsWith('$') && /\w/.test(sql[start - 1] ?? '')) continue
    const end = endOf(sql, start, match[0])
    if (start > at) pieces.push({ kind: 'code', start: at, end: start })
    pieces.push({ kind: kindOf(match[0]), start, end })
    at = end
    pieceStart.lastIndex = end
  }
  if (at < sql.length) pieces.push({ kind: 'code', start: at, end: sql.length })
  return pieces
}

function kindOf(opening: string): SqlPiece['kind'] {
  if (opening === '--' || opening === '/*') return 'comment'
  return opening === '"' ? 'identifier' : 'string'
}

function endOf(sql: string, start: number, opening: string): number {
  if (opening === '--') return orEnd(sql, sql.indexOf('\n', start), 0)
  if (opening === '/*') return endOfBlock(sql, start)
  if (opening.startsWith('$')) return orEnd(sql, sql.indexOf(opening, start + opening.length), opening.length)
  const escapes = opening === "'" && /[eE]/.test(sql[start - 1] ?? '') && !/\w/.test(sql[start - 2] ?? '')
  let i = start + 1
  while (i < sql.length) {
    if (escapes && sql[i] === '\\') i += 2
    else if (sql[i] !== opening) i++
    else if (sql[i + 1] === opening) i += 2
    else return i + 1
  }
  return sql.length
}

function orEnd(sql: string, found: number, length: number): number {
  return found < 0 ? sql.length : found + length
}

function endOfBlock(sql: string, start: number): number {
  let depth = 0
  for (let i = start; i < sql.length; i++) {
    const two = sql.slice(i, i + 2)
    if (two !== '/*' && two !== '*/') continue
    depth += two === '/*' ? 1 : -1
    i++
    if (depth === 0) return i + 1
  }
  return sql.length
}

/** Statements without comments, white space outside quotes collapsed; empty ones left out. */
export function normalisedStatements(sql: string): readonly string[] {
  const statements: string[] = ['']
  for (const { kind, start, end } of scanSql(sql)) {
    const text = sql.slice(start, end)
    if (kind === 'comment') statements.push(`${statements.pop()!} `)
    else if (kind !== 'code') statements.push(statements.pop()! + text)
    else {
      const parts = text.replaceAll(/\s+/g, ' ').split(';')
      statements.push(statements.pop()! + parts[0]!, ...parts.slice(1))
    }
  }
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '')
}

/** Numbers that JSON cannot hold exactly: trees lose their last digits, so they count as text. */
export function longNumbers(sql: string): readonly string[] {
  const code = scanSql(sql)
    .map(({ kind, start, end }) => (kind === 'code' ? sql.slice(start, end) : ' '))
    .join('')
  const numbers = code.match(/(?<![\w.])[\d.][\w.]*/g) ?? []
  return numbers.filter((number) => number.replaceAll(/\D/g, '').length >= 15 || /^0x/i.test(number))
}

/** Parts of `text` between separators that stand outside quotes and brackets, with their offsets. */
export function splitOutside(
  text: string,
  separator: string,
): readonly { readonly text: string; readonly start: number }[] {
  const parts: { text: string; start: number }[] = []
  let depth = 0
  let from = 0
  for (const { kind, start, end } of scanSql(text)) {
    if (kind !== 'code') continue
    for (let i = start; i < end; i++) {
      const character = text[i]!
      if ('([{'.includes(character)) depth++
      else if (')]}'.includes(character)) depth--
      else if (character === separator && depth === 0) {
        parts.push({ text: text.slice(from, i), start: from })
        from = i + 1
      }
    }
  }
  parts.push({ text: text.slice(from), start: from })
  return parts
}
