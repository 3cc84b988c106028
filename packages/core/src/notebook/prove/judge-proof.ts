/** The verdict over all of a proof. Pure: whatever is not shown equal, or named as what may differ, is not proven. */
import type { GraduationVerdict } from '../graduation.ts'
import type { MutantCounts, ProofRun, ProvenOutput, ProvenValue } from './proof.ts'

export interface ProofParts {
  readonly values: readonly ProvenValue[]
  readonly outputs: readonly ProvenOutput[]
  readonly runs: readonly ProofRun[]
  readonly mutants: MutantCounts
  /** A mutant whose own output changed was called equal: the comparison is worth nothing. */
  readonly comparatorFailed: boolean
  /** P2a built nothing, and each value decodes to P1's. */
  readonly reusedAll: boolean
  /** P2b gave another value: an edge between steps is not declared. */
  readonly hiddenEdges: boolean
}

export function judgeProof(parts: ProofParts): GraduationVerdict {
  const verdicts = [...parts.values, ...parts.outputs].map(({ verdict }) => verdict)
  const needed = ['R1', 'R2', 'S', 'P1', 'P2a'] as const
  const ran = needed.every((name) => parts.runs.some((run) => run.name === name && run.state === 'done'))
  if (!ran || parts.comparatorFailed || !parts.reusedAll || parts.hiddenEdges) return 'not-proven'
  if (verdicts.some((verdict) => verdict === 'different' || verdict === 'missing' || verdict === 'uncompared'))
    return 'not-proven'
  if (verdicts.includes('environment-sensitive')) return 'environment-sensitive'
  const exactEnds = parts.values.some(
    (value) => value.asset !== null && value.verdict === 'equal' && value.level === 'end-to-end',
  )
  if (!exactEnds) return 'not-proven'
  if (verdicts.includes('stochastic')) return 'proven-except-stochastic'
  return verdicts.includes('accepted') ? 'proven-with-accepted' : 'proven'
}

export function isProven(verdict: GraduationVerdict): boolean {
  return verdict === 'proven' || verdict === 'proven-except-stochastic' || verdict === 'proven-with-accepted'
}
