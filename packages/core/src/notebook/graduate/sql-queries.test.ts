import { describe, expect, it } from 'vitest'
import { isMemoryConnection, queryText, readQuery } from './sql-queries.ts'

const isDuckdb = (name: string): boolean => name === 'duckdb'
const read = (text: string) => readQuery(text, isDuckdb)

describe('readQuery', () => {
  it.each([
    'x = duckdb.sql("select 1").df()',
    "x = duckdb.query('select 1').to_df()",
    'x = duckdb.execute("""select 1""").fetchdf();',
    'x = duckdb.sql(\n    "select 1",\n).df()',
    'x=duckdb.sql(r"select 1").df()',
  ])('takes %j', (text) => {
    expect(read(text)).toEqual({ sql: 'select 1', receiver: 'duckdb' })
  })

  it.each([
    ['x = duckdb.sql(f"select {n}").df()', 'put together'],
    ['x = duckdb.sql("select " + what).df()', 'put together'],
    ['x = duckdb.sql("select %d" % n).df()', 'put together'],
    ['x = duckdb.sql("select {}".format(n)).df()', 'put together'],
    ['x = duckdb.sql("select \'a" "b\'").df()', 'put together'],
    ['x = duckdb.execute("select ?", [1]).df()', 'parameters'],
    ['x = duckdb.sql("select 1", params=[1]).df()', 'parameters'],
    ['x = duckdb.sql(query).df()', 'variable'],
    ['x = duckdb.sql("select \'\\n\'").df()', 'escapes'],
    ['x = duckdb.sql("select 1").pl()', 'polars'],
    ['x = duckdb.sql("select 1").df().head()', 'more than'],
    ['x = y = duckdb.sql("select 1").df()', 'more than'],
    ['duckdb.sql("create table t as select 1")', 'more than'],
  ])('leaves %j to Python', (text, why) => {
    expect((read(text) as { why: string }).why).toContain(why)
  })

  it('is not asked by others', () => {
    expect(read('x = engine.execute("select 1").df()')).toBeNull()
    expect(read('x = frame.query("a > 1")')).toBeNull()
    expect(read('x = tools.duckdb.sql("select 1").df()')).toBeNull()
  })
})

describe('isMemoryConnection', () => {
  it('knows databases that end with the process', () => {
    for (const text of [
      'con = duckdb.connect()',
      'con = duckdb.connect(":memory:")',
      "con = duckdb.connect(database=':memory:')",
    ])
      expect(isMemoryConnection(text, 'con', isDuckdb)).toBe(true)
    for (const text of [
      'con = duckdb.connect("x.db")',
      'con = duckdb.connect(config={"threads": 1})',
      'other = duckdb.connect()',
    ])
      expect(isMemoryConnection(text, 'con', isDuckdb)).toBe(false)
  })
})

describe('queryText', () => {
  it('takes away the indentation and the end', () => {
    expect(queryText('\n    select 1\n      as a;\n    ')).toBe('select 1\n  as a')
  })

  it('keeps the spaces of a text over several lines', () => {
    expect(queryText("    select 'a\n    b'")).toBe("    select 'a\n    b'")
  })
})
