/**
 * The catalog's tables as Kysely sees them; the migrations make them. Names are the database's, snake_case; each file
 * in records/ is the one place where a row becomes a record. Booleans are 0 and 1, instants ISO 8601 text, JSON text.
 */
import type { Generated } from 'kysely'

export interface RunRow {
  readonly id: string
  readonly environment: string
  readonly state: string
  readonly started_at: string
  readonly finished_at: string | null
  readonly base_release: number
  readonly release: number | null
  readonly git_commit: string | null
  readonly parameters: string
  readonly packages: string
  readonly sources: string
  readonly code_bundle: string | null
  readonly pid: number
  readonly sandbox: string
  readonly counts: string
}

export interface RunStepRow {
  readonly run_id: string
  readonly step: string
  readonly kind: string
  readonly assets: string
  readonly state: string
  readonly fingerprint: string | null
  readonly recipe_digest: string | null
  readonly inputs: string
  readonly reason: string
  readonly attempt: number
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly error: string | null
  readonly log_path: string | null
}

/** The last ended state of each step of an environment, so that a plan needs one look-up and not the history. */
export interface LastStepRow {
  readonly environment: string
  readonly step: string
  readonly state: string
  readonly fingerprint: string | null
  /** Of the last time that it was built; kept when it is reused. */
  readonly ms: number | null
}

export interface RecipeRow {
  readonly digest: string
  readonly recipe: string
}

export interface ClaimRow {
  readonly fingerprint: string
  readonly epoch: number
  /** Null when nobody builds it; the row stays, so that epochs only rise. */
  readonly owner: string | null
  readonly heartbeat_at: string
}

export interface ResultRow {
  readonly id: Generated<number>
  readonly fingerprint: string
  readonly epoch: number
  readonly recipe_digest: string
  readonly run_id: string
  readonly step: string
  readonly attempt: number
  readonly committed_at: string
  readonly reusable: number
  /** Set when another result took its place, or its bytes were lost. */
  readonly superseded_at: string | null
  /** 1 when an earlier result of the same fingerprint had other contents. */
  readonly differs: number
}

export interface ResultInputRow {
  readonly result_id: number
  readonly position: number
  readonly argument: string
  readonly name: string
  readonly digest: string
  readonly snapshot_id: string | null
  readonly address: string | null
}

export interface SnapshotRow {
  readonly id: string
  readonly result_id: number
  readonly position: number
  readonly output: string
  readonly fingerprint: string
  readonly address: string
  readonly created_at: string
  readonly run_id: string
  readonly reusable: number
  readonly not_reusable_because: string | null
  /** JSON of ContentFacts. */
  readonly facts: string
}

export interface ColumnDigestRow {
  readonly snapshot_id: string
  readonly form: string
  readonly columns_key: string
  readonly digest: string
}

export interface VerdictRow {
  readonly fingerprint: string
  readonly check_name: string
  readonly severity: string
  readonly passed: number
  readonly message: string
  readonly failed_rows: number | null
  readonly evidence: string | null
  readonly run_id: string
  readonly at: string
}

export interface ObservationRow {
  readonly binding: string
  readonly source: string
  readonly version: string
  readonly content_digest: string
  readonly address: string | null
  readonly size_bytes: number
  readonly observed_at: string
}

export interface EnvironmentRow {
  readonly name: string
  readonly release: number
  readonly released_at: string | null
  readonly held: number
  readonly held_bundle: string | null
}

export interface ReleaseRow {
  readonly environment: string
  readonly number: number
  readonly created_at: string
  readonly run_id: string | null
  readonly author: string
  readonly message: string
  readonly git_commit: string | null
  readonly code_bundle: string | null
  readonly packages: string
  readonly parameters: string
  readonly sources: string
  readonly cause: string
  readonly restores: number | null
  readonly mixed: number
}

/** A pointer lives from one release until another; releases share what did not change. */
export interface PointerRow {
  readonly environment: string
  readonly asset: string
  readonly from_release: number
  /** First release without it; null while it is current. */
  readonly to_release: number | null
  readonly snapshot_id: string
  readonly fingerprint: string
  readonly step: string
}

export interface LeaseRow {
  readonly run_id: string
  readonly snapshot_id: string
  readonly expires_at: string
}

export interface MetaRow {
  readonly key: string
  readonly value: string
}

export interface SchemaVersionRow {
  readonly version: number
  readonly name: string
  readonly applied_at: string
}

export interface CatalogTables {
  readonly runs: RunRow
  readonly run_steps: RunStepRow
  readonly last_steps: LastStepRow
  readonly recipes: RecipeRow
  readonly claims: ClaimRow
  readonly results: ResultRow
  readonly result_inputs: ResultInputRow
  readonly snapshots: SnapshotRow
  readonly column_digests: ColumnDigestRow
  readonly verdicts: VerdictRow
  readonly observations: ObservationRow
  readonly environments: EnvironmentRow
  readonly releases: ReleaseRow
  readonly pointers: PointerRow
  readonly leases: LeaseRow
  readonly meta: MetaRow
  readonly schema_version: SchemaVersionRow
}
