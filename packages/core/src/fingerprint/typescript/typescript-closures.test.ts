import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listCode } from '../../project/list-code.ts'
import { ProjectFiles } from '../../project/python/python-files.ts'
import { discoverTypeScript } from '../../project/typescript/discover-typescript.ts'
import type { DiscoveredTypeScript } from '../../project/typescript/discover-typescript.ts'
import type { Closure } from '../closures.ts'
import { typescriptClosures } from './typescript-closures.ts'

let base = ''
beforeAll(() => void (base = mkdtempSync(path.join(tmpdir(), 'cellmill-ts-'))))
afterAll(() => rmSync(base, { recursive: true, force: true }))

type Files = Readonly<Record<string, string>>
let count = 0

function discover(files: Files): DiscoveredTypeScript {
  const root = path.join(base, String(count++))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
    writeFileSync(path.join(root, name), text)
  }
  return discoverTypeScript({ root, files: new ProjectFiles(root, {}, Date.now()), listing: listCode(root) })
}

function closure(files: Files, symbol = 'made'): Closure {
  const found = discover(files)
  expect(found.diagnostics).toEqual([])
  return typescriptClosures(found.facts).closureOf(found.steps.find((step) => step.symbol === symbol)!)
}

const sdk = "import { asset, fromProject, int, table } from '@cellmill/sdk'\n"
const project: Files = {
  'assets/a.ts': `${sdk}import { clean, other as unused } from '../lib/clean.ts'
import rates from '../lib/rates.json' with { type: 'json' }
import type { Row } from '../lib/types.ts'

/** Makes it. */
export const made = asset({
  inputs: { orders: table<Row>() },
  params: { most: int(3) },
  retries: 2,
  run({ orders, params }) {
    return orders.map((row) => clean(row, rates.eur)).slice(params.most)
  },
})
function nobody() { return 1 }
`,
  'lib/clean.ts': `import { scale } from './scale.ts'
export const limit = 10
const table = new Map([['a', 1]])
export function clean(row: { id: number }, rate: number): { id: number } { return { id: scale(row.id, rate) + limit } }
export function other() { return table }
`,
  'lib/scale.ts':
    'export const scale = (x: number, by: number) => x * by\nexport class Unused { static x = 1; y() { return 2 } }\n',
  'lib/types.ts': 'export interface Row { id: number }\n',
  'lib/rates.json': '{ "eur": 1 }',
}
const edit = (file: string, from: string, to: string): Files => {
  expect(project[file]).toContain(from)
  return { ...project, [file]: project[file]!.replace(from, to) }
}

describe('the closure of a step', () => {
  test('has the units that its code reaches, the data that it imports, and the files that it needs', () => {
    const { units, files } = closure(project)
    expect(units.map(({ module, unit }) => `${module}:${unit}`)).toEqual([
      ':file:lib/rates.json',
      '.:(run)',
      '.:import clean',
      '.:import rates',
      'lib/clean.ts:clean',
      'lib/clean.ts:export clean',
      'lib/clean.ts:import scale',
      'lib/clean.ts:limit',
      'lib/scale.ts:export scale',
      'lib/scale.ts:scale',
    ])
    expect(files).toEqual(['assets/a.ts', 'lib/clean.ts', 'lib/rates.json', 'lib/scale.ts'])
  })

  test.each([
    ['a comment', edit('assets/a.ts', '/** Makes it. */', '// Why it is made.')],
    [
      'layout and quotes',
      edit(
        'lib/clean.ts',
        'return { id: scale(row.id, rate) + limit }',
        'return {\n id: (scale(row.id,rate) + limit),\n}',
      ),
    ],
    [
      'types alone',
      edit(
        'lib/clean.ts',
        'row: { id: number }, rate: number): { id: number }',
        'row: { readonly id: number }, rate: 1 | 2)',
      ),
    ],
    ['a cast', edit('lib/clean.ts', 'scale(row.id, rate)', '(scale(row.id, rate as number)!)')],
    ['a type module', edit('lib/types.ts', 'id: number', 'id: number; name: string')],
    [
      'options, inputs and defaults, which the recipe holds elsewhere',
      edit('assets/a.ts', 'retries: 2', 'retries: 3, tags: ["x"]'),
    ],
    ['a default', edit('assets/a.ts', 'int(3)', 'int(4)')],
    ['code that it does not reach', edit('assets/a.ts', 'return 1', 'return 2')],
    ['a unit that another module holds', edit('lib/clean.ts', "['a', 1]", "['a', 2]")],
    ['an unused class', edit('lib/scale.ts', 'return 2', 'return 3')],
  ])('is the same after an edit of %s', (_what, files) => {
    expect(closure(files).units).toEqual(closure(project).units)
  })

  test('is the same when the asset is renamed or moved beside its modules', () => {
    const { 'assets/a.ts': text, ...others } = project
    const moved = closure({ ...others, 'assets/b.ts': text!.replace('const made', 'const renamed') }, 'renamed')
    expect(moved.units).toEqual(closure(project).units)
  })

  test.each([
    ['its own code', edit('assets/a.ts', 'slice(params.most)', 'slice(-params.most)')],
    ['a function that it calls', edit('lib/clean.ts', '+ limit', '- limit')],
    ['a constant that this reads', edit('lib/clean.ts', 'limit = 10', 'limit = 11')],
    ['an arrow behind two modules', edit('lib/scale.ts', 'x * by', 'x / by')],
    ['imported data', edit('lib/rates.json', '1', '2')],
    ['what a name is imported from', edit('assets/a.ts', 'clean, other as unused', 'other as clean, clean as unused')],
    [
      'what an exported name means',
      edit(
        'lib/scale.ts',
        'export const scale = (x: number, by: number) => x * by',
        'const a = (x: number, by: number) => x * by; const b = () => 1; export { b as scale, a as spare }',
      ),
    ],
    ['an effect at the top of its module', edit('assets/a.ts', 'function nobody', 'console.log("x")\nfunction nobody')],
    [
      'an effect at the top of a module that it runs',
      edit('lib/scale.ts', 'export class', 'globalThis.setTimeout(() => {}, 0)\nexport class'),
    ],
    ['a constant that is computed', edit('lib/scale.ts', 'static x = 1', 'static x = Number.parseFloat("1")')],
    [
      'an import for its effects',
      {
        ...edit('lib/scale.ts', 'export const scale', "import './register.ts'\nexport const scale"),
        'lib/register.ts': 'process.title = "x"',
      },
    ],
  ])('differs after an edit of %s', (_what, files) => {
    expect(closure(files).units).not.toEqual(closure(project).units)
  })

  test('tells effects in another order apart', () => {
    const files = (first: string, second: string): Files => ({
      'assets/a.ts': `${sdk}import '${first}'\nimport '${second}'\nexport const made = asset({ run: () => [{ a: 1 }] })`,
      'lib/x.ts': 'process.title = "x"',
      'lib/y.ts': 'process.title = "y"',
    })
    expect(closure(files('../lib/x.ts', '../lib/y.ts')).units).not.toEqual(
      closure(files('../lib/y.ts', '../lib/x.ts')).units,
    )
  })

  test('is the whole text of every module when names are computed', () => {
    const text = `${sdk}import * as lib from '../lib/x.ts'\nexport const made = asset({ run: () => [{ a: eval('lib.one') }] })\n`
    const found = discover({ 'assets/a.ts': text, 'lib/x.ts': 'export const one = 1 // a comment' })
    const { units, diagnostics } = typescriptClosures(found.facts).closureOf(found.steps[0]!)
    expect(units.map(({ module, unit }) => `${module}:${unit}`)).toEqual(['.:(run)', '.:text', 'lib/x.ts:text'])
    expect(diagnostics.map(({ code, at }) => [code, at?.line])).toEqual([['D051', 3]])
  })

  test('reaches files named by new URL, packages with what they require, and project parameters', () => {
    const files: Files = {
      'assets/a.ts': `${sdk}import { sum } from 'left'
export const made = asset({ params: { least: fromProject<number>('least') }, run: ({ runTime }) => [{ a: sum(new URL('../lib/x.txt', import.meta.url).href), runTime }] })`,
      'lib/x.txt': 'one',
      'node_modules/left/package.json':
        '{ "name": "left", "version": "1.2.3", "dependencies": { "right": "*" }, "peerDependencies": { "absent": "*" } }',
      'node_modules/right/package.json': '{ "name": "right", "version": "4.5.6" }',
      'package-lock.json':
        '{ "packages": { "node_modules/left": { "version": "1.2.3" }, "node_modules/right": { "version": "4.5.6" } } }',
    }
    const one = closure(files)
    expect(one.packages).toEqual([
      { name: 'left', version: '1.2.3' },
      { name: 'right', version: '4.5.6' },
    ])
    expect(one.projectParameters).toEqual(['least', 'run_time'])
    expect(one.units).toContainEqual({ module: '', unit: 'file:lib/x.txt', digest: expect.any(String) })
    expect(closure({ ...files, 'lib/x.txt': 'two' }).units).not.toEqual(one.units)
    const drifted = discover({ ...files, 'node_modules/left/package.json': '{ "version": "1.2.4" }' })
    expect(drifted.diagnostics.map(({ code, message, fix }) => [code, message, fix])).toEqual([
      ['D041', "'left' 1.2.4 is installed, and package-lock.json has 1.2.3", 'npm ci'],
    ])
  })

  test('names what is volatile where it is reached, and nothing that is not', () => {
    const text = `${sdk}import { randomUUID } from 'node:crypto'
import * as http from 'node:https'
const stamp = () => Date.now()
const day = new Date('2024-01-01')
const id = () => randomUUID()
export const made = asset({ run: async () => [{ a: stamp(), b: new Date(), c: await fetch('https://x'), d: process.env.X, e: http.get('x'), f: Math.random(), g: day }] })
export const calm = asset({ run: () => [{ a: new Date(0) }] })
`
    const found = discover({ 'assets/a.ts': text })
    const closures = typescriptClosures(found.facts)
    const [made, calm] = found.steps.map((step) => closures.closureOf(step))
    expect(made!.volatile.map(({ kind, what, line }) => `${kind} ${what} ${line}`).sort()).toEqual([
      'clock Date.now 4',
      'clock new Date() 7',
      'environment process.env 7',
      'network fetch() 7',
      'network https.get 7',
    ])
    expect([made!.drawsRandom, made!.diagnostics.map((each) => each.code)]).toEqual([true, ['D050']])
    expect(calm!.volatile).toEqual([])
  })
})

describe('what is wrong', () => {
  const problems = (files: Files): string[] =>
    discover(files).diagnostics.map(
      ({ code, at, message, fix }) => `${code} ${at?.file}:${at?.line}:${at?.column}+${at?.length} ${message} | ${fix}`,
    )

  test('with syntax and imports is told before anything runs', () => {
    expect(
      problems({
        'assets/a.ts': `${sdk}import { Row, make } from './rows.ts'
import { helper } from './helper'
import { StepValue } from '@cellmill/sdk'
import gone from './heper.ts'
import missing from 'nowhere'
enum Color { Red }
namespace Space { export const x = 1 }
namespace Types { export type T = 1 }
declare enum Fine { A }
class P { constructor(private x: number) {} }
@make class D {}
import old = require('old')
const cast = <number>make
export const made = asset({ run: () => [{ a: 1 }] })`,
        'assets/helper.ts': 'export const helper = 1',
        'assets/rows.ts': 'export interface Row { a: 1 }\nexport const make = 1',
      }),
    ).toMatchInlineSnapshot(`
      [
        "D003 assets/a.ts:7:1+18 enum 'Color' needs more than types to be removed | write  const Color = { .. } as const",
        "D003 assets/a.ts:8:1+38 a namespace with values needs more than types to be removed | move its contents into a module of their own",
        "D003 assets/a.ts:11:23+17 a parameter property needs more than types to be removed | declare the field, and assign it in the constructor",
        "D003 assets/a.ts:12:1+5 Node cannot run decorators: @make | call the function on the class instead",
        "D003 assets/a.ts:13:1+27 import = needs more than types to be removed | write  import x from 'x'",
        "D003 assets/a.ts:14:14+12 the <T>value form cannot be stripped | write  value as T",
        "D003 assets/a.ts:3:24+10 there is no file './helper' | write './helper.ts'",
        "D003 assets/a.ts:5:18+12 there is no file './heper.ts' | did you mean './helper.ts'?",
        "D003 assets/a.ts:2:10+3 'Row' is only a type in './rows.ts', so Node finds no value to import | write  type Row",
        "D003 assets/a.ts:4:10+9 'StepValue' is only a type in '@cellmill/sdk', so Node finds no value to import | write  type StepValue",
        "D041 assets/a.ts:6:21+9 the package 'nowhere' is not installed | npm install nowhere",
      ]
    `)
    expect(problems({ 'assets/a.ts': 'export const = 3' })).toMatchInlineSnapshot(`
      [
        "D003 assets/a.ts:1:14+1 Unexpected token | correct the syntax",
      ]
    `)
  })

  test('with options, inputs, parameters and names is told with its place', () => {
    expect(
      problems({
        'assets/a.ts': `import { asset, check, table, int, str } from '@cellmill/sdk'
const days = 3
const hidden = asset({ run: () => [] })
export const a = asset({ refersh: '1d', retries: -1, timeout: 'soon', kind: 'tabel', inputs: { params: table(), x: orders, y: table({ colums: ['a'] }), z: table({ columns: days }) }, params: { d: int(days), e: int(1.5), f: 3 }, run: () => [] })
export const b = asset(options)
export const c = asset({ inputs: {} })
export const d = check({ run: () => true })
export const e = asset({ name: 'not a name', run: () => [] })
export const f = asset({ ...options, run: () => [] })
export const g = asset({ outputs: ['one', '2'], run: () => [] })
declare const options: any
declare const orders: any
`,
      }),
    ).toMatchInlineSnapshot(`
      [
        "D042 assets/a.ts:3:7+6 'hidden' is not exported, so it cannot be run | write  export const hidden = ..",
        "D020 assets/a.ts:4:26+7 asset() has no option 'refersh' | did you mean 'refresh'?",
        "D020 assets/a.ts:4:50+2 'retries' takes a number of retries | write a number of retries",
        "D020 assets/a.ts:4:63+6 'timeout' takes a duration such as '10m' | write a duration such as '10m'",
        "D020 assets/a.ts:4:77+7 'kind' takes 'table', 'object' or 'file' | write 'table', 'object' or 'file'",
        "D014 assets/a.ts:4:96+6 'params' is what run gets besides its inputs | write  orders_params: table({ from: 'params' })",
        "D020 assets/a.ts:4:113+9 an input is table(), object() or path() | write for instance  orders: table()",
        "D020 assets/a.ts:4:133+17 table() has no option 'colums' | did you mean 'columns'?",
        "D020 assets/a.ts:4:162+17 the options of table() are literals | write for instance  table({ from: 'orders', columns: ['id'], as: 'columns' })",
        "D021 assets/a.ts:4:194+12 a parameter is int(), float(), bool(), str() or date() around a literal | write for instance  days: int(30)  or  since: date('2024-01-31')",
        "D021 assets/a.ts:4:208+11 a parameter is int(), float(), bool(), str() or date() around a literal | write for instance  days: int(30)  or  since: date('2024-01-31')",
        "D021 assets/a.ts:4:221+4 a parameter is int(), float(), bool(), str() or date() around a literal | write for instance  days: int(30)  or  since: date('2024-01-31')",
        "D042 assets/a.ts:5:18+14 the options of 'b' are not written here | write  asset({ inputs: {}, run() {} })",
        "D042 assets/a.ts:6:14+1 'c' has no run function | add  run({ .. }) { return [] }",
        "D043 assets/a.ts:7:14+1 the check 'd' does not say which asset it guards | add  asset: 'orders'",
        "D014 assets/a.ts:8:14+1 'not a name' in assets/a.ts cannot be a name | use letters, digits and _ in folders and names",
        "D020 assets/a.ts:9:26+10 options are read without running the file, so they must be written out | write each option by name",
        "D014 assets/a.ts:10:14+1 '2' cannot be the name of an asset | use letters, digits and _",
      ]
    `)
  })
})

test('steps have the names of their folders, and a check guards the asset that it names', () => {
  const { steps } = discover({
    'assets/staging/a.ts': `import { asset, check, table } from '@cellmill/sdk'
export const orders = asset({ name: 'clean', outputs: undefined, inputs: { raw: table({ from: 'x.raw', columns: ['b', 'a'], as: 'columns' }) }, run: () => [] } as const)
export const positive = check({ asset: orders, severity: 'warn', inputs: { clean: table() }, run: () => true })
export const only = check({ inputs: { clean: table() }, run: () => true })
export const split = asset({ outputs: ['train', 'test'], kind: 'table', run: () => ({}) })`.replace(
      'outputs: undefined, ',
      '',
    ),
    'assets/other.ts': `import { check, table } from '@cellmill/sdk'
import { orders } from './staging/a.ts'
export const far = check({ asset: orders, inputs: { clean: table() }, run: () => true })`,
    'assets/_defaults.ts': 'enum NotRead {}',
    'assets/a.test.ts': 'enum NotRead {}',
  })
  expect(
    steps.map(({ id, kind, outputs, check, inputs }) => [
      id,
      kind,
      outputs.map((output) => output.asset).join(),
      check?.asset,
      inputs.map((input) => [input.argument, input.reference, input.annotation, input.columns]),
    ]),
  ).toEqual([
    ['far', 'check', '', 'staging.clean', [['clean', 'clean', 'rows', null]]],
    ['staging.clean', 'asset', 'staging.clean', undefined, [['raw', 'x.raw', 'columns', ['b', 'a']]]],
    ['staging.positive', 'check', '', 'staging.clean', [['clean', 'clean', 'rows', null]]],
    ['staging.only', 'check', '', 'clean', [['clean', 'clean', 'rows', null]]],
    ['staging.split', 'asset', 'staging.train,staging.test', undefined, []],
  ])
})
