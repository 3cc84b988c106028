/** Notebooks of a few cells, each with one trap of NOTEBOOKS.md. `expect` says the refusal where it is not `same`. */
import type { Case } from './execute.ts'

export interface Trap {
  readonly name: string
  readonly case: Case
  readonly expect?: string
}

export const TRAPS: readonly Trap[] = [
  {
    name: 'a chain of changes of one frame',
    case: {
      cells: [
        'import pandas as pd',
        "df = pd.DataFrame({'a':[1,2,3]})",
        "df['b'] = df.a * 2",
        'df = df[df.a > 1]',
        'total = df.b.sum()\ntotal',
      ],
    },
  },
  { name: 'one list under two names', case: { cells: ['a = [1, 2]', 'b = a', 'b.append(3)', 'c = sum(a)'] } },
  {
    name: 'a view that is written',
    case: { cells: ['import numpy as np\nx = np.arange(5)', 'y = x[1:3]', 'y[0] = 99', 'z = x.sum()'] },
  },
  {
    name: 'a function that reads a rebound global',
    case: { cells: ['n = 1', 'def f(): return n * 10', 'n = 2', 'r = f()', 'n = 3', 's = f()'] },
  },
  {
    name: 'a function that fills a global cache',
    case: {
      cells: [
        'cache = {}\ndef remember(k, v):\n    cache[k] = v',
        "remember('a', 1)",
        "remember('b', 2)",
        'size = len(cache)',
      ],
    },
  },
  {
    name: 'a mutable default',
    case: { cells: ['def f(x, acc=[]):\n    acc.append(x)\n    return list(acc)', 'p = f(1)', 'q = f(2)'] },
  },
  {
    name: 'seeded draws in several cells',
    case: { cells: ['import random\nrandom.seed(3)', 'a = random.random()', 'b = random.random()', 'c = [a, b]'] },
  },
  {
    name: 'seeded numpy draws in several cells',
    case: {
      cells: ['import numpy as np\nnp.random.seed(0)', 'a = np.random.rand(3)', 'k = 5', 'b = np.random.rand(3)'],
    },
  },
  {
    name: 'an iterator read by several cells',
    case: { cells: ['it = iter([1,2,3,4])', 'a = next(it)', 'b = next(it)', 'rest = list(it)'] },
  },
  { name: "a builtin's name rebound", case: { cells: ['list = [3,1,2]', 'm = max(list)'] } },
  {
    name: 'a builtin read before its name is rebound',
    case: { cells: ['xs = sorted([3,1])\nsorted = 5', 'y = sorted + 1'] },
  },
  { name: 'augmented assignment and del', case: { cells: ['x = 5', 'x += 1', 'y = x * 2', 'del x', 'z = y + 1'] } },
  {
    name: 'a class that counts its instances',
    case: {
      cells: [
        'class A:\n    count = 0\n    def __init__(self):\n        A.count += 1',
        'a = A()',
        'b = A()',
        'n = A.count',
      ],
    },
  },
  {
    name: 'an instance that changes',
    case: {
      cells: [
        'class P:\n    def __init__(self, v): self.v = v\n    def twice(self): return self.v * 2',
        'p = P(3)',
        't = p.twice()',
        'p.v = 10',
        'u = p.twice()',
      ],
    },
  },
  {
    name: 'lambdas that share a loop variable',
    case: {
      cells: [
        'fs = []\nfor i in range(3):\n    fs.append(lambda: i)',
        'vals = [f() for f in fs]',
        'i = 7',
        'again = [f() for f in fs]',
      ],
    },
  },
  {
    name: 'a generator before its name is defined',
    case: { cells: ['data = [1,2,3]', 'g = (x * k for x in data)\nk = 10', 'k = 20', 'out = list(g)'] },
    expect: 'refused N03',
  },
  {
    name: 'a function with a global statement',
    case: {
      cells: ['counter = 0\ndef inc():\n    global counter\n    counter += 1', 'inc()', 'inc()', 'final = counter'],
    },
    expect: 'refused N11',
  },
  {
    name: "conditional bindings and a handler's name",
    case: {
      cells: [
        "x = 1\nif x > 0:\n    y = 'pos'\nelse:\n    y = 'neg'",
        'try:\n    z = 1 / 0\nexcept ZeroDivisionError as e:\n    z = -1',
        'w = (y, z)',
      ],
    },
  },
  {
    name: 'a sort in place',
    case: { cells: ["words = ['b','a']", 'words.sort()', 'first = words[0]', 'print(first)'] },
  },
  {
    name: 'a query that names variables',
    case: {
      cells: [
        "import pandas as pd\ndf = pd.DataFrame({'a':[1,2,3]})",
        'limit = 1',
        "small = df.query('a > @limit')",
        'limit = 2',
        "big = df.query('a > @limit')",
      ],
    },
  },
  {
    name: 'a closure over a rebound global',
    case: { cells: ['x = 10', 'def make():\n    y = x\n    return lambda: x + y', 'h = make()', 'x = 20', 'r = h()'] },
  },
  { name: 'a swap', case: { cells: ['a, b = 1, 2', 'a, b = b, a', 'c = (a, b)'] } },
  {
    name: 'a change inside a dictionary',
    case: { cells: ["d = {'k': [1]}", "inner = d['k']", 'inner.append(2)', "n = len(d['k'])"] },
  },
  {
    name: 'text and a file for others',
    case: {
      cells: [
        "import pandas as pd\ndf = pd.DataFrame({'a':[1,2]})\nprint(df.shape)",
        'for c in df.columns:\n    print(c)',
        "df.to_csv('out.csv', index=False)",
      ],
    },
  },
  {
    name: 'a file written and read again',
    case: {
      cells: [
        "import pandas as pd\npd.DataFrame({'a':[1,2]}).to_csv('mid.csv', index=False)",
        "df = pd.read_csv('mid.csv')",
        'n = len(df)',
      ],
    },
  },
  {
    name: 'options set twice',
    case: {
      cells: [
        "import pandas as pd\npd.set_option('display.max_rows', 5)",
        's = pd.Series(range(10))',
        "pd.set_option('display.max_rows', 3)",
        'text = repr(s)',
      ],
    },
  },
  {
    name: 'one name for different things',
    case: { cells: ['x = 1', 'y = x + 1', 'x = 5', 'z = x + y', 'print(x, y, z)'] },
  },
  {
    name: 'a function before its constant',
    case: { cells: ['def area(r): return PI * r * r', 'PI = 3', 'a = area(2)'] },
  },
  {
    name: 'helpers that call helpers',
    case: {
      cells: [
        'def outer(x):\n    return helper(x) + base',
        'base = 1',
        'def helper(v): return v * base',
        'a = outer(3)',
        'base = 100',
        'b = outer(3)',
      ],
    },
  },
  {
    name: 'a loop at cell level',
    case: { cells: ['total = 0\nfor v in [1,2,3]:\n    total += v', 'v', 'avg = total / 3'] },
  },
  {
    name: 'several generators, seeded apart',
    case: {
      cells: [
        'import numpy as np\nnp.random.seed(1)',
        'a = np.random.rand(2)\nk = len(a)',
        'md:## other',
        'b = np.random.permutation(4)',
        'import random\nrandom.seed(2)\nc = random.random()',
        'd = (a[0], b[0], c, random.random(), np.random.rand())',
      ],
    },
  },
  {
    name: 'a generator object',
    case: {
      cells: [
        'import numpy as np\nrng = np.random.default_rng(0)',
        'a = rng.normal(size=2)',
        'b = rng.normal(size=2)',
        'c = a + b',
      ],
    },
  },
  {
    name: 'a group-by over a changed frame',
    case: {
      cells: [
        "import pandas as pd\ndf = pd.DataFrame({'a':[3,1,2],'g':['x','y','x']})",
        "df.sort_values('a', inplace=True)",
        "g = df.groupby('g')",
        'm = g.a.mean()',
        "df['a'] = 0",
        'm2 = g.a.mean()',
      ],
    },
  },
  {
    name: 'a column taken before the frame changes',
    case: {
      cells: [
        "import pandas as pd\ndf = pd.DataFrame({'a':[3,1,2]})",
        "s = df['a']",
        "df.loc[0,'a'] = 100",
        't = s.sum()',
      ],
    },
  },
  {
    name: 'a frame kept under its old name',
    case: {
      cells: [
        "import pandas as pd\ndf = pd.DataFrame({'a':[3,1,2]})\nold = df",
        'df = df.assign(b=1)',
        'print(old.shape, df.shape)',
        "df.pop('b')",
        'n = df.shape[1]',
      ],
    },
  },
  {
    name: 'a lambda passed on',
    case: {
      cells: [
        'def apply(f, v): return f(v)',
        'k = 2',
        'a = apply(lambda v: v * k, 3)',
        'k = 5',
        'b = apply(lambda v: v * k, 3)',
      ],
    },
  },
  {
    name: 'strings over several lines',
    case: {
      cells: [
        "text = '''line one\n    indented # not comment\nlast'''",
        "n = text.count('\\n')  # trailing",
        'def f():\n    \'\'\'doc\n    more\'\'\'\n    return """a\n b"""',
        'out = f() + text',
      ],
    },
  },
  {
    name: 'odd indentation and semicolons',
    case: {
      cells: [
        "if True:\n    x = [1,\n  2]\n    # comment\n    y = {\n'a': 1}",
        "z = x + [y['a']]; w = len(z); z.append(w)",
        'q = z[-1]',
      ],
    },
  },
  {
    name: 'a list on a class',
    case: {
      cells: [
        'class Node:\n    kids = []\n    def add(self, k): self.kids.append(k)',
        'a = Node()',
        'b = Node()\na.add(1)',
        'n = len(b.kids)',
      ],
    },
  },
  {
    name: 'partial application',
    case: {
      cells: [
        'from functools import partial\nbase = 2\ndef power(b, e): return b ** e',
        'sq = partial(power, e=2)',
        'r = sq(base)',
        'base = 3',
        'r2 = sq(base)',
      ],
    },
  },
  {
    name: 'copies and containers',
    case: { cells: ['x = [1,2,3]\ny = x[:]\nz = [x, y]', 'z[0].append(9)', 'y.append(7)', 'total = sum(x) + sum(y)'] },
  },
  {
    name: 'a dataclass',
    case: {
      cells: [
        'from dataclasses import dataclass\n@dataclass\nclass Pt:\n    x: int\n    y: int = 0',
        'p = Pt(1)',
        'p.y = 5',
        'q = Pt(p.x, p.y + 1)',
        'print(q)',
      ],
    },
  },
  {
    name: 'a registry of functions',
    case: {
      cells: [
        'steps = []\ndef register(f):\n    steps.append(f)\n    return f',
        '@register\ndef one(): return 1',
        '@register\ndef two(): return 2',
        'res = [s() for s in steps]',
      ],
    },
  },
  {
    name: 'a cached function that is asked for its hits',
    case: {
      cells: [
        'from functools import lru_cache\n@lru_cache(None)\ndef fib(n):\n    return n if n < 2 else fib(n-1) + fib(n-2)',
        'a = fib(20)',
        'b = fib.cache_info().hits',
      ],
    },
  },
  {
    name: 'a generator that reads a rebound global',
    case: {
      cells: [
        'def gen():\n    for i in range(5):\n        yield i * scale',
        'scale = 2',
        'g = gen()\nfirst = next(g)',
        'scale = 10',
        'rest = list(g)',
      ],
    },
  },
  {
    name: 'a dictionary filled in a loop',
    case: {
      cells: [
        'vals = {}\nfor i in range(3):\n    vals[i] = i * i',
        'vals.update({9: 81})',
        'keys = sorted(vals)',
        'del vals[0]',
        'n = len(vals)',
      ],
    },
  },
  {
    name: 'comprehension scopes and the walrus',
    case: { cells: ['x = 3\ny = [x for x in range(5)]', 'z = x', 'w = [(last := v) for v in y]', 'end = last'] },
  },
  { name: 'two statements on a line', case: { cells: ['a = 1; b = 2  # two\nc = a + b', 'print(a); print(b)', 'c'] } },
  {
    name: 'a default handed out',
    case: { cells: ['def f(x=[0]):\n    return x', 'h = f()', 'h.append(1)', 'k = f()'] },
  },
  {
    name: 'globals by name',
    case: { cells: ["x = 1\nname = 'x'\nv = globals()[name]", 'w = v + 1'] },
    expect: 'refused N14',
  },
  { name: 'exec', case: { cells: ["exec('y = 5')", 'z = y + 1'] }, expect: 'refused N14' },
  {
    name: 'environment variables',
    case: { cells: ["import os\nos.environ['MY_MODE'] = 'fast'", "mode = os.environ['MY_MODE']", 'n = len(mode)'] },
  },
  {
    name: "a module's name rebound",
    case: {
      cells: [
        "import warnings\nwarnings.filterwarnings('ignore')\nimport math",
        'r = math.sqrt(2)',
        'math = None',
        's = r',
      ],
    },
  },
  {
    name: 'displays between work',
    case: {
      cells: [
        "import pandas as pd\ndf = pd.DataFrame({'a':[1,2,3]})",
        'summary = df.describe()\nsummary',
        'df.head()',
        'x = df.a.max()\nprint(x)\nx',
      ],
    },
  },
  {
    name: 'figures in several cells',
    case: {
      cells: [
        'import matplotlib.pyplot as plt\nxs = [1,2,3]',
        'fig, ax = plt.subplots()\nax.plot(xs)',
        "plt.plot(xs)\nplt.title('t')",
        'plt.hist(xs);',
        'n = len(xs)',
      ],
    },
  },
  {
    name: 'a function defined again',
    case: {
      cells: [
        'x = 5\ndef f():\n    return x',
        'def g():\n    return f() + 1',
        'a = g()',
        'x = 6',
        'b = g()',
        'def f():\n    return 100',
        'c = g()',
      ],
    },
  },
  {
    name: 'a while loop over a constant',
    case: {
      cells: [
        'n = 10\nxs = list(range(n))',
        'while n > 5:\n    n -= 1',
        'm = n\nxs.append(m)',
        'out = [v for v in xs if v > n]',
      ],
    },
  },
  {
    name: 'views of arrays',
    case: {
      cells: [
        'import numpy as np\na = np.zeros((2,2))',
        'b = a.T',
        'b[0,1] = 5',
        'c = a.copy()',
        'c[0,0] = 1',
        'd = a.sum() + c.sum()',
      ],
    },
  },
  { name: 'a list in a tuple', case: { cells: ['a = [1]\nt = (a, 2)', 'u = t[0]', 'u.append(5)', 'n = len(t[0])'] } },
  {
    name: 'shallow and deep copies',
    case: {
      cells: [
        "import copy\na = {'x': [1]}",
        'b = copy.copy(a)',
        "b['x'].append(2)",
        "c = copy.deepcopy(a)\nc['x'].append(3)",
        "n = len(a['x']), len(c['x'])",
      ],
    },
  },
  {
    name: 'installs, extensions and timings',
    case: {
      cells: [
        '!pip install pandas==2.3 -q\n%load_ext autoreload\n%autoreload 2',
        'import pandas as pd',
        "%%time\ndf = pd.DataFrame({'a':[1,2]})",
        'df.a?',
      ],
    },
  },
  { name: 'a download by a program', case: { cells: ['!wget http://x/y.csv', 'x = 1'] }, expect: 'refused N16,N25' },
  { name: 'a captured listing', case: { cells: ['files = !ls', 'x = len(files)'] }, expect: 'refused N39' },
  { name: 'a shell cell', case: { cells: ['%%bash\necho hi', 'x = 1'] }, expect: 'refused N16' },
  {
    name: 'a path in a constant',
    case: {
      cells: ["import pandas as pd\nPATH = 'data/x.csv'", 'df = pd.read_csv(PATH)', 'n = len(df)'],
      files: { 'data/x.csv': 'a\n1\n2\n' },
    },
  },
  {
    name: 'a path inside a helper',
    case: {
      cells: ["import pandas as pd\ndef load():\n    return pd.read_csv('data/x.csv')", 'df = load()', 'n = len(df)'],
      files: { 'data/x.csv': 'a\n1\n2\n' },
    },
  },
  {
    name: 'a missing file',
    case: { cells: ['import pandas as pd', "df = pd.read_csv('missing.csv')", 'n = len(df)'], files: {} },
    expect: 'refused N39',
  },
  {
    name: 'a file opened in a with',
    case: {
      cells: ["with open('data/t.txt') as f:\n    lines = f.read().split()", 'n = len(lines)'],
      files: { 'data/t.txt': 'a b c' },
    },
  },
  {
    name: 'a file handle read over cells',
    case: {
      cells: ["f = open('data/t.txt')", 'text = f.read()', 'f.close()', 'n = len(text)'],
      files: { 'data/t.txt': 'a b c' },
    },
  },
  {
    name: 'a file written for others',
    case: { cells: ["import json\nwith open('res.json', 'w') as f:\n    json.dump({'a': 1}, f)", 'x = 2'] },
  },
  {
    name: 'the working directory changed',
    case: { cells: ["import os\nos.chdir('/tmp')", 'x = 1'] },
    expect: 'refused N31',
  },
  { name: 'the last value', case: { cells: ['x = 1\nx', 'y = _ + 1', 'z = y'] }, expect: 'refused N39' },
  { name: 'a star import', case: { cells: ['from math import *\nx = sqrt(4)', 'y = x + pi'] }, expect: 'refused N13' },
  {
    name: 'an import in a try',
    case: {
      cells: [
        'try:\n    import ujson as json\nexcept ImportError:\n    import json',
        "s = json.dumps({'a': 1})",
        'n = len(s)',
      ],
    },
  },
  {
    name: 'a helper that changes its argument',
    case: { cells: ['x = [1]\ndef show(v):\n    v.append(2)\n    print(v)', 'show(x)', 'n = len(x)'] },
  },
  {
    name: 'a row of an array',
    case: {
      cells: ['import numpy as np\nm = np.arange(6).reshape(2, 3)', 'row = m[0]', 'row += 10', 'total = m.sum()'],
    },
  },
  {
    name: 'a name deleted and asked for',
    case: { cells: ['x = 1\ny = 2', 'del x', 'try:\n    x\nexcept NameError:\n    y = 3', 'z = y'] },
    expect: 'refused N02',
  },
  {
    name: 'a helper of a helper defined again',
    case: {
      cells: ['def f():\n    return g()', 'def g():\n    return 1', 'a = f()', 'def g():\n    return 2', 'b = f()'],
    },
  },
  {
    name: 'a class defined again',
    case: {
      cells: [
        'class A:\n    def hi(self): return 1',
        'a = A()',
        'class A:\n    def hi(self): return 2',
        'r = a.hi()',
        'b = A().hi()',
      ],
    },
    expect: 'refused N32',
  },
  {
    name: 'a map read twice',
    case: {
      cells: ['xs = [1,2,3]\nit = map(lambda v: v * 2, xs)', 'first = next(it)', 'xs.append(4)', 'rest = list(it)'],
    },
  },
  {
    name: 'a slice of a frame changed',
    case: {
      cells: [
        "import pandas as pd\ndf = pd.DataFrame({'a':[1,2,3]})\nsub = df[df.a > 1]",
        "sub['b'] = 1",
        "df['a'] = 0",
        't = sub.a.sum()',
      ],
    },
  },
  {
    name: 'a constant bound again',
    case: { cells: ["N = 5\nnames = ['a', 'b']", 'for n in names:\n    print(n, N)', 'N = 6\nm = N * 2'] },
  },
  {
    name: 'a logger',
    case: { cells: ["import logging\nlog = logging.getLogger('x')\nlog.setLevel('INFO')", 'x = 1', 'y = x + 1'] },
    expect: 'refused N31',
  },
  {
    name: 'a default dictionary and its shallow copy',
    case: {
      cells: [
        'from collections import defaultdict\nd = defaultdict(list)',
        "d['a'].append(1)",
        "e = dict(d)\ne['a'].append(2)",
        "n = len(d['a'])",
      ],
    },
  },
  {
    name: 'duckdb over frames',
    case: {
      cells: [
        "import duckdb, pandas as pd\ndf = pd.DataFrame({'a':[1,2,3]})",
        "r = duckdb.sql('select sum(a) as s from df').df()",
        'df = df[df.a > 1]',
        "q = duckdb.sql('select sum(a) as s from df').df()",
      ],
    },
  },
  {
    name: 'a default evaluated early',
    case: { cells: ['x = 5\ndef f(y=x):\n    return y', 'x = 9', 'a = f()', 'b = f(x)'] },
  },
  {
    name: 'a list sorted under another name',
    case: {
      cells: [
        'values = [3, 1, 2]\nvalues2 = values\nvalues2.sort()',
        'top = values[0]',
        'assert top == 1',
        'values = values + [9]',
        'last = values2[-1]',
      ],
    },
  },
  {
    name: 'a mutable default under a heading',
    case: {
      cells: [
        "total = 0\ndef add(n, acc={'n': 0}):\n    acc['n'] += n\n    return acc['n']",
        'a = add(1)',
        'md:# break',
        'b = add(2)',
      ],
    },
  },
  {
    name: 'computed paths',
    case: {
      cells: [
        "import pandas as pd\nimport os\nBASE = 'data'",
        "df = pd.read_csv(os.path.join(BASE, 'x.csv'), sep=',')",
        "e = pd.read_csv(f'{BASE}/x.csv').dropna()",
        'n = len(df) + len(e)',
      ],
      files: { 'data/x.csv': 'a\n1\n2\n' },
    },
  },
]
