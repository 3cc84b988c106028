/** The proof as it is stored and printed: the stable shape of INTERFACES. Complete by construction: every user name alive at the end of the notebook and every output of every cell stands in it exactly once. */
import type { Json } from '../../canonical.ts'
import type { GraduationVerdict, Repair } from '../graduation.ts'

export type ValueVerdict =
  | 'equal'
  | 'stochastic'
  | 'environment-sensitive'
  | 'different'
  | 'missing'
  | 'uncompared'
  | 'accepted'

/** `end-to-end`: through the pipeline's own processes and codecs. `replayed`: its step alone, from captured inputs. */
export type ValueLevel = 'end-to-end' | 'replayed' | 'shape-only'

export interface ProvenValue {
  readonly variable: string
  readonly asset: string | null
  /** The step in which it is a local; null when an asset holds it. */
  readonly within: string | null
  readonly cell: number
  readonly kind: string
  readonly level: ValueLevel
  readonly verdict: ValueVerdict
  readonly cause: string | null
  /** How it was compared, or why it needs no comparison. */
  readonly rule: string
  readonly evidence: string
}

export interface ProvenOutput {
  readonly cell: number
  readonly kind: string
  readonly verdict: ValueVerdict
  readonly evidence: string
}

export type ProofRunName = 'R1' | 'R2' | 'S' | 'P1' | 'P2a' | 'P2b' | 'M'

export interface ProofRun {
  readonly name: ProofRunName
  readonly ms: number
  readonly state: 'done' | 'skipped'
}

export interface MutantCounts {
  readonly made: number
  readonly caught: number
  readonly equivalent: number
  /** Values changed without a run, to show that the comparison sees a changed value. */
  readonly perturbed: number
  readonly untestedSteps: readonly string[]
}

export interface Exclusion {
  readonly what: string
  readonly why: string
}

export interface Proof {
  readonly notebook: { readonly path: string; readonly digest: string }
  readonly reference: { readonly digest: string; readonly order: string; readonly repairs: readonly Repair[] }
  readonly storedOutputs: { readonly same: number; readonly total: number }
  readonly pipeline: { readonly fingerprints: Readonly<Record<string, string>> }
  readonly packages: { readonly python: string; readonly lock: string }
  readonly sources: readonly { readonly name: string; readonly path: string; readonly digest: string }[]
  readonly verdict: GraduationVerdict
  readonly runs: readonly ProofRun[]
  readonly values: readonly ProvenValue[]
  readonly outputs: readonly ProvenOutput[]
  readonly mutants: MutantCounts
  readonly exclusions: readonly Exclusion[]
  readonly assumptions: readonly string[]
  readonly madeAt: string
  readonly details: Readonly<Record<string, Json>>
}
