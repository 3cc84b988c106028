/**
 * Sources: data made elsewhere that assets read. A source is a plain value; nothing is opened here. Every run captures
 * each source once and its steps read that capture only.
 */

export type SourceFormat = 'csv' | 'parquet' | 'json' | 'other'

/** How a CSV file is read by SQL assets. What is left out is detected from the file. */
export interface CsvOptions {
  /** Character between fields, such as `';'`. */
  readonly delimiter?: string
  /** Whether the first line names the columns. */
  readonly header?: boolean
  readonly quote?: string
  readonly escape?: string
  /** Texts that mean "no value", such as `['NA', '']`. */
  readonly nullValues?: readonly string[]
  /** All columns in order with their SQL types: `{ id: 'BIGINT', day: 'DATE' }`. */
  readonly columns?: Readonly<Record<string, string>>
  /** SQL types of some columns, the others detected. */
  readonly types?: Readonly<Record<string, string>>
  /** As in `strptime`, such as `'%d.%m.%Y'`. */
  readonly dateFormat?: string
  readonly timestampFormat?: string
  readonly decimalSeparator?: '.' | ','
  readonly thousandsSeparator?: '.' | ','
  /** Lines to leave out at the top. @default 0 */
  readonly skip?: number
  /** Read every column as text. @default false */
  readonly allText?: boolean
  /** For globs: match columns by name and fill what a file lacks. @default false */
  readonly unionByName?: boolean
  /** Rows looked at for detection; -1 for all. @default 20480 */
  readonly sampleSize?: number
  readonly encoding?: 'utf-8' | 'utf-16' | 'latin-1'
}

/** How a JSON file is read by SQL assets. */
export interface JsonOptions {
  /** One document per line, or one array, or whichever it is. @default 'auto' */
  readonly layout?: 'auto' | 'lines' | 'array'
  /** All columns with their SQL types. */
  readonly columns?: Readonly<Record<string, string>>
}

export interface FileOptions {
  /** @default by the extension */
  readonly format?: SourceFormat
  readonly csv?: CsvOptions
  readonly json?: JsonOptions
  /** Copy the file into the store at each run, so that old results can be explained and rebuilt. @default true */
  readonly capture?: boolean
  /** Allow a path outside the project's folder. @default false */
  readonly outside?: boolean
  readonly description?: string
}

export interface HttpOptions {
  /** @default by the extension of the address */
  readonly format?: SourceFormat
  readonly csv?: CsvOptions
  readonly json?: JsonOptions
  /** How often the address is asked again: at every run, never again, or after a while (`'1h'`, `'30m'`, `'7d'`). @default 'always' */
  readonly refresh?: Refresh
  readonly description?: string
}

export interface SqliteOptions {
  /** One SELECT, run read-only. */
  readonly query: string
  /** Allow a path outside the project's folder. @default false */
  readonly outside?: boolean
  readonly description?: string
}

/** `'always'`, `'never'`, or a duration such as `'15m'`, `'6h'`, `'1d'`, `'2w'`. */
export type Refresh = 'always' | 'never' | `${number}${'s' | 'm' | 'h' | 'd' | 'w'}`

export interface FileSourceInput extends FileOptions {
  readonly type: 'file'
  readonly path: string
}
export interface HttpSourceInput extends HttpOptions {
  readonly type: 'http'
  readonly url: string
}
export interface SqliteSourceInput extends SqliteOptions {
  readonly type: 'sqlite'
  readonly path: string
}
export type SourceInput = FileSourceInput | HttpSourceInput | SqliteSourceInput

/**
 * A file, or all files that a glob matches, relative to the project: `file('data/orders/*.csv')`.
 */
export function file(path: string, options: FileOptions = {}): FileSourceInput {
  return { ...options, type: 'file', path }
}

/** A body fetched from an address: `http('https://example.org/rates.csv', { refresh: '1d' })`. */
export function http(url: string, options: HttpOptions = {}): HttpSourceInput {
  return { ...options, type: 'http', url }
}

/** The result of a query on a SQLite file: `sqlite('shop.db', 'select * from orders')`. */
export function sqlite(path: string, query: string | SqliteOptions): SqliteSourceInput {
  return { ...(typeof query === 'string' ? { query } : query), type: 'sqlite', path }
}
