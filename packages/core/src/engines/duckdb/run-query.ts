/** A SQL step, a bounded query and an export, each in a session of its own. The text must be one SELECT. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StatementType } from '@duckdb/node-api'
import type { DuckDBConnection, DuckDBPreparedStatement, DuckDBResultReader } from '@duckdb/node-api'
import type { Json } from '../../canonical.ts'
import { CellmillError } from '../../errors.ts'
import type { ColumnSchema } from '../../model/snapshot.ts'
import type { QueryResult, SqlStep } from '../engine.ts'
import { rowHash } from './digest.ts'
import type { TypedColumn } from './digest.ts'
import { bindParameters } from './parameters.ts'
import type { ExportRequest, Limits, QueryRequest, RunSqlRequest } from './protocol.ts'
import { queryError } from './query-error.ts'
import { openSession } from './session.ts'
import type { Session } from './session.ts'
import { storedColumns } from './stored-columns.ts'
import { placeOfByte, quoteIdentifier, quoteLiteral, readSqlShell } from './sql-text.ts'

/** Called with the open session, so that a cancel can interrupt it. */
export type OnSession = (session: Session) => void

export const dataFile = 'data.parquet'

export async function runSql(request: RunSqlRequest, limits: Limits, onSession: OnSession): Promise<{ rows: number }> {
  const { step } = request
  const output = join(step.outputFolder, dataFile)
  await rm(output, { force: true })
  const session = await openSession({ inputs: step.inputs, files: [output], preamble: step.macros }, limits)
  try {
    onSession(session)
    const { connection } = session
    const body = await selectBody(connection, step.sql)
    const columns = await columnsOfQuery(connection, { sql: step.sql, body, parameters: step.parameters })
    const { prefix, closing } = wrapQuery(columns, step.canonicalOrder && step.unordered)
    const options = '(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)'
    const text = { sql: step.sql, prefix }
    try {
      const copy = `${prefix}${body}${closing} TO ${quoteLiteral(output)} ${options}`
      return await runStatements(connection, { sql: copy, parameters: step.parameters }, async (statement) => {
        const result = await statement.runAndReadAll()
        return { rows: Number(result.value(0, 0)) }
      })
    } catch (error) {
      throw queryError(error, text)
    }
  } finally {
    await session.close()
  }
}

export async function runBoundedQuery(
  request: QueryRequest,
  limits: Limits,
  onSession: OnSession,
): Promise<QueryResult> {
  const session = await openSession({ inputs: request.inputs, files: [], preamble: request.macros }, limits)
  try {
    onSession(session)
    const text = { sql: request.sql, prefix: '' }
    await selectBody(session.connection, request.sql)
    try {
      const reader = await runStatements(session.connection, request, (statement) =>
        statement.streamAndReadUntil(request.limit + 1),
      )
      const rows = reader.getRowsJson() as readonly (readonly Json[])[]
      const columns = columnsOf(reader)
      return {
        columns,
        rows: rows.slice(0, request.limit).map((row) => row.map((value, i) => plainNumber(value, columns[i]!.type))),
        truncated: rows.length > request.limit,
      }
    } catch (error) {
      throw queryError(error, text)
    }
  } finally {
    await session.close()
  }
}

/** 64-bit integers come as text; those that a number holds exactly are numbers for people and scripts. */
function plainNumber(value: Json, type: string): Json {
  if (typeof value !== 'string' || !/^U?(?:BIGINT|HUGEINT)$/.test(type)) return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

const exportOptions = {
  parquet: '(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)',
  csv: '(FORMAT csv, HEADER, USE_TMP_FILE false)',
  json: '(FORMAT json, USE_TMP_FILE false)',
} as const

export async function exportRelation(request: ExportRequest, limits: Limits, onSession: OnSession): Promise<null> {
  const [input] = request.inputs
  if (input === undefined || request.inputs.length !== 1) {
    throw new CellmillError('INTERNAL', `An export is of one relation, not of ${request.inputs.length}.`)
  }
  await rm(request.file, { force: true })
  const relation = { ...input, relation: 'exported' }
  const session = await openSession({ inputs: [relation], files: [request.file], preamble: [] }, limits)
  try {
    onSession(session)
    await session.connection.run(
      `COPY (FROM exported) TO ${quoteLiteral(request.file)} ${exportOptions[request.format]}`,
    )
    return null
  } catch (error) {
    throw queryError(error, null)
  } finally {
    await session.close()
  }
}

/**
 * The text fit to stand inside `COPY (..)`. That it is one SELECT is asked of DuckDB's parser: whatever else it is
 * must never reach a place where it could end our statement and begin its own.
 */
async function selectBody(connection: DuckDBConnection, sql: string): Promise<string> {
  if (readSqlShell(sql).bare.replaceAll(';', '').trim() === '') throw notOneQuery(sql, 'The text holds no query.')
  const statements = await connection.extractStatements(sql).catch((error: unknown) => {
    throw queryError(error, { sql, prefix: '' })
  })
  const { body } = readSqlShell(sql)
  const closing = `SELECT * FROM (\n${body}\n)`
  await connection.extractStatements(closing).catch((error: unknown) => {
    // PIVOT alone is two statements to DuckDB, and fits in parentheses; two of the author's do not.
    const why =
      statements.count === 1
        ? 'Only a query (SELECT, FROM, WITH, VALUES) can be run.'
        : `Expected one query, found ${statements.count} statements.`
    throw notOneQuery(sql, why, error)
  })
  return body
}

function notOneQuery(sql: string, why: string, cause?: unknown): CellmillError {
  const start = Buffer.byteLength(sql.slice(0, Math.max(0, readSqlShell(sql).bare.search(/[^\s;]/))))
  return new CellmillError('QUERY_FAILED', why, { details: { type: 'Parser', ...placeOfByte(sql, start) }, cause })
}

/** DuckDB makes several statements of a PIVOT: one lists the columns, one is the query, and a transaction is around both. */
async function runStatements<T>(
  connection: DuckDBConnection,
  query: { readonly sql: string; readonly parameters: SqlStep['parameters'] },
  read: (statement: DuckDBPreparedStatement) => Promise<T>,
): Promise<T> {
  const statements = await connection.extractStatements(query.sql)
  let result: { readonly value: T } | null = null
  for (let i = 0; i < statements.count; i++) {
    const statement = await statements.prepare(i)
    bindParameters(statement, query.parameters)
    const isQuery = statement.statementType === StatementType.SELECT || statement.statementType === StatementType.COPY
    if (isQuery) result = { value: await read(statement) }
    else await statement.run()
  }
  if (result === null) throw notOneQuery(query.sql, 'The text holds no query.')
  return result.value
}

/** By running it for no rows: before its parameters have values, a statement does not know all of its types. */
async function columnsOfQuery(
  connection: DuckDBConnection,
  query: { readonly sql: string; readonly body: string; readonly parameters: SqlStep['parameters'] },
): Promise<readonly TypedColumn[]> {
  const prefix = 'SELECT * FROM (\n'
  const empty = { sql: `${prefix}${query.body}\n) LIMIT 0`, parameters: query.parameters }
  const reader = await runStatements(connection, empty, (statement) => statement.runAndReadAll()).catch(
    (error: unknown) => {
      throw queryError(error, { sql: query.sql, prefix })
    },
  )
  return reader.columnNames().map((name, i) => ({ name, type: reader.columnType(i) }))
}

/** What is written before and after the author's query; the query itself stays as it is. */
function wrapQuery(
  columns: readonly TypedColumn[],
  ordered: boolean,
): { readonly prefix: string; readonly closing: string } {
  const names = columns.map((column) => quoteIdentifier(column.name))
  const isUnique = new Set(names.map((name) => name.toLowerCase())).size === names.length
  const stored = storedColumns(columns)
  const order = ordered ? canonicalOrder(columns, isUnique) : null
  if (stored.length === 0 && order === null) return { prefix: 'COPY (\n', closing: '\n)' }
  if (stored.length > 0 && !isUnique) {
    throw new CellmillError('QUERY_FAILED', 'Two columns have one name.', {
      hint: 'name each column: .. AS other_name',
      details: { type: 'Binder', columns: columns.map((column) => column.name) },
    })
  }
  const replaced = stored.length === 0 ? '*' : `* REPLACE (${stored.join(', ')})`
  return { prefix: `COPY (SELECT ${replaced} FROM (\n`, closing: `\n)${order === null ? '' : ` ORDER BY ${order}`})` }
}

/** All columns, then the row's hash: equal under ORDER BY is not always the same (-0.0 and 0.0, 1 month and 30 days). */
function canonicalOrder(columns: readonly TypedColumn[], isUnique: boolean): string {
  const names = columns.map((column) => quoteIdentifier(column.name))
  return isUnique ? [...names, rowHash(columns, null)].join(', ') : 'ALL'
}

export function typedColumns(statement: DuckDBPreparedStatement): readonly TypedColumn[] {
  return Array.from({ length: statement.columnCount }, (_, i) => ({
    name: statement.columnName(i),
    type: statement.columnType(i),
  }))
}

function columnsOf(reader: DuckDBResultReader): readonly ColumnSchema[] {
  return reader.columnNames().map((name, i) => ({ name, type: String(reader.columnType(i)) }))
}
