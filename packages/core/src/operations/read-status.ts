/** `status`: the environment in a sentence each for its assets, its releases and the last runs. Reads the catalog only. */
import type { ReleaseHead, RunRecord } from '../catalog/catalog.ts'
import { environmentName } from './find-snapshot.ts'
import type { Workspace } from './workspace.ts'

export interface AssetStatus {
  readonly asset: string
  readonly kind: string
  readonly rows: number | null
  readonly sizeBytes: number
  readonly builtAt: string
  readonly snapshot: string
}

export interface ProjectStatus {
  readonly environment: string
  readonly release: number
  readonly releasedAt: string | null
  readonly held: boolean
  readonly assets: readonly AssetStatus[]
  readonly releases: readonly Omit<ReleaseHead, 'packages' | 'parameters' | 'sources'>[]
  readonly runs: readonly Omit<RunRecord, 'packages' | 'sources'>[]
}

const shownReleases = 10
const shownRuns = 10

export async function readStatus(workspace: Workspace, named: string | null): Promise<ProjectStatus> {
  const environment = await environmentName(workspace, named)
  const catalog = await workspace.catalog()
  const view = catalog.view()
  const state = view.environment(environment)
  const assets: AssetStatus[] = []
  for (const pointer of view.pointers(environment).values()) {
    const snapshot = view.snapshot(pointer.snapshotId)
    if (snapshot === null) continue
    const { kind, rows, sizeBytes, createdAt: builtAt, id } = snapshot
    assets.push({ asset: pointer.asset, kind, rows, sizeBytes, builtAt, snapshot: id })
  }
  assets.sort((a, b) => (a.asset < b.asset ? -1 : 1))
  const releases = (await catalog.releases(environment, shownReleases)).map(
    ({ packages: _packages, parameters: _parameters, sources: _sources, ...release }) => release,
  )
  const runs = (await catalog.runs(shownRuns)).map(({ packages: _packages, sources: _sources, ...run }) => run)
  return { environment, release: state.release, releasedAt: state.releasedAt, held: state.held, assets, releases, runs }
}
