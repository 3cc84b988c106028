/** `show`: one snapshot for people: where it comes from, its columns and profile, and its first rows. */
import path from 'node:path'
import { readFile } from 'node:fs/promises'
import type { Json } from '../canonical.ts'
import type { QueryResult } from '../engines/engine.ts'
import { findSnapshot } from './find-snapshot.ts'
import type { FoundSnapshot, SnapshotQuery } from './find-snapshot.ts'
import type { Workspace } from './workspace.ts'

export interface ShowQuery extends SnapshotQuery {
  readonly rows: number
}

export interface ShownAsset extends FoundSnapshot {
  readonly table: QueryResult | null
  /** Text parts of a report, objects' and files' summary. */
  readonly texts: readonly { readonly name: string; readonly text: string }[]
  readonly summary: Readonly<Record<string, Json>>
}

const maxTextBytes = 64 * 1024

export async function showAsset(workspace: Workspace, query: ShowQuery): Promise<ShownAsset> {
  const found = await findSnapshot(workspace, query)
  const { snapshot } = found
  const shown = { ...found, texts: await textsOf(found), summary: snapshot.summary }
  if (snapshot.kind !== 'table') return { ...shown, table: null }
  const engine = await workspace.engine()
  const files = found.files.map((name) => path.join(found.folder, name))
  const relation = { relation: 'shown', files, format: 'parquet', options: {} } as const
  return { ...shown, table: await engine.query('FROM shown', [relation], query.rows) }
}

async function textsOf(found: FoundSnapshot): Promise<ShownAsset['texts']> {
  if (found.snapshot.kind !== 'report') return []
  const texts: { name: string; text: string }[] = []
  for (const name of found.files) {
    if (!/\.(txt|md)$/.test(name)) continue
    const bytes = await readFile(path.join(found.folder, name))
    texts.push({ name, text: bytes.subarray(0, maxTextBytes).toString('utf8') })
  }
  return texts
}
