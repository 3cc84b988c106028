/**
 * The converted notebook as data, before it is written: what `graduate/cut.ts` decides, `graduate/write.ts` writes and
 * `prove/` checks. Text of files is final; nothing is changed after a proof.
 */
import type { AssetKind } from '../model/project.ts'
import type { QueryStep } from './graduate/sql-queries.ts'

export interface Repair {
  readonly code: string
  readonly cell: number | null
  /** Unified diff against the notebook's cell. */
  readonly diff: string
  readonly message: string
  /** `stored outputs 17 of 18 reproduced`, `--source`, `--order`, or null: then graduation is refused. */
  readonly confirmedBy: string | null
}

export interface GraduatedStep {
  /** Function or query name; for several outputs the step's own name. */
  readonly name: string
  readonly kind: 'asset' | 'report' | 'effect'
  readonly language: 'python' | 'sql'
  readonly file: string
  readonly line: number
  /** 0-based cell indices, in execution order. */
  readonly cells: readonly number[]
  /** Asset or source names read, in argument order, with the notebook variable each carries. */
  readonly inputs: readonly {
    readonly argument: string
    readonly asset: string | null
    readonly source: string | null
    readonly variable: string
  }[]
  readonly outputs: readonly GraduatedOutput[]
  /** Locals of the step that, when it returns, hold what the notebook's variable of that name holds at the very end. */
  readonly locals: readonly string[]
  readonly afterRandom: string | null
  /** It reads the clock or entropy, which a replay does not bring back. */
  readonly readsClock?: boolean
}

export interface GraduatedOutput {
  readonly asset: string
  readonly kind: AssetKind
  /** Notebook variables it holds: one, or an alias group. */
  readonly variables: readonly string[]
  /** Cell after which the variable had this value. */
  readonly afterCell: number
}

export interface GraduatedFile {
  /** Project-relative. */
  readonly path: string
  readonly text: string
}

export interface LineOrigin {
  readonly file: string
  readonly line: number
  readonly cell: number
  readonly cellLine: number
}

export interface CutReport {
  readonly cells: number
  readonly steps: number
  /** Share of code cells in the largest step, 0 to 1. */
  readonly largestShare: number
  readonly merges: readonly { readonly cells: readonly number[]; readonly why: string }[]
}

export interface Graduation {
  readonly notebook: { readonly path: string; readonly digest: string; readonly name: string }
  readonly order: 'document' | 'recorded' | 'repaired'
  /** Cell indices in the chosen execution order. */
  readonly execution: readonly number[]
  readonly repairs: readonly Repair[]
  readonly steps: readonly GraduatedStep[]
  readonly files: readonly GraduatedFile[]
  readonly lines: readonly LineOrigin[]
  readonly parameters: readonly {
    readonly name: string
    readonly type: string
    readonly default: string
    readonly cell: number
  }[]
  readonly sources: readonly {
    readonly name: string
    readonly path: string
    readonly original: string
    readonly cell: number
  }[]
  readonly packages: readonly string[]
  readonly cut: CutReport
  /** Names that no asset holds, each with the reason: module, dropped display cell. */
  readonly unheld: readonly { readonly variable: string; readonly why: string }[]
  /** Steps that are SQL, as the notebook wrote them; their files are written once the engine has read them. */
  readonly queries?: readonly QueryStep[]
  /** What was decided and a person may want to know. */
  readonly notes?: readonly GraduationNote[]
  /** Assumptions that stand in the proof, such as `model.predict is pure on this data`. */
  readonly assumptions: readonly string[]
}

export interface GraduationNote {
  readonly cell: number | null
  readonly message: string
}

export type GraduationVerdict =
  | 'proven'
  | 'proven-except-stochastic'
  | 'proven-with-accepted'
  | 'environment-sensitive'
  | 'not-proven'
  | 'unproven'
  | 'refused'

export interface Refusal {
  readonly code: string
  readonly cell: number | null
  readonly message: string
}
