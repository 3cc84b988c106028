/**
 * Immutable results as the catalog knows them. A snapshot is one output of one fingerprint; its bytes live in the
 * store under `address`, a sha256 over the folder's manifest.
 */
import type { AssetKind } from './project.ts'
import type { DigestForm } from './recipe.ts'
import type { Json } from '../canonical.ts'

export interface ColumnSchema {
  readonly name: string
  /** DuckDB's full type text. */
  readonly type: string
}

export interface ColumnProfile {
  readonly name: string
  readonly nulls: number
  readonly min: string | null
  readonly max: string | null
}

/** A class or function named in a pickle, read with pickletools and never loaded. */
export interface NamedGlobal {
  readonly module: string
  readonly name: string
}

/** What ingest computed from the bytes, out of the step's reach. */
export interface ContentFacts {
  readonly kind: AssetKind
  readonly sizeBytes: number
  /** Tables only, else null. */
  readonly rows: number | null
  readonly columns: readonly ColumnSchema[] | null
  readonly profile: readonly ColumnProfile[] | null
  /** Digest of `pandas` and Arrow metadata in the file, for Python readers; '' when there is none. */
  readonly metadataDigest: string
  /** True when row order carries no meaning (SQL without a total ORDER BY). */
  readonly unordered: boolean
  /** Memoised digests over all columns, by form. Tables have `sequence` and `multiset`, others `bytes`. */
  readonly digests: Readonly<Partial<Record<DigestForm, string>>>
  /** Objects: what the pickle names; null element list means it could not be read. */
  readonly globals: readonly NamedGlobal[] | null
  /** Codec of the data file: `parquet`, `pickle`, `file`, `json`, `report`. */
  readonly codec: string
  /** Free-form facts for people: report parts, metrics, model class. */
  readonly summary: Readonly<Record<string, Json>>
}

export interface SnapshotRecord extends ContentFacts {
  /** ULID-like, made by us; ids sort by time. */
  readonly id: string
  /** Name within the step ('' for the single output). */
  readonly output: string
  readonly fingerprint: string
  /** sha256 of the folder's manifest: where the bytes are in the store. */
  readonly address: string
  readonly createdAt: string
  readonly runId: string
  /** False for results that saw something undeclared: usable in their run alone, never found by fingerprint. */
  readonly reusable: boolean
  readonly notReusableBecause: string | null
}

/** A committed result of one fingerprint: all outputs of the step, or none. */
export interface StepResult {
  readonly fingerprint: string
  readonly recipeDigest: string
  readonly snapshots: readonly SnapshotRecord[]
}
