import { expect, expectTypeOf, test } from 'vitest'
import { asset, check, fromProject, int, str, table } from './index.ts'

const forecast = asset({
  inputs: { revenue: table<{ day: Date; revenue: number }>({ columns: ['day', 'revenue'] }) },
  params: { horizonDays: int(30), currency: str('EUR'), minTotal: fromProject<number>('min_total') },
  run({ revenue, params, random }) {
    expectTypeOf(revenue).toEqualTypeOf<readonly { day: Date; revenue: number }[]>()
    expectTypeOf(params.horizonDays).toEqualTypeOf<number>()
    expectTypeOf(params.currency).toEqualTypeOf<string>()
    expectTypeOf(params.minTotal).toEqualTypeOf<number>()
    expectTypeOf(random).toEqualTypeOf<() => number>()
    return revenue.filter((row) => row.revenue > params.minTotal).slice(-params.horizonDays)
  },
})

test('an asset is called directly in a test, with no service', async () => {
  const rows = [1, 2, 3].map((revenue) => ({ day: new Date(0), revenue }))
  const result = await forecast.run({
    revenue: rows,
    params: { horizonDays: 1, currency: 'EUR', minTotal: 0 },
    runTime: new Date(0),
    random: () => 0.5,
    secrets: {},
    idempotencyKey: '',
  })
  expect(result).toEqual([{ day: new Date(0), revenue: 3 }])
})

test('columns arrive typed by the row', () => {
  const columns = table<{ id: number; name: string }>({ as: 'columns' })
  expectTypeOf(columns.value!).toEqualTypeOf<{ readonly id: ArrayLike<number>; readonly name: ArrayLike<string> }>()
  expect(columns).toEqual({ input: 'table', as: 'columns' })
})

test('a check may name the asset value that it guards', () => {
  const positive = check({
    asset: forecast,
    inputs: { forecast: table() },
    run: ({ forecast: rows }) => rows.length > 0,
  })
  expect(positive.step).toBe('check')
})
