import { expect, test } from 'vitest'
import { cellOf, observeCells, valueOf } from './testing/observe-cells.ts'

test('three cells: what each binds, what it shows, and the values at the end', async () => {
  const seen = await observeCells([
    'import pandas as pd\nprices = pd.DataFrame({"price": [1.5, 2.5]})',
    'total = prices.price.sum()\nprint("total", total)',
    'total',
  ])
  expect(seen.cells.map((cell) => cell.state)).toEqual(['ok', 'ok', 'ok'])
  expect(cellOf(seen, 0).bound).toEqual(['pd', 'prices'])
  expect(valueOf(cellOf(seen, 0).values, 'prices')).toMatchObject({
    type: 'pandas.core.frame.DataFrame',
    kind: 'table',
    shape: '2 x 1 (price float64)',
  })
  expect(cellOf(seen, 1).bound).toEqual(['total'])
  expect(cellOf(seen, 1).outputs).toMatchObject([{ kind: 'stdout', preview: 'total 4.0' }])
  expect(cellOf(seen, 2)).toMatchObject({ bound: [], mutated: [] })
  expect(seen.final.map((value) => value.name)).toEqual(['pd', 'prices', 'total'])
  expect(seen.distributions).toHaveProperty('pandas')
  expect(seen.distributions).not.toHaveProperty('ipykernel')
})
