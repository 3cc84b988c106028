/** A Python project through the CLI: what an edit rebuilds, and what a failure leaves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestProject } from '../support/project.ts'

const config = `import { defineConfig, file } from '@cellmill/sdk'
export default defineConfig({ name: 'shop', sources: { orders: file('data/orders.csv') }, environments: { prod: {}, dev: {} } })
`
const orders = `id,day,currency,total
1,2024-01-01,EUR,5
2,2024-01-01,USD,7
3,2024-01-02,EUR,-1
4,2024-01-02,EUR,11
`
const cleaning = `"""Cleaning."""
from rules import is_valid


def clean(frame):
    return frame[is_valid(frame)].reset_index(drop=True)
`
const rules = `"""Rules."""
LOWEST = 0


def is_valid(frame):
    return frame.total > LOWEST


def unused(frame):
    return frame
`
const assets = `"""Orders."""
import pandas as pd
from cellmill import asset, check, param, report

from cleaning import clean

MIN_TOTAL = param(0.0)


@asset
def orders_clean(orders: pd.DataFrame) -> pd.DataFrame:
    """Valid orders."""
    return clean(orders)


@check(orders_clean, severity="error")
def totals_positive(orders_clean: pd.DataFrame):
    return orders_clean[orders_clean.total <= 0]


@asset
def big_orders(orders_clean: pd.DataFrame) -> pd.DataFrame:
    return orders_clean[orders_clean.total >= MIN_TOTAL]


@asset
def by_day(orders_clean: pd.DataFrame) -> pd.DataFrame:
    return orders_clean.groupby("day", as_index=False).total.sum()


@asset
def currencies(orders: pd.DataFrame) -> list:
    return sorted(orders.currency.unique())


@report
def summary(by_day: pd.DataFrame):
    print(by_day.total.sum())
`

describe('a Python project', () => {
  const project = new TestProject({
    'cellmill.config.ts': config,
    'data/orders.csv': orders,
    'cleaning.py': cleaning,
    'rules.py': rules,
    'assets/orders.py': assets,
  })
  beforeAll(() => project.usePackages())
  afterAll(() => project.remove())

  it('builds everything once, and publishes it', async () => {
    const run = await project.run()
    expect(run.stderr).toBe('')
    expect(run.code).toBe(0)
    expect(run.built).toEqual(['big_orders', 'by_day', 'currencies', 'orders_clean', 'summary'])
    expect(run.finished).toMatchObject({ state: 'succeeded', built: 4, reports: 1, checks: 1, failed: 0, release: 1 })
  })

  it('reuses everything when nothing changed', async () => {
    const run = await project.run()
    expect(run.built).toEqual([])
    expect(run.finished).toMatchObject({ built: 0, reused: 4, release: null })
    const plan = await project.cli('plan', '--exit-code')
    expect(plan.code).toBe(0)
  })

  it('shows what was built', async () => {
    const shown = await project.json<{ table: { rows: unknown[][] } }>('show', 'by_day')
    expect(shown.table.rows).toEqual([
      ['2024-01-01', 12],
      ['2024-01-02', 11],
    ])
    const answer = await project.json<{ rows: unknown[][] }>('sql', 'select count(*) as n from orders_clean')
    expect(answer.rows).toEqual([[3]])
  })

  it.each([
    ['a comment in a helper', 'rules.py', 'LOWEST = 0\n', 'LOWEST = 0  # nothing below\n'],
    ['a docstring', 'assets/orders.py', '"""Valid orders."""', '"""Orders that are valid."""'],
    ['white space', 'cleaning.py', 'frame[is_valid(frame)]', 'frame[ is_valid(frame) ]'],
    ['a function that nobody calls', 'rules.py', 'return frame\n', 'return frame.copy()\n'],
  ])('rebuilds nothing for %s', async (_, file, from, to) => {
    project.replace(file, from, to)
    const run = await project.run()
    expect(run.built).toEqual([])
    expect(run.code).toBe(0)
  })

  it('rebuilds the readers of a helper two modules away, and stops where the content is the same', async () => {
    project.replace('rules.py', 'frame.total > LOWEST', 'frame.total >= LOWEST')
    const plan = await project.json<{
      steps: { step: string; action: string; reason: { kind: string; detail: string } }[]
    }>('plan')
    const row = plan.steps.find(({ step }) => step === 'orders_clean')!
    expect(row).toMatchObject({
      action: 'build',
      reason: { kind: 'code', detail: expect.stringContaining('is_valid') as string },
    })
    expect((await project.run()).built).toEqual(['orders_clean'])
  })

  it('rebuilds what reads changed content', async () => {
    project.replace('rules.py', 'LOWEST = 0', 'LOWEST = 6')
    const run = await project.run()
    expect(run.built).toEqual(['big_orders', 'by_day', 'orders_clean', 'summary'])
  })

  it('concerns only the readers of a parameter', async () => {
    const run = await project.run('--param', 'min_total=10')
    expect(run.built).toEqual(['big_orders'])
    expect((await project.run()).built).toEqual([])
  })

  it('tells the failure apart, keeps what is finished, and goes on after the fix', async () => {
    project.replace('assets/orders.py', 'groupby("day", as_index=False).total', 'groupby("dya", as_index=False).total')
    const failed = await project.run()
    expect(failed.code).toBe(1)
    expect(failed.failed).toEqual(['by_day'])
    const event = failed.events.find(({ type }) => type === 'step-failed') as unknown as {
      error: { type: string; frames: { file: string; line: number }[] }
    }
    expect(event.error).toMatchObject({ type: 'KeyError' })
    expect(event.error.frames.at(-1)!).toBeDefined()
    expect(event.error.frames.some(({ file }) => file === 'assets/orders.py')).toBe(true)
    expect(failed.finished).toMatchObject({ state: 'failed', release: null })

    project.replace('assets/orders.py', '"dya"', '"day"')
    project.replace('assets/orders.py', 'total.sum()', 'total.count()')
    const fixed = await project.run()
    expect(fixed.built).toEqual(['by_day', 'summary'])
    expect(fixed.code).toBe(0)
  })

  it('does not let a failed check be slipped past by running again', async () => {
    project.replace('rules.py', 'LOWEST = 6', 'LOWEST = -5')
    for (const _ of [1, 2]) {
      const run = await project.run()
      expect(run.code).toBe(1)
      expect(run.events.filter(({ type }) => type === 'check-failed')).toHaveLength(1)
      expect(run.finished).toMatchObject({ state: 'failed', release: null })
    }
    project.replace('rules.py', 'LOWEST = -5', 'LOWEST = 6')
    expect((await project.run()).code).toBe(0)
  })

  it('rolls back by pointers, holds, and publishes again with other code', async () => {
    const before = await project.json<{ release: number }>('status')
    const moved = await project.json<{ to: number; held: boolean }>('rollback')
    expect(moved.held).toBe(true)
    expect(moved.to).toBeLessThan(before.release)
    const held = await project.run()
    expect(held.built).toEqual([])
    expect(held.finished).toMatchObject({ release: null })
    expect(held.events.some(({ type }) => type === 'publish-held')).toBe(true)
    project.replace('assets/orders.py', 'sorted(orders.currency.unique())', 'sorted(orders.currency.unique())[:1]')
    expect((await project.run()).finished).toMatchObject({ state: 'succeeded', built: 1 })
    expect(await project.json<{ held: boolean }>('status')).toMatchObject({ held: false })
  })

  it('verifies, and rebuilds what was lost', async () => {
    expect(await project.json('verify')).toMatchObject({ healthy: true })
  })
})
