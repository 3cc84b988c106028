import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from './load-config.ts'
import type { LoadedConfig } from './load-config.ts'
import { readConfig } from './read-config.ts'

let base = ''
beforeAll(() => void (base = mkdtempSync(path.join(tmpdir(), 'cellmill-config-'))))
afterAll(() => rmSync(base, { recursive: true, force: true }))

let count = 0
async function load(
  files: Readonly<Record<string, string>>,
  again?: Readonly<Record<string, string>>,
): Promise<LoadedConfig> {
  const root = path.join(base, String(count++))
  const write = (all: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(all)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
      writeFileSync(path.join(root, name), text)
    }
  }
  write(files)
  const first = await loadConfig(root, path.join(root, '.cellmill/cache'))
  if (again === undefined) return first
  write(again)
  return loadConfig(root, path.join(root, '.cellmill/cache'))
}

const config = (body: string): Readonly<Record<string, string>> => ({
  'cellmill.config.ts': `import { defineConfig, file, fromEnv, float, http, sqlite } from '@cellmill/sdk'\nexport default defineConfig(${body})\n`,
})

async function problems(body: string): Promise<string[]> {
  const { diagnostics } = await load(config(body))
  return diagnostics.map(({ code, message, at, fix }) => `${code} ${at?.line}:${at?.column} ${message} | ${fix}`)
}

describe('a valid configuration', () => {
  test('gets defaults for everything that is left out', async () => {
    const { config: loaded, diagnostics, files } = await load(config('{}'))
    expect(diagnostics).toEqual([])
    expect(files).toEqual(['cellmill.config.ts'])
    expect(loaded.environments.map(({ name, sandbox, publishing }) => [name, sandbox, publishing])).toEqual([
      ['dev', 'auto', 'all'],
      ['prod', 'require', 'all'],
    ])
    expect(path.basename(loaded.state)).toBe('.cellmill')
    expect(loaded.parallel).toBeGreaterThan(0)
  })

  test('turns sources and parameters into what capturing and resolving need', async () => {
    const { config: loaded } = await load(
      config(`{
        name: 'shop',
        sources: {
          orders: file('./data/orders/*.csv', { csv: { delimiter: ';', nullValues: ['NA'], types: { id: 'BIGINT' } } }),
          rates: http('https://example.org/rates.json', { refresh: '1h' }),
          users: sqlite('users.db', { query: 'select * from users' }),
        },
        parameters: { min_total: 0, share: float(1), region: fromEnv('REGION', 'eu') },
        environments: { dev: { sources: { orders: 'data/sample.csv' }, parameters: { min_total: 3 } }, staging: { base: 'prod' } },
        branches: { main: 'prod' }, state: '../state', parallel: 3,
      }`),
    )
    expect(loaded.sources).toMatchObject([
      {
        type: 'file',
        path: 'data/orders/*.csv',
        isGlob: true,
        format: 'csv',
        capture: true,
        options: { delim: ';', nullstr: ['NA'], types: { id: 'BIGINT' } },
      },
      {
        type: 'http',
        url: 'https://example.org/rates.json',
        format: 'json',
        refresh: { kind: 'every', everyMs: 3_600_000 },
      },
      { type: 'sqlite', path: 'users.db', query: 'select * from users' },
    ])
    expect(loaded.parameters.map(({ name, type, default: value, fromEnv }) => [name, type, value, fromEnv])).toEqual([
      ['min_total', 'int', 0, null],
      ['share', 'float', 1, null],
      ['region', 'str', 'eu', 'REGION'],
    ])
    expect(loaded.environments.map(({ name, base: from }) => [name, from])).toEqual([
      ['dev', null],
      ['prod', null],
      ['staging', 'prod'],
    ])
    expect(loaded.parallel).toBe(3)
  })

  test('is read again when a module that it imports changes', async () => {
    const files = {
      'cellmill.config.ts': `import { wanted } from './names.ts'\n${config('{ name: wanted }')['cellmill.config.ts']}`,
      'names.ts': "export const wanted: string = 'one'",
    }
    expect((await load(files)).config.name).toBe('one')
    expect((await load(files, { 'names.ts': "export const wanted = 'two'" })).config.name).toBe('two')
  })
})

describe('a wrong configuration', () => {
  test('shows every problem with its place and the nearest name', async () => {
    expect(
      await problems(`{
  enviroments: {},
  sources: { orders: file('x.csv', { cvs: {} }), rates: 'rates.csv', far: file('../x.csv'), 'a b': file('y.csv') },
  branches: { main: 'prd' },
}`),
    ).toMatchInlineSnapshot(`
      [
        "D004 3:3 the configuration has no option 'enviroments' | did you mean 'environments'?",
        "D004 4:38 'sources.orders' has no option 'cvs' | did you mean 'csv'?",
        "D004 4:50 'sources.rates' is "rates.csv", not a source | write  file('PATH')  around it, or http() or sqlite()",
      ]
    `)
    expect(
      await problems(
        `{ sources: { far: file('../x.csv'), 'a b': file('y.csv') }, branches: { main: 'prd' }, environments: { dev: { base: 'dev', sources: { fra: 'x' } } } }`,
      ),
    ).toMatchInlineSnapshot(`
      [
        "D004 2:42 the source 'far' is outside the project: ../x.csv | move the data below the project, or write  outside: true  in its options",
        "D014 2:65 'a b' cannot be the name of a source | use letters, digits and _, such as raw_orders",
        "D004 2:101 there is no environment called 'prd' | did you mean 'prod'?",
        "D004 2:139 there is no other environment called 'dev' | use one of prod",
        "D004 2:163 there is no source called 'fra' | did you mean 'far'?",
      ]
    `)
    expect(await problems(`{ parallel: 0, environments: { dev: { publishing: 'al' } }, parameters: { x: null } }`))
      .toMatchInlineSnapshot(`
        [
          "D004 2:31 'parallel' is 0: too small: expected number to be >=1 | change 'parallel' in cellmill.config.ts",
          "D004 2:67 'environments.dev.publishing' is "al" | did you mean 'all'?",
          "D004 2:103 'parameters.x' is null: expected object, received null | write a literal, or int(3), float(0.5), bool(true), str('x'), date('2024-01-31')",
        ]
      `)
  })

  test('that throws points at the line that threw', async () => {
    expect(await problems(`{ name: (() => { throw new Error('no') })() }`)).toMatchInlineSnapshot(`
      [
        "D004 2:52 the configuration cannot be read: no | correct cellmill.config.ts; it is plain data, such as  export default defineConfig({ sources: {} })",
      ]
    `)
  })

  test('may not depend on anything but its text', async () => {
    expect(await problems(`{ name: String(Date.now()) }`)).toMatchInlineSnapshot(`
      [
        "D004 2:49 the configuration cannot be read: the configuration cannot use Date.now(): it is data, read once and cached by its text | correct cellmill.config.ts; it is plain data, such as  export default defineConfig({ sources: {} })",
      ]
    `)
    expect(await problems(`{ name: (await import('node:fs')).readFileSync('x', 'utf8') }`)).toMatchInlineSnapshot(`
      [
        "D004 1:1 the configuration cannot be read: the configuration cannot use 'node:fs': it is data, read once and cached by its text | correct cellmill.config.ts; it is plain data, such as  export default defineConfig({ sources: {} })",
      ]
    `)
    expect(await problems(`{ name: () => 'x' }`)).toMatchInlineSnapshot(`
      [
        "D004 1:1 the configuration cannot be read: the configuration.name is a function; the configuration holds plain values only | correct cellmill.config.ts; it is plain data, such as  export default defineConfig({ sources: {} })",
      ]
    `)
    expect(await problems(`{ name: process.env.HOME ?? 'unset' }`)).toEqual([])
  })

  test('that never ends is stopped', async () => {
    const file = path.join(base, 'cellmill.config.ts')
    writeFileSync(file, 'await new Promise(() => setInterval(() => {}, 1000))\nexport default {}')
    expect(await readConfig(file, 300)).toMatchObject({ ok: false, message: 'it did not end within 0.3 seconds' })
  })

  test('says what type stripping cannot run', async () => {
    const { diagnostics } = await load({ 'cellmill.config.ts': 'enum Color { Red }\nexport default {}' })
    expect(diagnostics.map(({ code, message, fix }) => [code, message, fix])).toMatchInlineSnapshot(`
      [
        [
          "D003",
          "enum 'Color' needs more than types to be removed",
          "write  const Color = { .. } as const",
        ],
      ]
    `)
  })
})
