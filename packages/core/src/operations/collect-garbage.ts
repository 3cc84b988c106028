/** `gc`: removes what no release, run or lease can reach. The catalog forgets first, in one transaction that rechecks; bytes go after. */
import { crashPoint } from '../crash-points.ts'
import type { Workspace } from './workspace.ts'

export interface Collected {
  readonly snapshots: number
  readonly blobs: number
  readonly sizeBytes: number
  readonly orphans: number
  readonly dryRun: boolean
}

const orphanAgeMs = 3_600_000

export async function collectGarbage(workspace: Workspace, dryRun: boolean): Promise<Collected> {
  const catalog = await workspace.catalog()
  const store = await workspace.store()
  const unreachable = await catalog.unreachable()
  const sizes = new Map(unreachable.map((snapshot) => [snapshot.address, snapshot.sizeBytes]))
  const sizeOf = (addresses: Iterable<string>): number =>
    [...addresses].reduce((sum, address) => sum + (sizes.get(address) ?? 0), 0)
  if (dryRun) {
    return {
      snapshots: unreachable.length,
      blobs: sizes.size,
      sizeBytes: sizeOf(sizes.keys()),
      orphans: await countOrphans(workspace),
      dryRun,
    }
  }
  const freed = await catalog.forget(unreachable.map((snapshot) => snapshot.id))
  crashPoint('gc.after-forget')
  for (const address of freed) {
    await store.remove(address)
    crashPoint('gc.mid-remove')
  }
  crashPoint('gc.after-remove')
  const orphans = await removeOrphans(workspace)
  await store.sweep(orphanAgeMs)
  return { snapshots: unreachable.length, blobs: freed.length, sizeBytes: sizeOf(freed), orphans, dryRun }
}

async function countOrphans(workspace: Workspace): Promise<number> {
  const referred = await (await workspace.catalog()).addresses()
  let orphans = 0
  for await (const address of (await workspace.store()).list()) if (!referred.has(address)) orphans++
  return orphans
}

/** Blobs of attempts that died before their transaction. A run under way may still refer to one, so then none is removed. */
async function removeOrphans(workspace: Workspace): Promise<number> {
  const catalog = await workspace.catalog()
  const store = await workspace.store()
  const running = (await catalog.runs(100)).some((run) => run.state === 'running')
  if (running) return 0
  const referred = await catalog.addresses()
  let orphans = 0
  for await (const address of store.list()) {
    if (referred.has(address)) continue
    await store.remove(address)
    orphans++
  }
  return orphans
}
