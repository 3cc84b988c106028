/**
 * DuckDB's errors as CellmillErrors: its own message, with line and column in the user's text. Sessions ask for errors
 * as JSON, which carries the byte offset; `prefix` is what we wrote before the user's text.
 */
import type { Json } from '../../canonical.ts'
import { CellmillError, isCellmillError } from '../../errors.ts'
import type { WireError } from './protocol.ts'
import { placeOfByte, placeOfCharacter } from './sql-text.ts'
import type { TextPlace } from './sql-text.ts'

interface DuckDbError {
  readonly exception_type: string
  readonly exception_message: string
  readonly position?: string
}

export interface UserText {
  readonly sql: string
  readonly prefix: string
}

export function queryError(error: unknown, text: UserText | null): CellmillError {
  if (isCellmillError(error)) return error
  const raw = error instanceof Error ? error.message : String(error)
  const parsed = parseDuckDbError(raw)
  if (parsed === null) return new CellmillError('QUERY_FAILED', raw, { details: { type: 'Error' }, cause: error })
  const details: Record<string, Json> = { type: parsed.exception_type }
  Object.assign(details, placeOf(parsed, text))
  if (/no space left|ENOSPC/i.test(parsed.exception_message)) {
    return new CellmillError('DISK_FULL', parsed.exception_message, { details, cause: error })
  }
  const hint = hintFor(parsed)
  return new CellmillError('QUERY_FAILED', parsed.exception_message, {
    details,
    cause: error,
    ...(hint === null ? {} : { hint }),
  })
}

function placeOf(error: DuckDbError, text: UserText | null): TextPlace | null {
  // Our prefixes are ASCII, so that their bytes and characters are as many.
  const offset = error.position === undefined || text === null ? -1 : Number(error.position) - text.prefix.length
  if (text === null || offset < 0 || offset > Buffer.byteLength(text.sql)) return null
  return error.exception_type === 'Parser' ? placeOfCharacter(text.sql, offset) : placeOfByte(text.sql, offset)
}

function parseDuckDbError(message: string): DuckDbError | null {
  // The binding writes the step that failed before DuckDB's JSON, and the kind of error.
  const json = message.replace(/^Failed to extract statements: (?:\w+ )*Error: (?=\{)/, '')
  if (!json.startsWith('{')) return null
  try {
    const value = JSON.parse(json) as Partial<DuckDbError>
    return typeof value.exception_message === 'string' ? (value as DuckDbError) : null
  } catch {
    return null // A message that merely begins with a brace is the message itself.
  }
}

function hintFor(error: DuckDbError): string | null {
  if (error.exception_type === 'Permission')
    return 'A query sees only what its FROM names: declare the file as a source and name that.'
  if (error.exception_type === 'Out of Memory')
    return 'Give the asset more memory with `-- @memory 4GB`, or read fewer columns.'
  return null
}

export function toWire(error: unknown): WireError {
  const known = isCellmillError(error) ? error : queryError(error, null)
  return {
    code: known.code,
    message: known.message,
    hint: known.hint ?? null,
    retryable: known.retryable,
    details: known.details as Readonly<Record<string, Json>>,
  }
}

export function fromWire(error: WireError): CellmillError {
  return new CellmillError(error.code, error.message, {
    details: error.details,
    retryable: error.retryable,
    ...(error.hint === null ? {} : { hint: error.hint }),
  })
}
