/**
 * Frees what nothing reaches. Order is what makes a crash harmless: the catalog forgets first, in a transaction that
 * checks again, and bytes go after, while no commit can begin to refer to them. What a crash leaves is an orphan, which
 * the next collection finds.
 */
import type { Clock } from '../clock.ts'
import { crashPoint } from '../crash-points.ts'
import type { Store } from '../store/store.ts'
import type { Catalog } from './catalog.ts'

export interface GarbageOptions {
  readonly catalog: Catalog
  readonly store: Store
  readonly clock: Clock
  /** Releases kept for each environment, the current one among them; null keeps all. */
  readonly keepReleases: number | null
  /** Results that nothing publishes are kept this long, so that a failed run can go on where it failed. */
  readonly keepUnpublishedMs: number
  /** Bytes that the catalog does not know are kept this long: a commit may be under way. @default one hour */
  readonly graceMs?: number
  /** Says what would go, and changes nothing. @default false */
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

export interface Garbage {
  readonly releases: number
  readonly snapshots: number
  readonly blobs: number
  /** Staged folders that a crash left behind, and removed blobs. */
  readonly swept: number
  readonly freedBytes: number
}

const batchSize = 64

export async function collectGarbage(options: GarbageOptions): Promise<Garbage> {
  const { catalog, store, clock } = options
  const graceMs = options.graceMs ?? 3_600_000
  const dryRun = options.dryRun ?? false
  const releases = dryRun || options.keepReleases === null ? 0 : await pruneAll(catalog, options.keepReleases)
  const committedBefore = new Date(Date.parse(clock.now()) - options.keepUnpublishedMs).toISOString()
  const unreachable = await catalog.unreachable({ committedBefore })
  if (!dryRun)
    await forgetAll(
      options,
      unreachable.map((snapshot) => snapshot.id),
    )
  const forgotten = new Set(dryRun ? unreachable.map((snapshot) => snapshot.address) : [])
  const orphans = await findOrphans(options, graceMs, forgotten)
  const removed = dryRun ? orphans : await removeAll(options, orphans)
  const swept = dryRun ? [] : await store.sweep(graceMs)
  return {
    releases,
    snapshots: unreachable.length,
    blobs: removed.length,
    swept: swept.filter((name) => !name.endsWith('.trash')).length,
    freedBytes: removed.reduce((sum, orphan) => sum + orphan.sizeBytes, 0),
  }
}

async function pruneAll(catalog: Catalog, keep: number): Promise<number> {
  let pruned = 0
  for (const { name } of await catalog.environments()) pruned += await catalog.pruneReleases(name, keep)
  return pruned
}

async function forgetAll({ catalog, signal }: GarbageOptions, ids: readonly string[]): Promise<void> {
  crashPoint('gc.before-forget')
  for (let at = 0; at < ids.length; at += batchSize) {
    signal?.throwIfAborted()
    await catalog.forget(ids.slice(at, at + batchSize))
    crashPoint('gc.mid-forget')
  }
  crashPoint('gc.after-forget')
}

interface Orphan {
  readonly address: string
  readonly sizeBytes: number
}

/** Blobs that the catalog does not refer to, whether it just forgot them or a crash left them. */
async function findOrphans(
  { catalog, store, signal }: GarbageOptions,
  graceMs: number,
  forgotten: ReadonlySet<string>,
): Promise<readonly Orphan[]> {
  const referred = await catalog.addresses()
  const orphans: Orphan[] = []
  for await (const address of store.list()) {
    signal?.throwIfAborted()
    if (referred.has(address) && !forgotten.has(address)) continue
    const ageMs = await store.ageMs(address)
    if (ageMs !== null && ageMs >= graceMs) orphans.push({ address, sizeBytes: await sizeOf(store, address) })
  }
  return orphans
}

/** A damaged orphan goes as well; its size does not matter. */
async function sizeOf(store: Store, address: string): Promise<number> {
  try {
    return (await store.manifest(address)).reduce((sum, entry) => sum + entry.sizeBytes, 0)
  } catch {
    // Nobody refers to it, so nobody needs to know that it is damaged.
    return 0
  }
}

async function removeAll(options: GarbageOptions, orphans: readonly Orphan[]): Promise<readonly Orphan[]> {
  const removed: Orphan[] = []
  for (let at = 0; at < orphans.length; at += batchSize) {
    options.signal?.throwIfAborted()
    const batch = orphans.slice(at, at + batchSize)
    const gone = new Set(
      await options.catalog.collect(
        batch.map((orphan) => orphan.address),
        (address) => options.store.remove(address),
      ),
    )
    removed.push(...batch.filter((orphan) => gone.has(orphan.address)))
  }
  crashPoint('gc.after-remove')
  return removed
}
