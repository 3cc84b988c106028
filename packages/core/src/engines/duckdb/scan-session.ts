/**
 * The ingest worker's DuckDB: one for all scans, since making one costs as much as digesting a hundred thousand rows.
 * No text of a user's reaches it, only files; each scan has a connection of its own, in which `scanned` is its table.
 * What one scan read is not kept for the next: a digest is of the bytes on the disk.
 */
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { Limits } from './protocol.ts'
import { lockingSettings, memoryLimit, readerCall } from './session.ts'
import type { Session } from './session.ts'
import { quoteLiteral } from './sql-text.ts'

export interface ScanSession extends Session {
  readonly files: readonly string[]
}

let shared: Promise<DuckDBInstance> | null = null

export async function openScan(files: readonly string[], limits: Limits): Promise<ScanSession> {
  shared ??= openInstance(limits)
  const instance = await shared.catch((error: unknown) => {
    shared = null
    throw error
  })
  const connection = await instance.connect()
  const close = async (): Promise<void> => connection.closeSync()
  try {
    const table = readerCall({ files, format: 'parquet', options: {} })
    await connection.run(`CREATE TEMP VIEW scanned AS SELECT * FROM ${table}`)
    return { connection, files, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The spill folder goes with the engine's. */
async function openInstance(limits: Limits): Promise<DuckDBInstance> {
  const spill = await mkdtemp(join(limits.spillRoot, 'scan-'))
  const instance = await DuckDBInstance.create(':memory:', { threads: String(limits.threads) })
  const connection = await instance.connect()
  try {
    await connection.run(
      [
        `SET allowed_directories = [${[...limits.scanRoots, spill].map(quoteLiteral).join(', ')}]`,
        `SET temp_directory = ${quoteLiteral(spill)}`,
        memoryLimit(limits),
        `SET GLOBAL TimeZone = 'UTC'`,
        `SET GLOBAL errors_as_json = true`,
        `SET enable_external_file_cache = false`,
        ...lockingSettings,
      ].join(';'),
    )
    return instance
  } catch (error) {
    instance.closeSync()
    throw error
  } finally {
    connection.closeSync()
  }
}
