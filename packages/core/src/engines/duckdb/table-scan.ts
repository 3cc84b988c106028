/**
 * One pass over a table: rows, profile, and every digest asked for. The cost of publishing a table is this scan, so
 * all of it is one query. Runs in the ingest worker, over files that no step can reach any more.
 */
import { CellmillError } from '../../errors.ts'
import type { ColumnProfile, ColumnSchema } from '../../model/snapshot.ts'
import type { DigestForm } from '../../model/recipe.ts'
import { hashedOrder, rowHash, sumOfHashes, tableDigest } from './digest.ts'
import type { TypedColumn } from './digest.ts'
import type { DigestRequest, Limits } from './protocol.ts'
import { queryError } from './query-error.ts'
import { typedColumns } from './run-query.ts'
import type { OnSession } from './run-query.ts'
import { openScan } from './scan-session.ts'
import type { ScanSession } from './scan-session.ts'
import { readerCall } from './session.ts'
import { quoteIdentifier } from './sql-text.ts'
import { textRows } from './text-rows.ts'

export interface DigestWish {
  /** Null for all columns in their order. */
  readonly columns: readonly string[] | null
  readonly form: 'multiset' | 'sequence'
}

export interface TableScan {
  readonly rows: number
  readonly columns: readonly ColumnSchema[]
  readonly profile: readonly ColumnProfile[]
  /** Parallel to the wishes. */
  readonly digests: readonly string[]
}

export interface ScanLimits {
  readonly maxRows: number | null
  readonly maxBytes: number | null
}

const noLimits: ScanLimits = { maxRows: null, maxBytes: null }

export async function digestTable(request: DigestRequest, limits: Limits, onSession: OnSession): Promise<string> {
  const form = tableForm(request.form)
  const session = await openTable(request.files, limits)
  try {
    onSession(session)
    const wishes = [{ columns: request.columns, form }]
    const scan = await scanTable(session, { wishes, profiled: false, limits: noLimits })
    return scan.digests[0] ?? ''
  } finally {
    await session.close()
  }
}

function tableForm(form: DigestForm): 'multiset' | 'sequence' {
  if (form === 'multiset' || form === 'sequence') return form
  throw new CellmillError('INTERNAL', `A table has no digest of the form ${form}.`)
}

export async function openTable(files: readonly string[], limits: Limits): Promise<ScanSession> {
  return openScan(files, limits).catch((error: unknown) => {
    throw queryError(error, null)
  })
}

export interface ScanWish {
  readonly wishes: readonly DigestWish[]
  readonly profiled: boolean
  readonly limits: ScanLimits
}

export async function scanTable(session: ScanSession, wish: ScanWish): Promise<TableScan> {
  try {
    const { connection } = session
    const statement = await connection.prepare('FROM scanned')
    const typed = typedColumns(statement)
    const described = await connection.runAndReadAll('DESCRIBE scanned')
    const columns = textRows(described).map((row) => ({ name: row[0] ?? '', type: row[1] ?? '' }))
    await refuseBombs(session, typed, wish.limits)
    const parts = scanParts(typed, wish, session.files)
    const reader = await connection.runAndReadAll(parts.sql)
    const row = textRows(reader)[0] ?? []
    const rows = Number(row[0])
    return {
      rows,
      columns,
      profile: parts.profile(row, rows),
      digests: wish.wishes.map((digest, i) => {
        const read = chosen(columns, digest.columns)
        return tableDigest({
          columns: read,
          rows,
          sum: row[parts.sumsFrom + i] ?? '0',
          form: digest.form,
          ordered: digest.columns === null,
        })
      }),
    }
  } catch (error) {
    throw queryError(error, null)
  }
}

/** A footer of a kilobyte can promise billions of rows, and a dictionary gigabytes of text: both are counted first. */
async function refuseBombs(session: ScanSession, columns: readonly TypedColumn[], limits: ScanLimits): Promise<void> {
  if (limits.maxRows !== null) {
    const reader = await session.connection.runAndReadAll('SELECT count(*) FROM scanned')
    const rows = Number(reader.value(0, 0))
    if (rows > limits.maxRows) throw tooLarge(`${rows} rows`, `${limits.maxRows} rows`)
  }
  const sized = columns.filter((column) => /^(VARCHAR|BLOB)$/.test(String(column.type)))
  if (limits.maxBytes === null || sized.length === 0) return
  const sums = sized.map((column) => {
    const name = quoteIdentifier(column.name)
    return `coalesce(sum(${String(column.type) === 'BLOB' ? `octet_length(${name})` : `strlen(${name})`}), 0)`
  })
  const reader = await session.connection.runAndReadAll(`SELECT ${sums.join(' + ')} FROM scanned`)
  const bytes = Number(reader.value(0, 0))
  if (bytes > limits.maxBytes) throw tooLarge(`${bytes} bytes of text`, `${limits.maxBytes} bytes`)
}

function tooLarge(found: string, allowed: string): CellmillError {
  return new CellmillError('QUERY_FAILED', `The table unpacks to ${found}; at most ${allowed} are allowed.`, {
    details: { found, allowed },
  })
}

interface ScanParts {
  readonly sql: string
  readonly sumsFrom: number
  profile(row: readonly (string | null)[], rows: number): readonly ColumnProfile[]
}

function scanParts(columns: readonly TypedColumn[], wish: ScanWish, files: readonly string[]): ScanParts {
  const profiled = wish.profiled ? columns : []
  const profileSql = profiled.flatMap((column) => {
    const name = quoteIdentifier(column.name)
    const ordered = isOrdered(column)
    return [`count(${name})`, ordered ? `min(${name})::VARCHAR` : 'NULL', ordered ? `max(${name})::VARCHAR` : 'NULL']
  })
  const sequenced = wish.wishes.some((digest) => digest.form === 'sequence')
  const { rowNumber, table } = numbered(columns, files)
  const sums = wish.wishes.map((digest) => {
    const read = hashedOrder(chosen(columns, digest.columns), digest.columns === null)
    return sumOfHashes(rowHash(read, digest.form === 'sequence' ? rowNumber : null))
  })
  return {
    sql: `SELECT ${['count(*)', ...profileSql, ...sums].join(', ')} FROM ${sequenced ? table : 'scanned'}`,
    sumsFrom: 1 + profileSql.length,
    profile: (row, rows) =>
      profiled.map((column, i) => ({
        name: column.name,
        nulls: rows - Number(row[1 + 3 * i]),
        min: row[2 + 3 * i] ?? null,
        max: row[3 + 3 * i] ?? null,
      })),
  }
}

/** The reader numbers the rows of one file at no cost; a window function would hold the table and use one thread. */
function numbered(
  columns: readonly TypedColumn[],
  files: readonly string[],
): { readonly rowNumber: string; readonly table: string } {
  const ofReader = 'file_row_number'
  if (files.length === 1 && !columns.some((column) => column.name.toLowerCase() === ofReader)) {
    const options = { [ofReader]: true }
    return { rowNumber: `${ofReader} + 1`, table: readerCall({ files, format: 'parquet', options }) }
  }
  // A column of the table may have any name, so the row number's must be one it does not have.
  const rowNumber = freeName(columns)
  return { rowNumber, table: `(SELECT *, row_number() OVER () AS ${rowNumber} FROM scanned)` }
}

function freeName(columns: readonly TypedColumn[]): string {
  const taken = new Set(columns.map((column) => column.name.toLowerCase()))
  let name = 'row_number_of_scan'
  while (taken.has(name)) name += '_'
  return name
}

function isOrdered(column: TypedColumn): boolean {
  return !/^(STRUCT|MAP|UNION|BLOB|BIT|VARIANT|GEOMETRY)|\]$/.test(String(column.type))
}

function chosen<T extends { readonly name: string }>(all: readonly T[], names: readonly string[] | null): readonly T[] {
  if (names === null) return all
  return names.map((name) => {
    const column = all.find((candidate) => candidate.name === name)
    if (column === undefined) {
      throw new CellmillError('QUERY_FAILED', `The table has no column ${name}.`, {
        details: { column: name, columns: all.map((candidate) => candidate.name) },
      })
    }
    return column
  })
}
