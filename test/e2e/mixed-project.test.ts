/** Three languages, every kind of source, checks, reports, effects and exports in one project. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestProject } from '../support/project.ts'

const config = `import { defineConfig, file, sqlite } from '@cellmill/sdk'
export default defineConfig({
  name: 'shop',
  sources: {
    orders: file('data/orders/*.csv'),
    customers: sqlite('data/shop.db', 'SELECT id, name FROM customers ORDER BY id'),
    rates: file('data/rates.json'),
  },
  environments: { prod: {}, dev: {} },
})
`
const python = `import json
import pandas as pd
from cellmill import asset, effect, param, report, setup

MIN_TOTAL = param(1.0)


@setup
def settings():
    pd.set_option("display.precision", 3)


@asset
def orders_all(orders: list[str], customers: pd.DataFrame) -> pd.DataFrame:
    frames = pd.concat([pd.read_csv(path) for path in sorted(orders)], ignore_index=True)
    return frames.merge(customers, left_on="customer", right_on="id", suffixes=("", "_customer"))


@asset(kind="object")
def limits(rates: str) -> dict:
    with open(rates) as stream:
        return {key: value * MIN_TOTAL for key, value in json.load(stream).items()}


@asset(outputs=("small", "large"))
def split(orders_all: pd.DataFrame, *, bound: float = 10.0):
    return orders_all[orders_all.total < bound], orders_all[orders_all.total >= bound]


@asset(kind="file", export="out/large.csv")
def large_csv(large: pd.DataFrame) -> str:
    large.to_csv("large.csv", index=False)
    return "large.csv"


@report
def overview(small: pd.DataFrame, large: pd.DataFrame, limits: dict):
    print(len(small), len(large))
    return {"limit": limits["EUR"]}


@effect
def tell(large: pd.DataFrame):
    import os
    print("told", len(large), os.environ["CELLMILL_IDEMPOTENCY_KEY"][:8])
`
const sql = `-- Revenue of each customer.
-- @param least double = 0
-- @check not_null(name), unique(name)
SELECT name, sum(total::DECIMAL(18, 2)) AS revenue, count(*) AS orders
FROM orders_all WHERE total >= $least GROUP BY name ORDER BY name
`
const typescript = `import { asset, int, table } from '@cellmill/sdk'

interface Row { name: string; revenue: number }

export const best = asset({
  inputs: { revenue: table<Row>() },
  params: { count: int(1) },
  async run({ revenue, params }) {
    return [...revenue].sort((a, b) => b.revenue - a.revenue).slice(0, params.count)
  },
})
`

describe('a project in three languages', () => {
  const project = new TestProject({
    'cellmill.config.ts': config,
    'data/orders/a.csv': 'id,customer,total\n1,1,5\n2,2,20\n',
    'data/orders/b.csv': 'id,customer,total\n3,1,30\n',
    'data/rates.json': '{"EUR": 2.5}',
    'assets/orders.py': python,
    'assets/revenue.sql': sql,
    'assets/best.ts': typescript,
  })
  beforeAll(() => {
    project.usePackages()
    const script =
      "import sqlite3; c = sqlite3.connect('data/shop.db'); c.executescript(\"create table customers(id integer, name text); insert into customers values (1,'Ada'),(2,'Bob')\"); c.commit()"
    execFileSync('python3', ['-c', script], { cwd: project.root })
  })
  afterAll(() => project.remove())

  it('builds all of it', async () => {
    const run = await project.run()
    expect(run.stderr).toBe('')
    expect(run.built).toEqual(['best', 'large_csv', 'limits', 'orders_all', 'overview', 'revenue', 'split', 'tell'])
    expect(run.finished).toMatchObject({ state: 'succeeded', built: 6, reports: 1, release: 1 })
    const best = await project.json<{ table: { rows: unknown[][] } }>('show', 'best')
    expect(best.table.rows[0]![0]).toBe('Ada')
    const logs = await project.cli('logs', '@last', 'tell')
    expect(logs.stdout).toContain('told 2')
  })

  it('puts exported files where others expect them', () => {
    const file = path.join(project.root, 'out/large.csv')
    expect(existsSync(file)).toBe(true)
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(4)
  })

  it('acts on the world once for each release', async () => {
    const again = await project.run()
    expect(again.built).toEqual([])
  })

  it('follows a new file of a glob, and a changed row of a database', async () => {
    project.write({ 'data/orders/c.csv': 'id,customer,total\n4,2,1\n' })
    expect((await project.run()).built).toContain('orders_all')
    const script =
      "import sqlite3; c = sqlite3.connect('data/shop.db'); c.execute(\"update customers set name='Bea' where id=2\"); c.commit()"
    execFileSync('python3', ['-c', script], { cwd: project.root })
    const run = await project.run()
    expect(run.built).toContain('orders_all')
    expect(run.built).not.toContain('limits')
    const answer = await project.json<{ rows: unknown[][] }>('sql', 'select name from revenue order by name')
    expect(answer.rows).toEqual([['Ada'], ['Bea']])
  })

  it('gives parameters of each language to their own asset only', async () => {
    expect((await project.run('--param', 'best.count=2')).built).toEqual(['best', 'tell'])
    expect((await project.run('--param', 'split.bound=7', '--param', 'best.count=2')).built).toContain('split')
  })

  it('rebuilds SQL for its text and not for its layout', async () => {
    project.replace('assets/revenue.sql', 'SELECT name, sum', '-- a comment\nSELECT   name,\n  sum')
    expect((await project.run('--param', 'split.bound=7', '--param', 'best.count=2')).built).toEqual([])
    project.replace('assets/revenue.sql', 'count(*) AS orders', 'count(*) + 1 AS orders')
    const run = await project.run('--param', 'split.bound=7', '--param', 'best.count=2')
    expect(run.built).toContain('revenue')
    expect(run.built).not.toContain('split')
  })

  it('opens a past step with exactly its inputs', async () => {
    const opened = await project
      .json<{ command: string[]; notebook: string }>('debug', '@last', 'revenue')
      .catch(() => null)
    expect(opened).toMatchObject({ error: { code: expect.any(String) as string } })
  })
})
