/**
 * Each mistake is refused with its permanent code, that code's exit code, a message that names the thing and a hint, as
 * JSON and in words; and what was published before is still there, and reused once the mistake is taken back.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorCatalogue } from '../../packages/core/src/error-codes.ts'
import type { ErrorCode } from '../../packages/core/src/error-codes.ts'
import type { Diagnostic } from '../../packages/core/src/diagnostics.ts'
import { TestProject } from '../support/project.ts'
import type { RunSummary } from '../support/project.ts'

interface ErrorAnswer {
  readonly error: {
    readonly code: ErrorCode
    readonly message: string
    readonly hint: string | null
    readonly details: Readonly<Record<string, unknown>>
  }
}

/** A command that must be refused, as a script and as a person sees it. */
async function refused(
  project: TestProject,
  code: ErrorCode,
  ...args: readonly string[]
): Promise<ErrorAnswer['error']> {
  const result = await project.cli(...args, '--json')
  const error = errorOf(result.stdout)
  expect(error, result.stderr).toMatchObject({ code })
  expect(result.code).toBe(errorCatalogue[code].exitCode)
  expect(error.hint ?? '', `the hint of: ${error.message}`).not.toBe('')
  const shown = await project.cli(...args)
  expect(shown.code).toBe(result.code)
  expect(shown.stderr).toContain(code)
  expect(shown.stderr).toContain('hint:')
  return error
}

function errorOf(stdout: string): ErrorAnswer['error'] {
  const last = stdout.trim().split('\n').at(-1) ?? ''
  expect(last, 'the error is one line of JSON').toMatch(/^\{"error":/)
  return (JSON.parse(last) as ErrorAnswer).error
}

/** The one error that the project has; the command ends before anything is run. */
async function wrongProject(project: TestProject): Promise<Diagnostic> {
  const { details } = await refused(project, 'PROJECT_INVALID', 'plan')
  const errors = (details['diagnostics'] as Diagnostic[]).filter(({ severity }) => severity === 'error')
  expect(errors).toHaveLength(1)
  expect(errors[0]!.fix ?? errors[0]!.notes.join()).not.toBe('')
  return errors[0]!
}

interface StepFailure {
  readonly message: string
  readonly hint: string | null
}

function failureOf(run: RunSummary, step: string): StepFailure {
  expect(run.code).toBe(1)
  expect(run.finished).toMatchObject({ state: 'failed', release: null })
  const event = run.events.find((candidate) => candidate.type === 'step-failed' && candidate.step === step)
  expect(event, JSON.stringify(run.events.at(-1))).toBeDefined()
  const failure = event!['error'] as StepFailure
  expect(failure.hint ?? '', `the hint of: ${failure.message}`).not.toBe('')
  return failure
}

const plainFiles = {
  'cellmill.config.ts': `import { defineConfig, file } from '@cellmill/sdk'
export default defineConfig({ name: 'shop', sources: { orders: file('data/orders.csv') }, environments: { prod: {}, dev: {} } })
`,
  'data/orders.csv': 'id,total\n1,5\n2,7\n',
  'assets/sums.sql': '-- @param lowest double = 0\nSELECT sum(total) AS total FROM orders WHERE total >= $lowest\n',
  'assets/lines.py': `from cellmill import asset, param

LIMIT = param(10)


@asset
def lines(orders: str) -> list:
    with open(orders) as stream:
        return stream.read().splitlines()[:LIMIT]
`,
}

/** A published project; `mended` says that everything is as before. */
class Published extends TestProject {
  readonly #files: Readonly<Record<string, string>>

  constructor(files: Readonly<Record<string, string>>) {
    super(files)
    this.#files = files
  }

  async publish(): Promise<void> {
    const run = await this.run()
    expect(run.code, run.stderr).toBe(0)
  }

  /** Takes the mistake back; then nothing of what was published is to be built again. */
  async mended(...added: readonly string[]): Promise<void> {
    for (const name of added) rmSync(path.join(this.root, name), { recursive: true })
    this.write(this.#files)
    this.env = {}
    expect(await this.json('status')).toMatchObject({ release: 1, held: false })
    const run = await this.run()
    expect(run.stderr).toBe('')
    expect(run.built).toEqual([])
    expect(await this.json('verify')).toMatchObject({ healthy: true })
  }
}

describe('the command line', () => {
  const project = new TestProject()
  afterAll(() => project.remove())

  it('says that there is no project here', async () => {
    const error = await refused(project, 'PROJECT_NOT_FOUND', 'plan')
    expect(error.message).toContain(project.root)
    expect(error.hint).toContain('cellmill init')
    expect(existsSync(path.join(project.root, '.cellmill'))).toBe(false)
  })

  it.each([
    ['an unknown command', ['pln'], /pln/],
    ['an unknown option', ['plan', '--offlin'], /--offlin/],
    ['a missing argument', ['show'], /asset/],
    ['a surplus argument', ['status', 'everything'], /./],
  ])('refuses %s with exit code 2', async (_, args, named) => {
    const asJson = await project.cli(...args, '--json')
    expect(asJson.code).toBe(2)
    const error = errorOf(asJson.stdout)
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringMatching(named) as string })
    expect(error.hint).toContain('--help')
    const shown = await project.cli(...args)
    expect(shown.code).toBe(2)
    expect(shown.stderr).toMatch(named)
  })

  it('suggests the command that was meant', async () => {
    expect((await project.cli('pln')).stderr).toContain('plan')
  })
})

describe('the machine', () => {
  const project = new Published(plainFiles)
  beforeAll(() => project.publish())
  afterAll(() => project.remove())

  it('says when the interpreter that is named is not there', async () => {
    project.env = { CELLMILL_PYTHON: '/nonexistent' }
    const error = await refused(project, 'PYTHON_NOT_FOUND', 'run')
    expect(error.message).toContain('/nonexistent')
    await project.mended()
  })

  it('says when the only Python is too old, and which it is', async () => {
    const bin = path.join(project.root, 'bin')
    mkdirSync(bin)
    const old = path.join(bin, 'python3')
    const answer = JSON.stringify({ python: old, version: '3.9.18', basePrefix: bin, platform: 'linux-x86_64' })
    writeFileSync(old, `#!/bin/sh\necho '${answer}'\n`)
    chmodSync(old, 0o755)
    project.env = { CELLMILL_PYTHON: old }
    const error = await refused(project, 'PYTHON_NOT_FOUND', 'run')
    expect(error.message).toContain('3.9.18')
    await project.mended('bin')
  })

  it('says which package does not install, and leaves no environment behind', async () => {
    const wheels = path.join(project.root, 'wheels')
    mkdirSync(wheels)
    const wheel = Buffer.from('this is no wheel')
    writeFileSync(path.join(wheels, 'brokenpackage-1.0-py3-none-any.whl'), wheel)
    const digest = createHash('sha256').update(wheel).digest('hex')
    project.write({ 'requirements.lock': `brokenpackage==1.0 --hash=sha256:${digest}\n` })
    project.env = { UV_NO_INDEX: '1', UV_FIND_LINKS: wheels, UV_NO_CACHE: '1' }
    for (const _ of [1, 2]) {
      const error = await refused(project, 'PACKAGES_FAILED', 'packages', 'sync')
      expect(error.message).toContain('brokenpackage')
    }
    await project.mended('wheels', 'requirements.lock')
  })

  it('says which requirement cannot be resolved, and keeps the lock that was there', async () => {
    project.write({ 'requirements.txt': 'there-is-no-such-package\n', 'requirements.lock': '# empty\n' })
    project.env = { UV_NO_INDEX: '1' }
    const error = await refused(project, 'PACKAGES_FAILED', 'packages', 'lock')
    expect(error.message).toContain('there-is-no-such-package')
    expect(project.read('requirements.lock')).toBe('# empty\n')
    await project.mended('requirements.txt', 'requirements.lock')
  })

  it('says that the packages of the lock are not installed', async () => {
    project.write({
      'requirements.lock': `# a lock that nobody installed\nsix==1.17.0 --hash=sha256:${'0'.repeat(64)}\n`,
    })
    const error = await refused(project, 'PACKAGES_NOT_INSTALLED', 'run')
    expect(error.hint).toContain('cellmill packages sync')
    await project.mended('requirements.lock')
  })
})

describe('notebooks', () => {
  const project = new TestProject({ 'cellmill.config.ts': plainFiles['cellmill.config.ts'] })
  afterAll(() => project.remove())

  it.each([
    ['is not JSON', 'this is no notebook', /JSON/],
    ['is torn', '{"cells": [', /JSON/],
    ['is empty', '', /empty/],
    ['is JSON of another kind', '{"name": "x"}', /cells/],
    ['is a list', '[]', /notebook/],
    ['has no cells', notebook([], 'python3', 'python'), /no cells/],
  ])('a file that %s is refused by audit and graduate', async (_, text, named) => {
    project.write({ 'notebooks/bad.ipynb': text })
    for (const command of ['audit', 'graduate']) {
      const error = await refused(project, 'NOTEBOOK_UNREADABLE', command, 'notebooks/bad.ipynb')
      expect(error.message).toContain('notebooks/bad.ipynb')
      expect(error.message).toMatch(named)
    }
  })

  it('one that is not there is refused', async () => {
    for (const command of ['audit', 'graduate']) {
      const error = await refused(project, 'NOTEBOOK_UNREADABLE', command, 'notebooks/none.ipynb')
      expect(error.message).toContain('notebooks/none.ipynb')
    }
  })

  it('one in another language is audited as far as its file goes, and not converted', async () => {
    project.write({ 'notebooks/r.ipynb': notebook(['x <- c(1, 2)'], 'ir', 'R') })
    const audited = await project.json<{ language: string; notChecked: string[] }>('audit', 'notebooks/r.ipynb')
    expect(audited.language).toBe('r')
    expect(audited.notChecked.length).toBeGreaterThan(10)
    const result = await project.cli('graduate', 'notebooks/r.ipynb', '--json')
    expect(result.code).toBe(1)
    expect(JSON.parse(result.stdout)).toMatchObject({
      verdict: 'refused',
      reasons: [{ code: 'N44', message: expect.stringMatching(/\br\b/i) as string }],
      files: [],
    })
  })

  it('one without code is audited, refused, and writes nothing', async () => {
    project.write({ 'notebooks/prose.ipynb': notebook(['', '  \n'], 'python3', 'python') })
    expect((await project.cli('audit', 'notebooks/prose.ipynb')).code).toBe(0)
    const result = await project.cli('graduate', 'notebooks/prose.ipynb', '--json')
    expect(result.code, result.stdout).toBe(1)
    expect(JSON.parse(result.stdout)).toMatchObject({ verdict: 'refused', files: [], packages: [] })
    expect((await project.cli('graduate', 'notebooks/prose.ipynb')).stderr).toContain('no code')
    expect(project.has('assets')).toBe(false)
    expect(project.has('requirements.txt')).toBe(false)
  })
})

function notebook(cells: readonly string[], kernel: string, language: string): string {
  const code = cells.map((source) => ({ cell_type: 'code', execution_count: 1, metadata: {}, outputs: [], source }))
  return JSON.stringify({
    cells: cells.length === 0 ? [] : [{ cell_type: 'markdown', metadata: {}, source: '# A title' }, ...code],
    metadata: { kernelspec: { name: kernel, display_name: kernel, language }, language_info: { name: language } },
    nbformat: 4,
    nbformat_minor: 5,
  })
}

describe('the project', () => {
  const project = new Published(plainFiles)
  beforeAll(() => project.publish())
  afterAll(() => project.remove())

  it('shows where Python does not parse', async () => {
    project.write({
      'assets/bad.py': 'from cellmill import asset\n\n\n@asset\ndef bad(orders: str) -> list\n    return []\n',
    })
    const error = await wrongProject(project)
    expect(error).toMatchObject({ code: 'D001', at: { file: 'assets/bad.py', line: 5 } })
    await project.mended('assets/bad.py')
  })

  it('shows where SQL does not parse', async () => {
    project.write({ 'assets/bad.sql': 'SELECT id\nFROM orders\nWHERE\n' })
    const error = await wrongProject(project)
    expect(error).toMatchObject({ code: 'D002', at: { file: 'assets/bad.sql' } })
    await project.mended('assets/bad.sql')
  })

  it('shows where the configuration is wrong', async () => {
    project.replace('cellmill.config.ts', "name: 'shop'", "nmae: 'shop'")
    const error = await wrongProject(project)
    expect(error).toMatchObject({ code: 'D004', at: { file: 'cellmill.config.ts' } })
    expect(error.message).toContain('nmae')
    expect(error.fix).toContain('name')
    await project.mended()
  })

  it.each([
    [
      'Python',
      'assets/more.py',
      'from cellmill import asset\n\n\n@asset\ndef more(ordrs: str) -> list:\n    return []\n',
    ],
    ['SQL', 'assets/more.sql', 'SELECT * FROM ordrs\n'],
  ])('names the nearest name for an unknown input in %s', async (_, file, text) => {
    project.write({ [file]: text })
    const error = await wrongProject(project)
    expect(error).toMatchObject({ code: 'D010', at: { file } })
    expect(error.message).toContain('ordrs')
    expect([error.fix, ...error.notes].join(' ')).toContain('orders')
    await project.mended(file)
  })

  it('shows the path of a circle', async () => {
    project.write({
      'assets/a.sql': 'SELECT * FROM c\n',
      'assets/b.sql': 'SELECT * FROM a\n',
      'assets/c.sql': 'SELECT * FROM b\n',
    })
    const error = await wrongProject(project)
    expect(error.code).toBe('D012')
    const all = [error.message, ...error.notes].join(' ')
    expect(all).toMatch(/a -> b -> c -> a|a -> c -> b -> a/)
    await project.mended('assets/a.sql', 'assets/b.sql', 'assets/c.sql')
  })

  it('names the nearest asset for an unknown one in a command', async () => {
    const shown = await refused(project, 'UNKNOWN_NAME', 'show', 'sms')
    expect(`${shown.message} ${shown.hint}`).toContain('sums')
    const run = await refused(project, 'UNKNOWN_NAME', 'run', 'lins')
    expect(`${run.message} ${run.hint}`).toContain('lines')
    await project.mended()
  })

  it.each([
    ['a Python asset', 'limit', 'many', /whole number/],
    ['a SQL asset', 'lowest', 'deep', /a number/],
  ])('says which parameter of %s has a value of the wrong type, and of which it is', async (_, name, value, type) => {
    const error = await refused(project, 'PARAMETER_INVALID', 'run', '--param', `${name}=${value}`)
    expect(error.message).toContain(name)
    expect(error.message).toContain(value)
    expect(error.message).toMatch(type)
    await project.mended()
  })

  it('names the nearest parameter for an unknown one', async () => {
    const error = await refused(project, 'UNKNOWN_NAME', 'run', '--param', 'limt=3')
    expect(`${error.message} ${error.hint}`).toContain('limit')
    await project.mended()
  })

  it('names the source whose file is not there', async () => {
    rmSync(path.join(project.root, 'data/orders.csv'))
    const error = await refused(project, 'SOURCE_MISSING', 'run')
    expect(error.message).toContain('orders')
    expect(error.message).toContain('data/orders.csv')
    await project.mended()
  })
})

describe('steps', () => {
  const files = {
    ...plainFiles,
    'assets/lines.py': `import pandas as pd
from cellmill import asset


@asset
def lines(orders: pd.DataFrame) -> pd.DataFrame:
    return orders
`,
  }
  const project = new Published(files)
  beforeAll(async () => {
    project.usePackages()
    await project.cli('packages', 'sync')
    await project.publish()
  })
  afterAll(() => project.remove())

  const step = (body: string, options = ''): Record<string, string> => ({
    'assets/more.py': `import pandas as pd\nfrom cellmill import asset\n\n\n@asset${options}\ndef more(orders: pd.DataFrame):\n    ${body}\n`,
  })

  it('one that returns nothing fails, and says what to return', async () => {
    project.write(step('orders.copy()'))
    const failure = failureOf(await project.run(), 'more')
    expect(failure.message).toContain('more returned None')
    expect(failure.hint).toContain('return')
    await project.mended('assets/more.py')
  })

  it('one that returns something else than it declares fails, and says what it returned', async () => {
    project.write(step('return 3', '(kind="table")'))
    const failure = failureOf(await project.run(), 'more')
    expect(failure.message).toMatch(/table.*int/)
    await project.mended('assets/more.py')
  })

  it('one whose table does not survive Parquet fails, and names the column', async () => {
    project.write(step('return orders.assign(mixed=[1, "two"])', '(kind="table")'))
    const failure = failureOf(await project.run(), 'more')
    expect(failure.message).toContain('mixed')
    await project.mended('assets/more.py')
  })

  it('one that fails leaves the others as they are, and is told the columns', async () => {
    project.write(step('return orders["totl"]'))
    const run = await project.run()
    expect(failureOf(run, 'more').hint).toContain('total')
    expect(run.finished).toMatchObject({ failed: 1, reused: 2 })
    await project.mended('assets/more.py')
  })

  it('one that makes no rows is no error, but is said', async () => {
    project.write(step('return orders[orders.total > 100]'))
    const shown = await project.cli('run')
    expect(shown.code).toBe(0)
    expect(shown.stderr).toMatch(/more +0 rows.*empty/)
    expect(await project.json('status')).toMatchObject({ release: 2 })
  })

  it('a SQL one that fails names the value in the engine’s words', async () => {
    rmSync(path.join(project.root, 'assets/more.py'))
    project.write({ 'assets/casts.sql': "SELECT CAST('x' || id AS INTEGER) AS n FROM orders\n" })
    const run = await project.run()
    expect(run.code).toBe(1)
    const event = run.events.find(({ type }) => type === 'step-failed')
    expect(JSON.stringify(event?.['error'])).toContain('x1')
    expect(await project.json('status')).toMatchObject({ release: 2 })
  })
})

describe('the state', () => {
  it('of a newer Cellmill is refused and left as it is', async () => {
    const project = new Published(plainFiles)
    await project.publish()
    const file = path.join(project.root, '.cellmill', 'catalog.sqlite')
    const database = new Database(file)
    database.exec("INSERT INTO schema_version VALUES (999, 'from the future', '2030-01-01T00:00:00.000Z')")
    database.pragma('wal_checkpoint(TRUNCATE)')
    database.close()
    const before = readFileSync(file)
    for (const command of ['plan', 'run', 'status']) {
      const error = await refused(project, 'CATALOG_NEWER', command)
      expect(error.message).toContain('999')
    }
    expect(readFileSync(file).equals(before)).toBe(true)
    project.remove()
  })

  it('that is no catalog is refused and left as it is', async () => {
    const project = new Published(plainFiles)
    await project.publish()
    const file = path.join(project.root, '.cellmill', 'catalog.sqlite')
    rmSync(`${file}-wal`, { force: true })
    rmSync(`${file}-shm`, { force: true })
    writeFileSync(file, 'this is no database, and it is longer than the header of one would have to be. '.repeat(10))
    const before = readFileSync(file)
    for (const command of ['plan', 'run']) await refused(project, 'CATALOG_CORRUPT', command)
    expect(readFileSync(file).equals(before)).toBe(true)
    project.remove()
  })

  const disk = smallDisk()
  afterAll(() => disk.close())

  it.skipIf(disk.folder === null)(
    `on a full disk fails as such, and goes on once there is room${disk.reason}`,
    async () => {
      const state = JSON.stringify(path.join(disk.folder!, 'state'))
      const project = new Published({
        ...plainFiles,
        'cellmill.config.ts': plainFiles['cellmill.config.ts'].replace("'shop',", `'shop', state: ${state},`),
      })
      await project.publish()
      const filler = path.join(disk.folder!, 'filler')
      expect(spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']).status).not.toBe(0)
      const lines = Array.from({ length: 5000 }, (_, i) => `${i},${i}\n`)
      project.write({ 'data/orders.csv': `id,total\n${lines.join('')}` })
      const result = await project.cli('run', '--json')
      expect(result.code, result.stdout).toBe(1)
      expect(errorOf(result.stdout)).toMatchObject({ code: 'DISK_FULL' })
      rmSync(filler)
      await project.mended()
      project.write({ 'data/orders.csv': 'id,total\n1,50\n' })
      expect((await project.run()).finished).toMatchObject({ state: 'succeeded', built: 2 })
      project.remove()
    },
  )
})

/** Four megabytes in memory; only root may mount them. */
function smallDisk(): { readonly folder: string | null; readonly reason: string; close(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'cellmill-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { encoding: 'utf8' })
  const isMounted = mounted.status === 0
  const why = mounted.error?.message ?? mounted.stderr.trim()
  return {
    folder: isMounted ? folder : null,
    reason: isMounted ? '' : ` (skipped: no small disk can be mounted here: ${why})`,
    close: () => {
      if (isMounted) spawnSync('umount', [folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
