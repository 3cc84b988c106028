/** What `verify` asks of the catalog itself: whole pages, whole references, legal states, recipes that still fit. */
import { sql } from './kysely.ts'
import type { Kysely } from 'kysely'
import { fingerprintOf } from '../../model/recipe.ts'
import { recipeFromText } from '../records/recipe.ts'
import type { CatalogTables } from '../schema.ts'

type Db = Kysely<CatalogTables>

export async function inspectCatalog(db: Db): Promise<readonly string[]> {
  const pages = await pageProblems(db)
  if (pages.length > 0) return pages
  return [
    ...(await referenceProblems(db)),
    ...(await releaseProblems(db)),
    ...(await runProblems(db)),
    ...(await resultProblems(db)),
  ]
}

async function pageProblems(db: Db): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly integrity_check: string }>`PRAGMA integrity_check(20)`.execute(db)
  return rows.map((row) => row.integrity_check).filter((line) => line !== 'ok')
}

async function referenceProblems(db: Db): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly table: string; readonly parent: string }>`PRAGMA foreign_key_check`.execute(db)
  const evidence = await db
    .selectFrom('verdicts')
    .select(['check_name', 'evidence'])
    .where('evidence', 'is not', null)
    .where('evidence', 'not in', (eb) => eb.selectFrom('snapshots').select('id'))
    .execute()
  return [
    ...rows.map((row) => `a row of ${row.table} refers to a row of ${row.parent} that is not there`),
    ...evidence.map((row) => `check ${row.check_name} has evidence ${row.evidence} that is not there`),
  ]
}

async function releaseProblems(db: Db): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('environments')
    .leftJoin('releases', 'releases.environment', 'environments.name')
    .select(['environments.name', 'environments.release'])
    .select((eb) => eb.fn.max('releases.number').as('newest'))
    .groupBy(['environments.name', 'environments.release'])
    .execute()
  const future = await db
    .selectFrom('pointers')
    .innerJoin('environments', 'environments.name', 'pointers.environment')
    .select(['pointers.environment', 'pointers.asset'])
    .where((eb) => eb('pointers.from_release', '>', eb.ref('environments.release')))
    .execute()
  return [
    ...rows
      .filter((row) => (row.newest ?? 0) !== row.release)
      .map(
        (row) => `environment ${row.name} is at release ${row.release}, and its newest release is ${row.newest ?? 0}`,
      ),
    ...future.map((row) => `${row.environment} points to ${row.asset} from a release that does not exist`),
  ]
}

async function runProblems(db: Db): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('run_steps')
    .innerJoin('runs', 'runs.id', 'run_steps.run_id')
    .select(['run_steps.run_id', 'run_steps.step'])
    .where('runs.state', '!=', 'running')
    .where('run_steps.state', '=', 'running')
    .execute()
  return rows.map((row) => `run ${row.run_id} has ended, and its step ${row.step} is still running`)
}

async function resultProblems(db: Db): Promise<readonly string[]> {
  const results = await db
    .selectFrom('results')
    .innerJoin('recipes', 'recipes.digest', 'results.recipe_digest')
    .select(['results.id', 'results.fingerprint', 'results.epoch', 'recipes.recipe'])
    .execute()
  const inputs = await db.selectFrom('result_inputs').select(['result_id', 'digest']).orderBy('position').execute()
  const digests = Map.groupBy(inputs, (input) => input.result_id)
  const claims = new Map(
    (await db.selectFrom('claims').selectAll().execute()).map((row) => [row.fingerprint, row.epoch]),
  )
  return results.flatMap((result) => {
    const recipe = recipeFromText(result.recipe)
    const read = (digests.get(result.id) ?? []).map((input) => input.digest)
    const name = result.fingerprint.slice(0, 12)
    const fits = read.length === recipe.inputs.length && fingerprintOf(recipe, read) === result.fingerprint
    return [
      ...(fits ? [] : [`result ${name} is filed under another fingerprint than its recipe and inputs have`]),
      ...((claims.get(result.fingerprint) ?? 0) >= result.epoch
        ? []
        : [`result ${name} has an epoch that was never given`]),
    ]
  })
}
