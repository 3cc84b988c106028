/**
 * Steps of runs. An end is final: `succeeded` and `reused` for good, another end until a later attempt of the same step.
 * Each ended step is also kept in `last_steps`, which is all that a plan reads of the history.
 */
import type { Kysely } from 'kysely'
import type { Json } from '../../canonical.ts'
import type { UserCodeError } from '../../errors.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { RunStepInput, RunStepRecord } from '../catalog.ts'
import type { CatalogTables, RunStepRow } from '../schema.ts'
import { internRecipe, recipeFromText } from './recipe.ts'

export function stepFromRow(row: RunStepRow, recipe: Recipe | null): RunStepRecord {
  return {
    runId: row.run_id,
    step: row.step,
    kind: row.kind as RunStepRecord['kind'],
    assets: JSON.parse(row.assets) as readonly string[],
    state: row.state as RunStepRecord['state'],
    fingerprint: row.fingerprint,
    recipe,
    inputs: JSON.parse(row.inputs) as readonly RunStepInput[],
    reason: JSON.parse(row.reason) as Json,
    attempt: row.attempt,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    error: row.error === null ? null : (JSON.parse(row.error) as UserCodeError),
    logPath: row.log_path,
  }
}

function stepToRow(step: RunStepRecord, recipeDigest: string | null): RunStepRow {
  return {
    run_id: step.runId,
    step: step.step,
    kind: step.kind,
    assets: JSON.stringify(step.assets),
    state: step.state,
    fingerprint: step.fingerprint,
    recipe_digest: recipeDigest,
    inputs: JSON.stringify(step.inputs),
    reason: JSON.stringify(step.reason),
    attempt: step.attempt,
    started_at: step.startedAt,
    finished_at: step.finishedAt,
    error: step.error === null ? null : JSON.stringify(step.error),
    log_path: step.logPath,
  }
}

/** States that say something about the step itself; skipped and cancelled ones say nothing of it. */
const telling = new Set(['succeeded', 'reused', 'failed'])

export async function saveStep(db: Kysely<CatalogTables>, step: RunStepRecord): Promise<void> {
  const row = stepToRow(step, step.recipe === null ? null : await internRecipe(db, step.recipe))
  const saved = await db
    .insertInto('run_steps')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['run_id', 'step'])
        .doUpdateSet(row)
        .where((eb) =>
          eb.or([
            eb('run_steps.state', '=', row.state),
            eb('run_steps.state', 'in', ['queued', 'running']),
            eb.and([
              eb('run_steps.state', 'not in', ['succeeded', 'reused']),
              eb('run_steps.attempt', '<', row.attempt),
            ]),
          ]),
        ),
    )
    .executeTakeFirst()
  if (saved.numInsertedOrUpdatedRows === 0n || !telling.has(step.state)) return
  await rememberStep(db, step.runId, step.step)
}

/** Copies an ended step to `last_steps`. */
export async function rememberStep(db: Kysely<CatalogTables>, runId: string, step: string): Promise<void> {
  const row = await db
    .selectFrom('run_steps')
    .innerJoin('runs', 'runs.id', 'run_steps.run_id')
    .select(['environment', 'run_steps.state', 'fingerprint', 'run_steps.started_at', 'run_steps.finished_at'])
    .where('run_id', '=', runId)
    .where('step', '=', step)
    .executeTakeFirst()
  if (row === undefined) return
  const last = {
    environment: row.environment,
    step,
    state: row.state,
    fingerprint: row.fingerprint,
    ms: row.state === 'succeeded' ? elapsedMs(row.started_at, row.finished_at) : null,
  }
  await db
    .insertInto('last_steps')
    .values(last)
    .onConflict((conflict) =>
      conflict.columns(['environment', 'step']).doUpdateSet({
        state: last.state,
        fingerprint: last.fingerprint,
        ...(last.ms === null ? {} : { ms: last.ms }),
      }),
    )
    .execute()
}

function elapsedMs(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : Math.max(0, Date.parse(to) - Date.parse(from))
}

export async function selectSteps(db: Kysely<CatalogTables>, runId: string): Promise<readonly RunStepRecord[]> {
  const rows = await db
    .selectFrom('run_steps')
    .leftJoin('recipes', 'recipes.digest', 'run_steps.recipe_digest')
    .selectAll('run_steps')
    .select('recipes.recipe')
    .where('run_id', '=', runId)
    .orderBy('step')
    .execute()
  return rows.map((row) => stepFromRow(row, row.recipe === null ? null : recipeFromText(row.recipe)))
}
