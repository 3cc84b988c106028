/** What the catalog says, read with SQL of our own and not through the code under test. */
import Database from 'better-sqlite3'
import path from 'node:path'

export interface CatalogFacts {
  /** Fingerprints with more than one result in force. */
  readonly doubled: readonly string[]
  /** For each environment's current release, the assets and the seeds that their results were made with. */
  readonly published: ReadonlyMap<
    string,
    { readonly release: number; readonly assets: readonly string[]; readonly seeds: readonly number[] }
  >
  readonly releases: ReadonlySet<string>
  /** `run/step` of steps recorded as succeeded. */
  readonly succeeded: ReadonlySet<string>
  readonly running: readonly string[]
  readonly runStates: ReadonlyMap<string, string>
}

export function readFacts(root: string): CatalogFacts {
  const database = new Database(path.join(root, '.cellmill', 'catalog.sqlite'), { readonly: true })
  try {
    return factsOf(database)
  } finally {
    database.close()
  }
}

function factsOf(database: Database.Database): CatalogFacts {
  const all = <T>(sql: string): T[] => database.prepare(sql).all() as T[]
  const published = new Map<string, { release: number; assets: string[]; seeds: number[] }>()
  for (const { name, release } of all<{ name: string; release: number }>('SELECT name, release FROM environments')) {
    const rows = all<{ environment: string; asset: string; recipe: string }>(
      `SELECT p.environment, p.asset, c.recipe FROM pointers p
       JOIN snapshots s ON s.id = p.snapshot_id JOIN results r ON r.id = s.result_id
       JOIN recipes c ON c.digest = r.recipe_digest
       WHERE p.to_release IS NULL ORDER BY p.asset`,
    ).filter(({ environment }) => environment === name)
    const seeds = new Set(rows.flatMap(({ recipe }) => seedOf(recipe)))
    published.set(name, { release, assets: rows.map(({ asset }) => asset), seeds: [...seeds] })
  }
  const runs = all<{ id: string; state: string }>('SELECT id, state FROM runs')
  return {
    doubled: all<{ fingerprint: string }>(
      'SELECT fingerprint FROM results WHERE superseded_at IS NULL GROUP BY fingerprint HAVING count(*) > 1',
    ).map(({ fingerprint }) => fingerprint),
    published,
    releases: new Set(
      all<{ environment: string; number: number; run_id: string | null }>(
        'SELECT environment, number, run_id FROM releases',
      ).map((row) => `${row.environment}@${row.number} by ${row.run_id}`),
    ),
    succeeded: new Set(
      all<{ run_id: string; step: string }>("SELECT run_id, step FROM run_steps WHERE state = 'succeeded'").map(
        (row) => `${row.run_id}/${row.step}`,
      ),
    ),
    running: runs.filter(({ state }) => state === 'running').map(({ id }) => id),
    runStates: new Map(runs.map(({ id, state }) => [id, state])),
  }
}

function seedOf(recipe: string): readonly number[] {
  const { parameters } = JSON.parse(recipe) as { parameters: { name: string; value: number }[] }
  return parameters.filter(({ name }) => name.endsWith('seed')).map(({ value }) => value)
}
