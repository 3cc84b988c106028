/** Results that are there already, and their snapshots by asset. */
import type { StepDefinition } from '../model/project.ts'
import type { SnapshotRecord, StepResult } from '../model/snapshot.ts'
import type { RunContext } from './run-context.ts'

/** A fingerprint resolves only to snapshots whose bytes exist. */
export async function findResult(context: RunContext, fingerprint: string): Promise<StepResult | null> {
  const result = context.catalog.view().result(fingerprint)
  if (result === null) return null
  for (const snapshot of result.snapshots) {
    if (await context.store.has(snapshot.address)) continue
    await context.catalog.invalidate([snapshot.id], 'its bytes are missing')
    return null
  }
  return result
}

export function byAsset(
  step: StepDefinition,
  snapshots: readonly SnapshotRecord[],
): ReadonlyMap<string, SnapshotRecord> {
  return new Map(
    step.outputs.map((output) => [output.asset, snapshots.find((snapshot) => snapshot.output === output.output)!]),
  )
}
