/** Why a pipeline is not proven, one reason for each thing that was not equal. */
import type { Refusal } from '../../notebook/graduation.ts'
import { isProven } from '../../notebook/prove/judge-proof.ts'
import type { ProofEnd } from './prove-graduation.ts'

/** Neither the same nor excused. */
export function isUnequal(verdict: string): boolean {
  return verdict !== 'equal' && verdict !== 'stochastic' && verdict !== 'accepted'
}

export function notProvenReasons(end: ProofEnd | null): readonly Refusal[] {
  if (end === null || isProven(end.proof.verdict)) return []
  const reasons = [
    ...end.problems.map((message) => ({ code: 'NOT_PROVEN', cell: null, message })),
    ...end.proof.values
      .filter(({ verdict }) => isUnequal(verdict))
      .map(({ variable, asset, within, cell, verdict, cause }) => ({
        code: 'NOT_PROVEN',
        cell: cell < 0 ? null : cell,
        message: `${variable}${asset === null ? (within === null ? '' : ` in ${within}`) : ` (${asset})`} is ${verdict}${cause === null ? '' : `: ${cause}`}`,
      })),
    ...end.proof.outputs
      .filter(({ verdict }) => isUnequal(verdict))
      .map(({ cell, kind, verdict, evidence }) => ({
        code: 'NOT_PROVEN',
        cell,
        message: `the ${kind} that the cell shows is ${verdict}: ${evidence}`,
      })),
  ]
  const message = 'no result could be compared exactly: all of them differ between two runs of the notebook itself'
  return reasons.length > 0 ? reasons : [{ code: 'NOT_PROVEN', cell: null, message }]
}
