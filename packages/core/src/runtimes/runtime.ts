/**
 * Port: runs one attempt of one step of the user's code in its own process, and leaves outputs in a folder. It digests
 * nothing and commits nothing: bytes are ingested afterwards, when the step's processes are gone (engines/engine.ts).
 *
 * Output folder layout, for every runtime (`outputs/` is flat):
 *   outputs/<i>.parquet | <i>.pickle | <i>.file/<name> | <i>.report/...   one entry per declared output, by index
 *   outputs/result.json   StepReport below, written last
 */
import type { Json } from '../canonical.ts'
import type { UserCodeError } from '../errors.ts'
import type { AssetKind, InputForm, StepDefinition } from '../model/project.ts'

export interface StepInput {
  readonly argument: string
  readonly form: InputForm
  readonly annotation: string
  readonly columns: readonly string[] | null
  /** `asset` inputs point into the store; `source` inputs to a staged capture. */
  readonly origin: 'asset' | 'source'
  readonly codec: string
  /** Absolute host folder of the snapshot or capture. */
  readonly folder: string
  /** Files in it, relative; for sources under their original relative path. */
  readonly files: readonly string[]
  /** For sources: the relative path (or sorted paths of a glob) the author's code sees. */
  readonly sourcePaths: readonly string[]
  readonly isGlob: boolean
  readonly name: string
  /** Reader options of a file source (`read_csv` named arguments); empty for assets. */
  readonly options: Readonly<Record<string, Json>>
}

export interface StepWork {
  readonly definition: StepDefinition
  readonly runId: string
  readonly attempt: number
  readonly inputs: readonly StepInput[]
  readonly parameters: Readonly<Record<string, Json>>
  /** Project parameters that the closure reads, name to value. */
  readonly projectParameters: Readonly<Record<string, Json>>
  /** Their types, by name. */
  readonly projectParameterTypes: Readonly<Record<string, string>>
  /** ISO 8601; the logical time of the run. */
  readonly runTime: string
  readonly seed: string
  /** Pickled generator states to start from; null unless `after_random`. */
  readonly randomState: string | null
  /** Project-relative files of the closure; only these are visible to the step. */
  readonly codeFiles: readonly string[]
  readonly projectRoot: string
  /** Empty writable folder; the runtime makes `outputs/` and `work/` in it. */
  readonly folder: string
  readonly idempotencyKey: string
  readonly secrets: Readonly<Record<string, string>>
  readonly strict: boolean
  /** Proofs: digests of what the step's own variables held when it returned come with the report. */
  readonly recordLocals?: boolean
  /** Proofs: of these the values stay as well, as `outputs/local-NAME.pickle`. */
  readonly keepLocals?: readonly string[]
  /** Proofs: the byte that new memory is filled with, so that what a library leaves unset shows. */
  readonly memoryFill?: number
}

export interface StepOutputReport {
  readonly output: string
  readonly kind: AssetKind
  readonly codec: 'parquet' | 'pickle' | 'file' | 'report' | 'json'
  /** Entry name below `outputs/`. */
  readonly entry: string
  /** Rows where the runtime knows them; ingest decides. */
  readonly rows: number | null
  readonly summary: Readonly<Record<string, Json>>
}

/** Something the step read, drew or did that it had not declared. */
export interface UndeclaredRead {
  readonly kind: 'file' | 'network' | 'process' | 'clock' | 'random' | 'environment'
  readonly what: string
  /** `file:line` in the user's code, where known. */
  readonly where: string
}

export interface StepReport {
  readonly outputs: readonly StepOutputReport[]
  /** Check verdicts: `passed`, message, number of failing rows (evidence is output 0). */
  readonly check: { readonly passed: boolean; readonly message: string; readonly failedRows: number | null } | null
  readonly undeclared: readonly UndeclaredRead[]
  /** Entry with the generator states at return; null when nothing was drawn. */
  readonly randomState: string | null
  readonly drewRandom: boolean
  readonly warnings: readonly string[]
  readonly userMs: number
  readonly peakMemoryBytes: number | null
  /** Only when asked for: by variable. */
  readonly locals?: Readonly<Record<string, { readonly digest: string | null; readonly problem: string | null }>>
}

export type StepOutcome =
  | { readonly state: 'succeeded'; readonly report: StepReport }
  | { readonly state: 'failed'; readonly error: UserCodeError; readonly retryable: boolean }
  | { readonly state: 'cancelled' }

export interface StepLog {
  write(stream: 'stdout' | 'stderr', text: string): void
}

export interface Runtime {
  readonly language: StepDefinition['language']
  run(work: StepWork, log: StepLog, signal: AbortSignal): Promise<StepOutcome>
  close(): Promise<void>
}
