import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { pythonPackageRoot } from '../../sibling.ts'
import { cellOf, observeCells, testPython, valueOf } from './testing/observe-cells.ts'
import { kernelConditions, stepConditions } from './run-conditions.ts'

const run = promisify(execFile)

test('three cells: what each binds, what it shows, and the values at the end', async () => {
  const seen = await observeCells([
    'import pandas as pd\nprices = pd.DataFrame({"price": [1.5, 2.5]})',
    'total = prices.price.sum()\nprint("total", total)',
    'total',
  ])
  expect(seen.cells.map((cell) => cell.state)).toEqual(['ok', 'ok', 'ok'])
  expect(cellOf(seen, 0).bound).toEqual(['pd', 'prices'])
  expect(valueOf(cellOf(seen, 0).values, 'prices')).toMatchObject({
    type: 'pandas.core.frame.DataFrame',
    kind: 'table',
    shape: '2 x 1 (price float64)',
  })
  expect(cellOf(seen, 1).bound).toEqual(['total'])
  expect(cellOf(seen, 1).outputs).toMatchObject([{ kind: 'stdout', preview: 'total 4.0' }])
  expect(cellOf(seen, 2)).toMatchObject({ bound: [], mutated: [] })
  expect(seen.final.map((value) => value.name)).toEqual(['pd', 'prices', 'total'])
  expect(seen.distributions).toHaveProperty('pandas')
  expect(seen.distributions).not.toHaveProperty('ipykernel')
  expect(seen.unwatched).toEqual([])
})

test('sees a value change without being bound, also through a function, a method and an alias', async () => {
  const seen = await observeCells([
    'items = [1]\nsame = items\nother = [5]\nbag = {"in": items}\nclass Box:\n    def put(self, x): self.x = x\nbox = Box()',
    'def grow():\n    items.append(2)',
    'grow()',
    'box.put(3)',
    'other[0] = 5',
    'del other',
  ])
  expect(cellOf(seen, 1)).toMatchObject({ bound: ['grow'], mutated: [] })
  expect(cellOf(seen, 2)).toMatchObject({ bound: [], mutated: ['bag', 'items', 'same'] })
  expect(cellOf(seen, 3)).toMatchObject({ bound: [], mutated: ['box'] })
  expect(cellOf(seen, 4)).toMatchObject({ bound: [], mutated: [] })
  expect(cellOf(seen, 5).deleted).toEqual(['other'])
  const values = cellOf(seen, 2).values
  const group = valueOf(values, 'items').aliasGroup
  expect(group).not.toBeNull()
  expect(valueOf(values, 'same').aliasGroup).toBe(group)
  expect(valueOf(values, 'bag').aliasGroup).toBe(group)
  expect(valueOf(seen.final, 'box').aliasGroup).toBeNull()
  expect(seen.unclaimed).toEqual([])
})

test('names that share memory are a view group and no alias group', async () => {
  const seen = await observeCells(['import numpy as np\na = np.arange(6.0)\nb = a[2:]\nc = a.copy()', 'b[0] = 99'])
  expect(cellOf(seen, 1)).toMatchObject({ bound: [], mutated: ['a', 'b'] })
  expect(valueOf(seen.final, 'a')).toMatchObject({ aliasGroup: null, sharesBufferWith: ['b'] })
  expect(valueOf(seen.final, 'c').sharesBufferWith).toEqual([])
})

test('a rebinding to an equal value and a loop variable are bindings', async () => {
  const seen = await observeCells(['n = 5', 'n = 5', 'for i in range(2): pass', 'exec("made = 1")'])
  expect(seen.cells.map((cell) => cell.bound)).toEqual([['n'], ['n'], ['i'], ['made']])
})

test('random generators and options are tokens; a seed in the cell that imports numpy is a change', async () => {
  const seen = await observeCells([
    'import numpy as np\nnp.random.seed(0)',
    'import random\nx = random.random()',
    'y = np.random.rand()\nz = np.random.default_rng(1).random()',
    'import pandas as pd',
    'pd.set_option("display.max_rows", 7)',
    'import matplotlib.pyplot as plt\nplt.rcParams["font.size"] = 20',
    'import os, warnings\nos.environ["MODE"] = "x"\nwarnings.simplefilter("ignore")',
    'os.chdir("..")',
    'z2 = np.random.default_rng(1).random()',
  ])
  const tokens = seen.cells.map((cell) => cell.changedTokens)
  expect(tokens[0]).toContain('rng:np')
  expect(tokens[1]).toEqual(['rng:py'])
  expect(tokens[2]).toEqual(['rng:np'])
  expect(tokens[3]?.filter((token) => token !== 'cfg:warnings')).toEqual([])
  expect(tokens[4]).toEqual(['cfg:pandas'])
  expect(tokens[5]).toContain('cfg:matplotlib')
  expect(tokens[6]).toEqual(expect.arrayContaining(['cfg:environ', 'cfg:warnings']))
  expect(tokens[7]).toEqual(['cfg:cwd'])
  expect(tokens[8]).toEqual([])
})

test('files, processes and databases are events with lines; reads by C libraries are seen as well', async () => {
  const files = { 'notebooks/data/in.csv': 'a\n1\n', 'settings.py': 'LIMIT = 3\n' }
  const seen = await observeCells(
    [
      'import pandas as pd\n\ndf = pd.read_csv("data/in.csv")',
      'df.to_parquet("out.parquet")',
      'import pyarrow.parquet as pq\nt = pq.ParquetFile("out.parquet").read()',
      'import sqlite3\nc = sqlite3.connect("my.db")',
      'import subprocess\nsubprocess.run(["true", "x"])',
      'import socket\ntry: socket.create_connection(("example.org", 80), timeout=1)\nexcept OSError: pass',
    ],
    { files },
  )
  expect(cellOf(seen, 0).events).toContainEqual({ kind: 'open-read', what: 'notebooks/data/in.csv', line: 3 })
  expect(cellOf(seen, 1).events).toContainEqual(
    expect.objectContaining({ kind: 'open-write', what: 'notebooks/out.parquet' }),
  )
  expect(cellOf(seen, 2).events).toContainEqual({ kind: 'open-read', what: 'notebooks/out.parquet', line: null })
  expect(cellOf(seen, 3).events).toContainEqual({ kind: 'sqlite', what: 'notebooks/my.db', line: 2 })
  expect(valueOf(cellOf(seen, 3).values, 'c').kind).toBe('unserialisable')
  expect(cellOf(seen, 4).events).toContainEqual({ kind: 'process', what: 'true x', line: 2 })
  expect(cellOf(seen, 5).events).toContainEqual({ kind: 'socket', what: 'example.org:80', line: 2 })
})

test('a figure is digested by its artists before the inline backend closes it, also when shown by hand', async () => {
  const plot = 'import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])'
  const seen = await observeCells([
    plot,
    plot,
    'plt.plot([1, 2, 4])',
    'fig, ax = plt.subplots()\nax.plot([1, 2, 3])\nplt.show()\nprint("after")',
  ])
  const figures = seen.cells.map((cell) => cell.outputs.filter((output) => output.kind === 'figure'))
  expect(figures.map((found) => found.length)).toEqual([1, 1, 1, 1])
  const digests = figures.map((found) => found[0]?.digest)
  expect(digests[0]).toMatch(/^[0-9a-f]{64}$/)
  expect(digests[1]).toBe(digests[0])
  expect(digests[2]).not.toBe(digests[0])
  expect(digests[3]).toBe(digests[0])
  expect(cellOf(seen, 3).outputs.map((output) => output.kind)).toEqual(['figure', 'stdout'])
  expect(seen.cells.map((cell) => cell.openFigures)).toEqual([0, 0, 0, 0])
  expect(valueOf(seen.final, 'fig').aliasGroup).toBe(valueOf(seen.final, 'ax').aliasGroup)
})

test('an error stops the run and names its line; a tagged one does not', async () => {
  const seen = await observeCells([
    'x = 1',
    { source: 'y = 2\nraise KeyError("k")', tags: ['raises-exception'] },
    'z = 3\n\n1 / 0',
    'never = 1',
  ])
  expect(seen.cells.map((cell) => cell.state)).toEqual(['ok', 'error', 'error', 'not-run'])
  expect(cellOf(seen, 1)).toMatchObject({ bound: ['y'], error: { name: 'KeyError', line: 2 } })
  expect(cellOf(seen, 2)).toMatchObject({ bound: ['z'], error: { name: 'ZeroDivisionError', line: 3 } })
  expect(cellOf(seen, 2).outputs.at(-1)).toMatchObject({ kind: 'error' })
  expect(seen.final.map((value) => value.name)).toEqual(['x', 'y', 'z'])
})

test('a kernel that dies ends the run with the cell that killed it', async () => {
  const seen = await observeCells(['x = 1', 'import os\nos._exit(3)', 'y = 1'])
  expect(seen.cells.map((cell) => cell.state)).toEqual(['ok', 'error', 'not-run'])
  expect(cellOf(seen, 1).error).toMatchObject({ name: 'KernelDied' })
  expect(cellOf(seen, 1).error?.value).toContain('exit code 3')
  expect(seen.final).toEqual([])
})

test('a cell over its time is interrupted, and what was bound until then is known', async () => {
  const seen = await observeCells(['a = 1\nimport time\ntime.sleep(60)', 'b = 1'], { limits: { cellTimeoutMs: 1_500 } })
  expect(seen.cells.map((cell) => cell.state)).toEqual(['error', 'not-run'])
  expect(cellOf(seen, 0)).toMatchObject({ bound: ['a', 'time'], error: { name: 'TimeLimit', line: 3 } })
  expect(seen.final.map((value) => value.name)).toEqual(['a', 'time'])
})

test('50 MB of output arrive whole; what exceeds the limit is said', async () => {
  const loud = 'for _ in range(50): print("x" * 1_000_000)'
  const whole = await observeCells([loud])
  expect(cellOf(whole, 0).outputs[0]?.problem).toBeUndefined()
  expect(cellOf(whole, 0).outputs[0]?.preview).toHaveLength(4097)
  const cut = await observeCells([loud], { limits: { cellOutputBytes: 10_000_000 } })
  expect(cellOf(cut, 0).state).toBe('ok')
  expect(cellOf(cut, 0).outputs[0]).toMatchObject({ digest: '' })
  expect(cellOf(cut, 0).outputs[0]?.problem).toContain('not kept')
})

const many = [
  'import pandas as pd, numpy as np, random, warnings, matplotlib.pyplot as plt\nnp.random.seed(1); random.seed(1)',
  'df = pd.DataFrame({"a": np.random.rand(5), "b": list("abcde")})\nview = df["a"]\nitems = [df, view]',
  'def twice(x):\n    warnings.warn("once only", UserWarning)\n    return x * 2\ntwice(1)',
  'twice(2)\ndf["c"] = df.a.cumsum()\ndf.describe()',
  'class Model:\n    def __init__(self): self.w = np.random.rand(3)\n    def fit(self): self.w += 1; return self\nm = Model().fit()',
  'fig, ax = plt.subplots(); ax.plot(df.a)',
  'r = random.random(); n = np.random.rand(); g = df.groupby("b").a.sum()\nprint(r, n)',
]

test('watching changes nothing: values and outputs equal those of a run that watches only the end', async () => {
  const [watched, bare] = await Promise.all([
    observeCells(many, { conditions: { ...stepConditions, clockShiftSeconds: 0 } }),
    observeCells(many, { conditions: { ...stepConditions, clockShiftSeconds: 0 }, mode: 'end-only' }),
  ])
  expect(bare.cells.map((cell) => cell.state)).toEqual(many.map(() => 'ok'))
  expect(watched.final.map(({ name, digest, problem }) => [name, digest, problem])).toEqual(
    bare.final.map(({ name, digest, problem }) => [name, digest, problem]),
  )
  expect(watched.final.every((value) => value.digest !== null)).toBe(true)
  const shown = (run: typeof bare): unknown =>
    run.cells.map((cell) => cell.outputs.map(({ kind, digest }) => [kind, digest]))
  expect(shown(watched)).toEqual(shown(bare))
  expect(bare.cells.every((cell) => cell.values.length === 0)).toBe(true)
})

test('step conditions: fixed zone, locale, hash seed and threads, and a clock one day ahead', async () => {
  const cells = [
    'import os, time, datetime, locale\nzone = time.tzname[0]\nseed = hash("x")\nthreads = os.environ.get("OMP_NUM_THREADS")',
    'day = datetime.date.today().toordinal()\nnow = datetime.datetime.now().toordinal()',
  ]
  const options = { hostVariables: { TZ: 'America/New_York' } }
  const [one, two, host] = await Promise.all([
    observeCells(cells, { ...options, conditions: stepConditions }),
    observeCells(cells, { ...options, conditions: stepConditions }),
    observeCells([...cells, 'zone'], { ...options, conditions: kernelConditions }),
  ])
  const digest = (run: typeof one, name: string): string | null => valueOf(run.final, name).digest
  for (const name of ['zone', 'seed', 'threads', 'day']) expect(digest(one, name)).toBe(digest(two, name))
  expect(digest(host, 'zone')).not.toBe(digest(one, 'zone'))
  expect(digest(host, 'seed')).not.toBe(digest(one, 'seed'))
  expect(digest(host, 'day')).not.toBe(digest(one, 'day'))
  expect(digest(one, 'now')).toBe(digest(one, 'day'))
  expect(one.clock).toBe('wrapped')
  expect(host.clock).toBe('none')
})

test('installs are recorded and not executed; other shell commands and magics run', async () => {
  const seen = await observeCells([
    '!pip install left-pad\n%pip install right-pad',
    'x = !echo hello\nname = "you"\n!echo {name}',
    '%matplotlib inline\n%%time\ny = 1'.replace('%matplotlib inline\n', ''),
    'input("?")',
  ])
  const events = cellOf(seen, 0).events.map((event) => event.what)
  expect(events).toEqual(['pip install left-pad (not executed)', 'pip install right-pad (not executed)'])
  expect(cellOf(seen, 0).outputs).toEqual([])
  expect(cellOf(seen, 1).outputs).toMatchObject([{ kind: 'stdout', preview: 'you' }])
  expect(cellOf(seen, 2)).toMatchObject({ state: 'ok', bound: ['y'] })
  expect(cellOf(seen, 3).error?.name).toBe('StdinNotImplementedError')
})

test('a change that no cell was seen to reach makes the run be done again with everything hashed', async () => {
  const cells = [
    'import threading, ctypes\nhidden = [1]\naddress = id(hidden)',
    'ctypes.cast(address, ctypes.py_object).value.append(2)',
  ]
  const seen = await observeCells(cells)
  expect(cellOf(seen, 1).mutated).toEqual(['hidden'])
  expect(seen.unclaimed).toEqual([])
})

test('the run has no secrets and cannot touch the project', async () => {
  process.env['SECRET_TOKEN'] = 'hunter2'
  const seen = await observeCells(
    ['import os\nleak = [v for v in os.environ.values() if "hunter2" in v]\nopen("../kept.txt", "w").write("changed")'],
    { files: { 'kept.txt': 'original' } },
  )
  delete process.env['SECRET_TOKEN']
  expect(valueOf(seen.final, 'leak').shape).toBe('0')
  expect(cellOf(seen, 0).events).toContainEqual({ kind: 'open-write', what: 'kept.txt', line: 3 })
})

const replay = `
import json, pickle, sys, types
sys.path.insert(0, sys.argv[2])
from cellmill._notebook import encode
from cellmill._runner.randomness import Generators
import __main__
exec("def helper(x):\\n    return x + 1\\nclass Point:\\n    def __init__(self, x): self.x = x", __main__.__dict__)
folder = sys.argv[1]
index = json.load(open(folder + "/index.json"))
checked = []
for cell in index["cells"]:
    for name, entry in cell["names"].items():
        if entry["file"]:
            value = pickle.load(open(folder + "/" + entry["file"], "rb"))
            checked.append([cell["cell"], name, encode.digest(value) == entry["digest"]])
    for group in cell["groups"]:
        values = pickle.load(open(folder + "/" + group["file"], "rb"))
        checked.append([cell["cell"], "group", values["a"] is values["b"]])
Generators(None).restore(folder + "/" + index["cells"][-1]["rng"])
import random
print(json.dumps([checked, random.random()]))
`

test('captures load in a fresh process as equal values, groups as one object, generators as they were', async () => {
  const captureFolder = await mkdtemp(join(tmpdir(), 'cellmill-captures-'))
  try {
    const seen = await observeCells(
      [
        'import pandas as pd, numpy as np, random\nrandom.seed(3)\ndf = pd.DataFrame({"x": [1, 2]})',
        'a = [df]\nb = a\ndef helper(x):\n    return x + 1\nclass Point:\n    def __init__(self, x): self.x = x',
        'p = Point(helper)\nadd = lambda x: x + 1\ngen = (i for i in a)\nbig = bytes(3_000_000)',
        'drawn = random.random()\nprint(drawn)',
      ],
      { captureFolder, limits: { captureValueBytes: 2_000_000 } },
    )
    expect(seen.cells.map((cell) => cell.state)).toEqual(['ok', 'ok', 'ok', 'ok'])
    const { stdout } = await run(testPython, ['-c', replay, captureFolder, pythonPackageRoot()])
    const [checked, drawn] = JSON.parse(stdout) as [[number, string, boolean][], number]
    expect(checked.filter(([, , same]) => !same)).toEqual([])
    expect(checked.map(([, name]) => name)).toEqual(expect.arrayContaining(['df', 'group', 'helper', 'p', 'add']))
    expect(cellOf(seen, 3).outputs[0]?.preview).toBe(String(drawn))
    const index = JSON.parse(await readFile(join(captureFolder, 'index.json'), 'utf8')) as {
      cells: { names: Record<string, { file: string | null; codec: string | null; why: string }> }[]
    }
    expect(index.cells[1]?.names['helper']?.codec).toBe('pickle')
    expect(index.cells[2]?.names['add']?.codec).toBe('cloudpickle')
    expect(index.cells[2]?.names['gen']).toMatchObject({ file: null, why: expect.stringContaining('only once') })
    expect(index.cells[2]?.names['big']).toMatchObject({ file: null, why: 'larger than 2,000,000 bytes' })
  } finally {
    await rm(captureFolder, { recursive: true, force: true })
  }
})

test('hostile values and names are observed and harm nothing', async () => {
  const seen = await observeCells([
    'class Bad:\n    def __reduce_ex__(self, p): raise SystemExit(3)\n    def __repr__(self): raise RuntimeError\n    __eq__ = None\nbad = Bad()',
    'class Meta(type):\n    @property\n    def __module__(cls): raise ValueError("x")\nclass Odd(metaclass=Meta): pass\nodd = Odd()',
    'globals()["\\ud800"] = 1\nglobals()["../evil"] = 2\nglobals()[5] = 3\nloop = []\nloop.append(loop)',
    '%%capture shown\nprint("inner")\nkept = 1',
    'gen = (i for i in [1, 2])\nnext(gen)',
    'next(gen)',
    'await __import__("asyncio").sleep(0)\nlast = 1',
  ])
  expect(seen.cells.map((cell) => [cell.state, cell.error])).toEqual(seen.cells.map(() => ['ok', null]))
  expect(valueOf(seen.final, 'bad')).toMatchObject({ digest: null, kind: 'unserialisable', problem: 'SystemExit: 3' })
  expect(valueOf(seen.final, 'loop').digest).not.toBeNull()
  expect(cellOf(seen, 2).bound).toContain('../evil')
  expect(cellOf(seen, 3).bound).toEqual(['kept', 'shown'])
  expect(cellOf(seen, 5).mutated).toEqual(['gen'])
  expect(cellOf(seen, 6).bound).toEqual(['last'])
})

test('twenty thousand displays arrive', async () => {
  const seen = await observeCells(['from IPython.display import display\nfor i in range(20_000): display(i)'], {
    mode: 'end-only',
  })
  expect(cellOf(seen, 0).outputs).toHaveLength(20_000)
  expect(cellOf(seen, 0).outputs.at(-1)?.preview).toBe('19999')
})

test('a run that is cancelled stops', async () => {
  const controller = new AbortController()
  const running = observeCells(['import time\ntime.sleep(120)'], {
    signal: controller.signal,
    conditions: kernelConditions,
  })
  setTimeout(() => controller.abort(), 2_500)
  await expect(running).rejects.toThrow(/abort/i)
})
