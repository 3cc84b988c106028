/**
 * A project as readonly data: what discovery found on disk, before any plan. Names are full names (`staging.orders`).
 * A *step* is one function or one query; it makes one or more assets, or is a check, report or effect.
 */
import type { Diagnostic, Place } from '../diagnostics.ts'
import type { Json } from '../canonical.ts'

export type Language = 'python' | 'sql' | 'typescript'
export type StepKind = 'asset' | 'check' | 'report' | 'effect'
export type AssetKind = 'table' | 'object' | 'file' | 'report' | 'effect'
export type Severity = 'error' | 'warn'

/** How an input reaches the author's code; decided by the annotation (Python), `table()` (TypeScript) or FROM (SQL). */
export type InputForm =
  | 'pandas'
  | 'polars'
  | 'polars-lazy'
  | 'pyarrow'
  | 'duckdb'
  | 'rows'
  | 'path'
  | 'object'
  | 'relation'

/** What kind of parameter value: the type of its default. Dates are `YYYY-MM-DD`, instants ISO 8601. */
export type ParameterType = 'int' | 'float' | 'bool' | 'str' | 'date' | 'datetime' | 'json'
export interface ParameterDefinition {
  readonly name: string
  readonly type: ParameterType
  /** Canonical JSON of the default; `null` with `required` when there is none. */
  readonly default: Json
  readonly required: boolean
  readonly place: Place
}

export interface InputDefinition {
  /** The argument (Python), key of `inputs` (TypeScript) or relation name (SQL) in the author's text. */
  readonly argument: string
  /** The reference as written; usually equals `argument`. */
  readonly reference: string
  /** Filled by linking (model/link.ts); null when nothing has that name (a Diagnostic says so). */
  readonly target: InputTarget | null
  /** The annotation's text in canonical form (`pd.DataFrame`), or ''. Part of the fingerprint. */
  readonly annotation: string
  readonly form: InputForm
  /** Columns declared by `reads`, in order; null means all. SQL computes its own per snapshot (engines/duckdb). */
  readonly columns: readonly string[] | null
  readonly place: Place
}

export type InputTarget =
  | { readonly type: 'asset'; readonly name: string }
  | { readonly type: 'source'; readonly name: string }

export interface OutputDefinition {
  /** Full asset name. */
  readonly asset: string
  /** Name within the step: the declared output name, or '' for a step's single output. */
  readonly output: string
  readonly kind: AssetKind
  /** True when `kind` was written by the author; else the runner decides table or object by the value, once. */
  readonly kindDeclared: boolean
}

/** `always`: never reused. `never`: as if deterministic. A duration in ms: one bucket of logical time. */
export type Refresh =
  | { readonly kind: 'always' }
  | { readonly kind: 'never' }
  | { readonly kind: 'every'; readonly everyMs: number }

export interface StepOptions {
  readonly refresh: Refresh | null
  readonly random: 'seeded' | 'fresh'
  /** Asset whose stored generator states this step starts from. */
  readonly afterRandom: string | null
  readonly exact: boolean
  readonly threads: number
  readonly retries: number
  readonly timeoutMs: number | null
  readonly memoryBytes: number | null
  /** Hosts the step may reach; empty means none. */
  readonly network: readonly string[]
  readonly secrets: readonly string[]
  readonly engine: 'duckdb'
  /** Path below the project at which a file asset is put at each publish. */
  readonly export: string | null
  readonly tags: readonly string[]
  readonly owner: string | null
}

export interface StepDefinition {
  /** Unique in the project: the asset's full name, or that of the check, report, effect; for several outputs the function's. */
  readonly id: string
  readonly kind: StepKind
  readonly language: Language
  readonly place: Place
  /** Project-relative path of the module that holds it. */
  readonly file: string
  /** Name of the Python function or TypeScript export; '' for SQL. */
  readonly symbol: string
  readonly inputs: readonly InputDefinition[]
  readonly outputs: readonly OutputDefinition[]
  readonly parameters: readonly ParameterDefinition[]
  readonly options: StepOptions
  readonly description: string
  /** For checks: what they assert on, how bad a failure is, and for SQL built-ins the rule. */
  readonly check: CheckDefinition | null
}

export interface CheckDefinition {
  /** Full name of the asset it guards. */
  readonly asset: string
  readonly severity: Severity
  /** `not_null(day)`; null for a function. */
  readonly rule: CheckRule | null
}

export type CheckRule =
  | { readonly type: 'not_null' | 'unique'; readonly columns: readonly string[] }
  | { readonly type: 'accepted_values'; readonly column: string; readonly values: readonly Json[] }
  | { readonly type: 'row_count'; readonly min: number | null; readonly max: number | null }
  | { readonly type: 'expression'; readonly sql: string }

export type SourceDefinition = FileSource | HttpSource | SqliteSource

interface SourceBase {
  readonly name: string
  readonly place: Place | null
  readonly description: string
}
export interface FileSource extends SourceBase {
  readonly type: 'file'
  /** Path or glob relative to the project; absolute only when the configuration says `outside: true`. */
  readonly path: string
  readonly isGlob: boolean
  readonly format: 'csv' | 'parquet' | 'json' | 'other'
  /** Reader options for SQL (`read_csv` named arguments). */
  readonly options: Readonly<Record<string, Json>>
  readonly capture: boolean
}
export interface HttpSource extends SourceBase {
  readonly type: 'http'
  readonly url: string
  readonly format: 'csv' | 'parquet' | 'json' | 'other'
  readonly options: Readonly<Record<string, Json>>
  readonly refresh: Refresh
}
export interface SqliteSource extends SourceBase {
  readonly type: 'sqlite'
  readonly path: string
  readonly query: string
}

export interface ProjectParameter {
  readonly name: string
  readonly type: ParameterType
  readonly default: Json
  /** Where the default comes from: `fromEnv('X')` in the configuration reads the variable X at plan time. */
  readonly fromEnv: string | null
  readonly place: Place | null
}

export interface EnvironmentDefinition {
  readonly name: string
  readonly parameters: Readonly<Record<string, Json>>
  /** Replacement paths or addresses of sources in this environment. */
  readonly sources: Readonly<Record<string, string>>
  /** Environment whose pointers a new one starts from. */
  readonly base: string | null
  readonly publishing: 'all' | 'consistent'
  readonly sandbox: SandboxMode
  readonly strict: boolean
}

/** `require` refuses to run without isolation; `auto` takes the best there is; `off` runs without, with a notice. */
export type SandboxMode = 'require' | 'auto' | 'off'

export interface ProjectConfig {
  readonly name: string
  readonly sources: readonly SourceDefinition[]
  readonly parameters: readonly ProjectParameter[]
  readonly environments: readonly EnvironmentDefinition[]
  /** Git branch to environment name. */
  readonly branches: Readonly<Record<string, string>>
  /** State folder, absolute. */
  readonly state: string
  readonly parallel: number
}

export interface Project {
  /** Absolute path of the folder that holds `cellmill.config.ts`. */
  readonly root: string
  readonly config: ProjectConfig
  readonly steps: readonly StepDefinition[]
  /** Declared by `param()` in modules and by the configuration, merged. */
  readonly parameters: readonly ProjectParameter[]
  /** Facts from which closures are computed, by language. */
  readonly code: ProjectCode
  readonly diagnostics: readonly Diagnostic[]
}

/** Opaque to the model: each language's folder under fingerprint/ defines its own facts. All JSON. */
export interface ProjectCode {
  readonly python: unknown
  readonly sql: unknown
  readonly typescript: unknown
}
