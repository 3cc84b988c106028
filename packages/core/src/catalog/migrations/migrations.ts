/** All migrations in order. A new one is appended; the numbers have no gaps. */
import { firstSchema } from './0001-first-schema.ts'
import { whatRunsRead } from './0002-what-runs-read.ts'
import type { Migration } from './migration.ts'

export const migrations: readonly Migration[] = [firstSchema, whatRunsRead]

export const schemaVersion: number = migrations.length
