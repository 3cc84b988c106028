/** Steps as forks of one process: each starts from the same state, is told apart from the others, and ends with the runtime. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Runtime, StepOutcome, StepWork } from '../runtime.ts'
import { openSandbox } from '../sandbox/open-sandbox.ts'
import { forkingPythonRuntime } from './forking-runtime.ts'
import { pythonStep, pythonWork, testEnvironment } from './testing/python-step.ts'

const module = `import os
import numpy as np
import helper
from cellmill import asset

seen = []


@asset
def first():
    seen.append(1)
    os.environ["LEFT"] = "behind"
    np.random.seed(7)
    np.set_printoptions(precision=1)
    print("first says", len(seen))
    return [len(seen), helper.VALUE]


@asset
def second():
    return [len(seen), os.environ.get("LEFT"), np.get_printoptions()["precision"], sorted(os.listdir("."))]


@asset
def drawn():
    return float(np.random.rand())


@asset
def unset():
    return np.empty(100_000, dtype=np.uint8)[50_000:50_010].tolist()


@asset
def fails():
    raise KeyError("gone")


@asset
def dies():
    os.kill(os.getpid(), 11)


@asset
def waits():
    import time

    time.sleep(600)


@asset
def parent():
    os.kill(os.getppid(), 9)
    return 1
`

const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'cellmill-fork-')))
const project = path.join(root, 'project')
let runtime: Runtime
let attempts = 0

function open(): Promise<Runtime> {
  return openSandbox({ mode: 'auto', python: testEnvironment.python }).then((sandbox) =>
    forkingPythonRuntime({
      sandbox,
      environment: testEnvironment,
      linesFolder: path.join(root, 'lines'),
      cacheFolder: path.join(root, 'cache'),
      readable: [project],
      writable: path.join(root, 'scratch'),
      preload: path.join(project, 'assets/a.py'),
      projectFolders: [project],
      hostVariables: {},
    }),
  )
}

beforeAll(async () => {
  mkdirSync(path.join(project, 'assets'), { recursive: true })
  mkdirSync(path.join(root, 'scratch'))
  writeFileSync(path.join(project, 'assets/a.py'), module)
  // It may not be imported ahead: its value is that of the moment at which a step starts.
  writeFileSync(path.join(project, 'helper.py'), 'VALUE = "now"\n')
  runtime = await open()
})
afterAll(async () => {
  await runtime.close()
  rmSync(root, { recursive: true, force: true })
})

interface Ran {
  readonly outcome: StepOutcome
  readonly log: string
  readonly value: unknown
}

async function run(symbol: string, signal = new AbortController().signal, more: Partial<StepWork> = {}): Promise<Ran> {
  const folder = path.join(root, 'scratch', `attempt-${++attempts}`)
  mkdirSync(folder, { recursive: true })
  let log = ''
  const outcome = await runtime.run(
    { ...workOf(symbol, folder), ...more },
    { write: (_stream, text) => (log += text) },
    signal,
  )
  const entry = outcome.state === 'succeeded' ? outcome.report.outputs[0]!.entry : null
  const text = entry === null ? '' : readFileSync(path.join(folder, 'outputs', entry), 'latin1')
  return { outcome, log, value: text }
}

function workOf(symbol: string, folder: string): StepWork {
  const outputs = [{ asset: symbol, output: '', kind: 'object', kindDeclared: false }] as const
  const codeFiles = ['assets/a.py', 'helper.py']
  return pythonWork(pythonStep({ id: symbol, symbol, outputs }), { projectRoot: project, folder }, { codeFiles })
}

test('a step sees nothing of one before it: modules, environment, settings, folder', async () => {
  const first = await run('first')
  expect(first).toMatchObject({ outcome: { state: 'succeeded' }, log: 'first says 1\n' })
  expect(first.value).toContain('now')
  const [again, second] = [await run('first'), await run('second')]
  expect(again.value).toBe(first.value)
  expect(second.outcome.state).toBe('succeeded')
  expect(second.value).not.toContain('behind')
  expect((await run('second')).value).toBe(second.value)
})

test('generators start the same in every step', async () => {
  const [one, other] = await Promise.all([run('drawn'), run('drawn')])
  expect(one.outcome.state).toBe('succeeded')
  expect(one.value).toBe(other.value)
})

test('memory that nobody set holds the byte that is asked for', async () => {
  const { signal } = new AbortController()
  const [one, other] = [
    await run('unset', signal, { memoryFill: 0x5a }),
    await run('unset', signal, { memoryFill: 0xa5 }),
  ]
  expect(one.outcome.state).toBe('succeeded')
  expect(one.value).not.toBe(other.value)
})

test('code of the project is read when a step starts', async () => {
  writeFileSync(path.join(project, 'helper.py'), 'VALUE = "later"\n')
  expect((await run('first')).value).toContain('later')
})

test('failures are told as those of any step, and steps beside them go on', async () => {
  const [fails, dies, first] = await Promise.all([run('fails'), run('dies'), run('first')])
  expect(fails.outcome).toMatchObject({ state: 'failed', error: { type: 'KeyError', kind: 'exception' } })
  expect(dies.outcome).toMatchObject({ state: 'failed', error: { kind: 'signal' } })
  expect(first.outcome.state).toBe('succeeded')
})

test('one that is cancelled ends, and so do all after the process itself is killed', async () => {
  const controller = new AbortController()
  const waiting = run('waits', controller.signal)
  setTimeout(() => controller.abort(), 200)
  expect((await waiting).outcome.state).toBe('cancelled')
  runtime = await open()
  expect((await run('parent')).outcome.state).toBe('failed')
  expect((await run('first')).outcome.state).toBe('failed')
})
