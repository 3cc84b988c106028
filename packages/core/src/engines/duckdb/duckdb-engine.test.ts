/** The engine with real workers, files and hostile texts, in the best sandbox of this machine and, for DuckDB's own locks, in none. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { IngestRequest, RelationInput, SqlStep } from '../engine.ts'
import { openDuckDbEngine } from './duckdb-engine.ts'
import type { DuckDbEngine } from './duckdb-engine.ts'
import { openSandbox } from '../../runtimes/sandbox/open-sandbox.ts'

let root: string
let engine: DuckDbEngine
let outputs = 0
let folder: string
const never = new AbortController().signal

beforeAll(async () => {
  root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'cellmill-engine-')))
  engine = await openDuckDbEngine({
    sandbox: await openSandbox({ mode: 'auto', python: testPython() }),
    storeRoot: join(root, 'store'),
    tempRoot: join(root, 'tmp'),
    python: testPython(),
    memoryBytes: 500_000_000,
  })
})

afterAll(async () => {
  await engine.close()
  expect(engine.workerPids()).toEqual({ steps: null, ingest: null })
  fs.rmSync(root, { recursive: true, force: true })
})

beforeEach(() => {
  folder = join(root, 'tmp', `out-${outputs++}`)
  fs.mkdirSync(folder)
})

function testPython(): string {
  const local = new URL('../../../../../.venv/bin/python', import.meta.url).pathname
  return fs.existsSync(local) ? local : 'python3'
}

function sqlStep(sql: string, patch: Partial<SqlStep> = {}): SqlStep {
  return {
    sql,
    inputs: [],
    parameters: {},
    macros: [],
    threads: 1,
    memoryBytes: null,
    canonicalOrder: false,
    unordered: false,
    outputFolder: folder,
    timeoutMs: null,
    ...patch,
  }
}

function ingestOf(patch: Partial<IngestRequest> = {}): IngestRequest {
  return {
    folder,
    kind: 'table',
    codec: 'parquet',
    unordered: false,
    columnSets: [],
    maxRows: null,
    maxBytes: null,
    ...patch,
  }
}

async function build(sql: string, patch: Partial<SqlStep> = {}) {
  const { rows } = await engine.runSql(sqlStep(sql, patch), never)
  return { rows, input: parquet(join(patch.outputFolder ?? folder, 'data.parquet')) }
}

function parquet(file: string, relation = 't'): RelationInput {
  return { relation, files: [file], format: 'parquet', options: {} }
}

function file(name: string, text: string): string {
  const path = join(root, 'store', name)
  fs.writeFileSync(path, text)
  return path
}

async function rowsOf(sql: string, inputs: readonly RelationInput[] = []) {
  return (await engine.query(sql, inputs, 100)).rows
}

describe('a SQL step', () => {
  test('reads its relations, parameters and macros, and writes one Parquet file', async () => {
    const orders = file('orders.csv', 'id,total\n1,10\n2,20\n3,30\n')
    const { rows, input } = await build(
      'SELECT id, twice(total) AS total FROM staging.orders WHERE total > $least -- ok;\n;',
      {
        inputs: [{ relation: 'staging.orders', files: [orders], format: 'csv', options: {} }],
        parameters: { least: { type: 'int', value: 10 }, unused: { type: 'str', value: 'x' } },
        macros: ['CREATE MACRO twice(x) AS x * 2'],
      },
    )
    expect(rows).toBe(2)
    expect(fs.readdirSync(folder)).toEqual(['data.parquet'])
    expect(await rowsOf('SELECT id, total FROM t', [input])).toEqual([
      [2, 40],
      [3, 60],
    ])
  })

  test('gets parameters as typed values, never as text of the query', async () => {
    const parameters = {
      i: { type: 'int', value: 9007199254740991 },
      f: { type: 'float', value: 0.5 },
      b: { type: 'bool', value: true },
      s: { type: 'str', value: `'; DROP TABLE x; --` },
      d: { type: 'date', value: '2024-02-29' },
      t: { type: 'datetime', value: '2024-01-01T10:00:00.123456Z' },
      p: { type: 'datetime', value: '2024-01-01 10:00' },
      j: { type: 'json', value: { a: [1, null] } },
      n: { type: 'int', value: null },
    }
    const names = Object.keys(parameters)
    const { input } = await build(`SELECT ${names.map((name) => `$${name} AS ${name}`).join(', ')}`, { parameters })
    expect(await rowsOf(`SELECT COLUMNS(*)::VARCHAR FROM t`, [input])).toEqual([
      [
        '9007199254740991',
        '0.5',
        'true',
        `'; DROP TABLE x; --`,
        '2024-02-29',
        '2024-01-01 10:00:00.123456+00',
        '2024-01-01 10:00:00',
        '{"a":[1,null]}',
        null,
      ],
    ])
    expect((await engine.query('FROM t', [input], 0)).columns.slice(0, 8).map(({ type }) => type)).toEqual([
      'BIGINT',
      'DOUBLE',
      'BOOLEAN',
      'VARCHAR',
      'DATE',
      'TIMESTAMP WITH TIME ZONE',
      'TIMESTAMP',
      'VARCHAR',
    ])
  })

  test.each([
    ['SELECT $missing', {}, /uses \$missing/],
    ['SELECT $toString', {}, /uses \$toString/],
    ['SELECT ?', {}, /by its position/],
    ['SELECT $d', { d: { type: 'date', value: 'yesterday' } }, /not a date/],
    ['SELECT $i', { i: { type: 'int', value: 1.5 } }, /not an integer/],
  ])('refuses %s with parameters %j', async (sql, parameters, message) => {
    await expect(build(sql, { parameters })).rejects.toMatchObject({
      code: 'PARAMETER_INVALID',
      message: expect.stringMatching(message) as string,
    })
  })

  test('is written in canonical order when its order means nothing and a reader sees it', async () => {
    const sql = (order: string) =>
      `SELECT * FROM (VALUES (2, 'b', -0.0), (1, NULL, 0.0), (2, 'a', 0.0), (1, NULL, -0.0)) t(a, b, c) ORDER BY ${order}`
    const digests = []
    for (const order of ['a, c', 'b DESC', 'random()']) {
      await build(sql(order), { unordered: true, canonicalOrder: true })
      digests.push((await engine.ingest(ingestOf({ unordered: true }), never)).facts.digests)
    }
    expect(digests[1]).toEqual(digests[0])
    expect(digests[2]).toEqual(digests[0])
    const { input } = await build(sql('random()'), { unordered: true, canonicalOrder: true })
    expect(await rowsOf('FROM t', [input])).toHaveLength(4)
    const kept = await build('SELECT i FROM range(50000) r(i) ORDER BY (i * 7919) % 50000')
    const wrapped = await build('SELECT i::HUGEINT AS i FROM range(50000) r(i) ORDER BY (i * 7919) % 50000')
    const inOrder =
      'SELECT count(*) FROM (SELECT (i * 7919) % 50000 AS k, row_number() OVER () - 1 AS n FROM t) WHERE k = n'
    expect(await rowsOf(inOrder, [kept.input])).toEqual([[50000]])
    expect(await rowsOf(inOrder, [wrapped.input])).toEqual([[50000]])
  })

  test('has the digest of its order also when a column is named as the reader names row numbers', async () => {
    const digestOf = async (sql: string) => {
      await build(sql)
      return (await engine.ingest(ingestOf({}), never)).facts.digests
    }
    const rows = 'SELECT i AS file_row_number FROM range(5000) r(i) ORDER BY file_row_number'
    const up = await digestOf(rows)
    const down = await digestOf(`${rows} DESC`)
    expect(down.multiset).toBe(up.multiset)
    expect(down.sequence).not.toBe(up.sequence)
    expect((await digestOf(`${rows} DESC`)).sequence).toBe(down.sequence)
  })

  test('keeps what Parquet cannot hold, as integers of 64 bits, or says which column and value it is', async () => {
    const { input } =
      await build(`SELECT sum(i) AS total, [sum(i)] AS list, {'n': sum(i), 'HUGEINT': 1} AS s, map {'k': sum(i)} AS m,
      7::UHUGEINT AS u, INTERVAL '1 month 2 days 3.004 seconds' AS span FROM range(4) r(i)`)
    const { columns, rows } = await engine.query('FROM t', [input], 10)
    expect(columns.map(({ type }) => type)).toEqual([
      'BIGINT',
      'BIGINT[]',
      'STRUCT("n" BIGINT, "HUGEINT" INTEGER)',
      'MAP(VARCHAR, BIGINT)',
      'UBIGINT',
      'INTERVAL',
    ])
    expect(rows[0]?.slice(0, 2)).toEqual([6, ['6']])
    const huge = '170141183460469231731687303715884105727'
    await expect(build(`SELECT ${huge}::HUGEINT AS total`)).rejects.toMatchObject({
      message: expect.stringContaining(`Column total holds ${huge}`) as string,
    })
    await expect(build(`SELECT INTERVAL '3 microseconds' AS gap`)).rejects.toMatchObject({
      message: expect.stringContaining('Column gap holds 00:00:00.000003') as string,
    })
    await expect(build(`SELECT INTERVAL '-1 day' AS gap`)).rejects.toMatchObject({
      message: expect.stringContaining('Column gap holds') as string,
    })
    for (const value of [
      `'12:00+02'::TIMETZ`,
      'union_value(a := 1)',
      `[INTERVAL '1 day']`,
      `{'a': '12:00+02'::TIMETZ}`,
    ]) {
      await expect(build(`SELECT ${value} AS odd`)).rejects.toMatchObject({
        details: { column: 'odd' },
        hint: 'write "odd"::VARCHAR AS "odd"',
      })
    }
  })

  test('may pivot, with columns that only the data knows', async () => {
    const { input } = await build(`PIVOT (VALUES ('x', 1), ('y', 2)) t(k, v) ON k USING sum(v)`)
    expect(await rowsOf('FROM t', [input])).toEqual([[1, 2]])
    expect(await rowsOf(`PIVOT (VALUES ('x', 1)) t(k, v) ON k USING sum(v)`)).toEqual([[1]])
  })

  test('replaces the output of an earlier attempt, and leaves none when it fails', async () => {
    await build('SELECT 1 AS a')
    await expect(build(`SELECT error('no') AS a`)).rejects.toMatchObject({
      message: expect.stringContaining('no') as string,
    })
    expect(fs.existsSync(join(folder, 'data.parquet')) && fs.statSync(join(folder, 'data.parquet')).size > 0).toBe(
      false,
    )
    expect((await build('SELECT 2 AS a')).rows).toBe(1)
  })
})

describe('an error', () => {
  test.each([
    ['SELECT 1,\n  ünknown,\n  totl FROM t', 2, 3, /Referenced column "ünknown" not found/],
    ['SELECT 1 AS ü, totl\nFROM t', 1, 16, /Candidate bindings: "total"/],
    ['SELECT 1 AS ü,\n  total FRM t', 2, 13, /syntax error at or near "t"/],
    ['SELEC 1', 1, 1, /syntax error at or near "SELEC"/],
    ['SELECT upperr(total) FROM t', 1, 8, /Did you mean "upper"/],
    ['-- a comment\nSELECT * FROM tt', 2, 15, /Table with name tt does not exist/],
    ['SELECT 1; SELECT 2', 1, 1, /found 2 statements/],
    ['', 1, 1, /no query/],
  ])('in %j has its line, column and the engine’s own words', async (sql, line, column, message) => {
    const inputs = [{ relation: 't', files: [file('t.csv', 'id,total\n1,2\n')], format: 'csv' as const, options: {} }]
    const expected = {
      code: 'QUERY_FAILED',
      message: expect.stringMatching(message) as string,
      details: { line, column },
    }
    await expect(engine.runSql(sqlStep(sql, { inputs }), never)).rejects.toMatchObject(expected)
    await expect(
      engine.runSql(sqlStep(sql, { inputs, unordered: true, canonicalOrder: true }), never),
    ).rejects.toMatchObject(expected)
    await expect(engine.query(sql, inputs, 10)).rejects.toMatchObject(expected)
  })

  test('of the data says what could not be converted', async () => {
    await expect(build(`SELECT 'x'::INTEGER AS a`)).rejects.toMatchObject({
      message: expect.stringContaining(`Could not convert string 'x' to INT32`) as string,
      details: { type: 'Conversion' },
    })
  })
})

describe('a hostile query', () => {
  let secret: string
  let inside: RelationInput
  /** Where no sandbox stands behind DuckDB's own locks. */
  let open: DuckDbEngine

  afterAll(() => open.close())

  beforeAll(async () => {
    open = await openDuckDbEngine({
      sandbox: await openSandbox({ mode: 'off', python: null }),
      storeRoot: join(root, 'store'),
      tempRoot: join(root, 'tmp', 'open'),
      python: null,
      writableRoots: [join(root, 'tmp')],
    })
    fs.mkdirSync(join(root, 'store'), { recursive: true })
    secret = file('secret.csv', 'secret\ncanary-7c1f\n')
    inside = { relation: 't', files: [file('mine.csv', 'a\n1\n')], format: 'csv', options: {} }
  })

  const texts = (): readonly string[] => [
    `SELECT * FROM read_csv('/etc/passwd')`,
    `SELECT * FROM read_csv('${secret}')`,
    `SELECT * FROM read_csv('${join(root, 'store')}/../store/secret.csv')`,
    `SELECT * FROM read_csv('${join(root, 'store')}/*.csv')`,
    `SELECT * FROM '${secret}'`,
    `SELECT * FROM read_text('${secret}')`,
    `SELECT * FROM read_blob('${secret}')`,
    `SELECT * FROM read_json('${secret}')`,
    `SELECT * FROM glob('/etc/*')`,
    `SELECT * FROM parquet_metadata('${secret}')`,
    `SELECT * FROM sniff_csv('${secret}')`,
    `SELECT * FROM query('SELECT * FROM read_csv(''${secret}'')')`,
    `SELECT * FROM query_table('${secret}')`,
    `SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')`,
    `SELECT * FROM sqlite_scan('${secret}', 't')`,
    `SELECT getenv('HOME')`,
    `COPY (SELECT 1) TO '${join(root, 'stolen.csv')}'`,
    `COPY t FROM '${secret}'`,
    `SELECT 1) TO '${join(root, 'stolen.csv')}' (FORMAT csv); --`,
    `SELECT 1)) TO '${join(root, 'stolen.csv')}' (FORMAT csv); COPY ((SELECT 1`,
    `EXPORT DATABASE '${join(root, 'stolen')}'`,
    `ATTACH '${join(root, 'stolen.db')}'`,
    `INSTALL httpfs`,
    `LOAD '${secret}'`,
    `SET enable_external_access = true`,
    `RESET lock_configuration`,
    `PRAGMA enable_external_access`,
    `CREATE TABLE x AS SELECT 1`,
    `INSERT INTO t VALUES (1)`,
    `DROP VIEW t`,
    `EXECUTE p`,
    `CALL pragma_version()`,
    `EXPLAIN ANALYZE SELECT 1`,
    `SELECT 1; COPY (SELECT 1) TO '${join(root, 'stolen.csv')}'`,
  ]

  test('reads and writes nothing but its own files, whatever it says', async () => {
    for (const sql of texts()) {
      for (const attempt of [
        () => open.query(sql, [inside], 10),
        () => open.runSql(sqlStep(sql, { inputs: [inside] }), never),
        () => open.runSql(sqlStep(sql, { inputs: [inside], canonicalOrder: true, unordered: true }), never),
      ]) {
        const outcome = await attempt().then(
          (value) => JSON.stringify(value),
          (error: unknown) => error,
        )
        // Refused by DuckDB in its own words, not by the end of the worker.
        expect(outcome, sql).toMatchObject({
          code: 'QUERY_FAILED',
          details: {
            type: expect.stringMatching(
              /^(Parser|Binder|Catalog|Permission|Invalid Input|Missing Extension|IO|Not implemented)$/,
            ) as string,
          },
        })
        expect(JSON.stringify(outcome), sql).not.toContain('canary-7c1f')
      }
    }
    expect(fs.readdirSync(root).filter((name) => name.startsWith('stolen'))).toEqual([])
  })

  test('is one query when comments hold the semicolons', async () => {
    expect(await rowsOf('/* ; */ SELECT 1 /* /* */ ; SELECT 2 -- */ -- ;')).toEqual([[1]])
    expect(await rowsOf(`SELECT '; --' || $$;$$ AS ";" ; /* ; */ ;`)).toEqual([['; --;']])
  })

  test('has the same locks in its macros', async () => {
    const macros = [`CREATE MACRO steal() AS TABLE SELECT * FROM read_csv('${secret}')`]
    await expect(open.runSql(sqlStep('FROM steal()', { macros }), never)).rejects.toMatchObject({
      details: { type: 'Permission' },
    })
    const statements = [`COPY (SELECT 1) TO '${join(root, 'stolen.csv')}'`, `SET lock_configuration = false`]
    for (const statement of statements) {
      await expect(open.runSql(sqlStep('SELECT 1', { macros: [statement] }), never)).rejects.toMatchObject({
        code: 'QUERY_FAILED',
      })
    }
    expect(fs.existsSync(join(root, 'stolen.csv'))).toBe(false)
  })

  test('cannot reach another file through a reader option or a relation’s name', async () => {
    const options = { "header = true) UNION ALL FROM read_text('/etc/passwd') --": true }
    await expect(open.query('FROM t', [{ ...inside, options }], 10)).rejects.toMatchObject({ code: 'QUERY_FAILED' })
    const relation = `t AS SELECT 1; COPY (SELECT 1) TO '${join(root, 'stolen.csv')}'; --`
    await open.query('SELECT 1', [{ ...inside, relation }], 10)
    expect(fs.existsSync(join(root, 'stolen.csv'))).toBe(false)
  })

  test('runs out of memory, time and room by itself, and the next one works', async () => {
    await expect(
      engine.runSql(
        sqlStep(`SELECT repeat('x', 1000) || i AS a, count(*) FROM range(100000000) r(i) GROUP BY ALL`, {
          timeoutMs: 300,
        }),
        never,
      ),
    ).rejects.toMatchObject({ code: 'QUERY_FAILED', details: { kind: 'time-limit' } })
    await expect(
      engine.runSql(sqlStep('SELECT list(i) AS a FROM range(1000000000) r(i)', { memoryBytes: 64_000_000 }), never),
    ).rejects.toMatchObject({ code: 'QUERY_FAILED', details: { type: 'Out of Memory' } })
    const cancel = new AbortController()
    const running = engine.runSql(
      sqlStep('SELECT count(*) AS n FROM range(100000000000) a(i) WHERE hash(i) = 1'),
      cancel.signal,
    )
    setTimeout(() => cancel.abort(), 100)
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
    expect((await build('SELECT 1 AS a')).rows).toBe(1)
    const spills = join(root, 'tmp', 'engine')
    const left = fs.readdirSync(spills, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    expect(left).toEqual([])
    const folders = fs.readdirSync(spills).flatMap((name) => fs.readdirSync(join(spills, name)))
    expect(folders.filter((name) => name.startsWith('spill-'))).toEqual([])
  })
})

describe('ingest', () => {
  test('digests and profiles a table, and agrees with a later digest of the same columns', async () => {
    await build(`SELECT i AS id, if(i % 2 = 0, NULL, 'k' || i) AS name, [i] AS list FROM range(5) r(i)`)
    const { entries, facts, columnDigests } = await engine.ingest(
      ingestOf({ columnSets: [['id'], ['name', 'id']] }),
      never,
    )
    expect(entries.map(({ name }) => name)).toEqual(['data.parquet'])
    expect(entries[0]?.sizeBytes).toBe(fs.statSync(join(folder, 'data.parquet')).size)
    expect(facts).toMatchObject({
      kind: 'table',
      rows: 5,
      columns: [
        { name: 'id', type: 'BIGINT' },
        { name: 'name', type: 'VARCHAR' },
        { name: 'list', type: 'BIGINT[]' },
      ],
      profile: [
        { name: 'id', nulls: 0, min: '0', max: '4' },
        { name: 'name', nulls: 3, min: 'k1', max: 'k3' },
        { name: 'list', nulls: 0, min: null, max: null },
      ],
    })
    const files = [join(folder, 'data.parquet')]
    expect(await engine.digest(files, null, 'sequence')).toBe(facts.digests.sequence)
    expect(await engine.digest(files, null, 'multiset')).toBe(facts.digests.multiset)
    expect(await engine.digest(files, ['id'], 'sequence')).toBe(columnDigests[0])
    expect(await engine.digest(files, ['id', 'name'], 'sequence')).toBe(columnDigests[1])
    await expect(engine.digest(files, ['nope'], 'sequence')).rejects.toMatchObject({ details: { column: 'nope' } })
  })

  test('gives equal contents one digest, however the file was written, and tells Python’s metadata apart', async () => {
    const code = `import pandas as pd, sys
df = pd.DataFrame({'a': range(1000), 'b': ['x', None] * 500})
df.to_parquet(sys.argv[1] + '/plain.parquet')
df.to_parquet(sys.argv[1] + '/grouped.parquet', compression=None, row_group_size=7)
df.set_index(df.index + 1).to_parquet(sys.argv[1] + '/indexed.parquet')`
    execFileSync(testPython(), ['-c', code, folder])
    const facts = []
    for (const name of ['plain', 'grouped', 'indexed']) {
      fs.mkdirSync(join(folder, name))
      fs.renameSync(join(folder, `${name}.parquet`), join(folder, name, 'data.parquet'))
      facts.push((await engine.ingest(ingestOf({ folder: join(folder, name) }), never)).facts)
    }
    const [plain, grouped, indexed] = facts
    expect(plain?.rows).toBe(1000)
    expect(grouped?.digests).toEqual(plain?.digests)
    expect(grouped?.metadataDigest).toBe(plain?.metadataDigest)
    expect(plain?.metadataDigest).not.toBe('')
    expect(indexed?.metadataDigest).not.toBe(plain?.metadataDigest)
  })

  test('reads what a pickle names, and never loads it', async () => {
    const canary = join(root, 'loaded')
    const pickles = {
      'data.pickle': `import pickle, collections, decimal; pickle.dump([collections.OrderedDict(a=1), decimal.Decimal(1)], open(f, 'wb'))`,
      'bad.pickle': `open(f, 'wb').write(b'\\x80\\x04not a pickle')`,
      'evil.pickle': `import pickle, os\nclass E:\n  def __reduce__(self): return (os.system, ('touch ${canary}',))\npickle.dump(E(), open(f, 'wb'))`,
    }
    const globals = []
    for (const [name, code] of Object.entries(pickles)) {
      fs.rmSync(folder, { recursive: true })
      fs.mkdirSync(folder)
      execFileSync(testPython(), ['-c', `import sys; f = sys.argv[1]\n${code}`, join(folder, name)])
      const { facts } = await engine.ingest(ingestOf({ kind: 'object', codec: 'pickle' }), never)
      expect(facts.digests.bytes).toMatch(/^[0-9a-f]{64}$/)
      globals.push(facts.globals)
    }
    expect(globals[0]).toEqual([
      { module: 'collections', name: 'OrderedDict' },
      { module: 'decimal', name: 'Decimal' },
    ])
    expect(globals[1]).toBeNull()
    expect(globals[2]).toEqual([{ module: 'posix', name: 'system' }])
    expect(fs.existsSync(canary)).toBe(false)
  })

  test('takes files and reports as bytes with their names', async () => {
    fs.writeFileSync(join(folder, 'report.json'), '{}')
    fs.writeFileSync(join(folder, 'figure 1.png'), 'png')
    const report = await engine.ingest(ingestOf({ kind: 'report', codec: 'report' }), never)
    expect(report.entries.map(({ name }) => name)).toEqual(['figure 1.png', 'report.json'])
    expect(report.facts).toMatchObject({ kind: 'report', sizeBytes: 5, rows: null, columns: null })
    fs.renameSync(join(folder, 'figure 1.png'), join(folder, 'figure 2.png'))
    const renamed = await engine.ingest(ingestOf({ kind: 'report', codec: 'report' }), never)
    expect(renamed.facts.digests.bytes).not.toBe(report.facts.digests.bytes)
  })

  const hostile: readonly (readonly [string, () => void, Partial<IngestRequest>])[] = [
    ['a symbolic link', () => fs.symlinkSync('/etc/passwd', join(folder, 'data')), { kind: 'file', codec: 'file' }],
    [
      'a hard link',
      () => fs.linkSync(file(`linked-${outputs}`, 'x'), join(folder, 'data')),
      { kind: 'file', codec: 'file' },
    ],
    ['a FIFO', () => execFileSync('mkfifo', [join(folder, 'data')]), { kind: 'file', codec: 'file' }],
    ['a folder', () => fs.mkdirSync(join(folder, 'data')), { kind: 'file', codec: 'file' }],
    ['a name with a newline', () => fs.writeFileSync(join(folder, 'a\nb'), ''), { kind: 'file', codec: 'file' }],
    ['a name that is an option', () => fs.writeFileSync(join(folder, '-rf'), ''), { kind: 'file', codec: 'file' }],
    ['more bytes than allowed', () => fs.truncateSync(file(`x`, ''), 0), { kind: 'file', codec: 'file', maxBytes: -1 }],
    ['no table', () => {}, {}],
    [
      'two files for a table',
      () => ['a', 'b'].forEach((name) => fs.writeFileSync(join(folder, `${name}.parquet`), '')),
      {},
    ],
    [
      'two files for an object',
      () => ['a', 'b'].forEach((name) => fs.writeFileSync(join(folder, name), '')),
      { kind: 'object', codec: 'pickle' },
    ],
  ]
  test.each(hostile)('refuses %s', async (name, make, patch) => {
    make()
    if (name.startsWith('more')) fs.writeFileSync(join(folder, 'data'), 'x')
    await expect(engine.ingest(ingestOf(patch), never)).rejects.toMatchObject({ code: 'STEP_FAILED' })
  })

  test('refuses a table that is not Parquet, and one that unpacks to more than is allowed', async () => {
    fs.writeFileSync(join(folder, 'data.parquet'), 'PAR1 nothing PAR1')
    await expect(engine.ingest(ingestOf(), never)).rejects.toMatchObject({ code: 'QUERY_FAILED' })
    await build(`SELECT repeat('x', 1000) AS a FROM range(100000)`)
    expect(fs.statSync(join(folder, 'data.parquet')).size).toBeLessThan(100_000)
    await expect(engine.ingest(ingestOf({ maxRows: 99_999 }), never)).rejects.toMatchObject({
      details: { found: '100000 rows' },
    })
    await expect(engine.ingest(ingestOf({ maxBytes: 10_000_000 }), never)).rejects.toMatchObject({
      details: { found: '100000000 bytes of text' },
    })
    expect((await engine.ingest(ingestOf({ maxRows: 100_000, maxBytes: 100_000_000 }), never)).facts.rows).toBe(100_000)
  })
})

describe('queries and exports', () => {
  test('a query gives at most its limit and says that there is more', async () => {
    const { input } = await build('SELECT i FROM range(5000) r(i) ORDER BY i')
    expect(await engine.query('FROM t', [input], 2)).toEqual({
      columns: [{ name: 'i', type: 'BIGINT' }],
      rows: [[0], [1]],
      truncated: true,
    })
    expect((await engine.query('FROM t', [input], 5000)).truncated).toBe(false)
    expect(await engine.query('SELECT i FROM range(100000000000) r(i)', [], 1)).toMatchObject({ truncated: true })
    const text = { parameters: { x: { type: 'str', value: 'a' } }, macros: ['CREATE MACRO shout(x) AS upper(x)'] }
    expect((await engine.queryWith('SELECT shout($x)', [], 10, text)).rows).toEqual([['A']])
  })

  test('values come as text-safe scalars', async () => {
    const rows = await rowsOf(
      `SELECT 1.5::DOUBLE, 'nan'::DOUBLE, 12.30::DECIMAL(5, 2), DATE '2024-01-01', NULL, [1, 2], '\\xff'::BLOB, true`,
    )
    expect(JSON.parse(JSON.stringify(rows))).toEqual(rows)
    expect(rows[0]?.slice(2, 5)).toEqual(['12.30', '2024-01-01', null])
  })

  test('exports to each format what a query reads again', async () => {
    const { input } = await build(`SELECT i AS a, 'x,"' || i AS b FROM range(3) r(i)`)
    for (const format of ['parquet', 'csv', 'json'] as const) {
      const target = join(folder, `export.${format}`)
      fs.writeFileSync(target, 'old')
      await engine.exportTo([input], format, target)
      expect(
        await rowsOf('SELECT a::VARCHAR, b FROM t', [{ relation: 't', files: [target], format, options: {} }]),
      ).toEqual([
        ['0', 'x,"0'],
        ['1', 'x,"1'],
        ['2', 'x,"2'],
      ])
    }
  })

  test('reads many files of one relation in order, CSV and JSON with options, and no columns from folder names', async () => {
    fs.mkdirSync(join(root, 'store', 'year=2024'), { recursive: true })
    const files = [file('b.csv', 'a;b\n1;2\n'), file('year=2024/a.csv', 'a;b\n3;4\n')]
    const options = { delim: ';', types: { a: 'VARCHAR' } }
    expect(await engine.query('FROM t', [{ relation: 't', files, format: 'csv', options }], 10)).toMatchObject({
      columns: [
        { name: 'a', type: 'VARCHAR' },
        { name: 'b', type: 'BIGINT' },
      ],
      rows: [
        ['1', 2],
        ['3', 4],
      ],
    })
    const json = file('x.json', '[{"a": {"b": [1]}}]')
    expect(
      await rowsOf('SELECT a.b[1] FROM t', [{ relation: 't', files: [json], format: 'json', options: {} }]),
    ).toEqual([[1]])
  })

  test('relations have the names that FROM uses, with schema and catalog', async () => {
    const { input } = await build('SELECT 1 AS a')
    for (const relation of ['orders', 'staging.orders', 'lake.staging.orders', 'Weird "name"', 'select']) {
      const from = relation
        .split('.')
        .map((part) => `"${part.replaceAll('"', '""')}"`)
        .join('.')
      expect(await rowsOf(`SELECT a FROM ${from}`, [{ ...input, relation }])).toEqual([[1]])
    }
  })
})

describe('the parser', () => {
  test('gives trees, comments and what it knows of the functions', async () => {
    const [parsed, volatile, unknown] = await engine.parse([
      `-- @param x int = 1\nSELECT a, sum(b) FROM t WHERE c = '-- no' AND d = $x /* no */ -- last\nGROUP BY a;`,
      'SELECT random(), now()',
      'SELECT uper(a) FROM t',
    ])
    expect(parsed?.problem).toBeNull()
    expect(parsed?.comments).toEqual([
      { text: ' @param x int = 1', line: 1, column: 3 },
      { text: ' last', line: 2, column: 65 },
    ])
    expect(JSON.stringify(parsed?.tree)).toContain('SELECT_NODE')
    expect(parsed?.functions).toEqual([{ name: 'sum', stability: 'CONSISTENT', type: 'aggregate', suggestion: null }])
    expect(volatile?.functions.map(({ name, stability }) => [name, stability])).toEqual([
      ['now', 'CONSISTENT_WITHIN_QUERY'],
      ['random', 'VOLATILE'],
    ])
    expect(unknown?.functions).toEqual([{ name: 'uper', stability: null, type: 'other', suggestion: 'upper' }])
  })

  test('gives one tree to texts that differ in comments and layout only', async () => {
    const trees = (await engine.parse(['SELECT a FROM t', '  select   a\n from t -- x', 'SELECT b FROM t'])).map(
      ({ tree }) => JSON.stringify(tree, (key, value: unknown) => (key === 'query_location' ? undefined : value)),
    )
    expect(trees[1]).toBe(trees[0])
    expect(trees[2]).not.toBe(trees[0])
  })

  test.each([
    ['', 'empty', 1, 1],
    ['-- only\n;', 'empty', 1, 1],
    ['SELECT 1\nFROM', 'syntax', 2, 5],
    ['SELECT ü FRM t WHERE', 'syntax', 1, 14],
    ['SELECT 1;\nSELECT 2', 'many-statements', 2, 1],
    ['-- x\nCREATE TABLE t AS SELECT 1', 'not-a-query', 2, 1],
    [`COPY (SELECT 1) TO 'x'`, 'not-a-query', 1, 1],
    ['SET threads = 1', 'not-a-query', 1, 1],
  ])('finds the problem of %j', async (text, kind, line, column) => {
    const [parsed] = await engine.parse([text])
    expect(parsed).toMatchObject({ tree: null, problem: { kind, line, column } })
  })

  test('takes a pivot for a query without a tree', async () => {
    expect((await engine.parse(['PIVOT t ON k USING sum(v)']))[0]).toMatchObject({ tree: null, problem: null })
  })

  test('reads macros, and refuses other statements in their files', async () => {
    const { macros, problems } = await engine.parseMacros([
      {
        file: 'a.sql',
        text: '-- adds\nCREATE MACRO add2(a, b) AS a + b; CREATE OR REPLACE MACRO pick(n) AS TABLE SELECT * FROM range(n);',
      },
      { file: 'b.sql', text: 'CREATE MACRO fine() AS 1;\nDROP TABLE x' },
      { file: 'c.sql', text: 'CREATE MACRO broken( AS 1' },
    ])
    expect(macros.map(({ name, file: from, parameters }) => [name, from, parameters])).toEqual([
      ['add2', 'a.sql', ['a', 'b']],
      ['pick', 'a.sql', ['n']],
    ])
    expect(macros.every(({ tree, definition }) => tree !== null && definition !== '')).toBe(true)
    expect(problems).toMatchObject([
      { file: 'b.sql', kind: 'not-a-query', line: 2, column: 1 },
      { file: 'c.sql', kind: 'syntax', line: 1 },
    ])
  })
})

describe('a SQLite source', () => {
  function database(sql: string): string {
    const path = join(root, 'store', `source-${outputs}.db`)
    new Database(path).exec(sql).close()
    return path
  }

  test('is captured with its types', async () => {
    const path = database(`CREATE TABLE t (i INTEGER, f REAL, s TEXT, b BLOB, n TEXT);
      INSERT INTO t VALUES (9007199254740993, 0.1, 'a"\n\u00fc', x'00ff', NULL), (-1, 1e300, '', x'', NULL)`)
    expect(await engine.runSqlite(path, 'SELECT * FROM t', folder)).toEqual({ rows: 2 })
    expect(fs.readdirSync(folder)).toEqual(['data.parquet'])
    const input = parquet(join(folder, 'data.parquet'))
    const { columns, rows } = await engine.query('SELECT i, f, s, hex(b) AS b, n FROM t', [input], 10)
    expect(columns.map(({ type }) => type)).toEqual(['BIGINT', 'DOUBLE', 'VARCHAR', 'VARCHAR', 'VARCHAR'])
    expect(rows).toEqual([
      ['9007199254740993', 0.1, 'a"\nü', '00FF', null],
      [-1, 1e300, '', '', null],
    ])
    expect(await engine.runSqlite(path, 'SELECT i FROM t WHERE false', folder)).toEqual({ rows: 0 })
  })

  test.each([
    ['SELECT v FROM mixed', /two types: BIGINT and VARCHAR/],
    ['SELECT v, v FROM mixed', /two columns named v/],
    ['DELETE FROM mixed', /must be a SELECT/],
    ['INSERT INTO mixed VALUES (1) RETURNING v', /must be a SELECT/],
    [`ATTACH '/tmp/x.db' AS x`, /must be a SELECT/],
    ['SELECT nope FROM mixed', /no such column: nope/],
    ['SELECT 1; DELETE FROM mixed', /more than one statement/],
  ])('refuses %s', async (query, message) => {
    const path = database(`CREATE TABLE mixed (v); INSERT INTO mixed VALUES (1), ('x')`)
    await expect(engine.runSqlite(path, query, folder)).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringMatching(message) as string,
    })
    expect(new Database(path).prepare('SELECT count(*) FROM mixed').pluck().get()).toBe(2)
  })

  test('that is not there is missing, and one that is no database failed', async () => {
    await expect(engine.runSqlite(join(root, 'nothing.db'), 'SELECT 1', folder)).rejects.toMatchObject({
      code: 'SOURCE_MISSING',
    })
    const text = file('text.db', 'no database'.repeat(100))
    await expect(engine.runSqlite(text, 'SELECT * FROM t', folder)).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
  })
})

describe('a worker that dies', () => {
  test('fails the call it had, and the next call starts another', async () => {
    await build('SELECT 1 AS a')
    const before = engine.workerPids().steps
    const running = engine.runSql(
      sqlStep('SELECT count(*) AS n FROM range(100000000000) a(i) WHERE hash(i) = 1'),
      never,
    )
    setTimeout(() => process.kill(before!, 'SIGKILL'), 100)
    await expect(running).rejects.toMatchObject({
      code: 'QUERY_FAILED',
      retryable: true,
      details: { kind: 'out-of-memory' },
    })
    expect((await build('SELECT 1 AS a')).rows).toBe(1)
    expect(engine.workerPids().steps).not.toBe(before)
  })

  test('lets calls that were beside it run again, each alone', async () => {
    await build('SELECT 1 AS a')
    const before = engine.workerPids().steps!
    const folders = [1, 2, 3].map((n) => join(folder, String(n)))
    const slow = 'SELECT count(*) AS n FROM range(60000000) a(i) WHERE hash(i) = 1'
    folders.forEach((outputFolder) => fs.mkdirSync(outputFolder))
    const running = folders.map((outputFolder) => engine.runSql(sqlStep(slow, { outputFolder }), never))
    setTimeout(() => process.kill(before, 'SIGKILL'), 50)
    expect(await Promise.all(running)).toEqual([{ rows: 1 }, { rows: 1 }, { rows: 1 }])
    expect(engine.workerPids().steps).not.toBe(before)
  })

  test('is ended by closing the engine, with its spill folder', async () => {
    const other = await openDuckDbEngine({
      sandbox: await openSandbox({ mode: 'off', python: null }),
      storeRoot: join(root, 'store'),
      tempRoot: join(root, 'other'),
      python: null,
    })
    await other.query('SELECT 1', [], 1)
    const pid = other.workerPids().steps!
    const waiting = other.query('SELECT count(*) AS n FROM range(100000000000) a(i) WHERE hash(i) = 1', [], 1)
    const ended = expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    await other.close()
    await ended
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/)
    expect(fs.readdirSync(join(root, 'other', 'engine'))).toEqual([])
    await expect(other.query('SELECT 1', [], 1)).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
