/** The catalog's contract on SQLite, and what only files can get wrong: damage, versions, other stores, locks. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { catalogContract } from '../contract.ts'
import { aRun, setClock } from '../contract/values.ts'
import { migrations } from '../migrations/migrations.ts'
import { openSqliteCatalog } from './open-catalog.ts'
import { openPlanView } from './plan-view.ts'

let folder: string
let file: string
const clock = setClock()
const options = () => ({ file, storeId: 'store-1', clock })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellmill-catalog-'))
  file = join(folder, 'catalog.sqlite')
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('the catalog on SQLite', () => {
  for (const { name, run } of catalogContract) {
    test(name, async () => {
      const lost = new Set<string>()
      const ownClock = setClock()
      const hasBlob = async (address: string) => !lost.has(address)
      const catalog = await openSqliteCatalog({ ...options(), clock: ownClock, hasBlob })
      try {
        await run({ catalog, clock: ownClock, lost })
        expect(await catalog.inspect()).toEqual([])
      } finally {
        await catalog.close()
      }
    })
  }

  test('keeps what it was told after it is closed and opened again', async () => {
    const run = aRun()
    const first = await openSqliteCatalog(options())
    await first.insertRun(run)
    await first.close()
    const second = await openSqliteCatalog({ ...options(), readonly: true })
    expect(await second.run(run.id)).toEqual(run)
    await expect(second.insertRun(aRun())).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' })
    await second.close()
  })

  test('has no plan view before there is a catalog, and makes no file for reading', async () => {
    expect(openPlanView(file)).toBeNull()
    await expect(openSqliteCatalog({ ...options(), readonly: true })).rejects.toMatchObject({ code: 'CATALOG_CORRUPT' })
    expect(existsSync(file)).toBe(false)
  })

  test('loads no kysely for a plan view', () => {
    const script = `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ resolve: (name, context, next) => { loaded.push(name); return next(name, context) } })
      await import(${JSON.stringify(new URL('plan-view.ts', import.meta.url).href)})
      console.log(JSON.stringify(loaded))`
    const loaded = JSON.parse(
      execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], { encoding: 'utf8' }),
    ) as string[]
    expect(loaded).toContain('better-sqlite3')
    expect(loaded.filter((name) => /kysely|zod|duckdb/.test(name))).toEqual([])
  })
})

describe('a damaged catalog', () => {
  const make = async () => {
    const catalog = await openSqliteCatalog(options())
    await catalog.insertRun(aRun())
    await catalog.close()
  }

  test.each([
    ['empty', () => truncateSync(file, 0)],
    ['cut in the middle of its schema', () => truncateSync(file, 5000)],
    ['not a database', () => writeFileSync(file, 'x'.repeat(5000))],
    [
      'overwritten at the start',
      () => writeFileSync(file, Buffer.concat([Buffer.alloc(4096), readFileSync(file).subarray(4096)])),
    ],
  ])('is refused and left as it is when it is %s', async (_, damage) => {
    await make()
    damage()
    const before = readFileSync(file)
    await expect(openSqliteCatalog(options())).rejects.toMatchObject({ code: 'CATALOG_CORRUPT' })
    expect(() => openPlanView(file)).toThrow(expect.objectContaining({ code: 'CATALOG_CORRUPT' }))
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  test('is refused when it is another program’s database', async () => {
    new Database(file).exec('CREATE TABLE runs (id)').close()
    await expect(openSqliteCatalog(options())).rejects.toMatchObject({ code: 'CATALOG_CORRUPT' })
  })

  test('is refused when the file is gone and its log is there', async () => {
    await make()
    const database = new Database(file)
    database.exec(`UPDATE runs SET sandbox = 'x'`)
    copyFileSync(`${file}-wal`, join(folder, 'wal'))
    database.close()
    rmSync(file)
    copyFileSync(join(folder, 'wal'), `${file}-wal`)
    await expect(openSqliteCatalog(options())).rejects.toMatchObject({ code: 'CATALOG_CORRUPT' })
    expect(existsSync(file)).toBe(false)
  })

  test('is taken along from the first version, with what it says of its rollbacks', async () => {
    await make()
    const applicationId = Number(new Database(file, { readonly: true }).pragma('application_id', { simple: true }))
    rmSync(file)
    const [first] = migrations
    const old = new Database(file)
    old.pragma(`application_id = ${applicationId}`)
    for (const statement of first!.statements) old.exec(statement)
    old.exec(`
      CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT;
      INSERT INTO schema_version VALUES (1, 'first-schema', '2026-01-01T00:00:00.000Z');
      INSERT INTO meta VALUES ('store_id', 'store-1');
      PRAGMA foreign_keys = OFF;
      INSERT INTO releases VALUES ('dev', 1, 'x', NULL, 'me', 'back to release 9', NULL, NULL, '{}', '{}', '{}', 'run', 0);
      INSERT INTO releases VALUES ('dev', 2, 'x', NULL, 'me', 'back to release 1', NULL, NULL, '{}', '{}', '{}', 'rollback', 0);
    `)
    old.close()
    const catalog = await openSqliteCatalog(options())
    const releases = (await catalog.releases('dev', 9)).map(({ number, restores }) => [number, restores])
    expect(releases).toEqual([
      [2, 1],
      [1, null],
    ])
    await catalog.close()
  })

  test('is refused when a newer Cellmill wrote it', async () => {
    await make()
    new Database(file).exec(`INSERT INTO schema_version VALUES (999, 'future', '')`).close()
    await expect(openSqliteCatalog(options())).rejects.toMatchObject({ code: 'CATALOG_NEWER' })
    expect(() => openPlanView(file)).toThrow(expect.objectContaining({ code: 'CATALOG_NEWER' }))
  })

  test('is refused when it belongs to another store', async () => {
    await make()
    await expect(openSqliteCatalog({ ...options(), storeId: 'store-2' })).rejects.toMatchObject({
      code: 'CATALOG_CORRUPT',
    })
  })

  test('is found by inspect: rows that refer to nothing, ended runs with running steps, moved fingerprints', async () => {
    await make()
    const database = new Database(file)
    database.pragma('foreign_keys = OFF')
    database.exec(`
      INSERT INTO environments VALUES ('prod', 3, NULL, 0, NULL);
      INSERT INTO pointers VALUES ('prod', 'a', 1, NULL, 'no-snapshot', 'f', 'a');
      UPDATE runs SET state = 'failed', finished_at = 'x';
      INSERT INTO run_steps SELECT id, 's', 'asset', '[]', 'running', NULL, NULL, '[]', 'null', 1, NULL, NULL, NULL, NULL FROM runs;
      INSERT INTO recipes VALUES ('r', '{"inputs":[]}');
      INSERT INTO results VALUES (1, 'moved', 1, 'r', 'x', 's', 1, '', 1, NULL, 0);`)
    database.close()
    const catalog = await openSqliteCatalog(options())
    const problems = await catalog.inspect()
    await catalog.close()
    expect(problems).toHaveLength(5)
    expect(problems.join('\n')).toMatch(/refers to a row of snapshots/)
    expect(problems.join('\n')).toMatch(/prod is at release 3, and its newest release is 0/)
    expect(problems.join('\n')).toMatch(/has ended, and its step s is still running/)
    expect(problems.join('\n')).toMatch(/moved.*another fingerprint/)
  })
})

test('says that the catalog is busy when another process keeps its lock, and works again after', async () => {
  const catalog = await openSqliteCatalog({ ...options(), busyTimeoutMs: 50 })
  const other = new Database(file)
  other.exec('BEGIN IMMEDIATE')
  await expect(catalog.insertRun(aRun())).rejects.toMatchObject({ code: 'CATALOG_BUSY', retryable: true })
  expect(catalog.view().environment('prod').release).toBe(0)
  other.exec('ROLLBACK')
  await catalog.insertRun(aRun())
  other.close()
  await catalog.close()
})
