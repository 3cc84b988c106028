/** The floor of the SQL case: one process, one database in memory, each query written to Parquet and read by later ones. */
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type * as DuckDb from '@duckdb/node-api'

interface Given {
  readonly queries: Readonly<Record<string, string>>
  readonly folder: string
  readonly data: string
}

const { DuckDBInstance } = createRequire(import.meta.url)('@duckdb/node-api') as typeof DuckDb
const { queries, folder, data } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Given
mkdirSync(folder, { recursive: true })
const connection = await (await DuckDBInstance.create(':memory:')).connect()
for (const name of readdirSync(data)) {
  if (name.endsWith('.parquet')) await view(path.basename(name, '.parquet'), path.join(data, name))
}
for (const [name, sql] of Object.entries(queries)) {
  const file = path.join(folder, `${name}.parquet`)
  await connection.run(`COPY (${sql}) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`)
  await view(name, file)
}

async function view(name: string, file: string): Promise<void> {
  await connection.run(`CREATE OR REPLACE VIEW ${name} AS SELECT * FROM '${file}'`)
}
