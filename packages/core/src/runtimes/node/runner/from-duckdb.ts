/**
 * Values of DuckDB as authors see them: whole numbers as `number` while exact, else `bigint`; decimals, times, intervals
 * and UUIDs as text; days and instants as `Date` (milliseconds); lists, structs and maps as arrays and objects.
 */
import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionValue,
} from '@duckdb/node-api'
import type { DuckDBValue } from '@duckdb/node-api'

export function fromDuckDb(value: DuckDBValue): unknown {
  if (value === null || typeof value !== 'object') {
    return typeof value === 'bigint' && isSafe(value) ? Number(value) : value
  }
  if (value instanceof DuckDBDateValue) return new Date(value.days * 86_400_000)
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue)
    return instant(value.micros, 1000n)
  if (value instanceof DuckDBTimestampSecondsValue) return new Date(Number(value.seconds) * 1000)
  if (value instanceof DuckDBTimestampMillisecondsValue) return new Date(Number(value.millis))
  if (value instanceof DuckDBTimestampNanosecondsValue) return instant(value.nanos, 1_000_000n)
  if (value instanceof DuckDBBlobValue) return new Uint8Array(value.bytes)
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(fromDuckDb)
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([key, member]) => [key, fromDuckDb(member)]))
  }
  if (value instanceof DuckDBMapValue) return mapOf(value)
  if (value instanceof DuckDBUnionValue) return fromDuckDb(value.value)
  return String(value)
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
}

/** Rounded down, also before 1970. */
function instant(value: bigint, perMillisecond: bigint): Date {
  const below = value < 0n && value % perMillisecond !== 0n ? 1n : 0n
  return new Date(Number(value / perMillisecond - below))
}

/** An object where all keys are text, else pairs. */
function mapOf(map: DuckDBMapValue): unknown {
  const pairs = map.entries.map(({ key, value }) => [fromDuckDb(key), fromDuckDb(value)] as const)
  return pairs.every(([key]) => typeof key === 'string') ? Object.fromEntries(pairs) : pairs
}
