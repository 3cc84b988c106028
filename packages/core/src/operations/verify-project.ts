/**
 * `verify`: re-reads every stored byte against its digest and every reference of the catalog. What is lost or damaged is
 * taken out of reuse (and kept as evidence), so that running again rebuilds it; orphans are only reported: `gc` removes them.
 */
import type { Workspace } from './workspace.ts'

export interface VerifyReport {
  readonly blobs: number
  readonly ok: number
  readonly problems: readonly {
    readonly address: string
    readonly state: 'missing' | 'corrupt'
    readonly detail: string
    readonly snapshots: readonly string[]
  }[]
  readonly catalog: readonly string[]
  readonly orphans: number
}

export async function verifyProject(workspace: Workspace, signal: AbortSignal): Promise<VerifyReport> {
  const catalog = await workspace.catalog()
  const store = await workspace.store()
  const referred = await catalog.addresses()
  const problems: VerifyReport['problems'][number][] = []
  let ok = 0
  for (const address of [...referred].sort()) {
    signal.throwIfAborted()
    const result = await store.verify(address)
    if (result.state === 'ok') {
      ok++
      continue
    }
    const snapshots = (await catalog.snapshotsAt(address)).map((snapshot) => snapshot.id)
    problems.push({ address, state: result.state, detail: result.detail, snapshots })
    if (result.state === 'corrupt') await store.quarantine(address)
    await catalog.invalidate(snapshots, `${result.state}: ${result.detail}`)
  }
  let orphans = 0
  for await (const address of store.list()) if (!referred.has(address)) orphans++
  return { blobs: referred.size, ok, problems, catalog: await catalog.inspect(), orphans }
}
