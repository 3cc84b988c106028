/**
 * The two thrown kinds of error. A `CellmillError` is an operation we could not do; guards go by `code`, since errors
 * cross processes and SQL. A `UserCodeError` is the user's code throwing, as a value that crosses processes.
 * Problems in a project or notebook are never thrown: see diagnostics.ts. The catalogue of codes is error-codes.ts.
 */
import type { ErrorCode } from './error-codes.ts'

export interface CellmillErrorOptions {
  /** What to type or do next. */
  readonly hint?: string
  /** Real values, for scripts. JSON only. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly retryable?: boolean
  readonly cause?: unknown
}

export class CellmillError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options: CellmillErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CellmillError'
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
    this.retryable = options.retryable ?? false
  }
}

/** Narrows by code, so that it also works for errors revived from another process. */
export function isCellmillError(error: unknown, code?: ErrorCode): error is CellmillError {
  return error instanceof CellmillError && (code === undefined || error.code === code)
}

/** One line of the user's own traceback, innermost last. Our frames are already removed. */
export interface UserFrame {
  /** Path below the project's root, or a package's path for third-party frames. */
  readonly file: string
  readonly line: number
  /** 1-based, with `endColumn` exclusive; null where the language does not tell. */
  readonly column: number | null
  readonly endColumn: number | null
  readonly function: string
  readonly lineText: string
  readonly isProject: boolean
  /** Index of the notebook cell this line was written from, when the file was graduated. */
  readonly cell: number | null
}

/** Why an attempt failed, told apart so that retries and hints can differ. */
export type FailureKind =
  | 'exception'
  | 'exit-code'
  | 'signal'
  | 'out-of-memory'
  | 'time-limit'
  | 'output-limit'
  | 'disk-full'
  | 'contract'
  | 'packages'
  | 'cancelled'
  | 'internal'

export interface UserCodeError {
  readonly kind: FailureKind
  /** The exception's class, or the kind again where there is none. */
  readonly type: string
  readonly message: string
  readonly frames: readonly UserFrame[]
  /** One line per input: shape and dtypes, such as `orders: 12,044 rows x 3 (id int64, total float64, day object)`. */
  readonly inputs: readonly string[]
  readonly hint: string | null
}
