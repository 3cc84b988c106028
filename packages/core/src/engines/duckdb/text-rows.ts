/** Rows of a result whose columns are all read as text; NULL stays null. */
import type { DuckDBResultReader } from '@duckdb/node-api'

export function textRows(reader: DuckDBResultReader): readonly (readonly (string | null)[])[] {
  return reader
    .getRowsJson()
    .map((row) => row.map((value) => (value === null || typeof value === 'string' ? value : JSON.stringify(value))))
}
