/**
 * Port: queries over snapshots, and the ingest of what steps wrote. Both run in sandboxed worker processes, never in
 * the coordinator; each query gets a new in-memory DuckDB locked to its own inputs. Contract: engines/contract.ts.
 */
import type { Json } from '../canonical.ts'
import type { AssetKind } from '../model/project.ts'
import type { DigestForm } from '../model/recipe.ts'
import type { ColumnSchema, ContentFacts } from '../model/snapshot.ts'
import type { ManifestEntry } from '../store/store.ts'

export interface RelationInput {
  /** The name FROM uses; quoted by the engine. */
  readonly relation: string
  /** Absolute paths of Parquet, CSV or JSON files, in order. */
  readonly files: readonly string[]
  readonly format: 'parquet' | 'csv' | 'json'
  readonly options: Readonly<Record<string, Json>>
}

export interface SqlStep {
  readonly sql: string
  readonly inputs: readonly RelationInput[]
  readonly parameters: Readonly<Record<string, { readonly type: string; readonly value: Json }>>
  /** `CREATE MACRO` statements in scope. */
  readonly macros: readonly string[]
  readonly threads: number
  readonly memoryBytes: number | null
  /** True: the snapshot is written in canonical order, since a sequence reader exists and the query does not sort. */
  readonly canonicalOrder: boolean
  readonly unordered: boolean
  /** Writes `data.parquet` below it. */
  readonly outputFolder: string
  readonly timeoutMs: number | null
}

export interface IngestRequest {
  /** Host folder with exactly the entries of one output. */
  readonly folder: string
  readonly kind: AssetKind
  readonly codec: string
  readonly unordered: boolean
  /** Column sets to digest in the same pass, besides all columns. */
  readonly columnSets: readonly (readonly string[])[]
  /** Python interpreter for reading pickles with pickletools, or null. */
  readonly maxRows: number | null
  readonly maxBytes: number | null
}

export interface IngestResult {
  readonly entries: readonly ManifestEntry[]
  readonly facts: ContentFacts
  /** Parallel to `columnSets`. */
  readonly columnDigests: readonly string[]
}

export interface QueryResult {
  readonly columns: readonly ColumnSchema[]
  /** For people only, at most `limit` rows, values as JSON text-safe scalars. */
  readonly rows: readonly (readonly Json[])[]
  readonly truncated: boolean
}

export interface Engine {
  readonly version: string
  runSql(step: SqlStep, signal: AbortSignal): Promise<{ readonly rows: number }>
  ingest(request: IngestRequest, signal: AbortSignal): Promise<IngestResult>
  /** Digest of a column set of a committed table. */
  digest(files: readonly string[], columns: readonly string[] | null, form: DigestForm): Promise<string>
  /** A SQL check: rows that break the rule, at most `limit` of them as evidence in `outputFolder` when there are any. */
  query(sql: string, inputs: readonly RelationInput[], limit: number, signal?: AbortSignal): Promise<QueryResult>
  exportTo(inputs: readonly RelationInput[], format: 'parquet' | 'csv' | 'json', file: string): Promise<void>
  close(): Promise<void>
}
