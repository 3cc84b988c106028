import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../clock.ts'
import type { UserCodeError } from '../../errors.ts'
import { loadProject } from '../../project/load-project.ts'
import { sdkEntry } from '../../project/sdk-entry.ts'
import type { StepDefinition } from '../../model/project.ts'
import type { StepInput, StepOutcome, StepReport, StepWork } from '../runtime.ts'
import { openSandbox } from '../sandbox/open-sandbox.ts'
import { nodeRuntime } from './node-runtime.ts'

let base = ''
beforeAll(() => void (base = mkdtempSync(path.join(tmpdir(), 'cellmill-node-'))))
afterAll(() => rmSync(base, { recursive: true, force: true }))

const sandbox = await openSandbox({ mode: 'auto', python: null })
const runtime = nodeRuntime({ sandbox, sdkEntry: sdkEntry() })
const header = "import { asset, check, report, effect, fromProject, int, object, path, table } from '@cellmill/sdk'\n"

async function query(sql: string): Promise<unknown> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const rows = (await connection.runAndReadAll(sql)).getRowsJson()
  instance.closeSync()
  return rows
}

interface Ran {
  readonly outcome: StepOutcome
  readonly report: StepReport
  readonly error: UserCodeError
  readonly output: string
  readonly log: string
}

let count = 0
async function run(
  code: string,
  inputs: Readonly<Record<string, Partial<StepInput>>> = {},
  more: Partial<StepWork> & { readonly files?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  const root = path.join(base, `p${count++}`)
  const sources = Object.keys(inputs).map((name) => `${name}: file('${name}.csv')`)
  const all = {
    'cellmill.config.ts': `import { defineConfig, file } from '@cellmill/sdk'\nexport default defineConfig({ parameters: { least: 2 }, sources: { ${sources.join(', ')} } })`,
    'assets/a.ts': header + code,
    ...more.files,
  }
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
    writeFileSync(path.join(root, name), text)
  }
  const loaded = await loadProject({
    root,
    clock: systemClock,
    engineVersion: 'v0',
    environment: async () => null,
    sqlParser: () => Promise.reject(new Error('no SQL here')),
  })
  expect(loaded.project.diagnostics.filter((each) => each.severity === 'error')).toEqual([])
  const definition: StepDefinition = loaded.project.steps.find((step) => step.symbol === 'made')!
  const folder = path.join(root, 'attempt')
  mkdirSync(folder)
  let log = ''
  const outcome = await runtime.run(
    {
      definition,
      runId: 'r',
      attempt: 1,
      inputs: definition.inputs.map((input) => ({
        argument: input.argument,
        form: input.form,
        annotation: input.annotation,
        columns: input.columns,
        origin: 'asset',
        codec: 'parquet',
        folder: base,
        files: [],
        sourcePaths: [],
        isGlob: false,
        name: input.reference,
        options: {},
        ...inputs[input.reference],
      })),
      parameters: Object.fromEntries(definition.parameters.map(({ name, default: value }) => [name, value])),
      projectParameters: { least: 2 },
      projectParameterTypes: { least: 'int' },
      runTime: '2024-05-06T07:08:09.000Z',
      seed: 'seed',
      randomState: null,
      codeFiles: loaded.languages.typescript.closures.closureOf(definition).files,
      projectRoot: root,
      folder,
      idempotencyKey: 'key',
      secrets: {},
      strict: false,
      ...more,
    },
    { write: (_stream, text) => void (log += text) },
    more.strict === undefined ? new AbortController().signal : AbortSignal.timeout(20_000),
  )
  return {
    outcome,
    report: outcome.state === 'succeeded' ? outcome.report : (undefined as never),
    error: outcome.state === 'failed' ? outcome.error : (undefined as never),
    output: path.join(folder, 'outputs'),
    log,
  }
}

async function parquet(sql: string): Promise<Partial<StepInput>> {
  const folder = mkdtempSync(path.join(base, 'in-'))
  await query(`COPY (${sql}) TO '${folder}/data.parquet' (FORMAT parquet)`)
  return { folder, files: ['data.parquet'] }
}

describe('a step', () => {
  test('reads rows, parameters and logical time, and leaves a table', async () => {
    const orders = await parquet(
      "SELECT i AS id, i * 1.5::DOUBLE AS total, DATE '2024-01-01' + i::INT AS day FROM range(5) t(i)",
    )
    const { outcome, output, log } = await run(
      `export const made = asset({
        inputs: { orders: table<{ id: number; total: number; day: Date }>() },
        params: { most: int(3), least: fromProject<number>('least') },
        run({ orders, params, runTime }) {
          console.log('hello', orders.length)
          return orders.filter((row) => row.id >= params.least && row.id <= params.most).map((row) => ({ ...row, year: runTime.getUTCFullYear() }))
        },
      })`,
      { orders },
    )
    expect(outcome).toMatchObject({
      state: 'succeeded',
      report: {
        outputs: [{ output: '', kind: 'table', codec: 'parquet', entry: '0.parquet', rows: 2 }],
        drewRandom: false,
        undeclared: [],
      },
    })
    expect(log).toContain('hello 5')
    expect(await query(`SELECT id, total, day, year FROM '${output}/0.parquet'`)).toEqual([
      ['2', 3, '2024-01-03 00:00:00', '2024'],
      ['3', 4.5, '2024-01-04 00:00:00', '2024'],
    ])
  })

  test('is handed the declared columns only, as vectors where it asks for them', async () => {
    const orders = await parquet('SELECT i AS id, i * 1.5::DOUBLE AS total, 7 AS secret FROM range(4) t(i)')
    const { report, output } = await run(
      `export const made = asset({
        inputs: { columns: table<{ id: number; total: number }>({ from: 'orders', columns: ['total', 'id'], as: 'columns' }) },
        run: ({ columns }) => ({ names: [Object.keys(columns).join()], kind: [columns.total.constructor.name], sum: [(columns.total as Float64Array).reduce((a, b) => a + b, 0)] }),
      })`,
      { orders },
    )
    expect(report.outputs[0]!.rows).toBe(1)
    expect(await query(`SELECT * FROM '${output}/0.parquet'`)).toEqual([['total,id', 'Float64Array', '9']])
  })

  test('keeps every kind of value', async () => {
    const { output } = await run(`export const made = asset({ run: () => [
      { i: 1, n: 1.5, big: 9007199254740993n, huge: 170141183460469231731687303715884105727n, t: 'é', b: true, d: new Date(0), bytes: new Uint8Array([1, 2]), list: [1, null], s: { x: 1, y: ['a'] }, none: null },
      { i: null, n: 2, big: 1, huge: 1, t: null, b: null, d: null, list: [], s: { x: null } },
    ] })`)
    expect(
      await query(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '${output}/0.parquet')`),
    ).toMatchObject([
      ['i', 'BIGINT'],
      ['n', 'DOUBLE'],
      ['big', 'BIGINT'],
      ['huge', 'DOUBLE'],
      ['t', 'VARCHAR'],
      ['b', 'BOOLEAN'],
      ['d', 'TIMESTAMP'],
      ['bytes', 'BLOB'],
      ['list', 'BIGINT[]'],
      ['s', 'STRUCT(x BIGINT, y VARCHAR[])'],
      ['none', 'VARCHAR'],
    ])
    expect(await query(`SELECT i, n, big, t, d, octet_length(bytes), list, s FROM '${output}/0.parquet'`)).toEqual([
      ['1', 1.5, '9007199254740993', 'é', '1970-01-01 00:00:00', '2', ['1', null], { x: '1', y: ['a'] }],
      [null, 2, '1', null, null, null, [], { x: null, y: null }],
    ])
  })

  test('gives the same numbers for the same seed, and draws are told', async () => {
    const code = 'export const made = asset({ run: ({ random }) => [{ a: random(), b: Math.random() }] })'
    const [one, two, other] = [await run(code), await run(code), await run(code, {}, { seed: 'other' })]
    const read = (ran: Ran): Promise<unknown> => query(`SELECT * FROM '${ran.output}/0.parquet'`)
    expect(await read(two)).toEqual(await read(one))
    expect(await read(other)).not.toEqual(await read(one))
    expect(one.report.drewRandom).toBe(true)
  })

  test('leaves files, JSON, several outputs, reports and verdicts', async () => {
    const bytes = await run(
      "export const made = asset({ kind: 'file', export: 'out/logo.bin', run: () => new Uint8Array([1, 2, 3]) })",
    )
    expect(readFileSync(path.join(bytes.output, '0.file/logo.bin'))).toEqual(Buffer.from([1, 2, 3]))
    const written = await run(
      "import { writeFileSync } from 'node:fs'\nexport const made = asset({ kind: 'file', run: () => { writeFileSync('x.txt', 'hi'); return 'x.txt' } })",
    )
    expect(readFileSync(path.join(written.output, '0.file/x.txt'), 'utf8')).toBe('hi')
    const json = await run("export const made = asset({ kind: 'object', run: () => ({ weights: [1, 2] }) })")
    expect(json.report.outputs).toMatchObject([{ kind: 'object', codec: 'json', entry: '0.json' }])
    const folder = json.output
    const read = await run(
      'export const made = asset({ inputs: { model: object<{ weights: number[] }>() }, run: ({ model }) => [{ n: model.weights.length }] })',
      {
        model: { folder, files: ['0.json'], codec: 'json' },
      },
    )
    expect(read.outcome.state).toBe('succeeded')
    const several = await run(
      "export const made = asset({ outputs: ['train', 'test'], run: () => ({ train: [{ a: 1 }], test: { a: [2, 3] } }) })",
    )
    expect(several.report.outputs.map(({ output, entry, rows }) => [output, entry, rows])).toEqual([
      ['train', '0.parquet', 1],
      ['test', '1.parquet', 2],
    ])
    const shown = await run(
      "export const made = report({ run: () => ({ text: '# Hi', metrics: { rows: 3 }, figures: { a: '<svg/>' } }) })",
    )
    expect(shown.report.outputs[0]).toMatchObject({ kind: 'report', summary: { parts: 3, metrics: { rows: 3 } } })
    const orders = await parquet('SELECT 1 AS id')
    const failing = await run(
      "export const made = check({ asset: 'orders', inputs: { orders: table() }, run: ({ orders }) => orders })",
      { orders },
    )
    expect(failing.report.check).toEqual({
      passed: false,
      message: '1 row breaks the rule, such as {"id":1}',
      failedRows: 1,
    })
    const done = await run(
      'export const made = effect({ run: ({ idempotencyKey }) => { console.log(idempotencyKey) } })',
    )
    expect([done.outcome.state, done.log]).toEqual(['succeeded', 'key\n'])
  })
})

describe('a step that fails', () => {
  test('shows the line of its own code, typed or not, and what it read', async () => {
    const orders = await parquet('SELECT 1 AS id')
    const { error } = await run(
      `type Row = { id: number }
export const made = asset({
  inputs: { orders: table<Row>() },
  run({ orders }) {
    return orders.map((row: Row) => helper(row))
  },
})
function helper(row: Row & { amount?: { value: number } }): Row { return { id: row.amount!.value } }`,
      { orders },
    )
    expect(error).toMatchObject({ kind: 'exception', type: 'TypeError', inputs: ['orders: 1 rows x 1 (id INTEGER)'] })
    expect(
      error.frames.map(({ file, line, column, lineText }) => [file, line, column, lineText.trim()]).slice(-1),
    ).toEqual([
      [
        'assets/a.ts',
        9,
        92,
        'function helper(row: Row & { amount?: { value: number } }): Row { return { id: row.amount!.value } }',
      ],
    ])
    expect(error.frames.every((frame) => frame.isProject)).toBe(true)
  })

  test('names the column, the row and the value of a result that no table holds', async () => {
    const message = async (body: string): Promise<string> => {
      const { error } = await run(`export const made = asset({ kind: 'table', run: (): any => ${body} })`)
      return `${error.kind}: ${error.message} | ${error.hint}`
    }
    expect(
      await Promise.all(
        [
          "[{ a: 1 }, { a: 'x' }]",
          '[]',
          '[{ a: () => 1 }]',
          '[{ a: new Date(NaN) }]',
          '[{ a: [1, true] }]',
          '({ a: [1], b: [] })',
          '[{ a: 1, A: 2 }]',
          '3',
          'undefined',
          '[{ a: new Map() }]',
        ].map(message),
      ),
    ).toMatchInlineSnapshot(`
      [
        "contract: column 'a' holds the text "x" in row 2, and whole numbers before it | make all values of 'a' the same, for instance with String(..) or Number(..)",
        "contract: it returned no rows, which say nothing about the columns | return columns instead, which may be empty:  { day: [], revenue: new Float64Array() }",
        "contract: column 'a' holds a function in row 1 | return plain values: numbers, texts, dates, lists, objects",
        "contract: column 'a' holds an invalid Date in row 1 | return null where there is no date",
        "contract: column 'a[]' holds the value true in row 2, and whole numbers before it | make all values of 'a[]' the same, for instance with String(..) or Number(..)",
        "contract: column 'b' has 0 values, and 'a' has 1 | return columns of one length",
        "contract: the columns 'a' and 'A' differ only in case | rename one of them",
        "contract: 'made' is a table, and it returned a number | return an array of objects, or an object of columns",
        "contract: it returned nothing | return the value that the asset is",
        "contract: column 'a' holds a Map in row 1 | return plain values: numbers, texts, dates, lists, objects",
      ]
    `)
  })

  test('has no network, no files and no environment but its own', async () => {
    const { error } = await run(
      "export const made = asset({ refresh: 'always', run: async () => [{ a: (await fetch('http://example.org')).status }] })",
    )
    expect(error).toMatchObject({
      kind: 'exception',
      message: expect.stringContaining('fetch failed'),
      hint: expect.stringContaining('network'),
    })
    const env = await run(
      'export const made = asset({ run: () => [{ names: Object.keys(process.env).sort().join() }] })',
    )
    expect(await query(`SELECT * FROM '${env.output}/0.parquet'`)).toEqual([
      [expect.stringMatching(/^(CELLMILL_PROCESS,)?HOME,LANG,LC_ALL,NODE_ENV,(PWD,)?TMPDIR,TZ$/)],
    ])
    writeFileSync(path.join(base, 'secret.txt'), 'x')
    const file = await run(
      `import { readFileSync } from 'node:fs'\nexport const made = asset({ run: () => [{ a: readFileSync('${base}/secret.txt', 'utf8') }] })`,
    )
    if (sandbox.level === 'bubblewrap')
      expect(file.error).toMatchObject({ hint: expect.stringContaining('declare the file as a source') })
  })

  test('is stopped at its limits and told apart', async () => {
    const kind = async (options: string, body: string): Promise<string> => {
      const { error } = await run(`export const made = asset({ ${options} run: async (): Promise<any> => ${body} })`)
      return error.kind
    }
    expect(await kind("timeout: '500ms',", '{ for (;;); }')).toBe('time-limit')
    expect(await kind('', 'process.exit(3)')).toBe('exit-code')
    expect(await kind('', 'new Promise(() => {})')).toBe('contract')
    expect(
      await kind(
        '',
        '{ setTimeout(() => { throw new Error("late") }, 1); await new Promise((done) => setTimeout(done, 5000)) }',
      ),
    ).toBe('exception')
    expect(
      await kind(
        "memory: '300MB',",
        '{ const all: unknown[] = []; for (;;) all.push(new Array(1e6).fill(all.length)) }',
      ),
    ).toBe('out-of-memory')
  })

  test('that read the clock says so, and strict environments refuse it', async () => {
    const code =
      "export const made = asset({ refresh: 'never', run: () => [{ t: later() }] })\nconst later = () => Date.now()"
    expect((await run(code)).report.undeclared).toEqual([{ kind: 'clock', what: 'Date.now()', where: 'assets/a.ts:3' }])
    const plain =
      'const clock = globalThis.Date\nexport const made = asset({ run: () => [{ t: new clock().getTime() }] })'
    expect((await run(plain, {}, { strict: true })).error.message).toContain('read new Date() at assets/a.ts:3')
  })
})
