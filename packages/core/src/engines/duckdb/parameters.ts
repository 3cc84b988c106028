/** Parameter values bound to `$name` as typed values: never as text in the query. Names the query does not use are left out. */
import {
  BIGINT,
  BOOLEAN,
  DATE,
  DOUBLE,
  DuckDBDateValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  TIMESTAMP,
  TIMESTAMPTZ,
  VARCHAR,
} from '@duckdb/node-api'
import type { DuckDBPreparedStatement, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { canonicalJson } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import { CellmillError } from '../../errors.ts'
import type { SqlStep } from '../engine.ts'

interface Bound {
  readonly value: DuckDBValue
  readonly type: DuckDBType
}

export function bindParameters(statement: DuckDBPreparedStatement, parameters: SqlStep['parameters']): void {
  const values: Record<string, DuckDBValue> = {}
  const types: Record<string, DuckDBType> = {}
  for (let index = 1; index <= statement.parameterCount; index++) {
    const name = statement.parameterName(index)
    if (/^\d+$/.test(name)) {
      throw new CellmillError('PARAMETER_INVALID', 'The query uses a parameter by its position.', {
        hint: 'Give it a name: $name, and -- @param name int = 1',
        details: { parameter: name },
      })
    }
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (parameter === undefined) {
      throw new CellmillError('PARAMETER_INVALID', `The query uses $${name}, which is not a parameter.`, {
        hint: `Declare it in a comment line: -- @param ${name} int = 1`,
        details: { parameter: name },
      })
    }
    const bound = boundValue(name, parameter.type, parameter.value)
    values[name] = bound.value
    types[name] = bound.type
  }
  if (statement.parameterCount > 0) statement.bind(values, types)
}

function boundValue(name: string, type: string, value: Json): Bound {
  switch (type) {
    case 'int':
      return { type: BIGINT, value: value === null ? null : integerOf(name, value) }
    case 'float':
      return { type: DOUBLE, value: value === null ? null : Number(value) }
    case 'bool':
      return { type: BOOLEAN, value: value === null ? null : value === true }
    case 'date':
      return { type: DATE, value: value === null ? null : new DuckDBDateValue(daysOf(name, textOf(value))) }
    case 'datetime':
      return instantOf(name, value)
    case 'json':
      return { type: VARCHAR, value: value === null ? null : canonicalJson(value) }
    default:
      return { type: VARCHAR, value: value === null ? null : textOf(value) }
  }
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : canonicalJson(value)
}

function integerOf(name: string, value: Json): bigint {
  try {
    return BigInt(value as number | string)
  } catch (cause) {
    throw invalid(name, value, 'an integer', cause)
  }
}

function daysOf(name: string, text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(ms)) throw invalid(name, text, 'a date such as 2024-01-31', undefined)
  return ms / 86_400_000
}

/** An instant with a zone is a TIMESTAMP WITH TIME ZONE, as `now()` is; one without is a plain TIMESTAMP. */
function instantOf(name: string, value: Json): Bound {
  if (value === null) return { type: TIMESTAMP, value: null }
  const text = textOf(value)
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text)
  const zone = match?.[4]
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2] ?? '00:00'}${zone ?? 'Z'}`)
  if (match === null || Number.isNaN(ms)) {
    throw invalid(name, text, 'an instant such as 2024-01-31T12:00:00Z', undefined)
  }
  const micros = BigInt(ms) * 1000n + BigInt((match[3] ?? '').padEnd(6, '0').slice(0, 6))
  return zone === undefined
    ? { type: TIMESTAMP, value: new DuckDBTimestampValue(micros) }
    : { type: TIMESTAMPTZ, value: new DuckDBTimestampTZValue(micros) }
}

function invalid(name: string, value: Json, expected: string, cause: unknown): CellmillError {
  return new CellmillError('PARAMETER_INVALID', `Parameter ${name} is ${canonicalJson(value)}, not ${expected}.`, {
    details: { parameter: name, value },
    cause,
  })
}
