/**
 * The end of a good attempt: outputs into the store, then one transaction of the catalog that records the result, ends
 * the step, spends the claim and leases what was made. Nothing before that transaction can be seen.
 */
import type { Claim } from '../catalog/catalog.ts'
import { crashPoint } from '../crash-points.ts'
import type { StepDefinition } from '../model/project.ts'
import { recipeDigest } from '../model/recipe.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import type { StepReport } from '../runtimes/runtime.ts'
import type { Work } from './build-step.ts'
import type { Claims } from './claims.ts'
import { commitOutputs } from './commit-outputs.ts'
import type { RunContext } from './run-context.ts'
import { findResult } from './step-results.ts'

interface Attempted {
  readonly claim: Claim
  readonly claims: Claims
  readonly attempt: number
  readonly folder: string
  readonly report: StepReport
}

/** Null when the claim is another's now: what was built is thrown away. */
export async function commitAttempt(
  context: RunContext,
  work: Work,
  attempted: Attempted,
): Promise<readonly SnapshotRecord[] | null> {
  const { definition, recipe } = work.work
  const snapshots = await commitOutputs(context, {
    step: definition,
    fingerprint: work.fingerprint,
    report: attempted.report,
    folder: attempted.folder,
    notReusableBecause: notReusableBecause(context, definition, attempted.report),
  })
  if (work.forced) await context.catalog.supersede(work.fingerprint)
  const result = { fingerprint: work.fingerprint, recipeDigest: recipeDigest(recipe), snapshots }
  const answer = await context.catalog.commit({
    claim: attempted.claim,
    runId: context.runId,
    step: definition.id,
    attempt: attempted.attempt,
    recipe,
    inputs: work.inputs.recorded,
    result,
    leased: true,
  })
  crashPoint('run.after-commit')
  if (answer === 'stale') return null
  attempted.claims.spent(attempted.claim)
  if (answer === 'committed') return snapshots
  const kept = (await findResult(context, work.fingerprint))?.snapshots ?? snapshots
  await context.catalog.lease(
    context.runId,
    kept.map((snapshot) => snapshot.id),
  )
  return kept
}

/** Why a result may serve this run only; null when it follows from its recipe. */
function notReusableBecause(context: RunContext, step: StepDefinition, report: StepReport): string | null {
  if (step.options.random === 'fresh') return "it draws fresh random numbers (random='fresh')"
  const declared = step.options.refresh !== null
  const seen = report.undeclared.find(({ kind }) => {
    if (kind === 'clock' || kind === 'random' || kind === 'network') return !declared
    return kind === 'file' || kind === 'process'
  })
  if (seen !== undefined)
    return `it read ${seen.what}, which is not declared${seen.where === '' ? '' : ` (${seen.where})`}`
  if (context.sandboxLevel === 'none' && step.language !== 'sql')
    return 'it ran without a sandbox, where undeclared reads cannot be seen'
  return null
}
