/** The digest's corpus: what a reader could tell apart has two digests, what it could not has one. On a real DuckDB. */
import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scanTable } from './table-scan.ts'
import type { DigestWish } from './table-scan.ts'

let instance: DuckDBInstance
let connection: DuckDBConnection

beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  connection = await instance.connect()
})

afterAll(() => instance.closeSync())

async function digests(sql: string, wishes: readonly DigestWish[]): Promise<readonly string[]> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE content AS ${sql}`)
  await connection.run('CREATE OR REPLACE TEMP VIEW scanned AS FROM content')
  const session = { connection, files: [], close: () => Promise.resolve() }
  const limits = { maxRows: null, maxBytes: null }
  return (await scanTable(session, { wishes, profiled: false, limits })).digests
}

const multiset: DigestWish = { columns: null, form: 'multiset' }
const sequence: DigestWish = { columns: null, form: 'sequence' }

/** Both forms. */
async function both(sql: string): Promise<readonly string[]> {
  return digests(sql, [multiset, sequence])
}

async function expectDifferent(a: string, b: string): Promise<void> {
  const [first, second] = [await both(a), await both(b)]
  expect(first[0]).not.toBe(second[0])
  expect(first[1]).not.toBe(second[1])
}

const differentValues: readonly (readonly [type: string, a: string, b: string])[] = [
  ['INTEGER', '1', '2'],
  ['INTEGER', '0', 'NULL'],
  ['BIGINT', '9007199254740993', '9007199254740992'],
  ['HUGEINT', '170141183460469231731687303715884105727', '170141183460469231731687303715884105726'],
  ['BOOLEAN', 'false', 'NULL'],
  ['VARCHAR', `''`, 'NULL'],
  ['VARCHAR', `'a'`, `'a '`],
  ['VARCHAR', `'a'`, `'A'`],
  ['VARCHAR', `'NULL'`, 'NULL'],
  ['VARCHAR', `chr(233)`, `'e' || chr(769)`],
  ['VARCHAR', `'a' || chr(0)`, `'a'`],
  ['VARCHAR', `'123456789012'`, `'1234567890123'`],
  ['BLOB', `''::BLOB`, `'\\x00'::BLOB`],
  ['DOUBLE', '0.0', `'-0.0'`],
  ['FLOAT', '0.0', `'-0.0'`],
  ['DOUBLE', `'nan'`, 'NULL'],
  ['DOUBLE', `'nan'`, `'infinity'`],
  ['DOUBLE', `'infinity'`, `'-infinity'`],
  ['DOUBLE', '0.1::DOUBLE + 0.2::DOUBLE', '0.3'],
  ['DOUBLE', '5e-324', '0'],
  ['DECIMAL(18, 3)', '1.100', '1.101'],
  ['DECIMAL(38, 0)', '99999999999999999999999999999999999999', '99999999999999999999999999999999999998'],
  ['DATE', `'2024-02-29'`, `'2024-03-01'`],
  ['DATE', `'infinity'`, `'-infinity'`],
  ['TIMESTAMP', `'2024-01-01 00:00:00.000001'`, `'2024-01-01'`],
  ['TIMESTAMP_NS', `'2024-01-01 00:00:00.000000001'`, `'2024-01-01'`],
  ['TIME', `'00:00:00'`, `'24:00:00'`],
  ['TIMETZ', `'12:00:00+00'`, `'14:00:00+02'`],
  ['INTERVAL', `'1 month'`, `'30 days'`],
  ['INTERVAL', `'1 day'`, `'24 hours'`],
  ['INTERVAL', `'12 months 1 day'`, `'1 month 331 days'`],
  ['UUID', `'00000000-0000-0000-0000-000000000001'`, `'00000000-0000-0000-0000-000000000000'`],
  ['BIT', `'0'`, `'00'`],
  [`ENUM('a', 'b')`, `'a'`, `'b'`],
  ['INTEGER[]', '[]', 'NULL'],
  ['INTEGER[]', '[]', '[NULL]'],
  ['INTEGER[]', '[NULL]', 'NULL'],
  ['INTEGER[]', '[NULL]', '[NULL, NULL]'],
  ['INTEGER[]', '[1, 2]', '[2, 1]'],
  ['INTEGER[]', '[12]', '[1, 2]'],
  ['INTEGER[][]', '[[]]', '[]'],
  ['INTEGER[][]', '[[]]', '[NULL]'],
  ['INTEGER[][]', '[[1], [2]]', '[[1, 2]]'],
  ['INTEGER[][]', '[[1, 2], []]', '[[1], [2]]'],
  ['VARCHAR[]', `['']`, '[NULL]'],
  ['VARCHAR[]', `['N']`, '[NULL]'],
  ['VARCHAR[]', `['a', 'b']`, `['a, b']`],
  ['VARCHAR[]', `['a', 'b']`, `['aV1:b']`],
  ['VARCHAR[]', `['a', 'b']`, `['a]V1:b']`],
  ['VARCHAR[]', `['a', NULL]`, `['aN']`],
  ['DOUBLE[]', '[0.0]', `['-0.0'::DOUBLE]`],
  ['DOUBLE[]', `['nan'::DOUBLE]`, '[NULL]'],
  ['DOUBLE[]', '[0.1::DOUBLE + 0.2::DOUBLE]', '[0.3]'],
  ['INTERVAL[]', `['1 month'::INTERVAL]`, `['30 days'::INTERVAL]`],
  ['BLOB[]', `['\\x00'::BLOB]`, `[''::BLOB]`],
  ['INTEGER[2]', '[1, 2]', '[1, NULL]'],
  ['STRUCT(a INTEGER, b INTEGER)', `{'a': 1, 'b': 2}`, `{'a': 2, 'b': 1}`],
  ['STRUCT(a INTEGER, b INTEGER)', `{'a': NULL, 'b': NULL}`, 'NULL'],
  ['STRUCT(a VARCHAR, b VARCHAR)', `{'a': 'x', 'b': NULL}`, `{'a': NULL, 'b': 'x'}`],
  ['STRUCT(a VARCHAR, b VARCHAR)', `{'a': 'xy', 'b': ''}`, `{'a': 'x', 'b': 'y'}`],
  ['STRUCT(a STRUCT(b INTEGER))', `{'a': NULL}`, `{'a': {'b': NULL}}`],
  ['STRUCT(a INTEGER[])[]', `[{'a': [1]}, {'a': [2]}]`, `[{'a': [1, 2]}, {'a': []}]`],
  ['MAP(VARCHAR, INTEGER)', `map {'a': 1}`, `map {'a': NULL}`],
  ['MAP(VARCHAR, INTEGER)', 'map {}', 'NULL'],
  ['MAP(VARCHAR, INTEGER)', `map {'a': 1, 'b': 2}`, `map {'b': 2, 'a': 1}`],
  ['MAP(VARCHAR, INTEGER[])', `map {'a': [1], 'b': [2]}`, `map {'a': [1, 2], 'b': []}`],
  ['UNION(a INTEGER, b INTEGER)', 'union_value(a := 1)', 'union_value(b := 1)'],
  ['UNION(a INTEGER, b VARCHAR)', 'union_value(a := NULL::INTEGER)', 'union_value(b := NULL::VARCHAR)'],
]

describe('values that a reader can tell apart have different digests', () => {
  test.each(differentValues)('%s: %s and %s', async (type, a, b) => {
    const cell = (value: string) => `SELECT (${value})::${type} AS x`
    await expectDifferent(cell(a), cell(b))
    await expectDifferent(`${cell(a)} UNION ALL ${cell(a)}`, `${cell(b)} UNION ALL ${cell(b)}`)
    await expectDifferent(`SELECT x, 7 AS y FROM (${cell(a)})`, `SELECT x, 7 AS y FROM (${cell(b)})`)
  })
})

const differentTables: readonly (readonly [name: string, a: string, b: string])[] = [
  ['types', 'SELECT 1::INTEGER AS a', 'SELECT 1::BIGINT AS a'],
  ['text and number', `SELECT '1' AS a`, 'SELECT 1 AS a'],
  ['scale', 'SELECT 1::DECIMAL(10, 1) AS a', 'SELECT 1::DECIMAL(10, 2) AS a'],
  ['time zone', `SELECT '2024-01-01'::TIMESTAMP AS a`, `SELECT '2024-01-01'::TIMESTAMPTZ AS a`],
  ['names of columns', 'SELECT 1 AS a', 'SELECT 1 AS b'],
  ['case of a name', 'SELECT 1 AS a', 'SELECT 1 AS A'],
  ['order of columns', 'SELECT 1 AS a, 2 AS b', 'SELECT 2 AS b, 1 AS a'],
  ['names of struct members', `SELECT {'a': 1} AS x`, `SELECT {'b': 1} AS x`],
  ['values swapped between columns', 'SELECT 1 AS a, 2 AS b', 'SELECT 2 AS a, 1 AS b'],
  ['NULL in another column', 'SELECT NULL::INTEGER AS a, 1 AS b', 'SELECT 1 AS a, NULL::INTEGER AS b'],
  ['text cut elsewhere', `SELECT 'ab' AS a, 'c' AS b`, `SELECT 'a' AS a, 'bc' AS b`],
  ['re-paired values', `VALUES (1, 'a'), (2, 'b')`, `VALUES (1, 'b'), (2, 'a')`],
  ['re-paired numbers', 'VALUES (1, 10), (2, 20)', 'VALUES (1, 20), (2, 10)'],
  ['equal values in pairs', 'VALUES (1), (1)', 'VALUES (2), (2)'],
  ['which row is there twice', 'VALUES (1), (1), (2)', 'VALUES (1), (2), (2)'],
  ['how often a row is there', 'VALUES (1), (1)', 'VALUES (1)'],
  ['rows of zeros', 'VALUES (0, 0)', 'VALUES (0, 0), (0, 0)'],
  ['no row and a row of NULL', 'SELECT NULL::INTEGER AS a LIMIT 0', 'SELECT NULL::INTEGER AS a'],
  ['schemas of empty tables', 'SELECT 1 AS a LIMIT 0', 'SELECT 1 AS b LIMIT 0'],
  [
    'one cell in a million',
    'SELECT i AS a, i % 7 AS b FROM range(300000) r(i)',
    'SELECT i AS a, if(i = 299999, 9, i % 7) AS b FROM range(300000) r(i)',
  ],
]

test.each(differentTables)('tables that differ in %s have different digests', async (_, a, b) => {
  await expectDifferent(a, b)
})

const equalTables: readonly (readonly [name: string, a: string, b: string])[] = [
  ['bit patterns of NaN', `SELECT 'nan'::DOUBLE AS x`, `SELECT -('nan'::DOUBLE) AS x`],
  ['how text was made', `SELECT 'abcdefghijklmnop' AS x`, `SELECT repeat('abcdefgh', 1) || 'ijklmnop' AS x`],
  ['constant or stored', 'SELECT 5 AS x FROM range(10)', 'SELECT (i * 0 + 5)::INTEGER AS x FROM range(10) r(i)'],
]

test.each(equalTables)('tables that differ only in %s have one digest', async (_, a, b) => {
  expect(await both(a)).toEqual(await both(b))
})

test('the order of rows counts in a sequence, and does not in a multiset', async () => {
  const up = await both('SELECT i, i % 3 AS k FROM range(100000) r(i) ORDER BY i')
  const down = await both('SELECT i, i % 3 AS k FROM range(100000) r(i) ORDER BY i DESC')
  expect(up[0]).toBe(down[0])
  expect(up[1]).not.toBe(down[1])
  expect(await both('SELECT i, i % 3 AS k FROM range(100000) r(i) ORDER BY i')).toEqual(up)
})

test('threads do not count', async () => {
  const sql = `SELECT i, 'text ' || i AS t, i / 7 AS d FROM range(400000) r(i)`
  const parallel = await both(sql)
  await connection.run('SET threads = 1')
  const alone = await both(sql)
  await connection.run('SET threads = 2')
  expect(alone).toEqual(parallel)
})

test('a set of columns has a digest that other columns and the order of asking do not change', async () => {
  const set = (columns: readonly string[]): DigestWish => ({ columns, form: 'multiset' })
  const [ab, ba, a] = await digests('SELECT 1 AS a, 2 AS b, 3 AS c', [set(['a', 'b']), set(['b', 'a']), set(['a'])])
  expect(ab).toBe(ba)
  expect(ab).not.toBe(a)
  const [moved, all] = await digests(`SELECT 'x' AS z, 2 AS b, 1 AS a`, [set(['a', 'b']), multiset])
  expect(moved).toBe(ab)
  expect(all).not.toBe(ab)
  const [renamed, swapped] = await digests('SELECT 2 AS a, 1 AS b', [set(['a', 'b']), set(['a'])])
  expect(renamed).not.toBe(ab)
  expect(swapped).not.toBe(a)
  await expect(digests('SELECT 1 AS a', [set(['b'])])).rejects.toMatchObject({
    code: 'QUERY_FAILED',
    details: { column: 'b' },
  })
})

test('columns may have any name', async () => {
  const names = ['row_number_of_scan', 'select', 'a"b', 'cm_item_0', 'ü', ' ']
  const list = names.map((name, i) => `${i} AS "${name.replaceAll('"', '""')}"`).join(', ')
  const [first, second] = await both(`SELECT ${list}, [[1]] AS nested`)
  expect(first).not.toBe(second)
})

test('two tables of small integers have one multiset digest exactly when they hold the same rows', async () => {
  const row = fc.tuple(
    fc.integer({ min: 0, max: 2 }),
    fc.integer({ min: 0, max: 2 }),
    fc.option(fc.constantFrom('a', 'b', '')),
  )
  const table = fc.array(row, { minLength: 1, maxLength: 4 })
  const literal = (rows: readonly (readonly [number, number, string | null])[]) =>
    `SELECT * FROM (VALUES ${rows.map(([a, b, c]) => `(${a}, ${b}, ${c === null ? 'NULL' : `'${c}'`}::VARCHAR)`).join(', ')}) t(a, b, c)`
  const sorted = (rows: readonly unknown[]) =>
    rows
      .map((each) => JSON.stringify(each))
      .sort()
      .join()
  await fc.assert(
    fc.asyncProperty(table, table, async (a, b) => {
      const [first, second] = [await both(literal(a)), await both(literal(b))]
      expect(first[0] === second[0]).toBe(sorted(a) === sorted(b))
      expect(first[1] === second[1]).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
    { numRuns: 60, seed: 7 },
  )
})

test('two nested values have one digest exactly when they are the same', async () => {
  const item = fc.option(
    fc.array(fc.option(fc.constantFrom('', 'N', 'a', ']', 'V1:', "'"), { nil: null }), { maxLength: 3 }),
    { nil: null },
  )
  const value = fc.array(item, { maxLength: 3 })
  const literal = (lists: readonly (readonly (string | null)[] | null)[]) => {
    const text = (each: string | null) => (each === null ? 'NULL' : `'${each.replaceAll("'", "''")}'`)
    return `SELECT [${lists.map((list) => (list === null ? 'NULL' : `[${list.map(text).join(', ')}]`)).join(', ')}]::VARCHAR[][] AS x`
  }
  await fc.assert(
    fc.asyncProperty(value, value, async (a, b) => {
      expect((await both(literal(a)))[0] === (await both(literal(b)))[0]).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
    { numRuns: 60, seed: 7 },
  )
})

test('a type that cannot be digested is refused with its column and what to write', async () => {
  for (const type of ['VARIANT', 'VARIANT[]']) {
    const value = type === 'VARIANT' ? '1::VARIANT' : '[1::VARIANT]'
    await expect(both(`SELECT ${value} AS strange`)).rejects.toMatchObject({
      code: 'QUERY_FAILED',
      details: { column: 'strange', type },
      hint: expect.stringContaining('"strange"::VARCHAR') as string,
    })
  }
})
