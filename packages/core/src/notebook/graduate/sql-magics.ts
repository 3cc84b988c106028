/**
 * `%sql` and `%%sql`: what they give depends on an extension of IPython, its settings and a connection, none of which a
 * step has. Refused before the notebook runs, each with the Python that takes its place.
 */
import type { Refusal } from '../graduation.ts'
import type { Magic, NotebookFacts } from '../ir.ts'

const PACKAGES: Readonly<Record<string, string>> = { sql: 'jupysql', magic_duckdb: 'magic-duckdb' }
const NAMES = new Set(['sql', 'sqlcmd', 'sqlplot', 'dql'])

/** `modules`: import names that the project's packages provide. */
export function sqlMagicRefusals(facts: NotebookFacts, modules: ReadonlySet<string>): readonly Refusal[] {
  const used = facts.cells.flatMap(({ index, magics }) => magics.map((magic) => ({ cell: index, magic })))
  const refusals: Refusal[] = []
  let address = used.some(({ magic }) => magic.name === 'dql') ? 'duckdb://' : ''
  for (const { cell, magic } of used) {
    if (magic.name === 'load_ext') refusals.push(...notInstalled(cell, magic, modules))
    if (!NAMES.has(magic.name)) continue
    address = addressIn(magic) ?? address
    const refusal = refusalOf(cell, magic, address)
    if (refusal !== null) refusals.push(refusal)
  }
  return refusals
}

function notInstalled(cell: number, magic: Magic, modules: ReadonlySet<string>): readonly Refusal[] {
  const extension = magic.argument.trim()
  const needed = PACKAGES[extension]
  if (needed === undefined || modules.has(extension)) return []
  const message = `%load_ext ${extension} comes with ${needed}, which is not installed here, and a step cannot load it: ask with duckdb.sql("...").df() in place of the magics`
  return [{ code: 'N17', cell, message }]
}

const ADDRESS = /(?:^|\s)([a-z][a-z0-9+]*:\/\/\S*)/u

function addressIn(magic: Magic): string | null {
  return ADDRESS.exec(magic.argument)?.[1] ?? ADDRESS.exec(magic.body?.split('\n')[0] ?? '')?.[1] ?? null
}

/** Null for a line that only connects: the queries on it say what is to be done. */
function refusalOf(cell: number, magic: Magic, address: string): Refusal | null {
  const query = queryOf(magic)
  const sign = magic.kind === 'cell' ? `%%${magic.name}` : `%${magic.name}`
  const database = /^[a-z0-9]+/u.exec(address)?.[0] ?? ''
  if (database !== '' && database !== 'duckdb') {
    const message = `${sign} asks ${database}, whose SQL means other things than DuckDB's (3/2, LIKE, '2' < 10): read it with pandas.read_sql in a step, or declare the database as a source`
    return { code: 'N24', cell, message }
  }
  if (query === '') return null
  const where = database === 'duckdb' ? 'DuckDB' : 'a database that the notebook does not name'
  const message = `${sign} asks ${where} through an extension of IPython, which a step has not: write  ${pythonFor(magic, query)}`
  return { code: 'N15', cell, message }
}

/** Without options, the name for the result, and the connection. */
function queryOf(magic: Magic): string {
  const line = magic.argument.replace(ADDRESS, '').replaceAll(/(?:^|\s)--?\w[\w-]*(?:[= ]\S+)?/gu, '')
  const rest = line.replace(/^\s*[^\W\d]\w*\s*<</u, '').trim()
  return magic.body === null ? rest : `${rest}\n${magic.body}`.trim()
}

function pythonFor(magic: Magic, query: string): string {
  const named =
    magic.assignedTo ?? /([^\W\d]\w*)\s*<</u.exec(magic.argument)?.[1] ?? /--save\s+(\w+)/u.exec(magic.argument)?.[1]
  const text = query.replaceAll(/\s+/gu, ' ')
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text
  return `${named ?? 'result'} = duckdb.sql("""${shown}""").df()`
}
