import { defineConfig } from '@cellmill/sdk'

export default defineConfig({
  name: '{{name}}',
  sources: {},
  environments: { prod: {}, dev: {} },
})
