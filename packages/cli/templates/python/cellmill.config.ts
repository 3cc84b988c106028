import { defineConfig, file } from '@cellmill/sdk'

export default defineConfig({
  name: '{{name}}',
  sources: { orders: file('data/orders.csv') },
  environments: { prod: {}, dev: {} },
})
