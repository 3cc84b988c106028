import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../clock.ts'
import { isCellmillError } from '../../errors.ts'
import { discoverPython } from './discover-python.ts'
import { environmentOf, testProject } from './testing/test-project.ts'

const head = 'from cellmill import asset, check, effect, param, report, setup\n'

test('reads steps, inputs, parameters and options without running anything', async () => {
  using project = testProject({
    'assets/staging/orders.py': `${head}import pandas as pd
from pandas import DataFrame
from pathlib import Path
import os
os._exit(1)

MIN_TOTAL = param(0.0)

@asset(refresh="1d", timeout="30m", memory="4GB", reads={"raw": ["id", "total"]}, tags=("daily",), network="api.x.org")
def orders(raw: pd.DataFrame, more: "DataFrame", path: Path, anything, *, currency: str = "EUR", share: float = 1, since: "str" = None):
    """One row per
    valid order.

    Details."""
    return raw

@asset(outputs=("train", "test"), name="split_up")
def split(orders: pd.DataFrame, *, seed: int = 7): ...

@check(split, severity="warn")
def has_rows(train): ...

@check("raw")
def has_ids(raw): ...

@report
def shown(orders): ...

@effect
def send(orders): ...
`,
  })
  const { steps, parameters, diagnostics } = await project.discover()
  expect(diagnostics).toEqual([])
  expect(steps.map((step) => [step.kind, step.id, step.outputs.map((output) => output.asset)])).toEqual([
    ['asset', 'staging.orders', ['staging.orders']],
    ['asset', 'staging.split_up', ['staging.train', 'staging.test']],
    ['check', 'staging.has_rows', []],
    ['check', 'staging.has_ids', []],
    ['report', 'staging.shown', ['staging.shown']],
    ['effect', 'staging.send', ['staging.send']],
  ])
  const [orders, , hasRows, hasIds] = steps
  expect(orders!.description).toBe('One row per valid order.')
  expect(
    orders!.inputs.map(({ argument, annotation, form, columns }) => [argument, annotation, form, columns]),
  ).toEqual([
    ['raw', 'pandas.DataFrame', 'pandas', ['id', 'total']],
    ['more', 'pandas.DataFrame', 'pandas', null],
    ['path', 'pathlib.Path', 'path', null],
    ['anything', '', 'object', null],
  ])
  expect(orders!.parameters.map(({ name, type, default: value }) => [name, type, value])).toEqual([
    ['currency', 'str', 'EUR'],
    ['share', 'float', 1],
    ['since', 'json', null],
  ])
  expect(orders!.options).toMatchObject({
    refresh: { kind: 'every', everyMs: 86_400_000 },
    timeoutMs: 1_800_000,
    memoryBytes: 4e9,
    tags: ['daily'],
    network: ['api.x.org'],
  })
  expect(orders!.place).toMatchObject({ file: 'assets/staging/orders.py', line: 11, column: 5, length: 6 })
  expect(hasRows!.check).toEqual({ asset: 'staging.train', severity: 'warn', rule: null })
  expect(hasIds!.check).toEqual({ asset: 'raw', severity: 'error', rule: null })
  expect(parameters).toMatchObject([{ name: 'min_total', type: 'float', default: 0 }])
})

test.each([
  ['def f(:\n', 'D001', 1, 7, 'assets/a.py does not parse: invalid syntax'],
  [`${head}@asset\ndef f(*args): ...\n`, 'D042', 3, 8, "'f' takes *args, so what it reads is not known"],
  [`${head}@asset\ndef f(x=1): ...\n`, 'D042', 3, 7, "the input 'x' has a default"],
  [`${head}@asset\nasync def f(): ...\n`, 'D042', 3, 11, "'f' is async"],
  [`${head}@asset\ndef f():\n    yield 1\n`, 'D042', 3, 5, "'f' is a generator"],
  [
    `${head}class A:\n    @asset\n    def f(self): ...\n`,
    'D042',
    3,
    6,
    '@asset is not on a function at the top level of its module',
  ],
  [`${head}def f(): ...\ng = asset(f)\n`, 'D042', 3, 5, 'asset() is called, so what it makes is not known'],
  [`${head}@asset(retires=2)\ndef f(): ...\n`, 'D020', 2, 16, "@asset has no option 'retires'"],
  [`${head}@asset(retries="two")\ndef f(): ...\n`, 'D020', 2, 16, `the option 'retries' does not take "two"`],
  [
    `${head}import os\n@asset(memory=os.environ["M"])\ndef f(): ...\n`,
    'D020',
    3,
    15,
    "the option 'memory' cannot be read: it is not a literal",
  ],
  [`${head}@asset(export="../x.csv")\ndef f(): ...\n`, 'D020', 2, 15, `the option 'export' does not take "../x.csv"`],
  [
    `${head}@asset(reads={"ordrs": ["id"]})\ndef f(orders): ...\n`,
    'D020',
    2,
    14,
    "'reads' names 'ordrs', which is no input of 'f'",
  ],
  [`${head}@asset(name="two words")\ndef f(): ...\n`, 'D014', 3, 5, "'two words' is not a name"],
  [
    `${head}@asset\ndef f(*, n: int = "a"): ...\n`,
    'D021',
    3,
    19,
    "the default of 'n' cannot be a parameter's: its default is of type str, and its annotation says int",
  ],
  [
    `${head}@asset\ndef f(*, n=10**3): ...\n`,
    'D021',
    3,
    12,
    "the default of 'n' cannot be a parameter's: it is not a literal",
  ],
  [`${head}N = param(object())\n`, 'D021', 2, 11, "the default of 'N' cannot be a parameter's: it is not a literal"],
  [`${head}def g():\n    return param(1)\n`, 'D021', 3, 12, 'param() must be assigned to one name at the top level'],
  [`${head}@check\ndef f(x): ...\n`, 'D043', 2, 2, "the check 'f' does not say what it checks"],
  [`${head}@asset(outputs=())\ndef f(): ...\n`, 'D042', 3, 5, "'f' has no outputs"],
  [`${head}@asset\ndef f(): ...\n@asset\ndef f(): ...\n`, 'D013', 5, 1, "the function 'f' is defined twice"],
])('says what is wrong and where: %j', async (text, code, line, column, message) => {
  using project = testProject({ 'assets/a.py': text })
  const { diagnostics } = await project.discover()
  expect(diagnostics.map((found) => [found.code, found.at?.line, found.at?.column, found.message])).toEqual([
    [code, line, column, message],
  ])
  expect(diagnostics[0]!.fix).toBeTruthy()
  expect(diagnostics[0]!.at!.lineText).toBe(text.split('\n')[line - 1])
})

test('refuses two project parameters of one name with different defaults, and takes equal ones once', async () => {
  using project = testProject({
    'assets/a.py': `${head}LEAST = param(1)\nMOST = param(2)\n`,
    'assets/b.py': `${head}LEAST = param(1)\nMOST = param(3)\n`,
  })
  const { parameters, diagnostics } = await project.discover()
  expect(parameters.map((parameter) => parameter.name)).toEqual(['least', 'most'])
  expect(diagnostics.map((found) => [found.code, found.at?.file, found.notes])).toEqual([
    ['D022', 'assets/b.py', ['first at assets/a.py:3, as 2']],
  ])
})

test('starts no interpreter while nothing changes, and reads only what did', async () => {
  using project = testProject({ 'assets/a.py': `${head}import lib\n@asset\ndef f(): ...\n`, 'lib.py': 'X = 1\n' })
  const first = await project.discover()
  const second = await project.discover()
  expect([first.started, second.started]).toEqual([1, 0])
  expect({ ...second, started: 1 }).toEqual(first)
  project.write({ 'lib.py': 'X = 2\n' })
  const third = await project.discover()
  expect(third.started).toBe(1)
  expect(third.facts.modules['lib.py']!.text).not.toBe(first.facts.modules['lib.py']!.text)
  project.write({ 'lib.py': 'X = 1\n' })
  expect((await project.discover()).facts.modules['lib.py']).toEqual(first.facts.modules['lib.py'])
})

test('sees an edit of the same size that left the time stamp as it was', async () => {
  using project = testProject({ 'assets/a.py': `${head}X = 1\n@asset\ndef f():\n    return X\n` })
  const file = path.join(project.root, 'assets/a.py')
  const stamp = new Date()
  utimesSync(file, stamp, stamp)
  const before = (await project.discover()).facts
  writeFileSync(file, `${head}X = 2\n@asset\ndef f():\n    return X\n`)
  utimesSync(file, stamp, stamp)
  expect((await project.discover()).facts.modules['assets/a.py']!.text).not.toBe(before.modules['assets/a.py']!.text)
})

test('a renamed file is known by its content', async () => {
  using project = testProject({ 'assets/a.py': `${head}@asset\ndef f(): ...\n` })
  await project.discover()
  project.remove('assets/a.py')
  project.write({ 'assets/sub/b.py': `${head}@asset\ndef f(): ...\n` })
  const { steps, started } = await project.discover()
  expect([started, steps[0]!.id, steps[0]!.place.file]).toEqual([0, 'sub.f', 'assets/sub/b.py'])
})

test('a damaged cache counts as empty', async () => {
  using project = testProject({ 'assets/a.py': `${head}@asset\ndef f(): ...\n` })
  await project.discover()
  writeFileSync(path.join(project.root, '.cellmill/cache/python.json'), '{"writer": 1')
  const { started, steps } = await project.discover()
  expect([started, steps.length]).toEqual([1, 1])
})

test('hostile files end in a diagnostic, and the others are still read', async () => {
  using project = testProject({
    'assets/deep.py': `x = ${'('.repeat(5000)}1${')'.repeat(5000)}\n`,
    'assets/long.py': `x = ${'1+'.repeat(50_000)}1\n`,
    'assets/minus.py': `x = ${'-'.repeat(100_000)}1\n`,
    'assets/null.py': 'x = 1\0\n',
    'assets/wrong.py': '# coding: no-such-thing\nx = 1\n',
    'assets/big.py': `x = ${'9'.repeat(10_000)}\n`,
    'assets/fine.py': `${head}@asset\ndef f(): ...\n`,
  })
  writeFileSync(path.join(project.root, 'assets/latin.py'), Buffer.from([0x78, 0x3d, 0x22, 0xe9, 0x22]))
  const { steps, diagnostics } = await project.discover()
  expect(steps.map((step) => step.id)).toEqual(['f'])
  const failed = diagnostics.filter((found) => found.code === 'D001').map((found) => found.at!.file)
  expect(failed.sort()).toEqual(
    expect.arrayContaining(['assets/deep.py', 'assets/latin.py', 'assets/null.py', 'assets/wrong.py']),
  )
  expect(failed).not.toContain('assets/fine.py')
})

test('follows links inside the project, and neither circles nor links out of it', async () => {
  using project = testProject({
    'shared/b.py': `${head}@asset\ndef linked(): ...\n`,
    'assets/a.py': `${head}@asset\ndef f(): ...\n`,
  })
  using elsewhere = testProject({ 'c.py': `${head}@asset\ndef outside(): ...\n` })
  symlinkSync('../shared', path.join(project.root, 'assets/shared'))
  symlinkSync('.', path.join(project.root, 'assets/circle'))
  symlinkSync(elsewhere.root, path.join(project.root, 'assets/out'))
  const { steps } = await project.discover()
  expect(steps.map((step) => step.id).sort()).toEqual(['f', 'shared.linked'])
})

test.skipIf(process.getuid?.() === 0)('an asset file that cannot be read is said', async () => {
  using project = testProject({ 'assets/a.py': 'x = 1\n' })
  chmodSync(path.join(project.root, 'assets/a.py'), 0)
  expect((await project.discover()).diagnostics.map((found) => found.code)).toEqual(['D001'])
})

test('says which interpreter does not start', async () => {
  using project = testProject({ 'assets/a.py': 'x = 1\n' })
  mkdirSync(path.join(project.root, 'bin'))
  const request = {
    root: project.root,
    cacheFolder: path.join(project.root, 'cache'),
    environment: () => Promise.resolve({ ...environmentOf(), python: path.join(project.root, 'bin/python') }),
    clock: systemClock,
  }
  const error: unknown = await discoverPython(request).catch((thrown: unknown) => thrown)
  expect(isCellmillError(error, 'PYTHON_NOT_FOUND')).toBe(true)
})

test('a project without Python needs no interpreter', async () => {
  using project = testProject({ 'assets/a.sql': 'select 1' })
  const { steps, started } = await project.discover()
  expect([steps, started]).toEqual([[], 0])
})
