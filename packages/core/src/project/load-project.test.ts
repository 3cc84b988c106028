import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { duckDbVersion } from '../engines/duckdb/duckdb-version.ts'
import { parseMacroFiles, parseTexts } from '../engines/duckdb/parse.ts'
import type { SqlParser } from '../engines/sql-parser.ts'
import { loadProject } from './load-project.ts'
import type { LoadedProject } from './loaded-project.ts'

let base = ''
beforeAll(() => void (base = mkdtempSync(path.join(tmpdir(), 'cellmill-project-'))))
afterAll(() => rmSync(base, { recursive: true, force: true }))

type Files = Readonly<Record<string, string | null>>
let count = 0

class TestProject {
  readonly root: string = path.join(base, String(count++))
  parsed = 0

  write(files: Files): this {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.root, name)
      mkdirSync(path.dirname(file), { recursive: true })
      if (text === null) rmSync(file)
      else writeFileSync(file, text)
    }
    return this
  }

  async load(): Promise<LoadedProject> {
    const parser: SqlParser = {
      version: duckDbVersion,
      parse: async (texts) => {
        this.parsed += texts.length
        return parseTexts(texts)
      },
      parseMacros: parseMacroFiles,
    }
    return loadProject({
      root: this.root,
      clock: systemClock,
      engineVersion: duckDbVersion,
      environment: async () => null,
      sqlParser: async () => parser,
    })
  }

  async problems(): Promise<string[]> {
    const { project } = await this.load()
    return project.diagnostics.map(
      ({ code, at, message, fix }) =>
        `${code} ${at?.file}:${at?.line}:${at?.column}+${at?.length} ${message} | ${fix ?? ''}`,
    )
  }
}

const config =
  "import { defineConfig, file } from '@cellmill/sdk'\nexport default defineConfig({ sources: { orders: file('orders.csv') }, parameters: { min_total: 0 } })\n"
const project = (files: Files): TestProject => new TestProject().write({ 'cellmill.config.ts': config, ...files })
const units = (loaded: LoadedProject, step: string): string[] => {
  const found = loaded.project.steps.find((each) => each.id === step)!
  return loaded.languages[found.language].closures
    .closureOf(found)
    .units.map(({ module, unit, digest }) => `${module}:${unit}:${digest}`)
}

describe('SQL assets', () => {
  test('take their inputs from FROM, their options, parameters and checks from comments', async () => {
    const { project: loaded, graph } = await project({
      'assets/clean.sql': `-- Valid orders.
-- @description One row per valid order
-- @tags daily, core
-- @param since date = '2024-01-01'
-- @param most float = 1.5
-- @check not_null(id), unique(id, day), accepted_values(kind, ['a', 'it''s']), row_count(1, 9)
-- @severity warn
-- @check total >= 0 and total < 10
WITH o AS (SELECT * FROM orders) SELECT id, day, kind, total FROM o WHERE total >= $min_total AND day > $since`,
      'assets/staging/sum.sql': 'SELECT day, sum(total) AS total FROM clean GROUP BY day ORDER BY day',
    }).load()
    expect(loaded.diagnostics).toEqual([])
    expect(graph!.order.map((step) => step.id)).toEqual([
      'clean',
      'clean.not_null(id)',
      'clean.unique(id, day)',
      "clean.accepted_values(kind, ['a', 'it''s'])",
      'clean.row_count(1, 9)',
      'clean.total >= 0 and total < 10',
      'staging.sum',
    ])
    const clean = graph!.byId.get('clean')!
    expect(clean.inputs.map(({ argument, target, form }) => [argument, target, form])).toEqual([
      ['orders', { type: 'source', name: 'orders' }, 'relation'],
    ])
    expect(clean.parameters.map(({ name, type, default: value }) => [name, type, value])).toEqual([
      ['since', 'date', '2024-01-01'],
      ['most', 'float', 1.5],
    ])
    expect(clean.options.tags).toEqual(['daily', 'core'])
    expect(clean.description).toBe('One row per valid order')
    expect(
      loaded.steps.flatMap((step) => (step.check === null ? [] : [[step.check.severity, step.check.rule]])),
    ).toEqual([
      ['error', { type: 'not_null', columns: ['id'] }],
      ['error', { type: 'unique', columns: ['id', 'day'] }],
      ['error', { type: 'accepted_values', column: 'kind', values: ['a', "it's"] }],
      ['error', { type: 'row_count', min: 1, max: 9 }],
      ['warn', { type: 'expression', sql: 'total >= 0 and total < 10' }],
    ])
  })

  test('that read themselves under a CTE of the same name read the source', async () => {
    const { project: loaded } = await project({
      'assets/a.sql': 'with orders as (select id from orders) select id from orders',
    }).load()
    expect(loaded.steps[0]!.inputs.map((input) => input.argument)).toEqual(['orders'])
  })

  test('show what is wrong with its place and what to write', async () => {
    expect(
      await project({
        'assets/files.sql': "select * from 'data/x.csv' join read_csv('y.csv') using (id)",
        'assets/functions.sql': 'select nowe(), lenght(kind) from orders',
        'assets/names.sql': '-- é\nselect * from ordres where x > $min_totl',
        'assets/notes.sql':
          '-- @refesh 1d\n-- @threads many\n-- @param x int = y\n-- @param a-b int = 1\n-- @param d dat = 1\n-- @check not_nul(id), , row_count(), total +\nselect * from orders',
        'assets/syntax.sql': 'select day,\n  from where',
        'assets/two.sql': 'select 1; select 2',
        'assets/insert.sql': 'insert into orders values (1)',
        'assets/empty.sql': '-- nothing\n',
        'assets/b-c.sql': 'select 1 as x',
        'assets/circle_a.sql': 'select * from circle_b',
        'assets/circle_b.sql': 'select * from circle_a',
        'sql/macros/bad.sql': 'create macro f(a) as a +\n',
      }).problems(),
    ).toMatchInlineSnapshot(`
      [
        "D014 assets/b-c.sql:1:1+13 'b-c' cannot be part of an asset's name | use letters, digits and _ in the names of folders and files",
        "D012 assets/circle_b.sql:1:15+8 assets depend on each other in a circle: circle_a -> circle_b -> circle_a | take 'circle_a' out of 'circle_b', or split the asset that both need",
        "D002 assets/empty.sql:1:1+1 The file holds no query. | an asset is one query: SELECT, FROM, WITH or VALUES",
        "D031 assets/files.sql:1:15+12 the query reads 'data/x.csv' directly | declare it in cellmill.config.ts, as  sources: { NAME: file('data/x.csv') }, and write  FROM NAME",
        "D031 assets/files.sql:1:33+8 read_csv() reads a file or an address directly | declare it in cellmill.config.ts, as  sources: { NAME: file('PATH') }, and write  FROM NAME",
        "D032 assets/functions.sql:1:8+4 there is no function 'nowe' | did you mean 'now'?",
        "D032 assets/functions.sql:1:16+6 there is no function 'lenght' | did you mean 'length'?",
        "D002 assets/insert.sql:1:1+6 Only a query (SELECT, FROM, WITH, VALUES) makes an asset. | an asset is one query: SELECT, FROM, WITH or VALUES",
        "D010 assets/names.sql:2:15+6 there is no asset or source called 'ordres' | did you mean 'orders'?",
        "D024 assets/names.sql:2:32+9 there is no parameter called 'min_totl' | did you mean 'min_total'?",
        "D020 assets/notes.sql:1:4+7 there is no annotation '@refesh' | did you mean '@refresh'?",
        "D020 assets/notes.sql:2:13+4 '@threads' takes a number of threads, not 'many' | write for instance  -- @threads 4",
        "D021 assets/notes.sql:3:19+1 the default y is not of type int | write a literal of type int",
        "D014 assets/notes.sql:4:11+3 'a-b' cannot be the name of a parameter | use letters, digits and _",
        "D021 assets/notes.sql:5:13+3 'dat' is not a type of parameters | did you mean 'date'?",
        "D020 assets/notes.sql:6:11+11 there is no check 'not_nul' | did you mean 'not_null'?",
        "D020 assets/notes.sql:6:23+1 a check is missing here | write for instance  not_null(id), unique(id)",
        "D020 assets/notes.sql:6:26+11 'row_count' takes a least and a most number of rows | write for instance  row_count(1)  or  row_count(1, 1000)  or  row_count(max := 1000)",
        "D020 assets/notes.sql:6:39+7 'total +' is not an expression: syntax error at or near ")" | write a condition on the columns, such as  total >= 0",
        "D002 assets/syntax.sql:2:8+5 syntax error at or near "where" | an asset is one query: SELECT, FROM, WITH or VALUES",
        "D002 assets/two.sql:1:11+6 The file holds 2 statements; an asset is one query. | put each query in a file of its own",
        "D002 sql/macros/bad.sql:1:1+24 Parser Error: {"exception_type":"Parser","exception_message":"syntax error at end of input","error_subtype":"SYNTAX_ERROR","position":"25"} | write  CREATE MACRO name(arguments) AS expression;  reading only its arguments",
      ]
    `)
  })

  test('have the unit of their tree: comments and layout do not count, everything else does', async () => {
    const one = project({ 'assets/a.sql': 'select id, total from orders where total > 1' })
    const first = units(await one.load(), 'a')
    const after = async (sql: string): Promise<string[]> => units(await one.write({ 'assets/a.sql': sql }).load(), 'a')
    expect(await after('-- why\nSELECT id,\n  total /* all */ FROM orders\nWHERE total > 1;\n')).toEqual(first)
    expect(
      await after(
        '-- @check not_null(id)\n-- @tags x\n-- @param unused int = 3\nselect id, total from orders where total > 1',
      ),
    ).toEqual(first)
    for (const changed of [
      'select id, total from orders where total > 2',
      'select id, total from orders where total >= 1',
      'select id, Total from orders where total > 1',
      'select total, id from orders where total > 1',
      'select id, total from orders where total > 1 limit 5',
    ]) {
      expect(await after(changed), changed).not.toEqual(first)
    }
    const long = await after('select id from orders where id = 9007199254740992')
    expect(await after('select id from orders where id = 9007199254740993')).not.toEqual(long)
    const decimal = await after('select id from orders where id = 1.00000000000000000001')
    expect(await after('select id from orders where id = 1.00000000000000000002')).not.toEqual(decimal)
  })

  test('reach the macros that they call, and those alone', async () => {
    const one = project({
      'sql/macros/money.sql':
        '-- cents\ncreate macro cents(x) as x * 100;\ncreate macro euro(x, f := 2) as cents(x) * f;\ncreate macro other(x) as x + random();',
      'assets/a.sql': 'select euro(total) as t from orders',
      'assets/b.sql': 'select total from orders',
    })
    const loaded = await one.load()
    expect(loaded.project.diagnostics).toEqual([])
    const [a, b] = [units(loaded, 'a'), units(loaded, 'b')]
    expect(a.map((unit) => unit.split(':').slice(0, 2).join(':'))).toEqual(['.:query', 'macro:cents', 'macro:euro'])
    expect(b).toHaveLength(1)
    expect(loaded.sqlText('a').macros).toEqual([
      'create macro cents(x) as x * 100',
      'create macro euro(x, f := 2) as cents(x) * f',
    ])
    const [aStep] = loaded.project.steps
    expect(loaded.languages.sql.columnsFor(aStep!, aStep!.inputs[0]!, [{ name: 'total', type: 'DOUBLE' }])).toBeNull()
    one.write({
      'sql/macros/money.sql':
        'create macro cents(x) as x * 100; create macro euro(x, f := 3) as cents(x) * f; create macro other(x) as x + random()',
    })
    const again = await one.load()
    expect(units(again, 'a')).not.toEqual(a)
    expect(units(again, 'b')).toEqual(b)
  })

  test('name what makes them volatile', async () => {
    const loaded = await project({
      'sql/macros/m.sql': 'create macro noisy(x) as x + random()',
      'assets/a.sql': 'select id, now() as t,\n current_date as d, age(day) as a from orders using sample 3',
      'assets/b.sql': 'select noisy(id) as id, age(day, day) as a from orders',
      'assets/c.sql': 'select id, current_schema() as s from orders tablesample reservoir(3) repeatable (7)',
    }).load()
    const volatile = (step: string): string[] => {
      const found = loaded.project.steps.find((each) => each.id === step)!
      return loaded.languages.sql.closures
        .closureOf(found)
        .volatile.map(({ kind, what, file, line }) => `${kind} ${what} ${file}:${line}`)
    }
    expect(volatile('a').sort()).toEqual([
      'clock age() assets/a.sql:2',
      'clock current_date assets/a.sql:2',
      'clock now() assets/a.sql:1',
      'random a sample without REPEATABLE (seed) assets/a.sql:1',
    ])
    expect(volatile('b')).toEqual(['random random() sql/macros/m.sql:1'])
    expect(volatile('c')).toEqual([])
  })

  test('inline views: readers read what the view reads', async () => {
    const one = project({
      'assets/valid.sql': '-- @materialize view\nselect id, total from orders where total > 0',
      'assets/a.sql': 'select sum(total) as total from valid',
    })
    const loaded = await one.load()
    expect(loaded.project.diagnostics).toEqual([])
    expect(loaded.project.steps.map((step) => step.id)).toEqual(['a'])
    expect(loaded.project.steps[0]!.inputs.map((input) => input.argument)).toEqual(['orders'])
    expect(loaded.sqlText('a').macros[0]).toContain('CREATE VIEW "valid" AS')
    const before = units(loaded, 'a')
    one.write({ 'assets/valid.sql': '-- @materialize view\nselect id, total from orders where total > 1' })
    expect(units(await one.load(), 'a')).not.toEqual(before)
    one.write({
      'assets/valid.sql': '-- @materialize view\n-- @check not_null(id)\nselect id, total from orders where total > 1',
    })
    expect((await one.load()).project.steps.map((step) => step.id)).toEqual(['a', 'valid', 'valid.not_null(id)'])
    expect(await one.write({ 'assets/valid.sql': '-- @materialize view\nselect * from a' }).problems())
      .toMatchInlineSnapshot(`
      [
        "D012 assets/valid.sql:2:15+1 assets depend on each other in a circle: a -> a | take 'a' out of 'a', or split the asset that both need",
      ]
    `)
  })
})

describe('a project that did not change', () => {
  test('is loaded without parsing anything, and a file that did is parsed alone', async () => {
    const one = project({
      'assets/a.sql': 'select * from orders',
      'assets/b.sql': 'select * from a',
      'data/notes.txt': 'x',
    })
    const first = await one.load()
    expect(one.parsed).toBe(2)
    expect((await one.load()).project).toEqual(first.project)
    expect(one.parsed).toBe(2)
    one.write({ 'assets/b.sql': 'select id from a' })
    await one.load()
    expect(one.parsed).toBe(3)
    const file = path.join(one.root, 'assets/a.sql')
    utimesSync(file, new Date(), new Date())
    await one.load()
    expect(one.parsed).toBe(3)
  })

  test('is seen to change when a file is written again with the same size and time', async () => {
    const one = project({ 'assets/a.sql': 'select 1 as x' })
    const file = path.join(one.root, 'assets/a.sql')
    const time = new Date()
    utimesSync(file, time, time)
    const first = units(await one.load(), 'a')
    await one.load()
    writeFileSync(file, 'select 2 as x')
    utimesSync(file, time, time)
    expect(units(await one.load(), 'a')).not.toEqual(first)
  })
})

test('all problems of the configuration and the assets are shown together, with parameters that nothing declares', async () => {
  expect(
    await new TestProject()
      .write({
        'cellmill.config.ts':
          "import { defineConfig } from '@cellmill/sdk'\nexport default defineConfig({ parameters: { min_total: 1 }, environments: { dev: { parameters: { min_totl: 3 } } } })",
        'assets/a.sql': 'select $min_total as x, $run_time as t, $other as y',
      })
      .problems(),
  ).toMatchInlineSnapshot(`
    [
      "D024 assets/a.sql:1:41+6 there is no parameter called 'other' | declare it in the file:  -- @param other int = 1",
      "D004 cellmill.config.ts:2:98+8 there is no parameter called 'min_totl' | did you mean 'min_total'?",
    ]
  `)
})
