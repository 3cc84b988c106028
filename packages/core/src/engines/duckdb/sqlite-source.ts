/**
 * A query on a SQLite file, captured as Parquet. The file is opened read-only and the query must be one that only
 * reads. SQLite types values, not columns: a column that holds two kinds is refused, never converted.
 */
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { once } from 'node:events'
import Database from 'better-sqlite3'
import { CellmillError } from '../../errors.ts'
import type { Limits, SqliteRequest } from './protocol.ts'
import { queryError } from './query-error.ts'
import { dataFile } from './run-query.ts'
import type { OnSession } from './run-query.ts'
import { openSession } from './session.ts'
import { quoteIdentifier, quoteLiteral } from './sql-text.ts'

type SqliteValue = null | bigint | number | string | Buffer
type SqliteType = 'BIGINT' | 'DOUBLE' | 'VARCHAR' | 'BLOB'

export async function runSqliteQuery(
  request: SqliteRequest,
  limits: Limits,
  onSession: OnSession,
): Promise<{ rows: number }> {
  const rowsFile = join(request.outputFolder, 'rows.ndjson')
  const output = join(request.outputFolder, dataFile)
  await rm(output, { force: true })
  try {
    const { columns, rows, longest } = await unload(request, rowsFile)
    const session = await openSession({ inputs: [], files: [rowsFile, output], preamble: [] }, limits)
    try {
      onSession(session)
      const schema = columns.map((_, i) => `${quoteLiteral(`c${i}`)}: 'VARCHAR'`).join(', ')
      const source = `read_json(${quoteLiteral(rowsFile)}, format = 'newline_delimited', columns = {${schema}}, maximum_object_size = ${longest + 16})`
      const selected = columns.map(({ name, type }, i) => `${decoded(`c${i}`, type)} AS ${quoteIdentifier(name)}`)
      await session.connection.run(
        `COPY (SELECT ${selected.join(', ')} FROM ${source}) TO ${quoteLiteral(output)} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)`,
      )
    } catch (error) {
      throw queryError(error, null)
    } finally {
      await session.close()
    }
    return { rows }
  } finally {
    await rm(rowsFile, { force: true })
  }
}

interface Unloaded {
  readonly rows: number
  /** Bytes of the longest line: DuckDB reserves twice as much. */
  readonly longest: number
  readonly columns: readonly { readonly name: string; readonly type: SqliteType }[]
}

/** Numbers travel as the shortest text that reads back as themselves, blobs as hexadecimal. */
async function unload(request: SqliteRequest, rowsFile: string): Promise<Unloaded> {
  const database = openDatabase(request.file)
  try {
    const statement = prepare(database, request.query)
    const names = uniqueNames(statement.columns().map((column) => column.name))
    const types: (SqliteType | null)[] = names.map(() => null)
    const out = createWriteStream(rowsFile)
    let rows = 0
    let longest = 1 << 20
    for (const row of statement.raw().iterate() as IterableIterator<readonly SqliteValue[]>) {
      const record: Record<string, string | null> = {}
      row.forEach((value, i) => {
        types[i] = columnType(names[i] ?? '', types[i] ?? null, value)
        record[`c${i}`] = encoded(value)
      })
      rows++
      const line = `${JSON.stringify(record)}\n`
      longest = Math.max(longest, Buffer.byteLength(line))
      if (!out.write(line)) await once(out, 'drain')
    }
    out.end()
    await once(out, 'finish')
    const declared = statement.columns().map((column) => declaredType(column.type))
    return { rows, longest, columns: names.map((name, i) => ({ name, type: types[i] ?? declared[i] ?? 'VARCHAR' })) }
  } catch (error) {
    throw sourceError(error)
  } finally {
    database.close()
  }
}

function openDatabase(file: string): Database.Database {
  try {
    const database = new Database(file, { readonly: true, fileMustExist: true })
    database.pragma('query_only = 1')
    database.defaultSafeIntegers(true)
    return database
  } catch (error) {
    throw new CellmillError('SOURCE_MISSING', `The SQLite database ${file} cannot be opened: ${messageOf(error)}.`, {
      details: { file },
      cause: error,
    })
  }
}

function prepare(database: Database.Database, query: string): Database.Statement {
  const statement = database.prepare(query)
  if (!statement.reader || !statement.readonly) {
    throw new CellmillError('SOURCE_FAILED', 'The query of a SQLite source must be a SELECT.', { details: { query } })
  }
  return statement
}

function uniqueNames(names: readonly string[]): readonly string[] {
  const twice = names.find((name, i) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) !== i)
  if (twice === undefined) return names
  throw new CellmillError('SOURCE_FAILED', `The query returns two columns named ${twice}.`, {
    hint: `Name one of them: .. AS ${twice}_2`,
    details: { column: twice },
  })
}

function columnType(name: string, known: SqliteType | null, value: SqliteValue): SqliteType | null {
  if (value === null) return known
  const type =
    typeof value === 'bigint'
      ? 'BIGINT'
      : typeof value === 'number'
        ? 'DOUBLE'
        : typeof value === 'string'
          ? 'VARCHAR'
          : 'BLOB'
  if (known === null || known === type) return type
  throw new CellmillError('SOURCE_FAILED', `Column ${name} holds values of two types: ${known} and ${type}.`, {
    hint: `Say which one is meant in the query: CAST(${quoteIdentifier(name)} AS ${type === 'BLOB' ? 'BLOB' : type === 'VARCHAR' || known === 'VARCHAR' ? 'TEXT' : 'REAL'}) AS ${quoteIdentifier(name)}`,
    details: { column: name, types: [known, type] },
  })
}

/** SQLite's affinity rules, for columns without a single value. */
function declaredType(declared: string | null): SqliteType {
  const text = (declared ?? '').toUpperCase()
  if (text.includes('INT')) return 'BIGINT'
  if (/CHAR|CLOB|TEXT/.test(text)) return 'VARCHAR'
  if (text.includes('BLOB')) return 'BLOB'
  return /REAL|FLOA|DOUB/.test(text) ? 'DOUBLE' : 'VARCHAR'
}

function encoded(value: SqliteValue): string | null {
  if (value === null) return null
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return value.toString()
  return typeof value === 'number' ? String(value) : value.toString('hex')
}

function decoded(column: string, type: SqliteType): string {
  return type === 'BLOB' ? `from_hex(${column})` : type === 'VARCHAR' ? column : `${column}::${type}`
}

function sourceError(error: unknown): CellmillError {
  if (error instanceof CellmillError) return error
  return new CellmillError('SOURCE_FAILED', `The SQLite query failed: ${messageOf(error)}.`, { cause: error })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
