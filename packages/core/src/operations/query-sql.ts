/** `sql`: a query over what an environment publishes. Its tables are views over Parquet, bound only when they are named. */
import type { PlanView } from '../catalog/catalog.ts'
import type { QueryResult, RelationInput } from '../engines/engine.ts'
import { CellmillError, isCellmillError } from '../errors.ts'
import { nearestName } from '../model/nearest.ts'
import { leafOf } from '../model/references.ts'
import path from 'node:path'
import { dataEntries } from '../run/resolve-inputs.ts'
import { environmentName } from './find-snapshot.ts'
import type { Workspace } from './workspace.ts'

export interface SqlQuery {
  readonly sql: string
  readonly environment: string | null
  readonly limit: number
  readonly signal: AbortSignal
}

export interface SqlAnswer extends QueryResult {
  readonly environment: string
  readonly release: number
}

export async function querySql(workspace: Workspace, query: SqlQuery): Promise<SqlAnswer> {
  const environment = await environmentName(workspace, query.environment)
  const view = await workspace.view()
  const store = await workspace.store()
  const relations: RelationInput[] = []
  const words = new Set(query.sql.toLowerCase().match(/[\p{L}\p{N}_$]+/gu) ?? [])
  for (const [asset, pointer] of view.pointers(environment)) {
    const names = relationNames(asset).filter((name) =>
      name
        .toLowerCase()
        .split('.')
        .every((part) => words.has(part)),
    )
    const snapshot = names.length === 0 ? null : view.snapshot(pointer.snapshotId)
    if (snapshot === null || snapshot.kind !== 'table') continue
    const folder = await store.localPath(snapshot.address)
    const entries = dataEntries(await store.manifest(snapshot.address))
    const files = entries.map((name) => path.join(folder, name))
    for (const relation of names) relations.push({ relation, files, format: 'parquet', options: {} })
  }
  const { release } = view.environment(environment)
  if (release === 0) {
    throw new CellmillError('UNKNOWN_NAME', `nothing is published in ${environment} yet`, {
      hint: `cellmill run --env ${environment}`,
    })
  }
  const engine = await workspace.engine()
  try {
    const result = await engine.queryWith(query.sql, relations, query.limit, { signal: query.signal })
    return { ...result, environment, release }
  } catch (error) {
    throw unknownTable(error, environment, kindsOf(view, environment)) ?? error
  }
}

function kindsOf(view: PlanView, environment: string): ReadonlyMap<string, string> {
  const kinds = [...view.pointers(environment).values()].flatMap(({ asset, snapshotId }) => {
    const kind = view.snapshot(snapshotId)?.kind
    return kind === undefined ? [] : relationNames(asset).map((name) => [name, kind] as const)
  })
  return new Map(kinds)
}

/** The engine knows only the tables that the query names; what else is published says what was meant. */
function unknownTable(error: unknown, environment: string, kinds: ReadonlyMap<string, string>): CellmillError | null {
  if (!isCellmillError(error, 'QUERY_FAILED')) return null
  const name = /^Table with name (\S+) does not exist/.exec(error.message)?.[1]
  if (name === undefined) return null
  const kind = kinds.get(name)
  if (kind !== undefined) {
    return new CellmillError(
      'QUERY_FAILED',
      `'${name}' is published in ${environment}, as ${kind} and not as a table`,
      {
        hint: `cellmill show ${name} --env ${environment}`,
        cause: error,
      },
    )
  }
  const tables = [...kinds].filter(([, of]) => of === 'table').map(([table]) => table)
  const nearest = nearestName(name, tables)
  return new CellmillError('QUERY_FAILED', `${environment} publishes no table '${name}'`, {
    hint: nearest === null ? 'cellmill status lists the assets' : `did you mean '${nearest}'?`,
    cause: error,
  })
}

/** `staging.orders` can be written in full (quoted) or by its last part. */
function relationNames(asset: string): readonly string[] {
  const last = leafOf(asset)
  return last === asset ? [asset] : [asset, last]
}
