/** Environments: the number of the current release, and whether publishing is held. */
import type { Kysely } from 'kysely'
import type { EnvironmentState } from '../catalog.ts'
import type { CatalogTables, EnvironmentRow } from '../schema.ts'

export function environmentFromRow(row: EnvironmentRow): EnvironmentState {
  return {
    name: row.name,
    release: row.release,
    releasedAt: row.released_at,
    held: row.held === 1,
    heldBundle: row.held_bundle,
  }
}

/** An environment exists from its first release or hold; before that it is this. */
export function emptyEnvironment(name: string): EnvironmentState {
  return { name, release: 0, releasedAt: null, held: false, heldBundle: null }
}

export async function selectEnvironment(db: Kysely<CatalogTables>, name: string): Promise<EnvironmentState> {
  const row = await db.selectFrom('environments').selectAll().where('name', '=', name).executeTakeFirst()
  return row === undefined ? emptyEnvironment(name) : environmentFromRow(row)
}

export async function selectEnvironments(db: Kysely<CatalogTables>): Promise<readonly EnvironmentState[]> {
  const rows = await db.selectFrom('environments').selectAll().orderBy('name').execute()
  return rows.map(environmentFromRow)
}

export async function saveEnvironment(db: Kysely<CatalogTables>, state: EnvironmentState): Promise<void> {
  const row: EnvironmentRow = {
    name: state.name,
    release: state.release,
    released_at: state.releasedAt,
    held: state.held ? 1 : 0,
    held_bundle: state.heldBundle,
  }
  await db
    .insertInto('environments')
    .values(row)
    .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
    .execute()
}
