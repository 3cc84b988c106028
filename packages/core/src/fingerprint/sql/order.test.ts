import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseTexts } from '../../engines/duckdb/parse.ts'
import { orderOf } from './order.ts'
import type { OrderFacts } from './order.ts'

let instance: DuckDBInstance
let connection: DuckDBConnection
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  connection = await instance.connect()
})
afterAll(() => instance.closeSync())

async function facts(sql: string): Promise<OrderFacts> {
  const [parsed] = await parseTexts([sql])
  expect(parsed!.problem).toBeNull()
  return orderOf(parsed!.tree, parsed!.functions, new Set(['macro_of_ours']))
}

describe('a query is ordered', () => {
  test.each([
    'select a, b from t order by a, b',
    'select a, b from t order by 2, 1',
    'select a, f as x from t order by x, a',
    'select a from t order by all',
    'select a, max(b) from t group by a order by a',
    'select a as k, c, max(b) from t group by a, c order by k, c desc',
    'select distinct a from t order by a',
    'select a + b from t order by a + b limit 3',
  ])('by %s', async (sql) => {
    expect((await facts(sql)).unordered).toBe(false)
  })

  test.each([
    'select a, b from t',
    'select a, b from t order by a',
    'select * from t order by a, b',
    'select a, b as a from t order by a',
    'select a, max(b) from t group by a, c order by a',
    'select a, max(b) from t group by grouping sets ((a), ()) order by max(b)',
    'select a, unnest([1, 2]) as u from t order by a, u, b',
    '(select a from t order by a) union all select b from t',
    'select a from (select a from t order by a)',
  ])('not by %s', async (sql) => {
    expect((await facts(sql)).unordered).toBe(true)
  })
})

test('a query whose last word is a sort is kept in that order, however it ties', async () => {
  expect((await facts('select * from t order by a desc')).sorted).toBe(true)
  expect((await facts('select a from (select a from t order by a)')).sorted).toBe(false)
})

const orderFree = [
  'select a, f from t where b > 1',
  'select a, count(*), min(f), max(c), bool_or(b > 2), sum(b::int) from t group by a',
  'select distinct a, c from t',
  'select t.a, u.c from t join t as u on t.a = u.b',
  'select t.a, u.c from t left join t as u using (a)',
  'select a from t union all select b from t',
  'select a from t except select b from t',
  'select upper(c), a * 2, case when b > 1 then c end from t order by a',
  'select a from (select a, b from t where b in (1, 2)) group by all having count(*) > 1',
]
const orderBound = [
  'select a from t limit 3',
  'select row_number() over () as n, a from t',
  'select first(c) from t',
  'select list(a) from t',
  "select string_agg(c, ',') from t",
  'select sum(f) from t',
  'select avg(a) from t',
  'select distinct on (a) c from t',
  'select a from (select a from t order by b limit 2)',
  'select t.a, u.c from t asof join t as u on t.a >= u.b',
  'select t.a, u.c from t positional join t as u',
  'select any_value(c) from t group by a',
  'select a from t using sample 3 rows',
  'select macro_of_ours(a) from t',
  'select random() as r, a from t',
]

describe('a result is a function of its inputs as multisets', () => {
  test.each(orderFree)('for %s, and the engine agrees', async (sql) => {
    expect((await facts(sql)).orderFree).toBe(true)
    const results = []
    for (const order of ['a, b, c', 'b desc, c', 'c desc, a desc, b']) {
      await connection.run(`create or replace table t as select * from (
        select (i * 7) % 5 as a, (i * 3) % 4 as b, chr((97 + i % 3)::int) as c, (i % 6) * 0.1::double as f from range(24) r(i)) order by ${order}`)
      const rows = (await connection.runAndReadAll(sql)).getRowsJson().map((row) => JSON.stringify(row))
      results.push(rows.sort())
    }
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })

  test.each(orderBound)('not for %s', async (sql) => {
    expect((await facts(sql)).orderFree).toBe(false)
  })
})
