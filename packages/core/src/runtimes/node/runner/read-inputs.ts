/** Inputs as the author asked for them. Tables are read with DuckDB here, inside the sandbox; only declared columns are. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteIdentifier, quoteLiteral } from './quote.ts'
import type { RequestInput } from './request.ts'
import { StepProblem } from './step-problem.ts'

export interface ReadInputs {
  readonly values: Readonly<Record<string, unknown>>
  /** One line per input, for errors. */
  readonly described: readonly string[]
}

export async function readInputs(
  inputs: readonly RequestInput[],
  connect: () => Promise<DuckDBConnection>,
): Promise<ReadInputs> {
  const values: Record<string, unknown> = {}
  const described: string[] = []
  for (const input of inputs) {
    if (input.form === 'path') values[input.argument] = pathOf(input)
    else if (input.form === 'object') values[input.argument] = objectOf(input)
    else {
      const { value, text } = await tableOf(input, await connect())
      values[input.argument] = value
      described.push(`${input.argument}: ${text}`)
    }
  }
  return { values, described }
}

function pathOf(input: RequestInput): string {
  return input.files.length === 1 && !input.isGlob ? join(input.folder, input.files[0]!) : input.folder
}

function objectOf(input: RequestInput): unknown {
  const [file] = input.files
  if (input.codec === 'json' && file !== undefined)
    return JSON.parse(readFileSync(join(input.folder, file), 'utf8')) as unknown
  if (input.codec === 'pickle') {
    throw new StepProblem(
      `'${input.name}' is a Python object, which TypeScript cannot read`,
      'read a table instead, or write the step in Python',
    )
  }
  throw new StepProblem(
    `'${input.name}' is a ${input.codec}, not an object`,
    `write  ${input.argument}: ${input.codec === 'parquet' ? 'table()' : 'path()'}`,
  )
}

const readers: Readonly<Record<string, string>> = { parquet: 'read_parquet', csv: 'read_csv', json: 'read_json' }

async function tableOf(input: RequestInput, connection: DuckDBConnection): Promise<{ value: unknown; text: string }> {
  const reader = readers[formatOf(input)]
  if (reader === undefined) {
    throw new StepProblem(
      `'${input.name}' is no table, but a ${input.codec}`,
      `write  ${input.argument}: ${input.codec === 'pickle' ? 'object()' : 'path()'}`,
    )
  }
  const files = `[${input.files.map((file) => quoteLiteral(join(input.folder, file))).join(', ')}]`
  const options = Object.entries({ hive_partitioning: false, ...input.options }).map(
    ([key, value]) => `${key} = ${literal(value)}`,
  )
  const source = `${reader}(${[files, ...options].join(', ')})`
  const known = await columnsOf(connection, source)
  const missing = (input.columns ?? []).find((column) => !known.includes(column))
  if (missing !== undefined) {
    throw new StepProblem(
      `'${input.name}' has no column '${missing}'`,
      `its columns are ${known.slice(0, 30).join(', ')}`,
    )
  }
  const selected = input.columns === null ? '*' : input.columns.map(quoteIdentifier).join(', ')
  const result = await connection.runAndReadAll(`SELECT ${selected} FROM ${source}`)
  const { fromDuckDb } = await import('./from-duckdb.ts')
  const names = result.columnNames()
  const shown = names.slice(0, 8).map((name, i) => `${name} ${String(result.columnType(i))}`)
  const text = `${result.currentRowCount.toLocaleString('en-US')} rows x ${names.length} (${shown.join(', ')}${names.length > 8 ? ', ..' : ''})`
  const convert = (value: Parameters<typeof fromDuckDb>[0]): unknown => fromDuckDb(value)
  if (input.annotation !== 'columns') return { value: result.convertRowObjects(convert), text }
  const columns = result.convertColumnsObject(convert)
  return { value: Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, asVector(values)])), text }
}

/** Numbers without gaps as a typed array, everything else as it is. */
function asVector(values: readonly unknown[]): ArrayLike<unknown> {
  return values.length > 0 && values.every((value) => typeof value === 'number') ? Float64Array.from(values) : values
}

async function columnsOf(connection: DuckDBConnection, source: string): Promise<readonly string[]> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)
  return described.getRowsJson().map((row) => (typeof row[0] === 'string' ? row[0] : ''))
}

function formatOf(input: RequestInput): string {
  if (input.origin === 'asset' || readers[input.codec] !== undefined) return input.codec
  const extension = /\.(\w+)(?:\.gz|\.zst)?$/.exec(input.files[0] ?? '')?.[1]?.toLowerCase() ?? ''
  return extension === 'jsonl' || extension === 'ndjson' ? 'json' : extension === 'tsv' ? 'csv' : extension
}

function literal(value: unknown): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return quoteLiteral(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, member]) => `${quoteLiteral(key)}: ${literal(member)}`)
      .join(', ')}}`
  throw new TypeError(`a reader option is a ${typeof value}`)
}
