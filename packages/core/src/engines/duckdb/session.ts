/**
 * One query's DuckDB: a new in-memory database that can open exactly the files it was given, with its settings locked
 * before any text of the user's is parsed. Runs only inside an engine worker.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Json } from '../../canonical.ts'
import { CellmillError } from '../../errors.ts'
import type { RelationInput } from '../engine.ts'
import type { Limits } from './protocol.ts'
import { quoteIdentifier, quoteLiteral } from './sql-text.ts'

export interface SessionAccess {
  readonly inputs: readonly RelationInput[]
  /** Files that may be read or written besides the inputs. */
  readonly files: readonly string[]
  /** `CREATE MACRO` and `CREATE VIEW` statements, run after the lock. */
  readonly preamble: readonly string[]
}

export interface Session {
  readonly connection: DuckDBConnection
  close(): Promise<void>
}

export async function openSession(access: SessionAccess, limits: Limits): Promise<Session> {
  const spill = await mkdtemp(join(limits.spillRoot, 'spill-'))
  const instance = await DuckDBInstance.create(':memory:', { threads: String(limits.threads) })
  const close = async (): Promise<void> => {
    instance.closeSync()
    await rm(spill, { recursive: true, force: true })
  }
  try {
    const connection = await instance.connect()
    const files = [...access.inputs.flatMap((input) => input.files), ...access.files]
    await attachCatalogs(connection, access.inputs)
    await connection.run(
      [
        `SET allowed_paths = [${files.map(quoteLiteral).join(', ')}]`,
        `SET allowed_directories = [${quoteLiteral(spill)}]`,
        `SET temp_directory = ${quoteLiteral(spill)}`,
        memoryLimit(limits),
        `SET TimeZone = 'UTC'`,
        `SET errors_as_json = true`,
        ...lockingSettings,
      ].join(';'),
    )
    for (const input of access.inputs) await createRelation(connection, input)
    for (const statement of access.preamble) await connection.run(statement)
    return { connection, close }
  } catch (error) {
    await close()
    throw error
  }
}

export function memoryLimit(limits: Limits): string {
  return `SET memory_limit = '${Math.max(64, Math.floor(limits.memoryBytes / 1_000_000))}MB'`
}

/** The last ones of every DuckDB that reads what users give: after them nothing more can be reached or set. */
export const lockingSettings: readonly string[] = [
  `SET autoinstall_known_extensions = false`,
  `SET autoload_known_extensions = false`,
  `SET enable_external_access = false`,
  `SET lock_configuration = true`,
]

/** `a.b.c` is catalog, schema, table to DuckDB: an empty in-memory database stands for each such catalog. */
async function attachCatalogs(connection: DuckDBConnection, inputs: readonly RelationInput[]): Promise<void> {
  const catalogs = new Set(inputs.map((input) => relationParts(input.relation)).flatMap(([catalog]) => catalog ?? []))
  for (const catalog of catalogs) await connection.run(`ATTACH ':memory:' AS ${quoteIdentifier(catalog)}`)
}

function relationParts(relation: string): readonly [string | null, string | null, string] {
  const parts = relation.split('.')
  const table = parts.pop() ?? ''
  const schema = parts.pop() ?? null
  return [parts.length === 0 ? null : parts.join('.'), schema, table]
}

async function createRelation(connection: DuckDBConnection, input: RelationInput): Promise<void> {
  const [catalog, schema, table] = relationParts(input.relation)
  const prefix = [catalog, schema].filter((part) => part !== null).map(quoteIdentifier)
  if (prefix.length > 0) await connection.run(`CREATE SCHEMA IF NOT EXISTS ${prefix.join('.')}`)
  const name = [...prefix, quoteIdentifier(table)].join('.')
  await connection.run(`CREATE VIEW ${name} AS SELECT * FROM ${readerCall(input)}`)
}

const readers = { parquet: 'read_parquet', csv: 'read_csv', json: 'read_json' } as const

/** `hive_partitioning` is off unless asked for: columns must never come from where our store keeps a file. */
export function readerCall(input: Omit<RelationInput, 'relation'>): string {
  const options = { hive_partitioning: false, ...input.options }
  const named = Object.entries(options).map(([key, value]) => {
    if (!/^[a-z_]+$/i.test(key)) {
      throw new CellmillError('QUERY_FAILED', `${key} is not a reader option.`, { details: { option: key } })
    }
    return `${key} = ${literalOf(value)}`
  })
  const files = `[${input.files.map(quoteLiteral).join(', ')}]`
  return `${readers[input.format]}(${[files, ...named].join(', ')})`
}

function literalOf(value: Json): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return quoteLiteral(value)
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(literalOf).join(', ')}]`
  const members = Object.entries(value as Readonly<Record<string, Json>>)
  return `{${members.map(([key, member]) => `${quoteLiteral(key)}: ${literalOf(member)}`).join(', ')}}`
}
