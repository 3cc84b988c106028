/**
 * What Parquet cannot hold as it is. DuckDB writes 128-bit integers as DOUBLE, drops microseconds of intervals, offsets
 * of times and tags of unions, and says nothing: here integers become 64-bit ones, and whatever would change fails with
 * the column, the value and what to write instead.
 */
import { DuckDBTypeId } from '@duckdb/node-api'
import type { DuckDBType } from '@duckdb/node-api'
import { CellmillError } from '../../errors.ts'
import type { TypedColumn } from './digest.ts'
import { quoteIdentifier, quoteLiteral } from './sql-text.ts'

/** `"a"::BIGINT AS "a"` for each column that is stored otherwise than it is; none is the usual case. */
export function storedColumns(columns: readonly TypedColumn[]): readonly string[] {
  return columns.flatMap((column) => {
    const expression = storedExpression(column)
    return expression === null ? [] : [`${expression} AS ${quoteIdentifier(column.name)}`]
  })
}

function storedExpression(column: TypedColumn): string | null {
  const name = quoteIdentifier(column.name)
  const { typeId } = column.type
  if (typeId === DuckDBTypeId.HUGEINT) {
    return fitting(column, 'BIGINT', `${name} BETWEEN -9223372036854775808 AND 9223372036854775807`)
  }
  if (typeId === DuckDBTypeId.UHUGEINT) return fitting(column, 'UBIGINT', `${name} <= 18446744073709551615`)
  if (typeId === DuckDBTypeId.INTERVAL) return storedInterval(column)
  const type = storedType(column, column.type)
  return type === null ? null : `${name}::${type}`
}

function fitting(column: TypedColumn, type: string, condition: string): string {
  const name = quoteIdentifier(column.name)
  const hint = `does not fit into 64 bits; write ${name}::DOUBLE, ${name}::DECIMAL(38, 0) or ${name}::VARCHAR`
  return `CASE WHEN ${name} IS NULL OR (${condition}) THEN ${name}::${type} ELSE ${failure(column, hint)} END`
}

/** Parquet's intervals are unsigned months, days and milliseconds. */
function storedInterval(column: TypedColumn): string {
  const name = quoteIdentifier(column.name)
  const parts = ['year', 'month', 'day', 'hour', 'minute', 'microseconds'].map(
    (part) => `datepart('${part}', ${name}) >= 0`,
  )
  const condition = [...parts, `datepart('microseconds', ${name}) % 1000 = 0`].join(' AND ')
  const hint = `cannot be stored as an interval; write epoch_us(${name}) or ${name}::VARCHAR`
  return `CASE WHEN ${name} IS NULL OR (${condition}) THEN ${name} ELSE ${failure(column, hint)} END`
}

function failure(column: TypedColumn, hint: string): string {
  const name = quoteIdentifier(column.name)
  return `error('Column ' || ${quoteLiteral(column.name)} || ' holds ' || ${name}::VARCHAR || ', which ' || ${quoteLiteral(hint)})`
}

const notHeld: ReadonlySet<DuckDBTypeId> = new Set([DuckDBTypeId.TIME_TZ, DuckDBTypeId.UNION, DuckDBTypeId.INTERVAL])

/** Null when the type is stored as it is. */
function storedType(column: TypedColumn, type: DuckDBType): string | null {
  if (notHeld.has(type.typeId)) throw notStorable(column, type)
  if (type.typeId === DuckDBTypeId.HUGEINT) return 'BIGINT'
  if (type.typeId === DuckDBTypeId.UHUGEINT) return 'UBIGINT'
  if (type.typeId === DuckDBTypeId.LIST || type.typeId === DuckDBTypeId.ARRAY) {
    const item = storedType(column, type.valueType)
    return item === null ? null : `${item}[]`
  }
  if (type.typeId === DuckDBTypeId.MAP) {
    const [key, value] = [storedType(column, type.keyType), storedType(column, type.valueType)]
    if (key === null && value === null) return null
    return `MAP(${key ?? String(type.keyType)}, ${value ?? String(type.valueType)})`
  }
  if (type.typeId !== DuckDBTypeId.STRUCT) return null
  const members = type.entryTypes.map((member) => storedType(column, member))
  if (members.every((member) => member === null)) return null
  const texts = members.map((member, i) => {
    const name = type.entryNames[i] ?? ''
    return `${name === '' ? '' : `${quoteIdentifier(name)} `}${member ?? String(type.entryTypes[i])}`
  })
  return `STRUCT(${texts.join(', ')})`
}

function notStorable(column: TypedColumn, type: DuckDBType): CellmillError {
  const name = quoteIdentifier(column.name)
  return new CellmillError(
    'QUERY_FAILED',
    `Column ${column.name} has type ${String(column.type)}; Parquet cannot hold ${String(type)}.`,
    {
      hint: `write ${name}::VARCHAR AS ${name}`,
      details: { type: 'Type', column: column.name, columnType: String(column.type) },
    },
  )
}
