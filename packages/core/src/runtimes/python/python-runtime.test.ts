import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { defaultOptions } from '../../model/default-options.ts'
import type { StepDefinition } from '../../model/project.ts'
import type { StepOutcome, StepWork } from '../runtime.ts'
import { openSandbox } from '../sandbox/open-sandbox.ts'
import { pythonRuntime } from './python-runtime.ts'
import type { PythonRuntimeOptions } from './python-runtime.ts'
import { pythonStep, pythonWork, testEnvironment } from './testing/python-step.ts'

const sandbox = await openSandbox({ mode: 'auto', python: testEnvironment.python })
const open = await openSandbox({ mode: 'off', python: null })

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function temporary(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'cellmill-python-'))
  folders.push(folder)
  return folder
}

function workOf(text: string, given: Partial<StepWork> & { readonly step?: Partial<StepDefinition> } = {}): StepWork {
  const root = temporary()
  mkdirSync(path.join(root, 'assets'))
  writeFileSync(path.join(root, 'assets/a.py'), text)
  const { step, ...rest } = given
  return pythonWork(pythonStep(step), { projectRoot: root, folder: temporary() }, rest)
}

interface Ran {
  readonly outcome: StepOutcome
  readonly log: string
}

async function run(
  work: StepWork,
  more: Partial<PythonRuntimeOptions> = {},
  signal = new AbortController().signal,
): Promise<Ran> {
  let log = ''
  const runtime = pythonRuntime({ sandbox, environment: async () => testEnvironment, ...more })
  const outcome = await runtime.run(work, { write: (_stream, text) => (log += text) }, signal)
  await runtime.close()
  return { outcome, log }
}

function failureOf({ outcome }: Ran): {
  kind: string
  type: string
  message: string
  hint: string | null
  retryable: boolean
} {
  if (outcome.state !== 'failed') throw new Error(`it ${outcome.state}`)
  return { ...outcome.error, retryable: outcome.retryable }
}

describe('a Python step', () => {
  it('leaves its output and a report, and its words in the log', async () => {
    const work = workOf('import pandas as pd\ndef made():\n    print("hello")\n    return pd.DataFrame({"a": [1]})\n')
    const { outcome, log } = await run(work)
    expect(outcome).toMatchObject({
      state: 'succeeded',
      report: {
        outputs: [{ output: '', kind: 'table', codec: 'parquet', entry: '0.parquet', rows: 1 }],
        undeclared: [],
      },
    })
    expect(log).toBe('hello\n')
    expect(readdirSync(path.join(work.folder, 'outputs')).sort()).toEqual(['0.parquet', 'result.json'])
  })

  it('sees its own secrets and nothing else of the parent’s environment', async () => {
    const work = workOf('import os, json\ndef made():\n    print(json.dumps(dict(os.environ)))\n    return 1\n', {
      secrets: { TOKEN: 'x', PATH: '/evil' },
      step: { options: { ...defaultOptions, secrets: ['TOKEN', 'PATH'] } },
    })
    const { log } = await run(work)
    const seen = JSON.parse(log) as Record<string, string>
    expect(seen).toMatchObject({ TOKEN: 'x', CELLMILL_IDEMPOTENCY_KEY: 'key-1', PYTHONHASHSEED: '0', TZ: 'UTC' })
    expect(seen['PATH']).not.toContain('evil')
    expect(Object.keys(seen)).not.toContain('NODE_OPTIONS')
  })

  it('sees only the files of its closure', async () => {
    const work = workOf(
      'import os\ndef made():\n    here = os.path.dirname(os.path.dirname(__file__))\n    return sorted(os.listdir(here))\n',
    )
    writeFileSync(path.join(work.projectRoot, 'secret.txt'), 'x')
    await run(work)
    expect(readFileSync(path.join(work.folder, 'outputs/0.pickle'), 'latin1')).not.toContain('secret')
  })

  it('refuses a code file that is a link out of the project', async () => {
    const work = workOf('def made(): return 1\n', { codeFiles: ['assets/a.py', 'assets/b.py'] })
    symlinkSync('/etc/passwd', path.join(work.projectRoot, 'assets/b.py'))
    await expect(run(work)).rejects.toMatchObject({
      code: 'STEP_FAILED',
      message: expect.stringContaining('assets/b.py') as string,
    })
    await expect(run({ ...work, codeFiles: ['../x.py'] })).rejects.toMatchObject({ code: 'STEP_FAILED' })
  })

  it('names the notebook cell of a failing line', async () => {
    const work = workOf('def made():\n    return 1 / 0\n')
    mkdirSync(path.join(work.projectRoot, '.cellmill/lines'), { recursive: true })
    writeFileSync(
      path.join(work.projectRoot, '.cellmill/lines/n.json'),
      JSON.stringify([{ file: 'assets/a.py', line: 2, cell: 9, cellLine: 1 }]),
    )
    writeFileSync(path.join(work.projectRoot, '.cellmill/lines/bad.json'), '{')
    const { outcome } = await run(work)
    expect(outcome).toMatchObject({
      state: 'failed',
      retryable: true,
      error: {
        kind: 'exception',
        type: 'ZeroDivisionError',
        frames: [{ file: 'assets/a.py', line: 2, column: 12, endColumn: 17, cell: 9, lineText: '    return 1 / 0' }],
      },
    })
  })

  it.each([
    ['import time\ndef made(): time.sleep(60)\n', { timeoutMs: 1500 }, 'time-limit', true],
    ['def made():\n    while True: print("x" * 1000)\n', {}, 'output-limit', false],
    ['import os\ndef made(): os._exit(3)\n', {}, 'exit-code', true],
    ['import os\ndef made(): os._exit(0)\n', {}, 'contract', false],
    ['import os, signal\ndef made(): os.kill(os.getpid(), signal.SIGSEGV)\n', {}, 'signal', true],
    ['import os, signal\ndef made(): os.kill(os.getpid(), signal.SIGKILL)\n', {}, 'out-of-memory', true],
    ['import sys\ndef made(): sys.exit(2)\n', {}, 'exit-code', true],
    ['import no_such_package\ndef made(): return 1\n', {}, 'packages', false],
    ['def made(): return (x for x in [])\n', {}, 'contract', false],
    ['def made(: pass\n', {}, 'exception', true],
  ])('tells apart how a step ends: %j', async (text, limits, kind, retryable) => {
    const ran = await run(workOf(text, { step: { options: { ...defaultOptions, ...limits } } }), {
      maxOutputBytes: 100_000,
    })
    const failure = failureOf(ran)
    expect(failure).toMatchObject({ kind, retryable })
    expect(failure.message).not.toBe('')
  })

  it('is cancelled by the signal', async () => {
    const controller = new AbortController()
    const running = run(
      workOf('import time\ndef made():\n    print("up")\n    time.sleep(60)\n'),
      {},
      controller.signal,
    )
    setTimeout(() => controller.abort(), 300)
    expect((await running).outcome).toEqual({ state: 'cancelled' })
  })

  it.each([
    ['{"outputs": [], "check": null}', 'not in order'],
    ['[1', 'ended before'],
    [JSON.stringify({ ...goodReport(), outputs: [] }), '0 outputs'],
    [
      JSON.stringify({ ...goodReport(), outputs: [{ ...goodReport().outputs[0], entry: '../../x.parquet' }] }),
      'not in order',
    ],
    [JSON.stringify({ ...goodReport(), outputs: [{ ...goodReport().outputs[0], entry: '1.pickle' }] }), 'no output'],
    [
      JSON.stringify({
        ...goodReport(),
        outputs: [{ ...goodReport().outputs[0], kind: 'file', codec: 'file', entry: '0.file' }],
      }),
      'is declared',
    ],
    [
      JSON.stringify({ ...goodReport(), outputs: [{ ...goodReport().outputs[0], summary: { a: 'DEEP' } }] }).replace(
        '"DEEP"',
        '['.repeat(30_000) + ']'.repeat(30_000),
      ),
      'nested',
    ],
  ])('believes no report that user code wrote itself: %.60s', async (report, problem) => {
    const text = `import os\ndef made():\n    open("../outputs/result.json", "w").write(${JSON.stringify(report)})\n    os._exit(0)\n`
    expect(failureOf(await run(workOf(text)))).toMatchObject({
      kind: 'contract',
      message: expect.stringContaining(problem) as string,
    })
  })

  it('does not follow a link in place of the report', async () => {
    const text = 'import os\ndef made():\n    os.symlink("/etc/passwd", "../outputs/result.json")\n    os._exit(0)\n'
    expect(failureOf(await run(workOf(text)))).toMatchObject({ kind: 'contract' })
  })

  it('reads its inputs where they are and leaves them as they are', async () => {
    const folder = temporary()
    mkdirSync(path.join(folder, 'data'))
    writeFileSync(path.join(folder, 'data/orders.csv'), 'a\n1\n')
    const text = `import os
def made(orders):
    tries = []
    for path in (orders, os.path.realpath(orders), __file__):
        try: open(path, "w"); tries.append(path)
        except OSError: pass
    return [orders, open("data/orders.csv").read(), tries]
`
    const input = {
      argument: 'orders',
      form: 'path',
      annotation: 'str',
      columns: null,
      origin: 'source',
      codec: 'csv',
      folder,
      files: ['data/orders.csv'],
      sourcePaths: ['data/orders.csv'],
      isGlob: false,
      name: 'orders',
      options: {},
    } as const
    const work = workOf(text, { inputs: [input] })
    const { outcome } = await run(work)
    expect(outcome).toMatchObject({ state: 'succeeded', report: { undeclared: [] } })
    expect(readFileSync(path.join(folder, 'data/orders.csv'), 'utf8')).toBe('a\n1\n')
    expect(readFileSync(path.join(work.folder, 'outputs/0.pickle'), 'latin1')).not.toContain('/step/')
  })

  it.runIf(sandbox.level === 'bubblewrap')(
    'gives the same bytes in every folder, since it sees the same paths',
    async () => {
      const text =
        'import os\ndef made(): return [__file__, os.getcwd(), os.environ["HOME"], os.path.expanduser("~")]\n'
      const first = workOf(text)
      const again = workOf(text)
      await run(first)
      await run(again)
      const bytes = [first, again].map((work) => readFileSync(path.join(work.folder, 'outputs/0.pickle'), 'latin1'))
      expect(bytes[0]).toBe(bytes[1])
      expect(bytes[0]).toContain('/step/code/assets/a.py')
    },
  )

  it.runIf(sandbox.level === 'bubblewrap')(
    'cannot see a file that it did not declare, and is told how to',
    async () => {
      const outside = path.join(temporary(), 'rates.csv')
      writeFileSync(outside, 'a\n1\n')
      const ran = await run(workOf(`import pandas as pd\ndef made(): return pd.read_csv(${JSON.stringify(outside)})\n`))
      expect(failureOf(ran)).toMatchObject({
        type: 'FileNotFoundError',
        hint: expect.stringContaining(`file('${outside}')`) as string,
      })
    },
  )

  it.runIf(sandbox.level === 'bubblewrap')('has no network unless it is declared, and is told how to', async () => {
    const text = 'import urllib.request\ndef made(): return urllib.request.urlopen("http://example.org").read()\n'
    expect(failureOf(await run(workOf(text)))).toMatchObject({
      kind: 'exception',
      hint: expect.stringContaining('network=["example.org"]') as string,
    })
  })

  it('reports the undeclared file where nothing keeps the step from it', async () => {
    const outside = path.join(temporary(), 'rates.csv')
    writeFileSync(outside, 'a\n1\n')
    const { outcome } = await run(workOf(`def made(): return open(${JSON.stringify(outside)}).read()\n`), {
      sandbox: open,
    })
    expect(outcome).toMatchObject({
      state: 'succeeded',
      report: { undeclared: [{ kind: 'file', what: outside, where: 'assets/a.py:1' }] },
    })
  })

  it('draws figures, pickles models and uses threads behind the walls', async () => {
    const text = `import matplotlib.pyplot as plt, numpy as np, polars, duckdb
from sklearn.ensemble import RandomForestRegressor
def made():
    plt.plot([1, 2]); plt.savefig("x.png")
    model = RandomForestRegressor(5, n_jobs=2).fit(np.arange(20).reshape(-1, 1), np.arange(20))
    return model, polars.DataFrame({"a": [1]}), duckdb.sql("select 1 as a").df()
`
    const outputs = ['model', 'p', 'd'].map(
      (output) => ({ asset: output, output, kind: 'object', kindDeclared: false }) as const,
    )
    const { outcome } = await run(workOf(text, { step: { outputs } }))
    expect(outcome).toMatchObject({
      state: 'succeeded',
      report: { outputs: [{ kind: 'object' }, { kind: 'table' }, { kind: 'table' }], undeclared: [] },
    })
  })

  it('hands every step the list of fonts, which none of them can change', async () => {
    const cacheFolder = temporary()
    const text = `import os, matplotlib.font_manager
def made():
    folder = os.environ["MPLCONFIGDIR"]
    for name in os.listdir(folder):
        if name.startswith("fontlist"): open(os.path.join(folder, name), "w").write("spoilt")
    return 1
`
    const distributions = [
      {
        name: 'matplotlib',
        version: '3',
        modules: [],
        requires: [],
        optional: [],
        entryPointGroups: [],
        contentDigest: null,
      },
    ]
    const options = { cacheFolder, environment: async () => ({ ...testEnvironment, distributions }) }
    const works = [workOf(text), workOf(text)]
    for (const work of works) expect((await run(work, options)).outcome.state).toBe('succeeded')
    const [folder] = readdirSync(cacheFolder)
    const list = readdirSync(path.join(cacheFolder, folder!)).find((name) => name.startsWith('fontlist'))
    expect(JSON.parse(readFileSync(path.join(cacheFolder, folder!, list!), 'utf8'))).toHaveProperty('ttflist')
    expect(readFileSync(path.join(works[1]!.folder, 'tmp/matplotlib', list!), 'utf8')).toBe('spoilt')
  })

  it('refuses undeclared reads in a strict environment, and says what to declare', async () => {
    const text = 'import time\ndef made(): return time.time()\n'
    expect(failureOf(await run(workOf(text, { strict: true })))).toMatchObject({
      kind: 'contract',
      message: expect.stringContaining('time.time()') as string,
      hint: expect.stringContaining('run_time') as string,
    })
    const refresh = { kind: 'always' } as const
    expect(
      (await run(workOf(text, { strict: true, step: { options: { ...defaultOptions, refresh } } }))).outcome.state,
    ).toBe('succeeded')
  })
})

function goodReport(): { readonly outputs: readonly Record<string, unknown>[] } & Record<string, unknown> {
  return {
    outputs: [{ output: '', kind: 'object', codec: 'pickle', entry: '0.pickle', rows: null, summary: {} }],
    check: null,
    undeclared: [],
    randomState: null,
    drewRandom: false,
    warnings: [],
    userMs: 1,
    peakMemoryBytes: null,
  }
}
