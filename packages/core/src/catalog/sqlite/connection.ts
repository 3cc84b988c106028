/**
 * Kysely over one better-sqlite3 connection. Transactions begin IMMEDIATE: a deferred one that reads first fails when it
 * turns out to write. Statements are compiled once.
 */
import type Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from './kysely.ts'
import type { SqliteStatement } from 'kysely'
import type { CatalogTables } from '../schema.ts'

const maxCached = 256

export function kyselyOver(database: Database.Database): Kysely<CatalogTables> {
  const cache = new Map<string, SqliteStatement>()
  const prepare = (sql: string): SqliteStatement => {
    const text = sql === 'begin' ? 'begin immediate' : sql
    const known = cache.get(text)
    if (known !== undefined) return known
    const statement = database.prepare(text) as unknown as SqliteStatement
    if (cache.size >= maxCached) cache.clear()
    cache.set(text, statement)
    return statement
  }
  return new Kysely<CatalogTables>({
    dialect: new SqliteDialect({ database: { prepare, close: () => void database.close() } }),
  })
}
