import { describe, expect, it } from 'vitest'
import { parseMacroFiles, parseTexts } from '../../engines/duckdb/parse.ts'
import type { SqlParser } from '../../engines/sql-parser.ts'
import type { GraduatedStep, Graduation } from '../../notebook/graduation.ts'
import { writeQueries } from './write-queries.ts'

const parser: SqlParser = { version: 'test', parse: parseTexts, parseMacros: parseMacroFiles }

function step(name: string, inputs: Readonly<Record<string, string>>): GraduatedStep {
  return {
    name,
    kind: 'asset',
    language: name === 'made' ? 'sql' : 'python',
    file: name === 'made' ? 'assets/book/made.sql' : 'assets/book.py',
    line: 1,
    cells: [0],
    inputs: Object.entries(inputs).map(([variable, asset]) => ({ argument: asset, asset, source: null, variable })),
    outputs: [{ asset: name, kind: name === 'models' ? 'object' : 'table', variables: [name], afterCell: 0 }],
    locals: [],
    afterRandom: null,
  }
}

function graduation(sql: string, description = ''): Graduation {
  return {
    notebook: { path: 'book.ipynb', digest: '', name: 'book' },
    order: 'document',
    execution: [0],
    repairs: [],
    steps: [
      step('orders', {}),
      step('orders_2', {}),
      step('models', {}),
      step('made', { orders: 'orders_2', names: 'orders', models: 'models' }),
    ],
    files: [],
    lines: [],
    parameters: [],
    sources: [],
    packages: [],
    cut: { cells: 1, steps: 1, largestShare: 1, merges: [] },
    queries: [{ step: 'made', unit: 7, cell: 0, sql, description }],
    unheld: [],
    assumptions: [],
  }
}

async function written(sql: string, asFloats: readonly number[] = [], description = ''): Promise<string> {
  const answer = await writeQueries(parser, graduation(sql, description), new Set(asFloats))
  return answer.unfit.get(7) ?? answer.graduation.files[0]!.text
}

describe('writeQueries', () => {
  it('reads a newer version of a frame under the name of its asset', async () => {
    expect(await written("select 'ä', orders.id from orders join names n on orders.id = n.id")).toBe(
      "select 'ä', orders.id from orders_2 AS orders join orders n on orders.id = n.id\n",
    )
  })

  it('names as inputs what the query reads, and no more', async () => {
    const { graduation: made } = await writeQueries(parser, graduation('select names from orders'), new Set())
    expect(made.steps.find(({ name }) => name === 'made')?.inputs.map(({ asset }) => asset)).toEqual(['orders_2'])
  })

  it('writes sums as floats where that is asked for, under the name they had', async () => {
    const sql = 'select id, sum(n) as total, sum(n) from names group by id'
    expect(await written(sql)).toBe('select id, sum(n) as total, sum(n) from orders AS names group by id\n')
    expect(await written(sql, [7])).toBe(
      'select id, sum(n)::DOUBLE as total, sum(n)::DOUBLE AS "sum(n)" from orders AS names group by id\n',
    )
  })

  it('keeps prose above the cell as comments that annotate nothing', async () => {
    expect(await written('select 1 from orders', [], 'Orders.\n\n@refresh always')).toBe(
      '-- Orders.\n--\n-- (at) refresh always\nselect 1 from orders_2 AS orders\n',
    )
  })

  it.each([
    ['create table t as select 1', 'not one SELECT'],
    ['select 1; select 2', 'not one SELECT'],
    ['select $a from orders', 'parameters'],
    ['select random() from orders', 'random() gives another result'],
    ["select * from 'x.csv'", 'reads a file'],
    ["select * from read_csv('x.csv')", 'reads a file'],
    ['select * from kept', 'kept is no frame'],
    ['select * from models', 'models cannot be kept as a table'],
    [
      'with orders as (select 1) select * from orders join (select * from names) on true',
      'orders is also the name of a WITH',
    ],
  ])('makes no asset of %j', async (sql, why) => {
    expect(await written(sql)).toContain(why)
  })
})
