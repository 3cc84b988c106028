/**
 * Statements that do nothing but ask DuckDB in memory and make a pandas frame of the answer: `x = duckdb.sql("...").df()`.
 * Only a text written out is taken; which relations it reads is for the engine's parser to say.
 */
/** A step that is one query, before the engine has read it. */
export interface QueryStep {
  /** Name of the step, and of its asset. */
  readonly step: string
  /** The statement: what a choice against SQL names. */
  readonly unit: number
  readonly cell: number
  readonly sql: string
  /** Prose above the cell. */
  readonly description: string
}

/** A query that stays in Python, with the reason. */
export interface KeptQuery {
  readonly unit: number
  readonly cell: number
  readonly why: string
}

export type ReadQuery = { readonly sql: string; readonly receiver: string } | { readonly why: string }

const TEXT = String.raw`(?<prefix>[A-Za-z]*)(?<quote>"""|'''|"|')(?<text>[^]*?)(?<!\\)\k<quote>`
const ASKS = String.raw`(?<receiver>[^\W\d]\w*)\.(?:sql|query|execute)\(`
const QUERY = new RegExp(
  String.raw`^[^\W\d]\w*\s*=\s*${ASKS}\s*${TEXT}\s*,?\s*\)\s*\.(?<form>df|to_df|fetchdf|pl|arrow|fetch_arrow_table|fetch_df)\(\s*\)\s*;?$`,
  'u',
)
const MAKES_FRAME = new Set(['df', 'to_df', 'fetchdf', 'fetch_df'])

/** Null where the statement asks nothing of the receivers given. */
export function readQuery(text: string, asksDuckdb: (receiver: string) => boolean): ReadQuery | null {
  const receiver = new RegExp(String.raw`(?<![\w.])${ASKS}`, 'u').exec(text)?.groups?.['receiver']
  if (receiver === undefined || !asksDuckdb(receiver)) return null
  const found = QUERY.exec(text.trim())?.groups
  if (found === undefined) return { why: whyNot(text) }
  const { prefix = '', text: sql = '', quote = '', form = '' } = found
  if (/[fF]/u.test(prefix)) return { why: 'its text is put together when it runs' }
  if (prefix !== '' && !/^[rRuU]$/u.test(prefix)) return { why: 'its text is no plain string' }
  if (sql.includes('\\') && !/^[rR]$/u.test(prefix)) return { why: 'its text has escapes' }
  if (sql.includes(quote)) return { why: 'its text is put together when it runs' }
  if (!MAKES_FRAME.has(form)) return { why: `it gives ${form === 'pl' ? 'a polars' : 'an Arrow'} table` }
  return { sql, receiver }
}

function whyNot(text: string): string {
  if (/\(\s*[rR]?[fF][rR]?["']|\.format\(|["']\s*%\s*[\w(]|["']\s*\+/u.test(text))
    return 'its text is put together when it runs'
  if (/\.(?:sql|query|execute)\(\s*[^\W\d]\w*\s*[,)]/u.test(text)) return 'its text is in a variable'
  if (/["']\s*,\s*(?:\[|\(|\{|\w+\s*=|\w+\s*\))/u.test(text)) return 'it is given parameters'
  return 'the statement does more than make a frame of its answer'
}

/** `con = duckdb.connect()`: a database of its own in memory. */
export function isMemoryConnection(text: string, name: string, isDuckdb: (module: string) => boolean): boolean {
  const found =
    /^([^\W\d]\w*)\s*=\s*([^\W\d]\w*)\.connect\(\s*(?:(?:database\s*=\s*)?(["']):memory:\3)?\s*\)\s*;?$/u.exec(
      text.trim(),
    )
  return found !== null && found[1] === name && isDuckdb(found[2] ?? '')
}

/** The query without the indentation that its place in Python gave it. */
export function queryText(sql: string): string {
  const lines = sql
    .replaceAll('\r\n', '\n')
    .replace(/(?:;|\s)+$/u, '')
    .split('\n')
  while (lines[0]?.trim() === '') lines.shift()
  if (lines.join('\n').includes("'") && hasTextOverLines(lines.join('\n'))) return lines.join('\n')
  const rest = lines.filter((line) => line.trim() !== '')
  const shortest = Math.min(...rest.map((line) => (/^ */u.exec(line)?.[0] ?? '').length))
  return lines.map((line) => line.slice(Math.min(shortest, line.length)).trimEnd()).join('\n')
}

/** A quoted text that goes on over a line's end must keep its spaces. */
function hasTextOverLines(sql: string): boolean {
  const open = sql.replaceAll(/--[^\n]*/gu, '').match(/'(?:[^']|'')*'|"(?:[^"]|"")*"/gu) ?? []
  return open.some((text) => text.includes('\n'))
}
