import { describe, expect, it } from 'vitest'
import { addSources } from './edit-config.ts'

const flights = { name: 'flights', value: "file('data/flights.csv')", imports: 'file' }

describe('addSources', () => {
  it('adds to an empty object and imports what it needs', () => {
    const text =
      "import { defineConfig } from '@cellmill/sdk'\n\nexport default defineConfig({\n  name: 'shop',\n  sources: {},\n})\n"
    expect(addSources(text, [flights])).toBe(
      "import { defineConfig, file } from '@cellmill/sdk'\n\nexport default defineConfig({\n  name: 'shop',\n  sources: {\n    flights: file('data/flights.csv'),\n  },\n})\n",
    )
  })

  it('keeps what is there, comments too, and adds no name twice', () => {
    const text =
      "import { defineConfig, file } from '@cellmill/sdk'\nexport default defineConfig({\n  sources: {\n    a: file('a.csv'), // ours\n  },\n})\n"
    const once = addSources(text, [flights])
    expect(once).toContain("a: file('a.csv'),\n    flights: file('data/flights.csv'), // ours")
    expect(addSources(once, [flights])).toBe(once)
  })

  it('adds after a last member without a comma', () => {
    const text = 'export default { sources: { a: 1 } }\n'
    expect(addSources(text, [flights])).toContain("{ a: 1,\n    flights: file('data/flights.csv'), }")
  })

  it('adds the property where there is none', () => {
    expect(addSources("export default { name: 'x' }\n", [flights])).toContain(
      "{\n  sources: {\n    flights: file('data/flights.csv'),\n  }, name: 'x' }",
    )
  })

  it('says what to write by hand when the configuration is computed', () => {
    expect(() => addSources('export default make()\n', [flights])).toThrow('cannot be edited')
  })
})
