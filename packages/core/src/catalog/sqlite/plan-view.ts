/**
 * The read side of the catalog over plain better-sqlite3. Invariant: loads no kysely, so that a plan with nothing to do
 * stays fast; each look-up is one prepared statement over an index.
 */
import { existsSync } from 'node:fs'
import type Database from 'better-sqlite3'
import type { PlanView } from '../catalog.ts'
import { emptyEnvironment, environmentFromRow } from '../records/environment.ts'
import { observationFromRow } from '../records/observation.ts'
import { recipeFromText } from '../records/recipe.ts'
import { pointerFromRow } from '../records/release.ts'
import { inputFromRow } from '../records/result.ts'
import { snapshotFromRow } from '../records/snapshot.ts'
import { verdictFromRow } from '../records/verdict.ts'
import type {
  EnvironmentRow,
  LastStepRow,
  ObservationRow,
  PointerRow,
  ResultInputRow,
  SnapshotRow,
  VerdictRow,
} from '../schema.ts'
import { openFile } from './open-file.ts'
import { throwSqliteError } from './sqlite-error.ts'

/** Null when there is no catalog yet. Throws CATALOG_CORRUPT, CATALOG_NEWER, CATALOG_BUSY, STATE_UNAVAILABLE. */
export function openPlanView(file: string): PlanView | null {
  return existsSync(file) ? planViewOf(file) : null
}

export function planViewOf(file: string): PlanView {
  const database = openFile({ file, readonly: true, busyTimeoutMs: 10_000 })
  const statement = prepareLazily(database, file)
  const environment = statement<EnvironmentRow>('SELECT * FROM environments WHERE name = ?')
  const pointers = statement<PointerRow>('SELECT * FROM pointers WHERE environment = ? AND to_release IS NULL')
  const result = statement<{ readonly id: number; readonly recipe_digest: string }>(
    'SELECT id, recipe_digest FROM results WHERE fingerprint = ? AND superseded_at IS NULL',
  )
  const resultSnapshots = statement<SnapshotRow>('SELECT * FROM snapshots WHERE result_id = ?')
  const snapshot = statement<SnapshotRow>('SELECT * FROM snapshots WHERE id = ?')
  const hasRecipe = statement('SELECT 1 FROM results WHERE recipe_digest = ? AND superseded_at IS NULL LIMIT 1')
  const recipe = statement<{ readonly id: number; readonly recipe: string }>(
    `SELECT results.id, recipes.recipe FROM results JOIN recipes ON recipes.digest = results.recipe_digest
     WHERE fingerprint = ? ORDER BY results.id DESC LIMIT 1`,
  )
  const inputs = statement<ResultInputRow>('SELECT * FROM result_inputs WHERE result_id = ?')
  const columnDigest = statement<{ readonly digest: string }>(
    'SELECT digest FROM column_digests WHERE snapshot_id = ? AND form = ? AND columns_key = ?',
  )
  const verdict = statement<VerdictRow>('SELECT * FROM verdicts WHERE fingerprint = ?')
  const observation = statement<ObservationRow>('SELECT * FROM observations WHERE binding = ?')
  const lastStep = statement<LastStepRow>('SELECT * FROM last_steps WHERE environment = ? AND step = ?')
  const running = statement<{ readonly pid: number }>(`SELECT pid FROM runs WHERE state = 'running'`)
  return {
    environment: (name) => {
      const row = environment.get(name)
      return row === null ? emptyEnvironment(name) : environmentFromRow(row)
    },
    pointers: (name) => new Map(pointers.all(name).map((row) => [row.asset, pointerFromRow(row)])),
    result: (fingerprint) => {
      const row = result.get(fingerprint)
      if (row === null) return null
      return {
        fingerprint,
        recipeDigest: row.recipe_digest,
        snapshots: inOrder(resultSnapshots.all(row.id)).map(snapshotFromRow),
      }
    },
    snapshot: (id) => mapRow(snapshot.get(id), snapshotFromRow),
    hasRecipe: (digest) => hasRecipe.get(digest) !== null,
    recipe: (fingerprint) =>
      mapRow(recipe.get(fingerprint), (row) => ({
        recipe: recipeFromText(row.recipe),
        inputs: inOrder(inputs.all(row.id)).map(inputFromRow),
      })),
    columnDigest: (id, form, key) => columnDigest.get(id, form, key)?.digest ?? null,
    verdict: (fingerprint) => mapRow(verdict.get(fingerprint), verdictFromRow),
    observation: (binding) => mapRow(observation.get(binding), observationFromRow),
    lastStep: (name, step) =>
      mapRow(lastStep.get(name, step), (row) => ({
        state: row.state as 'succeeded' | 'reused' | 'failed',
        ms: row.ms,
        fingerprint: row.fingerprint,
      })),
    runningPids: () => running.all().map(({ pid }) => pid),
    close: () => void database.close(),
  }
}

/** Sorted here: ORDER BY makes a look-up of one row four times as dear. */
function inOrder<R extends { readonly position: number }>(rows: readonly R[]): readonly R[] {
  return rows.length < 2 ? rows : [...rows].sort((a, b) => a.position - b.position)
}

function mapRow<R, T>(row: R | null, toRecord: (row: R) => T): T | null {
  return row === null ? null : toRecord(row)
}

type Value = string | number

interface LazyStatement<R> {
  get(...values: readonly Value[]): R | null
  all(...values: readonly Value[]): readonly R[]
}

/** A no-op plan uses half of the statements; the others are not compiled. */
function prepareLazily(database: Database.Database, file: string) {
  return <R>(sql: string): LazyStatement<R> => {
    let prepared: Database.Statement<Value[], R> | null = null
    const run = <T>(use: (statement: Database.Statement<Value[], R>) => T): T => {
      try {
        return use((prepared ??= database.prepare<Value[], R>(sql)))
      } catch (error) {
        return throwSqliteError(error, file)
      }
    }
    return {
      get: (...values) => run((statement) => statement.get(...values)) ?? null,
      all: (...values) => run((statement) => statement.all(...values)),
    }
  }
}
