/**
 * What the coordinator and an engine worker say to each other: one request or answer a line, JSON only. Answers may
 * come in any order. A worker trusts its requests, and never the SQL, files and names in them.
 */
import type { Json } from '../../canonical.ts'
import type { ErrorCode } from '../../error-codes.ts'
import type { IngestRequest, IngestResult, QueryResult, RelationInput, SqlStep } from '../engine.ts'
import type { MacroFile, ParsedMacros, ParsedSql } from '../sql-parser.ts'
import type { DigestForm } from '../../model/recipe.ts'

/** Folders and limits that hold for one query. */
export interface Limits {
  /** Private folder for spilling; made and removed by the worker. */
  readonly spillRoot: string
  readonly memoryBytes: number
  readonly threads: number
  /** Folders in which the ingest worker reads what it was told to. */
  readonly scanRoots: readonly string[]
}

export interface RunSqlRequest {
  readonly step: SqlStep
}
export interface QueryRequest {
  readonly sql: string
  readonly inputs: readonly RelationInput[]
  readonly macros: readonly string[]
  readonly parameters: SqlStep['parameters']
  readonly limit: number
}
export interface DigestRequest {
  readonly files: readonly string[]
  readonly columns: readonly string[] | null
  readonly form: DigestForm
}
export interface ExportRequest {
  readonly inputs: readonly RelationInput[]
  readonly format: 'parquet' | 'csv' | 'json'
  readonly file: string
}
export interface SqliteRequest {
  readonly file: string
  readonly query: string
  readonly outputFolder: string
}

export interface Methods {
  readonly runSql: { readonly params: RunSqlRequest; readonly result: { readonly rows: number } }
  readonly query: { readonly params: QueryRequest; readonly result: QueryResult }
  readonly digest: { readonly params: DigestRequest; readonly result: string }
  readonly ingest: { readonly params: IngestRequest; readonly result: IngestResult }
  readonly exportTo: { readonly params: ExportRequest; readonly result: null }
  readonly sqlite: { readonly params: SqliteRequest; readonly result: { readonly rows: number } }
  readonly parse: { readonly params: { readonly texts: readonly string[] }; readonly result: readonly ParsedSql[] }
  readonly macros: { readonly params: { readonly files: readonly MacroFile[] }; readonly result: ParsedMacros }
}
export type Method = keyof Methods

/** What a worker answers to, by name. */
export type MethodTable<Names extends PropertyKey> = {
  readonly [M in Names]: { readonly params: unknown; readonly result: unknown }
}

export type WorkerRequest =
  | { readonly id: number; readonly cancel: true }
  | { readonly [M in Method]: CallRequest<M> }[Method]

export interface CallRequest<M extends Method> {
  readonly id: number
  readonly method: M
  readonly limits: Limits
  readonly params: Methods[M]['params']
}

export type WorkerAnswer =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: WireError }

export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | null
  readonly retryable: boolean
  readonly details: Readonly<Record<string, Json>>
}
