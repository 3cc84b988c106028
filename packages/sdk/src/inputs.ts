/**
 * Input kinds: how an asset's inputs arrive in `run`. The key of `inputs` names the asset or source, unless `from` does.
 * Only the columns that are declared are handed over, and only they decide whether the asset is rebuilt.
 */

/** A value in a table. Integers beyond 2^53 arrive as `bigint`; decimals as text; days and instants as `Date`. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value }

export type Row = Readonly<Record<string, Value>>

/** One vector per column; numbers without missing values arrive as typed arrays. */
export type Columns<R> = { readonly [K in keyof R]: ArrayLike<R[K]> }

export interface TableOptions<R> {
  /** Name of the asset or source. @default the key of `inputs` */
  readonly from?: string
  /** Columns to read, in this order. @default all */
  readonly columns?: readonly (keyof R & string)[]
  /** An array of objects, or an object of column vectors. @default 'rows' */
  readonly as?: 'rows' | 'columns'
}

export interface InputKind<T> {
  readonly input: 'table' | 'object' | 'path'
  readonly from?: string
  readonly columns?: readonly string[]
  readonly as?: 'rows' | 'columns'
  /** Only for the type checker: never set. */
  readonly value?: T
}

/**
 * A table, as rows or as columns. The type parameter says what a row holds: `table<{ day: Date; revenue: number }>()`.
 */
export function table<R extends object = Row>(
  options: TableOptions<R> & { readonly as: 'columns' },
): InputKind<Columns<R>>
export function table<R extends object = Row>(options?: TableOptions<R>): InputKind<readonly R[]>
export function table<R extends object = Row>(
  options: TableOptions<R> = {},
): InputKind<readonly R[]> | InputKind<Columns<R>> {
  return { ...options, input: 'table' }
}

/** A value that another TypeScript asset returned (kind `object`), as JSON knows it. */
export function object<T = unknown>(options: { readonly from?: string } = {}): InputKind<T> {
  return { ...options, input: 'object' }
}

/** The path of the file (or, for several files, of the folder) that holds the input. */
export function path(options: { readonly from?: string } = {}): InputKind<string> {
  return { ...options, input: 'path' }
}
