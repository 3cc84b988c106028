/** What a publish or a rollback answers, and what both do once pointers have moved. */
import type { PointerRecord } from '../catalog/catalog.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import { exportFiles } from '../run/export-files.ts'
import type { Workspace } from './workspace.ts'

export interface Moved {
  readonly environment: string
  readonly from: number
  readonly release: number
  /** Release whose pointers these are; equal to `release` for a publish. */
  readonly to: number
  readonly moved: readonly string[]
  readonly held: boolean
  /** What a change of pointers cannot take back. */
  readonly notUndone: readonly string[]
  readonly dryRun: boolean
}

/**
 * Files that others expect at a path follow the pointers. The project is read only where files moved; where it cannot be
 * read, the answer names what was left as it was.
 */
export async function exportMoved(
  workspace: Workspace,
  pointers: readonly PointerRecord[],
  tag: string,
): Promise<readonly string[]> {
  const view = await workspace.view()
  const snapshots = new Map<string, SnapshotRecord>()
  for (const { asset, snapshotId } of pointers) {
    const snapshot = view.snapshot(snapshotId)
    if (snapshot?.kind === 'file') snapshots.set(asset, snapshot)
  }
  if (snapshots.size === 0) return []
  const { graph } = await workspace.project()
  if (graph === null) return [...snapshots.keys()].map((asset) => `the exported file of ${asset}`)
  const store = await workspace.store()
  await exportFiles({ root: workspace.root, store, steps: graph.order, snapshots, tag })
  return []
}
