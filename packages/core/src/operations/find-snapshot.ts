/** From what a person types (asset, environment, version) to one snapshot. Mistyped names get the nearest one. */
import type { PointerRecord } from '../catalog/catalog.ts'
import { CellmillError } from '../errors.ts'
import { nearestName } from '../model/nearest.ts'
import { NameIndex } from '../model/references.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import { dataEntries } from '../run/resolve-inputs.ts'
import { chooseEnvironment } from './choose-environment.ts'
import type { Workspace } from './workspace.ts'

export interface SnapshotQuery {
  readonly asset: string
  readonly environment: string | null
  /** A release number, `@previous`, or a snapshot id's prefix; null for what is published. */
  readonly version: string | null
}

export interface FoundSnapshot {
  readonly asset: string
  readonly environment: string
  readonly release: number
  readonly releasedAt: string | null
  readonly snapshot: SnapshotRecord
  /** Absolute folder of the bytes. */
  readonly folder: string
  /** Data files in it, relative. */
  readonly files: readonly string[]
}

export async function findSnapshot(workspace: Workspace, query: SnapshotQuery): Promise<FoundSnapshot> {
  const environment = await environmentName(workspace, query.environment)
  const view = await workspace.view()
  const current = view.environment(environment)
  const number = query.version === null ? null : releaseNumber(query.version, current.release)
  let pointers = view.pointers(environment)
  let { release, releasedAt } = current
  if (number !== null) {
    const record = await (await workspace.catalog()).releaseAt(environment, number)
    if (record === null) {
      throw new CellmillError('UNKNOWN_NAME', `${environment} has no release ${number}`, {
        hint: `cellmill status --env ${environment}   shows its releases`,
      })
    }
    pointers = new Map(record.pointers.map((pointer) => [pointer.asset, pointer]))
    release = record.number
    releasedAt = record.createdAt
  }
  const pointer = pointerOf(pointers, query.asset, environment)
  const snapshot = view.snapshot(pointer.snapshotId)
  if (snapshot === null) {
    throw new CellmillError('STORE_CORRUPT', `the snapshot of '${pointer.asset}' is not in the catalog any more`, {
      hint: 'cellmill verify',
    })
  }
  const store = await workspace.store()
  const folder = await store.localPath(snapshot.address)
  const files = dataEntries(await store.manifest(snapshot.address))
  return { asset: pointer.asset, environment, release, releasedAt, snapshot, folder, files }
}

export async function environmentName(workspace: Workspace, named: string | null): Promise<string> {
  const { project } = await workspace.project()
  const { root, variables } = workspace
  return chooseEnvironment({ named, config: project.config, root, variables }).name
}

function releaseNumber(version: string, current: number): number | null {
  if (version === '@previous') return current - 1
  return /^\d+$/.test(version) ? Number(version) : null
}

function pointerOf(pointers: ReadonlyMap<string, PointerRecord>, asset: string, environment: string): PointerRecord {
  const resolution = new NameIndex(pointers.keys()).resolve(asset)
  if (resolution.type === 'found') return pointers.get(resolution.name)!
  if (resolution.type === 'ambiguous') {
    throw new CellmillError('UNKNOWN_NAME', `'${asset}' is ambiguous: ${resolution.names.join(', ')}`, {
      hint: 'write one of them in full',
    })
  }
  const near = nearestName(asset, pointers.keys())
  const nothing = pointers.size === 0
  throw new CellmillError(
    'UNKNOWN_NAME',
    nothing ? `nothing is published in ${environment} yet` : `${environment} has no asset called '${asset}'`,
    {
      hint: nothing
        ? `cellmill run --env ${environment}`
        : near === null
          ? 'cellmill status lists the assets'
          : `did you mean '${near}'?`,
      details: { name: asset, nearest: near },
    },
  )
}
