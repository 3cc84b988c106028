/**
 * The SQL type of a column from its JavaScript values. A column has one type: mixed values are refused with the row and
 * the value, since whichever type were chosen, readers would see something else than what was returned.
 */
import { StepProblem } from './step-problem.ts'

export type ColumnType =
  | { readonly kind: 'boolean' | 'integer' | 'hugeint' | 'double' | 'text' | 'instant' | 'blob' | 'nothing' }
  | { readonly kind: 'list'; readonly item: ColumnType }
  | { readonly kind: 'struct'; readonly fields: Readonly<Record<string, ColumnType>> }

const nothing: ColumnType = { kind: 'nothing' }

export function inferColumn(column: string, values: ArrayLike<unknown>): ColumnType {
  const typed = typedArrayType(values)
  if (typed !== null) return typed
  let type: ColumnType = nothing
  for (let row = 0; row < values.length; row++) {
    const own = typeOf(values[row], column, row)
    const joined = join(type, own)
    if (joined === null) {
      throw new StepProblem(
        `column '${column}' holds ${describe(values[row], own)} in row ${row + 1}, and ${words[type.kind]} before it`,
        `make all values of '${column}' the same, for instance with String(..) or Number(..)`,
      )
    }
    type = joined
  }
  if (type.kind === 'double') refuseRounding(column, values)
  return type
}

/** A big whole number among fractions would lose its last digits. */
function refuseRounding(column: string, values: ArrayLike<unknown>): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (typeof value !== 'bigint' || BigInt(Number(value)) === value) continue
    throw new StepProblem(
      `column '${column}' holds the whole number ${value} in row ${row + 1}, and numbers with fractions`,
      `make all values of '${column}' text, or all of them Number(..)`,
    )
  }
}

function typedArrayType(values: ArrayLike<unknown>): ColumnType | null {
  if (!ArrayBuffer.isView(values)) return null
  if (values instanceof Float64Array || values instanceof Float32Array) return { kind: 'double' }
  if (values instanceof BigUint64Array) return { kind: 'hugeint' }
  return { kind: 'integer' }
}

function typeOf(value: unknown, column: string, row: number): ColumnType {
  switch (typeof value) {
    case 'undefined':
      return nothing
    case 'boolean':
      return { kind: 'boolean' }
    case 'string':
      return { kind: 'text' }
    case 'number':
      return { kind: Number.isSafeInteger(value) && !Object.is(value, -0) ? 'integer' : 'double' }
    case 'bigint':
      return { kind: bigintKind(value, column, row) }
    case 'object':
      return value === null ? nothing : objectType(value, column, row)
    case 'function':
    case 'symbol':
    default:
      throw new StepProblem(
        `column '${column}' holds a ${typeof value} in row ${row + 1}`,
        'return plain values: numbers, texts, dates, lists, objects',
      )
  }
}

function bigintKind(value: bigint, column: string, row: number): 'integer' | 'hugeint' {
  if (BigInt.asIntN(64, value) === value) return 'integer'
  if (BigInt.asIntN(128, value) === value) return 'hugeint'
  throw new StepProblem(`column '${column}' holds a number beyond 128 bits in row ${row + 1}`, 'return it as text')
}

function objectType(value: object, column: string, row: number): ColumnType {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime()))
      throw new StepProblem(
        `column '${column}' holds an invalid Date in row ${row + 1}`,
        'return null where there is no date',
      )
    return { kind: 'instant' }
  }
  if (value instanceof Uint8Array) return { kind: 'blob' }
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    return { kind: 'list', item: inferColumn(`${column}[]`, value as unknown as ArrayLike<unknown>) }
  }
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype !== null && prototype !== Object.prototype) {
    throw new StepProblem(
      `column '${column}' holds a ${value.constructor?.name ?? 'class instance'} in row ${row + 1}`,
      'return plain values: numbers, texts, dates, lists, objects',
    )
  }
  const members = Object.entries(value)
  if (members.length === 0)
    throw new StepProblem(`column '${column}' holds an empty object in row ${row + 1}`, 'return null instead')
  const fields = members.map(([key, member]): [string, ColumnType] => [key, typeOf(member, `${column}.${key}`, row)])
  return { kind: 'struct', fields: Object.fromEntries(fields) }
}

/** The type that holds both without changing either; null when there is none. */
function join(a: ColumnType, b: ColumnType): ColumnType | null {
  if (a.kind === 'nothing') return b
  if (b.kind === 'nothing') return a
  if (a.kind === 'list' && b.kind === 'list') {
    const item = join(a.item, b.item)
    return item === null ? null : { kind: 'list', item }
  }
  if (a.kind === 'struct' && b.kind === 'struct') return joinStructs(a.fields, b.fields)
  if (a.kind === b.kind) return a
  const kinds = new Set([a.kind, b.kind])
  if (kinds.size === 2 && kinds.has('integer') && kinds.has('double')) return { kind: 'double' }
  if (kinds.size === 2 && kinds.has('integer') && kinds.has('hugeint')) return { kind: 'hugeint' }
  return null
}

function joinStructs(
  a: Readonly<Record<string, ColumnType>>,
  b: Readonly<Record<string, ColumnType>>,
): ColumnType | null {
  const fields: Record<string, ColumnType> = { ...a }
  for (const [key, type] of Object.entries(b)) {
    const joined = Object.hasOwn(fields, key) ? join(fields[key]!, type) : type
    if (joined === null) return null
    fields[key] = joined
  }
  return { kind: 'struct', fields }
}

const words: Readonly<Record<ColumnType['kind'], string>> = {
  boolean: 'true or false',
  integer: 'whole numbers',
  hugeint: 'big whole numbers',
  double: 'numbers',
  text: 'text',
  instant: 'dates',
  blob: 'bytes',
  nothing: 'nothing',
  list: 'lists',
  struct: 'objects',
}

function describe(value: unknown, type: ColumnType): string {
  if (type.kind === 'text') return `the text ${JSON.stringify(String(value).slice(0, 40))}`
  if (['boolean', 'integer', 'hugeint', 'double'].includes(type.kind)) return `the value ${String(value)}`
  return words[type.kind]
}
