/** Runs the staged project as any project is run, and says where each asset's bytes are. */
import path from 'node:path'
import { leafOf } from '../../model/references.ts'
import { readShown } from '../../notebook/prove/shown.ts'
import type { ShownPart } from '../../notebook/prove/shown.ts'
import { dataEntries } from '../../run/resolve-inputs.ts'
import type { RunOutcome } from '../../run/run-plan.ts'
import { runProject } from '../run-project.ts'
import type { Workspace } from '../workspace.ts'

export interface StoredAsset {
  readonly file: string
  readonly codec: string
  readonly folder: string
  readonly kind: string
}

export interface BuiltPipeline {
  readonly outcome: RunOutcome
  readonly assets: ReadonlyMap<string, StoredAsset>
  readonly fingerprints: Readonly<Record<string, string>>
  /** Parts of each report. */
  readonly shown: ReadonlyMap<string, readonly ShownPart[]>
  readonly sources: readonly { readonly name: string; readonly path: string; readonly digest: string }[]
}

export interface BuildOptions {
  readonly signal: AbortSignal
  /** Everything again, independent steps in reverse order. */
  readonly rebuild: boolean
}

export async function buildPipeline(workspace: Workspace, options: BuildOptions): Promise<BuiltPipeline> {
  const { signal, rebuild } = options
  const outcome = await runProject(workspace, {
    environment: 'dev',
    select: [],
    parameters: new Map(),
    rebuild,
    order: rebuild ? 'last-first' : 'first-first',
    offline: false,
    runTime: null,
    publish: true,
    allowMixed: false,
    message: 'proof',
    emit: () => {},
    signal,
  })
  signal.throwIfAborted()
  const catalog = await workspace.catalog()
  const store = await workspace.store()
  const view = catalog.view()
  const assets = new Map<string, StoredAsset>()
  const shown = new Map<string, readonly ShownPart[]>()
  const fingerprints: Record<string, string> = {}
  for (const [asset, pointer] of view.pointers('dev')) {
    const snapshot = view.snapshot(pointer.snapshotId)
    if (snapshot === null) continue
    const folder = await store.localPath(snapshot.address)
    const [first] = dataEntries(await store.manifest(snapshot.address))
    fingerprints[asset] = pointer.fingerprint
    assets.set(leafOf(asset), {
      file: path.join(folder, first ?? ''),
      codec: snapshot.codec,
      folder,
      kind: snapshot.kind,
    })
    if (snapshot.kind === 'report') shown.set(leafOf(asset), await readShown(folder))
  }
  return { outcome, assets, fingerprints, shown, sources: await sourcesOf(workspace) }
}

async function sourcesOf(workspace: Workspace): Promise<BuiltPipeline['sources']> {
  const { project } = await workspace.project()
  const view = (await workspace.catalog()).view()
  return project.config.sources.flatMap((source) => {
    const location = source.type === 'http' ? source.url : source.path
    const observed = view.observation(`${source.type}:${location}`)
    return observed === null ? [] : [{ name: source.name, path: location, digest: observed.contentDigest }]
  })
}
