import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../canonical.ts'
import { parseTexts } from '../../engines/duckdb/parse.ts'
import { columnsOfSnapshot, columnsRead } from './columns-read.ts'

let instance: DuckDBInstance
let connection: DuckDBConnection
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  connection = await instance.connect()
})
afterAll(() => instance.closeSync())

/** As engines/duckdb/parse.ts does it, without a new database for each query. */
async function treeOf(sql: string): Promise<Json> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql])
  return (JSON.parse(String(reader.value(0, 0))) as { statements?: readonly Json[] }).statements?.[0] ?? null
}

const read = async (sql: string): Promise<readonly string[] | null> =>
  columnsRead((await parseTexts([sql]))[0]!.tree, new Set())

describe('columns that a query can depend on', () => {
  test.each([
    ['select a, t.b from t where c > 1', ['a', 'b', 'c', 't']],
    ['select A from t group by all order by 1', ['a', 't']],
    ['select x.y.z from t', ['t', 'x', 'y', 'z']],
    ['select "A b" from t join u using (id)', ['a b', 'id', 't', 'u']],
    ['select count(*) from t', ['t']],
    ["select sum(a) filter (b = 'c') over (partition by d order by e) from t", ['a', 'b', 'd', 'e', 't']],
    ['select list_transform(a, lambda q : q + b) from t', ['a', 'b', 'q', 't']],
    ['select (select max(v) from u where u.id = t.id) as m from t', ['id', 'm', 't', 'u', 'v']],
    ['with c as (select a from t) select a from c', ['a', 'c', 't']],
  ])('%s', async (sql, identifiers) => {
    expect(await read(sql)).toEqual(identifiers)
  })

  test.each([
    'select * from t',
    'from t',
    'select t.* from t',
    'select a from (select * exclude (b) from t)',
    "select columns('a.*') from t",
    'select t from t',
    'select o from t as o',
    'select struct_extract(t, 1) from t',
    'select #1 from t',
    'select a from t natural join u',
    'select a from t positional join u',
    'select x from t as q(x, y)',
    'with c(x) as (select a from t) select x from c',
    'select a from t union by name select a from u',
    'summarize t',
    'describe t',
    'select * from (pivot t on a in (1, 2) using sum(b))',
    'unpivot t on a, b into name n value v',
    "select a from query_table('t')",
    'with recursive r as (select a from t union all select a + 1 from r where a < 3) select a from r',
  ])('are all columns for %s', async (sql) => {
    expect(await read(sql)).toBeNull()
  })

  test('are cut with the columns of the snapshot at hand, in its order', () => {
    const columns = ['Id', 'b', 'total'].map((name) => ({ name, type: 'INTEGER' }))
    expect(columnsOfSnapshot(['b', 'id', 'other'], columns)).toEqual(['Id', 'b'])
    expect(columnsOfSnapshot([], columns)).toEqual([])
    expect(columnsOfSnapshot(null, columns)).toBeNull()
    expect(columnsOfSnapshot(['id'], [...columns, { name: 'id', type: 'INTEGER' }])).toBeNull()
  })
})

interface Column {
  readonly name: string
  readonly type: 'INTEGER' | 'VARCHAR' | 'STRUCT'
  readonly values: readonly number[]
}
type Table = readonly Column[]

const names = ['a', 'b', 'c', 'a', 'b', 'c', 'd', 't', 'o']
const rows = 3
const column = fc.record({
  name: fc.constantFrom(...names),
  type: fc.constantFrom(
    'INTEGER' as const,
    'INTEGER' as const,
    'INTEGER' as const,
    'VARCHAR' as const,
    'STRUCT' as const,
  ),
  values: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: rows, maxLength: rows }),
})
const table: fc.Arbitrary<Table> = fc.uniqueArray(column, { minLength: 3, maxLength: 6, selector: (each) => each.name })

/** Queries over columns that mostly exist, with names that now and then mean a table, an alias or nothing. */
function queryOver(columns: readonly string[]): fc.Arbitrary<string> {
  const name = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...columns) },
    { weight: 1, arbitrary: fc.constantFrom(...names) },
  )
  const reference = fc.oneof(
    { weight: 12, arbitrary: name },
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom('t', 't', 'o'), name).map((parts) => parts.join('.')) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('t', 'a'), name, fc.constantFrom('a', 'b')).map((parts) => parts.join('.')),
    },
    { weight: 1, arbitrary: fc.constantFrom('*', 't.*', "columns('a|b')", '#1', 't', 'o') },
  )
  const scalar = fc.oneof(
    { weight: 5, arbitrary: reference },
    fc.tuple(reference, fc.constantFrom(...names)).map(([each, alias]) => `${each} as ${alias}`),
    reference.map((each) => `count(*) filter (${each} is not null)`),
    reference.map((each) => `max(${each}) over ()`),
    fc.tuple(name, name).map(([x, y]) => `list_transform([1, 2], lambda ${x} : (${x}, ${y}))`),
    name.map((each) => `(select max(${each}) from u)`),
    fc.constantFrom('count(*)', '1', "'a'"),
  )
  const from = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('t', 't', 't as o', 't, (select 1 as z) as y') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        't, u',
        't natural join u',
        't as o(a, b)',
        '(select * from t) as o',
        't positional join u',
      ),
    },
    { weight: 1, arbitrary: name.map((each) => `t join u using (${each})`) },
    { weight: 1, arbitrary: fc.tuple(name, name, name).map(([x, y, z]) => `(select ${x}, ${y} as ${z} from t) as o`) },
  )
  return fc
    .record({
      select: fc.array(scalar, { minLength: 1, maxLength: 2 }),
      from,
      where: fc.option(reference),
      tail: fc.constantFrom('', ' order by 1', ' limit 2'),
      shape: fc.constantFrom('plain', 'plain', 'plain', 'plain', 'exists', 'union', 'cte', 'by name'),
    })
    .map(({ select, from: source, where, tail, shape }) => {
      const end = select.some((each) => each.startsWith('count')) ? ' group by all' : tail
      const core = `select ${select.join(', ')} from ${source}${where === null ? '' : ` where ${where} is not null`}${end}`
      if (shape === 'cte') return `with u2 as (${core}) select * from u2`
      if (shape === 'exists') return `select t.${columns[0]!} from t where exists (${core})`
      if (shape === 'union') return `(${core}) union all (select ${select.join(', ')} from ${source}${end})`
      return shape === 'by name' ? `(${core}) union by name (select 1 as a)` : core
    })
}

const change = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), column, at: fc.nat(5) }),
  fc.record({ kind: fc.constant('drop' as const), column, at: fc.nat(5) }),
  fc.record({ kind: fc.constant('replace' as const), column, at: fc.nat(5) }),
  fc.record({ kind: fc.constant('reorder' as const), column, at: fc.nat(5) }),
)

const scenario = fc.tuple(table, table).chain(([t, u]) =>
  fc.record({
    t: fc.constant(t),
    u: fc.constant(u),
    sql: queryOver(t.map((each) => each.name)),
    edits: fc.array(change, { minLength: 6, maxLength: 6 }),
  }),
)

function changed(
  given: Table,
  { kind, column: other, at }: { readonly kind: string; readonly column: Column; readonly at: number },
): Table {
  const index = at % given.length
  if (kind === 'drop') return given.length > 1 ? given.filter((_, i) => i !== index) : given
  if (kind === 'reorder') return [...given.slice(index), ...given.slice(0, index)]
  if (kind === 'replace') return given.map((each, i) => (i === index ? { ...other, name: each.name } : each))
  return given.some((each) => each.name === other.name)
    ? given
    : [...given.slice(0, index), other, ...given.slice(index)]
}

function value(type: Column['type'], number: number): string {
  if (type === 'INTEGER') return String(number)
  return type === 'VARCHAR' ? `'v${number}'` : `{'a': ${number}, 'b': ${number + 1}}`
}

async function create(relation: string, given: Table): Promise<void> {
  const selected = Array.from(
    { length: rows },
    (_, row) => `select ${given.map((each) => `${value(each.type, each.values[row]!)} as "${each.name}"`).join(', ')}`,
  )
  await connection.run(`create or replace table ${relation} as ${selected.join(' union all ')}`)
}

/** Everything that a reader could see of a result, or that it cannot be had. */
async function resultOf(sql: string): Promise<string> {
  try {
    const reader = await connection.runAndReadAll(sql)
    return JSON.stringify([reader.columnNames(), reader.columnTypes().map(String), reader.getRowsJson()])
  } catch (error) {
    return `fails: ${(error as Error).name}`
  }
}

/** What a fingerprint would hold of an input: the columns read, or all of them in order. */
function contentOf(given: Table, identifiers: readonly string[] | null): string {
  const columns = given.map((each) => ({ name: each.name, type: each.type }))
  const chosen = columnsOfSnapshot(identifiers, columns)
  if (chosen === null) return JSON.stringify(given)
  return JSON.stringify(given.filter((each) => chosen.includes(each.name)).sort((x, y) => (x.name < y.name ? -1 : 1)))
}

test('a result that changes with a schema or its values always changes the columns that are taken to be read', async () => {
  const seen = { precise: 0, changes: 0 }
  await fc.assert(
    fc.asyncProperty(scenario, async ({ t, u, sql, edits }) => {
      await Promise.all([create('t', t), create('u', u)])
      const before = await resultOf(sql)
      if (before.startsWith('fails')) return
      const identifiers = columnsRead(await treeOf(sql), new Set())
      if (identifiers !== null) seen.precise++
      for (const edit of edits) {
        const next = changed(t, edit)
        await create('t', next)
        const after = await resultOf(sql)
        if (after === before) continue
        if (identifiers !== null) seen.changes++
        expect(contentOf(next, identifiers), `${sql}\n${before}\n${after}`).not.toBe(contentOf(t, identifiers))
      }
    }),
    {
      numRuns: 500,
      seed: 20_241_125,
    },
  )
  // A generator that no longer reaches the interesting cases would pass for the wrong reason.
  expect(seen.precise).toBeGreaterThan(60)
  expect(seen.changes).toBeGreaterThan(60)
})
