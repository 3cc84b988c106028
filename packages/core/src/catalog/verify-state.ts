/**
 * Checks the catalog and every byte it refers to. Reads only, unless asked to repair: then damaged bytes are moved out of
 * the way as evidence, and their snapshots are taken out of reuse, so that the next run makes them anew.
 */
import type { Store } from '../store/store.ts'
import type { Catalog } from './catalog.ts'

export interface BlobProblem {
  readonly address: string
  readonly state: 'missing' | 'corrupt'
  readonly detail: string
  readonly snapshotIds: readonly string[]
}

export interface VerifiedState {
  /** What is wrong in the catalog itself. */
  readonly problems: readonly string[]
  readonly blobs: readonly BlobProblem[]
  readonly checkedBlobs: number
  /** Blobs that nothing refers to: left by crashes, freed by `gc`. Not a fault. */
  readonly orphans: number
  /** Fingerprints that were built twice with different contents. */
  readonly nonReproducible: readonly string[]
}

export interface VerifyOptions {
  readonly catalog: Catalog
  readonly store: Store
  readonly repair?: boolean
  readonly signal?: AbortSignal
}

export async function verifyState(options: VerifyOptions): Promise<VerifiedState> {
  const { catalog, store } = options
  const problems = await catalog.inspect()
  const referred = await catalog.addresses()
  const blobs: BlobProblem[] = []
  for (const address of [...referred].sort()) {
    options.signal?.throwIfAborted()
    const { state, detail } = await store.verify(address)
    if (state === 'ok') continue
    const snapshotIds = (await catalog.snapshotsAt(address)).map((snapshot) => snapshot.id)
    blobs.push({ address, state, detail, snapshotIds })
    if (options.repair === true) await repair(options, address, snapshotIds, state)
  }
  let orphans = 0
  for await (const address of store.list()) if (!referred.has(address)) orphans++
  return { problems, blobs, checkedBlobs: referred.size, orphans, nonReproducible: await catalog.nonReproducible() }
}

async function repair(
  { catalog, store }: VerifyOptions,
  address: string,
  snapshotIds: readonly string[],
  state: 'missing' | 'corrupt',
): Promise<void> {
  if (state === 'corrupt') await store.quarantine(address)
  await catalog.invalidate(snapshotIds, `its stored bytes are ${state}`)
}
