/** Which edit of a project changes the closure of which asset. */
import { expect, test } from 'vitest'
import { canonicalJson } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import { distribution, environmentOf, testProject } from './testing/test-project.ts'
import type { FileMap } from './testing/test-project.ts'

const asset = 'from cellmill import asset, check, param, setup\n'

const base: FileMap = {
  'assets/sales.py': `${asset}import pandas as pd
import helpers
from lib.clean import tidy, LIMIT
from lib import consts
import plain_a
import plain_b

FACTOR = 2
MIN_TOTAL = param(0.0)

@asset
def orders(raw: pd.DataFrame, *, currency: str = "EUR"):
    """Orders."""
    return tidy(raw, FACTOR, LIMIT)

@asset(tags=["x"])
def totals(orders: pd.DataFrame):
    import lazy_module
    return helpers.total(orders, MIN_TOTAL) + lazy_module.f()

@asset
def alone(raw):
    return 1
`,
  'helpers.py': `from deep import base

def total(frame, least):
    return base(frame) + least

def unused(frame):
    return 1
`,
  'deep.py': `class Model:
    rate = 0.5
    def fit(self):
        return self.rate

def base(frame):
    return Model().fit()
`,
  'lib/__init__.py': '',
  'lib/clean.py': `LIMIT = 10

def tidy(frame, factor, limit, strict=False):
    return frame * factor
`,
  'lib/consts.py': 'A = 1\n',
  'lazy_module.py': 'def f():\n    return 0\n',
  'plain_a.py': 'X = 1\n',
  'plain_b.py': 'Y = 1\n',
}

type Asset = 'orders' | 'totals' | 'alone'
const all: readonly Asset[] = ['orders', 'totals', 'alone']

interface Edit {
  readonly name: string
  /** Files before the edit, where they differ from `base`. */
  readonly before?: FileMap
  /** File, text to replace, replacement; or a whole new text for the file. */
  readonly edit: readonly (readonly [file: string, from: string, to: string])[]
  readonly changes: readonly Asset[]
}

const sales = 'assets/sales.py'
const edits: readonly Edit[] = [
  { name: 'a comment', edit: [[sales, 'FACTOR = 2', 'FACTOR = 2  # twice']], changes: [] },
  {
    name: 'whitespace and quotes',
    edit: [[sales, 'tidy(raw, FACTOR, LIMIT)', 'tidy( raw,\n        FACTOR, LIMIT )']],
    changes: [],
  },
  { name: 'a docstring', edit: [[sales, '"""Orders."""', '"""All orders,\n    of all times."""']], changes: [] },
  { name: 'a docstring taken out', edit: [[sales, '    """Orders."""\n', '']], changes: [] },
  {
    name: 'the order of imports without effects',
    edit: [[sales, 'import plain_a\nimport plain_b', 'import plain_b\nimport plain_a']],
    changes: [],
  },
  {
    name: 'the body of an asset',
    edit: [[sales, 'tidy(raw, FACTOR, LIMIT)', 'tidy(raw, FACTOR, 3)']],
    changes: ['orders'],
  },
  {
    name: 'a helper in another module',
    edit: [['lib/clean.py', 'frame * factor', 'frame / factor']],
    changes: ['orders'],
  },
  {
    name: 'a helper two modules away',
    edit: [['deep.py', 'return Model().fit()', 'return 2 * Model().fit()']],
    changes: ['totals'],
  },
  { name: 'a method', edit: [['deep.py', 'return self.rate', 'return -self.rate']], changes: ['totals'] },
  { name: 'a class attribute', edit: [['deep.py', 'rate = 0.5', 'rate = 0.6']], changes: ['totals'] },
  { name: 'an option of a decorator', edit: [[sales, 'tags=["x"]', 'tags=["x"], retries=2']], changes: [] },
  {
    name: 'a default argument of a helper',
    edit: [['lib/clean.py', 'strict=False', 'strict=True']],
    changes: ['orders'],
  },
  {
    name: "the default of an asset's parameter, which is in the recipe",
    edit: [[sales, '"EUR"', '"USD"']],
    changes: [],
  },
  {
    name: "the default of a project's parameter, which is in the recipe",
    edit: [[sales, 'param(0.0)', 'param(1.0)']],
    changes: [],
  },
  { name: 'a constant of the module', edit: [[sales, 'FACTOR = 2', 'FACTOR = 3']], changes: ['orders'] },
  { name: 'a constant imported by name', edit: [['lib/clean.py', 'LIMIT = 10', 'LIMIT = 11']], changes: ['orders'] },
  { name: 'a constant nobody reads', edit: [['lib/consts.py', 'A = 1', 'A = 2']], changes: [] },
  { name: 'a helper nobody calls', edit: [['helpers.py', 'return 1', 'return 2']], changes: [] },
  { name: 'another asset of the module', edit: [[sales, 'return 1', 'return 2']], changes: ['alone'] },
  {
    name: 'a new asset in the module',
    edit: [[sales, '@asset\ndef alone', '@asset\ndef more(raw):\n    return 3\n\n@asset\ndef alone']],
    changes: [],
  },
  {
    name: 'a module imported inside a function',
    edit: [['lazy_module.py', 'return 0', 'return 9']],
    changes: ['totals'],
  },
  {
    name: 'an effect in the __init__.py of a parent package',
    edit: [['lib/__init__.py', '', 'print("hello")\n']],
    changes: all,
  },
  {
    name: 'an effect in the __init__.py above the asset',
    before: { 'assets/__init__.py': 'print(1)\n' },
    edit: [['assets/__init__.py', 'print(1)', 'print(2)']],
    changes: all,
  },
  {
    name: 'a registration at the top of an imported module',
    before: { 'plain_a.py': 'REGISTRY = {}\ndef add(k, v):\n    REGISTRY[k] = v\nadd("a", 1)\n' },
    edit: [['plain_a.py', 'add("a", 1)', 'add("a", 2)']],
    changes: all,
  },
  {
    name: 'a function that a registration calls',
    before: { 'plain_a.py': 'REGISTRY = {}\ndef add(k, v):\n    REGISTRY[k] = v\nadd("a", 1)\n' },
    edit: [['plain_a.py', 'REGISTRY[k] = v', 'REGISTRY[k] = v + 1']],
    changes: all,
  },
  {
    name: 'a patch of another module at top level',
    before: { 'plain_a.py': 'import pandas\npandas.DataFrame.total = lambda self: 1\n' },
    edit: [['plain_a.py', 'self: 1', 'self: 2']],
    changes: all,
  },
  {
    name: 'a subscript assignment at top level',
    before: { 'plain_a.py': 'X = {}\nX["a"] = 1\n' },
    edit: [['plain_a.py', '= 1', '= 2']],
    changes: all,
  },
  {
    name: 'the order of imports of modules with effects',
    before: {
      'plain_a.py': 'import sys\nsys.setrecursionlimit(900)\n',
      'plain_b.py': 'import sys\nsys.setrecursionlimit(950)\n',
    },
    edit: [[sales, 'import plain_a\nimport plain_b', 'import plain_b\nimport plain_a']],
    changes: all,
  },
  {
    name: 'a conditional import',
    before: { 'plain_a.py': 'try:\n    import plain_b\nexcept ImportError:\n    plain_b = None\n' },
    edit: [['plain_a.py', 'plain_b = None', 'plain_b = 1']],
    changes: all,
  },
  {
    name: 'code that never runs in a step',
    before: { 'plain_a.py': 'if __name__ == "__main__":\n    print(1)\n' },
    edit: [['plain_a.py', 'print(1)', 'print(2)']],
    changes: [],
  },
  {
    name: 'what a star import brings',
    before: { [sales]: base[sales]!.replace('from lib.clean import tidy, LIMIT', 'from lib.clean import *') },
    edit: [['lib/clean.py', 'frame * factor', 'frame - factor']],
    changes: ['orders'],
  },
  {
    name: 'what a star import brings and nobody reads',
    before: { [sales]: base[sales]!.replace('from lib.clean import tidy, LIMIT', 'from lib.clean import *') },
    edit: [['lib/clean.py', 'LIMIT = 10', 'LIMIT = 10\nOTHER = 3']],
    changes: [],
  },
  {
    name: 'a star import that now shadows a builtin',
    before: {
      [sales]: base[sales]!.replace('from lib.clean import tidy, LIMIT', 'from lib.clean import *').replace(
        'return 1',
        'return len(raw)',
      ),
    },
    edit: [['lib/clean.py', 'LIMIT = 10', 'LIMIT = 10\ndef len(x):\n    return 0']],
    changes: ['alone'],
  },
  {
    name: 'a star import whose __all__ is computed: the whole text counts',
    before: {
      [sales]: base[sales]!.replace('from lib.clean import tidy, LIMIT', 'from lib.clean import *'),
      'lib/clean.py': `${base['lib/clean.py']!}\nOTHER = 1\n__all__ = [n for n in dir() if n]\n`,
    },
    edit: [['lib/clean.py', 'OTHER = 1', 'OTHER = 2']],
    changes: all,
  },
  {
    name: 'a global that another called function sets',
    before: {
      'helpers.py':
        'COUNT = 0\ndef bump():\n    global COUNT\n    COUNT += 1\ndef total(f, l):\n    bump()\n    return COUNT\n',
    },
    edit: [['helpers.py', 'COUNT += 1', 'COUNT += 2']],
    changes: ['totals'],
  },
  {
    name: 'a name that is shadowed by a local one',
    before: { [sales]: base[sales]!.replace('return 1', 'FACTOR = 1\n    return FACTOR') },
    edit: [[sales, 'FACTOR = 2\n', 'FACTOR = 5\n']],
    changes: ['orders'],
  },
  {
    name: 'a name computed with getattr: the whole text of all modules reached',
    before: { 'helpers.py': base['helpers.py']!.replace('return base(frame) + least', 'return getattr(frame, least)') },
    edit: [['plain_a.py', 'X = 1', 'X = 2']],
    changes: ['totals'],
  },
  {
    name: 'the attribute that a literal getattr names',
    before: { [sales]: base[sales]!.replace('return 1', 'return getattr(consts, "A")') },
    edit: [['lib/consts.py', 'A = 1', 'A = 2']],
    changes: ['alone'],
  },
  {
    name: 'any name of a module that is handed on as a value',
    before: { [sales]: base[sales]!.replace('return 1', 'return str(consts)') },
    edit: [['lib/consts.py', 'A = 1', 'A = 2']],
    changes: ['alone'],
  },
  {
    name: 'a data file reached through __file__',
    before: {
      'lib/clean.py':
        'from pathlib import Path\nHERE = Path(__file__).parent\nLIMIT = 10\ndef tidy(*a):\n    return (HERE / "rules" / "a.json").read_text()\n',
      'lib/rules/a.json': '{}',
      'lib/rules/b.json': '{}',
    },
    edit: [['lib/rules/a.json', '{}', '[]']],
    changes: ['orders'],
  },
  {
    name: 'a data file that no code names',
    before: {
      'lib/clean.py':
        'from pathlib import Path\nHERE = Path(__file__).parent\nLIMIT = 10\ndef tidy(*a):\n    return (HERE / "rules" / "a.json").read_text()\n',
      'lib/rules/a.json': '{}',
      'lib/rules/b.json': '{}',
    },
    edit: [['lib/rules/b.json', '{}', '[]']],
    changes: [],
  },
  {
    name: 'a new file in a folder that is listed',
    before: {
      'lib/clean.py':
        'import os\nLIMIT = 10\ndef tidy(*a):\n    here = os.path.dirname(__file__)\n    return sorted(os.listdir(os.path.join(here, "rules")))\n',
      'lib/rules/a.json': '{}',
      'lib/rules/b.json': '',
    },
    edit: [['lib/rules/b.json', '', 'x']],
    changes: ['orders'],
  },
  {
    name: 'a data file of a package',
    before: {
      'lib/clean.py':
        'import pkgutil\nfrom importlib.resources import files\nLIMIT = 10\ndef tidy(*a):\n    return pkgutil.get_data("lib", "q.sql"), files("lib").joinpath("r.sql").read_text()\n',
      'lib/q.sql': 'select 1',
      'lib/r.sql': 'select 1',
    },
    edit: [['lib/r.sql', '1', '2']],
    changes: ['orders'],
  },
  {
    name: 'a constant that a query names',
    before: { [sales]: base[sales]!.replace('return 1', 'return raw.query("a > @FACTOR")') },
    edit: [[sales, 'FACTOR = 2', 'FACTOR = 5']],
    changes: ['orders', 'alone'],
  },
  {
    name: 'a decorator of the project',
    before: {
      [sales]: base[sales]!.replace(
        'FACTOR = 2',
        'def twice(f):\n    return f\n\n@twice\ndef other():\n    return 1\nFACTOR = 2',
      ),
    },
    edit: [[sales, 'return f\n', 'return lambda: f\n']],
    changes: all,
  },
  {
    name: 'a subclass registered by its base',
    before: {
      'plain_a.py':
        'SEEN = []\nclass Base:\n    def __init_subclass__(cls):\n        SEEN.append(cls)\n\nclass One(Base):\n    x = 1\n',
    },
    edit: [['plain_a.py', 'x = 1', 'x = 2']],
    changes: all,
  },
  {
    name: 'a setup function',
    before: { [sales]: `${base[sales]!}\n@setup\ndef prepare():\n    return 1\n` },
    edit: [[sales, 'def prepare():\n    return 1', 'def prepare():\n    return 2']],
    changes: all,
  },
  {
    name: 'which of two helpers an alias means',
    before: {
      [sales]: base[sales]!.replace(
        'from lib.clean import tidy, LIMIT',
        'from lib.clean import tidy, LIMIT, p as f, q as g',
      ).replace('return 1', 'return f(1) - g(1)'),
      'lib/clean.py': `${base['lib/clean.py']!}def p(x):\n    return 1\ndef q(x):\n    return 2\n`,
    },
    edit: [[sales, 'p as f, q as g', 'q as f, p as g']],
    changes: ['alone'],
  },
  {
    name: 'a name that an import needs is gone: the module no longer imports',
    edit: [['lib/clean.py', 'LIMIT = 10', 'LIMITS = 10']],
    changes: all,
  },
  {
    name: 'an attribute read at top level is gone: the module no longer imports',
    before: { 'plain_a.py': 'from lib import consts\nX = consts.A\n' },
    edit: [['lib/consts.py', 'A = 1', 'B = 1']],
    changes: all,
  },
  {
    name: 'the module that an alias means',
    edit: [[sales, 'import pandas as pd', 'import polars as pd']],
    changes: all,
  },
]

async function closuresOf(files: FileMap): Promise<Record<Asset, string>> {
  using project = testProject(files)
  const closures = await project.closures(environmentOf([distribution('pandas'), distribution('polars')]))
  const text = (id: Asset): string => {
    const { units, packages, projectParameters } = closures.of(id)
    return canonicalJson({ units, packages, projectParameters } as unknown as Json)
  }
  return { orders: text('orders'), totals: text('totals'), alone: text('alone') }
}

test.each(edits)('$name', async ({ before = {}, edit, changes }) => {
  const first: Record<string, string> = { ...base, ...before }
  const second = { ...first }
  for (const [file, from, to] of edit) {
    const text = second[file]!
    expect(text).toContain(from)
    second[file] = text.replace(from, to)
  }
  const [old, now] = [await closuresOf(first), await closuresOf(second)]
  expect(all.filter((id) => old[id] !== now[id])).toEqual(changes)
})

test('renaming an asset, its file or its folder changes no closure', async () => {
  const text = (name: string): string =>
    `${asset}from . import near\nX = 1\n@asset\ndef ${name}(raw):\n    return near.f() + X\n`
  const near = 'def f():\n    return 1\n'
  using before = testProject({ 'assets/a/one.py': text('orders'), 'assets/a/near.py': near })
  using after = testProject({ 'assets/b/c/two.py': text('bookings'), 'assets/b/c/near.py': near })
  const old = (await before.closures()).of('a.orders')
  const now = (await after.closures()).of('b.c.bookings')
  expect(now.units).toEqual(old.units)
  expect(old.units.map((unit) => `${unit.module} ${unit.unit}`)).toEqual(['. ', '. X', '. import near', '.near f'])
})

test('a package that only one asset reaches is only in its closure, with what it requires and what plugs into it', async () => {
  using project = testProject({
    'assets/a.py': `${asset}@asset\ndef model(x: int):\n    from sklearn.linear_model import Ridge\n    return Ridge()\n`,
    'assets/b.py': `${asset}import pandas as pd\n@asset\ndef table(x: int):\n    return pd.DataFrame()\n`,
    'assets/c.py': `${asset}import importlib\n@asset\ndef any(x: int):\n    return importlib.import_module(f"x{x}")\n`,
  })
  const environment = environmentOf([
    distribution('scikit-learn', { modules: ['sklearn'], requires: ['numpy>=1.22', 'joblib; python_version>"3"'] }),
    distribution('numpy', { version: '2.0' }),
    distribution('joblib'),
    distribution('pandas', { requires: ['numpy'], optional: ['bottleneck', 'xarray'], version: '2.3.3' }),
    distribution('bottleneck', { version: '1.4' }),
    distribution('pandas-plot', { modules: ['pplot'], entryPointGroups: ['pandas_plotting_backends'] }),
    distribution('requests'),
    distribution('local', { contentDigest: 'abc' }),
  ])
  const closures = await project.closures(environment)
  const names = (id: string): string[] => closures.of(id).packages.map(({ name, version }) => `${name} ${version}`)
  // Unannotated and plain inputs arrive by pandas, polars or pyarrow, whichever is there.
  expect(names('table')).toEqual(['bottleneck 1.4', 'numpy 2.0', 'pandas 2.3.3', 'pandas-plot 1.0'])
  expect(names('model')).toContain('scikit-learn 1.0')
  expect(names('model')).toContain('joblib 1.0')
  expect(names('any')).toHaveLength(8)
  expect(names('any')).toContain('local 1.0+abc')
})

test('a project parameter counts for the asset that reads it', async () => {
  using project = testProject({
    'settings.py': 'from cellmill import param\nLEAST = param(1)\nMOST = param(9)\n',
    'assets/a.py': `${asset}import settings\n@asset\ndef one():\n    return settings.LEAST\n@asset\ndef two():\n    return 1\n@asset\ndef three(*, run_time: str):\n    return run_time\n`,
  })
  const closures = await project.closures()
  expect(['one', 'two', 'three'].map((id) => closures.of(id).projectParameters)).toEqual([['least'], [], ['run_time']])
})

test('clocks, entropy and draws count for the assets that reach them', async () => {
  using project = testProject({
    'when.py':
      'from datetime import datetime as dt\nimport uuid\ndef now():\n    return dt.now()\ndef key():\n    return uuid.uuid4()\n',
    'assets/a.py': `${asset}import numpy as np
import when
@asset
def one():
    return when.now()
@asset
def two():
    return when.key(), np.random.default_rng().normal()
@asset
def three():
    return np.random.normal(size=3)
@asset
def four():
    return np.random.default_rng(7).normal()
`,
  })
  const closures = await project.closures()
  const volatile = (id: string): string[] =>
    closures.of(id).volatile.map((use) => `${use.kind} ${use.what} ${use.file}:${use.line}`)
  expect(volatile('one')).toEqual(['clock datetime.datetime.now when.py:4'])
  expect(volatile('two').sort()).toEqual([
    'random numpy.random.default_rng() assets/a.py:9',
    'random uuid.uuid4 when.py:6',
  ])
  expect(volatile('three')).toEqual([])
  expect(['three', 'four'].map((id) => closures.of(id).drawsRandom)).toEqual([true, false])
  expect(closures.of('three').diagnostics.map((found) => found.code)).toEqual(['D050'])
})

test('a package that is not in the lock is said, with what to type', async () => {
  using project = testProject({
    'assets/a.py': `${asset}import sklearn\nimport os.path\nimport pnadas\ntry:\n    import fast\nexcept ImportError:\n    fast = None\n@asset\ndef one():\n    return 1\n`,
  })
  const { diagnostics } = (await project.closures(environmentOf([distribution('pandas')]))).of('one')
  expect(diagnostics.map(({ code, at, fix, notes }) => [code, at?.line, fix, notes])).toEqual([
    ['D041', 2, 'add scikit-learn to requirements.txt, then cellmill packages lock', []],
    ['D041', 4, 'add pnadas to requirements.txt, then cellmill packages lock', ["did you mean 'pandas'?"]],
  ])
})

test('classes named in pickles carry their code, and everything that importing them runs', async () => {
  const files = {
    'assets/a.py': `${asset}from models import Model\n@asset\ndef one():\n    return Model()\nclass Own:\n    x = 1\n`,
    'models.py':
      'from deep import rate\nclass Model:\n    def fit(self):\n        return rate()\nclass Other:\n    x = 1\n',
    'deep.py': 'def rate():\n    return 1\n',
  }
  const digests = async (changed: FileMap): Promise<(string | null)[]> => {
    using project = testProject({ ...files, ...changed })
    const closures = await project.closures()
    return [
      'models.Model',
      'models.Other',
      'assets.a.Own',
      'a.Own',
      'pandas.DataFrame',
      'builtins.list',
      '__main__.X',
    ].map((full) => {
      const dot = full.lastIndexOf('.')
      return closures.globalDigest({ module: full.slice(0, dot), name: full.slice(dot + 1) })
    })
  }
  const before = await digests({})
  const method = await digests({ 'deep.py': 'def rate():\n    return 2\n' })
  const effect = await digests({ 'deep.py': 'def rate():\n    return 1\nprint(1)\n' })
  expect(before.map((digest) => digest !== null)).toEqual([true, true, true, true, false, false, false])
  expect(before.map((digest, i) => digest !== method[i])).toEqual([true, false, false, false, false, false, false])
  expect(before.map((digest, i) => digest !== effect[i])).toEqual([true, true, true, true, false, false, false])
})
