/** What is wrong is said with place, cause and the command to type; the exit code tells usage from failed work; nothing is lost. */
import { chmodSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { TestProject } from '../support/project.ts'

const config = `import { defineConfig, file } from '@cellmill/sdk'
export default defineConfig({ name: 'bad', sources: { orders: file('orders.csv') }, environments: { dev: {} } })
`
const orders = 'id,total\n1,5\n2,7\n'
const good = '-- Orders.\nSELECT id, total FROM orders ORDER BY id\n'

interface Failure {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint: string | null
    readonly details: {
      readonly diagnostics?: readonly {
        readonly code: string
        readonly message: string
        readonly at: { readonly file: string; readonly line: number; readonly lineText: string } | null
        readonly fix?: string
      }[]
    }
  }
}

let project = new TestProject()
afterEach(() => project.remove())

function make(files: Readonly<Record<string, string>>, withPackages = false): TestProject {
  project = new TestProject({ 'cellmill.config.ts': config, 'orders.csv': orders, ...files })
  if (withPackages) project.usePackages()
  return project
}

async function failure(
  command: string,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly failure: Failure['error'] }> {
  const result = await project.cli(command, ...args, '--json')
  const last = result.stdout.trim().split('\n').at(-1) ?? ''
  const parsed = JSON.parse(last.startsWith('{') && last.includes('"error"') ? last : result.stdout) as Failure
  return { code: result.code, failure: parsed.error }
}

async function diagnostics(): Promise<NonNullable<Failure['error']['details']['diagnostics']>> {
  const { code, failure: error } = await failure('plan')
  expect({ code, error: error.code }).toEqual({ code: 2, error: 'PROJECT_INVALID' })
  return error.details.diagnostics!
}

describe('a project that is wrong', () => {
  it('is not there', async () => {
    project = new TestProject()
    const { code, failure: error } = await failure('run')
    expect({ code, error: error.code }).toEqual({ code: 2, error: 'PROJECT_NOT_FOUND' })
    expect(error.hint).toContain('cellmill init')
  })

  it('has SQL that does not parse', async () => {
    make({ 'assets/a.sql': 'SELECT id,\n  FROM WHERE orders\n' })
    const [first] = await diagnostics()
    expect(first).toMatchObject({ code: 'D002', at: { file: 'assets/a.sql', line: 2 } })
  })

  it('has Python that does not parse', async () => {
    make({ 'assets/a.py': 'from cellmill import asset\n\n\n@asset\ndef a(orders:\n    return orders\n' })
    const [first] = await diagnostics()
    expect(first).toMatchObject({ code: 'D001', at: { file: 'assets/a.py' } })
    expect(first!.at!.lineText).not.toBe('')
  })

  it('reads an input that nothing makes, and is told the nearest name', async () => {
    make({ 'assets/a.sql': 'SELECT * FROM orderz\n' })
    const [first] = await diagnostics()
    expect(first).toMatchObject({ code: 'D010', fix: expect.stringContaining("'orders'") as string })
  })

  it('goes in a circle, and is shown the way', async () => {
    make({ 'assets/a.sql': 'SELECT * FROM b\n', 'assets/b.sql': 'SELECT * FROM a\n' })
    const found = await diagnostics()
    expect(found.some(({ code, message }) => code === 'D012' && message.includes('a -> b'))).toBe(true)
  })

  it('shows all that is wrong together', async () => {
    make({
      'assets/a.sql': 'SELECT * FROM orderz\n',
      'assets/b.sql': 'SELEC 1\n',
      'assets/c.sql': '-- @chek unique(id)\nSELECT id FROM orders\n',
    })
    const found = await diagnostics()
    expect(new Set(found.map(({ code }) => code))).toEqual(new Set(['D010', 'D002', 'D020']))
  })
})

describe('a command that is wrong', () => {
  it('does not exist', async () => {
    make({ 'assets/a.sql': good })
    const { code, failure: error } = await failure('rnu')
    expect({ code, error: error.code }).toEqual({ code: 2, error: 'USAGE' })
    expect(error.message).toContain('run')
  })

  it('has a parameter of the wrong type', async () => {
    make({ 'assets/a.sql': '-- @param least int = 1\nSELECT * FROM orders WHERE total >= $least ORDER BY id\n' })
    const { code, failure: error } = await failure('plan', '--param', 'least=many')
    expect({ code, error: error.code }).toEqual({ code: 2, error: 'PARAMETER_INVALID' })
    expect(error.message).toContain('least')
  })

  it('names an asset or a parameter that is not there, and is told the nearest', async () => {
    make({ 'assets/totals.sql': good })
    const asset = await failure('plan', 'totalz')
    expect(asset).toMatchObject({ code: 2, failure: { code: 'UNKNOWN_NAME', hint: "did you mean 'totals'?" } })
    expect((await project.cli('run')).code).toBe(0)
    expect(await failure('show', 'total')).toMatchObject({ code: 2, failure: { code: 'UNKNOWN_NAME' } })
  })

  it('names an environment that is not there', async () => {
    make({ 'assets/a.sql': good })
    expect(await failure('plan', '--env', 'prd')).toMatchObject({ code: 2, failure: { code: 'UNKNOWN_NAME' } })
  })
})

describe('a machine that is wrong', () => {
  it('has no Python', async () => {
    make({ 'assets/a.py': 'from cellmill import asset\n\n\n@asset\ndef a() -> int:\n    return 1\n' })
    project.env = { CELLMILL_PYTHON: '/nonexistent/python' }
    const { code, failure: error } = await failure('run')
    expect({ code, error: error.code }).toEqual({ code: 2, error: 'PYTHON_NOT_FOUND' })
    expect(error.hint).not.toBeNull()
  })

  it('has a Python that is too old', async () => {
    make({ 'assets/a.py': 'from cellmill import asset\n\n\n@asset\ndef a() -> int:\n    return 1\n' })
    const old = path.join(project.root, 'python3.8')
    writeFileSync(
      old,
      '#!/bin/sh\necho \'{"python":"/x/python3.8","version":"3.8.10","basePrefix":"/x","platform":"linux-x86_64"}\'\n',
    )
    chmodSync(old, 0o755)
    project.env = { CELLMILL_PYTHON: old }
    expect((await failure('run')).failure.code).toBe('PYTHON_NOT_FOUND')
  })

  it('has packages that are not installed', async () => {
    make({
      'assets/a.py': 'from cellmill import asset\n\n\n@asset\ndef a() -> int:\n    return 1\n',
      'requirements.lock':
        '# nothing of this is installed\nsix==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n',
    })
    project.env = { CELLMILL_CACHE: path.join(project.root, 'cache') }
    const { code, failure: error } = await failure('run')
    expect({ code, error: error.code }).toEqual({ code: 2, error: 'PACKAGES_NOT_INSTALLED' })
    expect(error.hint).toContain('packages sync')
  })

  it('has a source that is not there', async () => {
    make({ 'assets/a.sql': good })
    project.write({ 'cellmill.config.ts': config.replace('orders.csv', 'gone.csv') })
    const { code, failure: error } = await failure('run')
    expect(code).toBe(1)
    expect(error.code).toBe('SOURCE_MISSING')
    expect(error.message).toContain('gone.csv')
  })

  it('has a catalog from a newer version, and leaves it as it is', async () => {
    make({ 'assets/a.sql': good })
    expect((await project.cli('run')).code).toBe(0)
    const { default: Database } = await import('better-sqlite3')
    const database = new Database(path.join(project.root, '.cellmill/catalog.sqlite'))
    database.exec('UPDATE schema_version SET version = 9999 WHERE version = (SELECT max(version) FROM schema_version)')
    database.close()
    expect(await failure('run', '--rebuild')).toMatchObject({ code: 2, failure: { code: 'CATALOG_NEWER' } })
  })
})

describe('a notebook that is wrong', () => {
  it.each([
    ['is no JSON', 'not json', 'NOTEBOOK_UNREADABLE'],
    ['is empty', '', 'NOTEBOOK_UNREADABLE'],
    ['is something else', '{"a": 1}', 'NOTEBOOK_UNREADABLE'],
  ])('%s', async (_, text, code) => {
    make({ 'notebooks/n.ipynb': text })
    expect(await failure('audit', 'notebooks/n.ipynb')).toMatchObject({ code: 2, failure: { code } })
    expect(await failure('graduate', 'notebooks/n.ipynb')).toMatchObject({ code: 2, failure: { code } })
  })

  it('is not there', async () => {
    make({})
    expect((await failure('graduate', 'notebooks/n.ipynb')).code).toBe(2)
  })

  it('is written in another language', async () => {
    const notebook = {
      cells: [{ cell_type: 'code', metadata: {}, source: 'x <- 1', outputs: [], execution_count: 1 }],
      metadata: { kernelspec: { name: 'ir', display_name: 'R', language: 'R' }, language_info: { name: 'R' } },
      nbformat: 4,
      nbformat_minor: 5,
    }
    make({ 'notebooks/n.ipynb': JSON.stringify(notebook) })
    const audited = await project.json<{ language: string }>('audit', 'notebooks/n.ipynb')
    expect(audited.language).toBe('r')
    const graduated = await project.json<{ verdict: string; reasons: { code: string }[]; files: string[] }>(
      'graduate',
      'notebooks/n.ipynb',
    )
    expect(graduated).toMatchObject({ verdict: 'refused', reasons: [{ code: 'N44' }], files: [] })
  })
})

describe('an asset that is wrong', () => {
  const step = (body: string, more = '@asset'): string =>
    `import pandas as pd\nfrom cellmill import asset\n\n\n${more}\ndef a(orders: pd.DataFrame) -> pd.DataFrame:\n    ${body}\n`

  it.each([
    ['returns nothing', step('pass'), 'a'],
    ['returns something else than a declared table', step('return {"a": 1}', '@asset(kind="table")'), 'table'],
    [
      'makes a table that does not survive Parquet',
      step('return orders.assign(mixed=[1, "two"])', '@asset(kind="table")'),
      'mixed',
    ],
    ['asks for a column that is not there', step('return orders[["totl"]]'), 'totl'],
  ])('%s', async (_, text, named) => {
    make({ 'assets/a.py': text }, true)
    const run = await project.run()
    expect(run.code).toBe(1)
    const failed = run.events.find(({ type }) => type === 'step-failed') as unknown as {
      error: { message: string; hint: string | null; frames: unknown[] }
    }
    expect(failed.error.message).toContain(named)
    expect(run.finished).toMatchObject({ state: 'failed', release: null })
  })

  it('has zero rows, which is said and no failure', async () => {
    make({ 'assets/a.sql': 'SELECT id FROM orders WHERE id > 99 ORDER BY id\n' })
    const result = await project.cli('run')
    expect(result.code).toBe(0)
    expect(result.stderr).toContain('empty')
  })
})
