import { asset, float, table } from '@cellmill/sdk'

interface Order {
  day: string
  currency: string
  total: number
}

/** Revenue per currency, of orders of at least minTotal. */
export const revenue = asset({
  inputs: { orders: table<Order>() },
  params: { minTotal: float(5) },
  async run({ orders, params }) {
    const sums = new Map<string, number>()
    for (const order of orders) {
      if (order.total >= params.minTotal) sums.set(order.currency, (sums.get(order.currency) ?? 0) + order.total)
    }
    return [...sums].map(([currency, total]) => ({ currency, total }))
  },
})
