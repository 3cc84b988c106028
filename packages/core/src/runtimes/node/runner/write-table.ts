/** Rows or columns to one Parquet file, through DuckDB: types come from infer-type.ts, values go in as whole chunks. */
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DOUBLE,
  DuckDBBlobValue,
  DuckDBDataChunk,
  DuckDBTimestampValue,
  HUGEINT,
  LIST,
  STRUCT,
  TIMESTAMP,
  VARCHAR,
  listValue,
  structValue,
} from '@duckdb/node-api'
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { inferColumn } from './infer-type.ts'
import type { ColumnType } from './infer-type.ts'
import { quoteIdentifier, quoteLiteral } from './quote.ts'
import { StepProblem } from './step-problem.ts'

export interface Table {
  readonly names: readonly string[]
  readonly columns: readonly ArrayLike<unknown>[]
  readonly rows: number
}

const chunkRows = 2048

export async function writeTable(connection: DuckDBConnection, table: Table, file: string): Promise<void> {
  const types = table.names.map((name, i) => inferColumn(name, table.columns[i]!))
  const duckTypes = types.map(duckDbType)
  const definition = table.names.map((name, i) => `${quoteIdentifier(name)} ${String(duckTypes[i])}`)
  await connection.run(`CREATE OR REPLACE TABLE result (${definition.join(', ')})`)
  const appender = await connection.createAppender('result')
  for (let from = 0; from < table.rows; from += chunkRows) {
    const count = Math.min(chunkRows, table.rows - from)
    const chunk = DuckDBDataChunk.create(duckTypes, count)
    for (const [i, type] of types.entries()) {
      const column = table.columns[i]!
      chunk.setColumnValues(
        i,
        Array.from({ length: count }, (_, row) => toDuckDb(column[from + row], type)),
      )
    }
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
  await connection.run(`COPY result TO ${quoteLiteral(file)} (FORMAT parquet, COMPRESSION zstd)`)
  await connection.run('DROP TABLE result')
}

function duckDbType(type: ColumnType): DuckDBType {
  switch (type.kind) {
    case 'boolean':
      return BOOLEAN
    case 'integer':
      return BIGINT
    case 'hugeint':
      return HUGEINT
    case 'double':
      return DOUBLE
    case 'instant':
      return TIMESTAMP
    case 'blob':
      return BLOB
    case 'text':
    case 'nothing':
      return VARCHAR
    case 'list':
      return LIST(duckDbType(type.item))
    case 'struct':
      return STRUCT(Object.fromEntries(Object.entries(type.fields).map(([name, field]) => [name, duckDbType(field)])))
  }
}

function toDuckDb(value: unknown, type: ColumnType): DuckDBValue {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'integer':
    case 'hugeint':
      return BigInt(value as number | bigint)
    case 'double':
      return Number(value)
    case 'instant':
      return new DuckDBTimestampValue(BigInt((value as Date).getTime()) * 1000n)
    case 'blob':
      return new DuckDBBlobValue(value as Uint8Array)
    case 'list':
      return listValue(Array.from(value as ArrayLike<unknown>, (item) => toDuckDb(item, type.item)))
    case 'struct': {
      const record = value as Readonly<Record<string, unknown>>
      return structValue(
        Object.fromEntries(Object.entries(type.fields).map(([name, field]) => [name, toDuckDb(record[name], field)])),
      )
    }
    case 'boolean':
    case 'text':
    case 'nothing':
      return value as DuckDBValue
  }
}

/** Null when the value is neither rows nor columns. */
export function asTable(value: unknown): Table | null {
  if (Array.isArray(value)) return value.every(isPlainObject) ? rowsTable(value) : null
  if (!isPlainObject(value)) return null
  const entries = Object.entries(value)
  if (
    entries.length === 0 ||
    !entries.every(
      ([, column]) => Array.isArray(column) || (ArrayBuffer.isView(column) && !(column instanceof DataView)),
    )
  )
    return null
  const columns = entries.map(([, column]) => column as ArrayLike<unknown>)
  const rows = columns[0]!.length
  const uneven = entries.find(([, column]) => (column as ArrayLike<unknown>).length !== rows)
  if (uneven !== undefined) {
    throw new StepProblem(
      `column '${uneven[0]}' has ${(uneven[1] as ArrayLike<unknown>).length} values, and '${entries[0]![0]}' has ${rows}`,
      'return columns of one length',
    )
  }
  return checked({ names: entries.map(([name]) => name), columns, rows })
}

/** Columns in the order in which rows first name them; what a row leaves out is NULL. */
function rowsTable(rows: readonly Readonly<Record<string, unknown>>[]): Table {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  if (names.length === 0) {
    throw new StepProblem(
      rows.length === 0
        ? 'it returned no rows, which say nothing about the columns'
        : 'it returned rows without columns',
      'return columns instead, which may be empty:  { day: [], revenue: new Float64Array() }',
    )
  }
  return checked({ names, columns: names.map((name) => rows.map((row) => row[name])), rows: rows.length })
}

function checked(table: Table): Table {
  const seen = new Map<string, string>()
  for (const name of table.names) {
    const other = seen.get(name.toLowerCase())
    if (name === '') throw new StepProblem('a column has no name', 'name every column')
    if (other !== undefined)
      throw new StepProblem(`the columns '${other}' and '${name}' differ only in case`, 'rename one of them')
    seen.set(name.toLowerCase(), name)
  }
  return table
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === null || prototype === Object.prototype
}
