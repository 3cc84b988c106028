/** Orders proposed for cells whose facts are read for real. */
import { describe, expect, it } from 'vitest'
import { documentOf, factsOf } from '../graduate/testing/execute.ts'
import { proposeOrders } from './orders.ts'

describe('proposeOrders', () => {
  const orders = (cells: readonly string[], counts?: readonly number[]) => {
    const document = documentOf({ cells })
    const counted = {
      ...document,
      cells: document.cells.map((cell, at) => ({ ...cell, executionCount: counts?.[at] ?? cell.executionCount })),
    }
    return proposeOrders(counted, factsOf([{ cells }])[0] as ReturnType<typeof factsOf>[number])
  }

  it('gives the document order alone where nothing is wrong', () => {
    expect(orders(['x = 1', 'y = x'])).toEqual([{ kind: 'document', cells: [0, 1], undefinedReads: [] }])
  })

  it('adds the recorded order and the nearest repairs', () => {
    const found = orders(['y = x + 1', 'x = 1', 'z = y'], [3, 2, 4])
    expect(found[0]).toEqual({ kind: 'document', cells: [0, 1, 2], undefinedReads: [{ cell: 0, name: 'x' }] })
    expect(found[1]).toEqual({ kind: 'recorded', cells: [1, 0, 2], undefinedReads: [] })
  })

  it('proposes no more than twenty', () => {
    const cells = Array.from({ length: 12 }, (_, at) => `v${at} = v${(at + 1) % 12}`)
    expect(orders(cells).length).toBeLessThanOrEqual(20)
  })
})
