import { expect, test } from 'vitest'
import type { NotebookOutput } from '../document.ts'
import { chooseOrder, type OrderChoice } from './choose-order.ts'
import { reproducedOutputs } from './compare-outputs.ts'
import { observeNotebook } from './observe-notebook.ts'
import { observeCells, documentOf, prepare, type CellInput } from './testing/observe-cells.ts'

function stored(text: string): readonly NotebookOutput[] {
  const data = { 'text/plain': text }
  return [{ type: 'stream', stream: 'stdout', data, errorName: null, errorValue: null }]
}

async function choose(cells: readonly CellInput[], orders: readonly (readonly number[])[]): Promise<OrderChoice> {
  const { options, remove } = await prepare(cells, { mode: 'end-only' })
  try {
    return await chooseOrder({
      document: options.document,
      candidates: orders.map((execution, index) => ({ kind: index === 0 ? 'document' : 'recorded', execution })),
      observe: (execution) => observeNotebook({ ...options, execution }),
    })
  } finally {
    await remove()
  }
}

test('takes the order that runs', async () => {
  const found = await choose(
    ['print(x)', 'x = 1'],
    [
      [0, 1],
      [1, 0],
    ],
  )
  expect(found.tried.map((order) => order.runs)).toEqual([false, true])
  expect(found.chosen?.execution).toEqual([1, 0])
  expect(found.rivals).toEqual([])
})

test('takes the order that reproduces more stored outputs', async () => {
  const cells: CellInput[] = ['x = 1', 'x = x * 10', { source: 'print(x + 1)', outputs: stored('2\n') }]
  const found = await choose(cells, [
    [0, 1, 2],
    [0, 2, 1],
  ])
  expect(found.tried.map((order) => order.outputs.reproduced)).toEqual([0, 1])
  expect(found.chosen?.execution).toEqual([0, 2, 1])
  expect(found.rivals).toEqual([])
})

test('reports two orders that both run with different results although nothing is stored', async () => {
  const found = await choose(
    ['x = 1', 'x = x + 1', 'x = x * 2'],
    [
      [0, 1, 2],
      [0, 2, 1],
    ],
  )
  expect(found.chosen?.execution).toEqual([0, 1, 2])
  expect(found.rivals.map(({ differs }) => differs)).toEqual([['x has another value']])
})

test('compares stored outputs cell by cell and says where they differ', async () => {
  const cells: CellInput[] = [
    { source: 'print(object()); print(3)', outputs: stored('<object object at 0x7f11aa22bb33>\n3\n') },
    { source: 'print("new")', outputs: stored('old\n') },
    { source: 'import sys; print("w", file=sys.stderr)', outputs: [] },
    {
      source: '1 + 1',
      outputs: [{ type: 'result', stream: null, data: { 'text/plain': ['2'] }, errorName: null, errorValue: null }],
    },
  ]
  const found = reproducedOutputs(documentOf(cells), await observeCells(cells))
  expect(found).toMatchObject({ compared: 3, reproduced: 2 })
  expect(found.cells[1]).toEqual({ cell: 1, state: 'different', why: 'line 1: stored "old", now "new"' })
})
