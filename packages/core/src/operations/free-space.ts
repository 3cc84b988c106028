/** `gc`: frees what no release, run or lease can reach. Every release is kept; results of failed runs for a week. */
import { collectGarbage } from '../catalog/collect-garbage.ts'
import type { Garbage } from '../catalog/collect-garbage.ts'
import type { Workspace } from './workspace.ts'

const keepUnpublishedMs = 7 * 24 * 3_600_000

export async function freeSpace(
  workspace: Workspace,
  options: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<Garbage> {
  const [catalog, store] = await Promise.all([workspace.catalog(), workspace.store()])
  return collectGarbage({ catalog, store, clock: workspace.clock, keepReleases: null, keepUnpublishedMs, ...options })
}
