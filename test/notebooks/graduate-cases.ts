/**
 * Notebooks with traps: each a few cells that a converter gets wrong when it forgets one rule of how Python, pandas or
 * Jupyter behave. `expect` is written by hand: what a careful person would accept, proven wherever it is possible.
 */
import type { GraduateCase } from './graduate-case.ts'

const proven = ['proven']
const stochastic = ['proven-except-stochastic', 'not-proven']

const data = {
  'data/orders.csv':
    'id,day,currency,total\n1,2024-01-01,EUR,5\n2,2024-01-01,USD,7\n3,2024-01-02,EUR,1\n4,2024-01-03,EUR,11\n',
}

const objects: readonly GraduateCase[] = [
  {
    name: 'one frame under two names, changed through either',
    cells: [
      "import pandas as pd\ndf = pd.DataFrame({'x': [1, 2, 3]})",
      'same = df',
      "same['y'] = 1",
      "df.loc[0, 'x'] = 9",
      'total = same.x.sum()',
    ],
    expect: proven,
  },
  {
    name: 'a view of an array that is written later',
    cells: [
      'import numpy as np\nm = np.zeros((3, 3))',
      'row = m[1]\nflat = m.ravel()',
      'row += 5',
      'flat[0] = 7',
      'trace = float(m.trace())\nrowsum = row.sum()',
    ],
    expect: proven,
  },
  {
    name: 'the values of a frame written through',
    cells: [
      "import pandas as pd\ndf = pd.DataFrame({'a': [1.0, 2.0], 'b': [3.0, 4.0]})",
      'v = df.values',
      'v[0, 0] = 100.0',
      'total = df.to_numpy().sum()',
    ],
    expect: proven,
  },
  {
    name: 'a column series that writes into its frame',
    cells: [
      "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2, 3]})",
      "s = df['a']",
      's[0] = 9',
      'first = int(df.a.iloc[0])',
    ],
    expect: proven,
  },
  {
    name: 'chained assignment',
    cells: [
      "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2, 3], 'b': [0, 0, 0]})",
      "df['b'][df['a'] > 1] = 5",
      'total = int(df.b.sum())',
    ],
    expect: proven,
  },
  {
    name: 'every way of changing a list in place',
    cells: [
      'a = [3, 1, 2]\nb = a',
      'b.sort()',
      'b.extend([7]); b.insert(0, 5)',
      'del b[1]\nb[0:1] = [8, 8]',
      'b.reverse(); popped = b.pop()',
      'total = sum(a)',
    ],
    expect: proven,
  },
  {
    name: 'augmented assignment mutates, a sum rebinds',
    cells: ['x = [1]\ny = x', 'x += [2]', 'x = x + [3]', 'x += [4]', 'lengths = (len(x), len(y))'],
    expect: proven,
  },
  {
    name: 'a shuffle in place of an argument',
    cells: [
      'import numpy as np\na = np.arange(6)\nkeep = a',
      'np.random.seed(3)\nnp.random.shuffle(a)',
      'first = int(keep[0])',
    ],
    expect: proven,
  },
  {
    name: 'nested containers that share a part',
    cells: [
      'part = []\nbox = {"a": part, "b": part}',
      "box['a'].append(1)",
      "other = box['b']\nother.append(2)",
      'n = len(part)',
    ],
    expect: proven,
  },
  {
    name: 'fit returns the model itself',
    cells: [
      'import numpy as np\nfrom sklearn.linear_model import LinearRegression\nX = np.arange(8.0).reshape(-1, 1)\ny = X.ravel() * 2 + 1',
      'model = LinearRegression()',
      'fitted = model.fit(X, y)',
      'fitted.intercept_ = 5.0',
      'p = model.predict(X[:2])',
    ],
    expect: proven,
  },
  {
    name: 'a class of the notebook whose instances cross cells',
    cells: [
      'class Account:\n    rate = 0.5\n    def __init__(self, owner):\n        self.owner = owner\n        self.balance = 0\n    def put(self, n):\n        self.balance += n\n        return self',
      'a = Account("ann")',
      'a.put(10)',
      'b = [a, Account("bob")]',
      'b[0].put(5)',
      'total = sum(x.balance * x.rate for x in b)',
    ],
    expect: proven,
  },
  {
    name: 'a class attribute set from outside',
    cells: ['class C:\n    n = 1', 'c = C()', 'C.n = 7', 'got = c.n'],
    expect: [...proven, 'N11', 'N32', 'N14'],
  },
  {
    name: 'a subclass with slots and a property that writes',
    cells: [
      'class T:\n    __slots__ = ("x", "log")\n    def __init__(self): self.x = 1; self.log = []\n    @property\n    def seen(self):\n        self.log.append(self.x)\n        return self.x',
      't = T()',
      'one = t.seen',
      'two = t.seen + one',
      'n = len(t.log)',
    ],
    expect: proven,
  },
  {
    name: 'an enum, a named tuple and a dataclass',
    cells: [
      'import enum\nfrom collections import namedtuple\nfrom dataclasses import dataclass, field',
      'class Color(enum.Enum):\n    RED = 1\n    BLUE = 2\nP = namedtuple("P", "x y")\n@dataclass\nclass D:\n    c: Color\n    items: list = field(default_factory=list)',
      'd = D(Color.RED)\np = P(1, 2)',
      'd.items.append(p)',
      'same = d.c is Color.RED\nn = d.items[0].x',
    ],
    expect: proven,
  },
  {
    name: 'sentinels compared by identity',
    cells: ['MISSING = object()', 'd = {"a": MISSING, "b": 1}', 'found = [k for k, v in d.items() if v is MISSING]'],
    expect: [...proven, 'not-proven', 'N32'],
  },
  {
    name: 'a cache on a function object',
    cells: ['def f(x):\n    f.calls += 1\n    return x * 2\nf.calls = 0', 'a = f(2)', 'b = f(3)', 'n = f.calls'],
    expect: proven,
  },
  {
    name: 'a memoised function asked for its hits',
    cells: [
      'from functools import lru_cache\n@lru_cache\ndef f(x):\n    return x * 2',
      'a = f(2) + f(2)',
      'b = f(2)',
      'hits = f.cache_info().hits',
    ],
    expect: proven,
  },
  {
    name: 'a read-only array',
    cells: [
      'import numpy as np\na = np.arange(4)',
      'a.flags.writeable = False',
      'try:\n    a[0] = 9\n    changed = True\nexcept ValueError:\n    changed = False',
    ],
    expect: proven,
  },
]

const names: readonly GraduateCase[] = [
  {
    name: 'a late bound global of a function',
    cells: ['rate = 2\ndef f(x):\n    return x * rate', 'a = f(1)', 'rate = 10', 'b = f(1)', 'c = a + b'],
    expect: proven,
  },
  {
    name: 'a default bound early',
    cells: ['n = 1\ndef f(x, k=n):\n    return x + k + n', 'a = f(0)', 'n = 100', 'b = f(0)'],
    expect: proven,
  },
  {
    name: 'closures over a loop variable',
    cells: [
      'fs = []\nfor i in range(3):\n    fs.append(lambda: i)',
      'first = [f() for f in fs]',
      'i = 50',
      'second = [f() for f in fs]',
    ],
    expect: [...proven, 'N32'],
  },
  {
    name: 'nested functions with nonlocal state',
    cells: [
      'def counter():\n    n = 0\n    def step():\n        nonlocal n\n        n += 1\n        return n\n    return step',
      'c = counter()',
      'a = c()',
      'b = c() + a',
    ],
    expect: [...proven, 'N32'],
  },
  {
    name: 'a function that calls one that is defined later and then again',
    cells: [
      'def outer(x):\n    return inner(x) + 1',
      'def inner(x):\n    return x * 2',
      'a = outer(3)',
      'def inner(x):\n    return x * 100',
      'b = outer(3)',
    ],
    expect: proven,
  },
  {
    name: 'comprehension scopes, the walrus and class bodies',
    cells: [
      'x = 10\nsquares = [x for x in range(3)]',
      'seen = [last := v for v in squares]',
      'class K:\n    y = 5\n    z = [y for _ in range(2)] if False else y',
      'out = (x, last, K.z)',
    ],
    expect: proven,
  },
  {
    name: 'an exception name unbound at the end of its handler',
    cells: [
      'e = 1',
      'try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    msg = str(e)',
      'try:\n    e\n    alive = True\nexcept NameError:\n    alive = False',
    ],
    expect: [...proven, 'N02', 'N03'],
  },
  {
    name: 'loop and with targets survive',
    cells: [
      'import io\nfor i in range(4):\n    sq = i * i',
      'with io.StringIO("a\\nb") as handle:\n    lines = handle.read().splitlines()',
      'out = (i, sq, handle.closed, lines)',
    ],
    expect: [...proven, 'N32'],
  },
  {
    name: 'a name deleted and made again',
    cells: ['a = [1, 2]\nb = a', 'del a', 'a = [5]', 'b.append(len(a))', 'total = sum(b)'],
    expect: proven,
  },
  {
    name: 'a builtin shadowed in the middle',
    cells: [
      'a = sum([1, 2])\nm = max(3, 4)',
      'max = 3\nlist = [1]',
      'b = a + max + list[0]',
      'del max, list',
      'c = max(list(range(b)))',
    ],
    expect: [...proven, 'N12', 'N14', 'N03'],
  },
  {
    name: 'a conditional definition',
    cells: ['flag = 3 > 2\nv = 1', 'if flag:\n    v = [v]\nelse:\n    w = 2', 'out = v * 2'],
    expect: proven,
  },
  {
    name: 'a global statement in a function',
    cells: ['count = 0\ndef bump():\n    global count\n    count += 1', 'bump()', 'bump()\nafter = count'],
    expect: [...proven, 'N11'],
  },
  {
    name: 'a star import',
    cells: ['from math import *', 'r = sqrt(16) + floor(2.5)', 'a = pi * r'],
    expect: [...proven, 'N13'],
  },
  {
    name: 'a star import that shadows a builtin',
    cells: ['from numpy import *', 'a = sum(array([[1, 2], [3, 4]]), 0)', 'b = int(a.max())'],
    expect: [...proven, 'N13'],
  },
  {
    name: 'import in try, and a name that may be missing',
    cells: [
      'try:\n    import no_such_module_anywhere as fast\nexcept ImportError:\n    fast = None\ntry:\n    import json\nexcept ImportError:\n    json = None',
      'kind = "fast" if fast else json.dumps([1])',
      'n = len(kind)',
    ],
    expect: proven,
  },
  {
    name: 'the last value by underscore',
    cells: ['3 + 4', 'x = _ * 2', 'y = x + 1'],
    expect: [...proven, 'N38'],
  },
  {
    name: 'exec and eval',
    cells: ['exec("a = 5")', 'b = eval("a + 1")', 'c = b * 2'],
    expect: [...proven, 'N14', 'N02'],
  },
  { name: 'names from globals', cells: ['a = 3', 'globals()["b"] = a + 1', 'c = b * 2'], expect: ['N14', 'N02'] },
  { name: 'input', cells: ['n = input("how many? ")', 'm = int(n) + 1'], expect: ['N38', 'N39', 'N05'] },
  {
    name: 'out of order cells with recorded counts',
    cells: ['a = 1', 'c = a + b', 'b = 10', 'd = c * 2'],
    counts: [1, 3, 2, 4],
    expect: [...proven],
    args: ['--order', 'recorded'],
  },
  {
    name: 'a name whose cell was deleted',
    cells: ['import math', 'r = radius * math.pi', 'out = r + 1'],
    counts: [1, 7, 8],
    expect: ['N02'],
  },
  {
    name: 'two orders that both run and differ',
    cells: ['a = 1', 'a = a * 10', 'a = a + 5', 'out = a'],
    counts: [1, 3, 2, 4],
    expect: ['N01'],
  },
  {
    name: 'a rebinding that reads itself in many cells',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"a": range(6)})',
      'df = df[df.a > 0]',
      'df = df.assign(b=df.a ** 2)',
      'n = len(df)',
      'df = df.drop(columns="a")',
      'm = int(df.b.sum())',
    ],
    expect: proven,
  },
  {
    name: 'query and eval that name variables',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"a": [1, 2, 3], "b": [3, 2, 1]})\nlow = 1',
      'kept = df.query("a > @low")',
      'low = 2',
      'again = df.query("a > @low")',
      'n = (len(kept), len(again))',
    ],
    expect: proven,
  },
  {
    name: 'a formula that names columns and a function',
    cells: [
      'import numpy as np\nimport pandas as pd\nimport statsmodels.formula.api as smf',
      'df = pd.DataFrame({"y": [1.0, 2.1, 2.9, 4.2], "x": [1.0, 2.0, 3.0, 4.0]})',
      'def double(v):\n    return v * 2',
      'fit = smf.ols("y ~ double(x)", df).fit()',
      'slope = float(fit.params.iloc[1])',
    ],
    expect: [...proven, 'not-proven', 'N10'],
  },
  {
    name: 'an f-string and a template that read names late',
    cells: [
      'from string import Template\nwho = "ann"\nn = 3',
      'text = f"{who}: {n:>4}"',
      'who = "bob"',
      'later = f"{who}" + Template("$n").substitute(n=n)',
    ],
    expect: proven,
  },
]

const streams: readonly GraduateCase[] = [
  {
    name: 'an iterator consumed over cells',
    cells: ['it = iter([1, 2, 3, 4])', 'a = next(it)', 'b = next(it)', 'rest = list(it)', 'n = len(rest) + a + b'],
    expect: proven,
  },
  {
    name: 'a zip read twice',
    cells: [
      'pairs = zip([1, 2], "ab")',
      'first = list(pairs)',
      'second = list(pairs)',
      'n = (len(first), len(second))',
    ],
    expect: proven,
  },
  {
    name: 'a generator function over cells',
    cells: [
      'def gen():\n    total = 0\n    while True:\n        total += 1\n        yield total',
      'g = gen()',
      'a = [next(g) for _ in range(3)]',
      'b = next(g)',
    ],
    expect: proven,
  },
  {
    name: 'a csv reader over an open file',
    files: data,
    cells: [
      'import csv\nhandle = open("data/orders.csv")\nrows = csv.reader(handle)',
      'head = next(rows)',
      'body = list(rows)',
      'handle.close()',
      'n = len(body)',
    ],
    expect: proven,
  },
  {
    name: 'a database in memory over cells',
    cells: [
      'import sqlite3\nimport pandas as pd\ncon = sqlite3.connect(":memory:")',
      'pd.DataFrame({"a": [1, 2, 3]}).to_sql("t", con, index=False)',
      'out = pd.read_sql("select sum(a) as s from t", con)',
      'n = int(out.s.iloc[0])',
    ],
    expect: proven,
  },
  {
    name: 'a database file written and read',
    cells: [
      'import sqlite3\nimport pandas as pd',
      'con = sqlite3.connect("t.db")\npd.DataFrame({"a": [1, 2, 3]}).to_sql("t", con, index=False)\ncon.close()',
      'con = sqlite3.connect("t.db")\nout = pd.read_sql("select * from t where a > 1", con)\ncon.close()',
      'n = int(out.a.sum())',
    ],
    expect: [...proven, 'N24', 'N48', 'N32'],
  },
  {
    name: 'duckdb over frames by name',
    cells: [
      'import duckdb\nimport pandas as pd\norders = pd.DataFrame({"c": ["a", "b", "a"], "t": [1, 2, 3]})',
      'by = duckdb.sql("select c, sum(t) as total from orders group by c order by c").df()',
      'orders = orders[orders.t > 1]',
      'again = duckdb.sql("select count(*) as n from orders").df()',
      'n = int(again.n.iloc[0])',
    ],
    expect: proven,
  },
  {
    name: 'a duckdb connection with tables',
    cells: [
      'import duckdb\ncon = duckdb.connect()',
      'con.execute("create table t as select range as a from range(5)")',
      'con.execute("delete from t where a > 2")',
      'out = con.execute("select * from t order by a").df()',
      'n = len(out)',
    ],
    expect: [...proven, 'not-proven', 'N24', 'N32', 'N48'],
  },
  {
    name: 'a duckdb default connection that keeps a table',
    cells: [
      'import duckdb',
      'duckdb.sql("create or replace table t as select range as a from range(4)")',
      'duckdb.sql("insert into t values (99)")',
      'out = duckdb.sql("select * from t order by a").df()',
      'n = int(out.a.max())',
    ],
    expect: [...proven, 'N24', 'N32', 'N48'],
  },
  {
    name: 'a file written then read',
    files: data,
    cells: [
      'import pandas as pd\ndf = pd.read_csv("data/orders.csv")',
      'df[df.total > 3].to_csv("big.csv", index=False)',
      'big = pd.read_csv("big.csv", parse_dates=["day"])',
      'n = int(big.total.sum())',
    ],
    expect: [...proven, 'N22'],
  },
  {
    name: 'a file appended to by several cells',
    cells: [
      'with open("log.txt", "w") as f:\n    f.write("one\\n")',
      'with open("log.txt", "a") as f:\n    f.write("two\\n")',
      'text = open("log.txt").read()',
      'n = len(text.splitlines())',
    ],
    expect: [...proven, 'N22'],
  },
  {
    name: 'a source overwritten in place',
    files: data,
    cells: [
      'import pandas as pd\ndf = pd.read_csv("data/orders.csv")',
      'df["total"] = df.total * 2\ndf.to_csv("data/orders.csv", index=False)',
      'again = pd.read_csv("data/orders.csv")',
      'n = int(again.total.sum())',
    ],
    expect: ['N23', 'N22', ...proven],
  },
  {
    name: 'files found by glob',
    files: { 'parts/b.csv': 'x\n2\n', 'parts/a.csv': 'x\n1\n' },
    cells: [
      'import glob\nimport pandas as pd\npaths = sorted(glob.glob("parts/*.csv"))',
      'df = pd.concat([pd.read_csv(p).assign(src=p) for p in paths], ignore_index=True)',
      'first = df.src.iloc[0]',
    ],
    expect: [...proven, 'N21', 'N22', 'N14'],
  },
  {
    name: 'a notebook in a folder that reads its parent',
    folder: 'notebooks',
    files: data,
    cells: [
      'import pandas as pd\norders = pd.read_csv("../data/orders.csv", parse_dates=["day"])',
      'by = orders.groupby("currency").total.sum().reset_index()',
      'by.head()',
    ],
    expect: proven,
  },
  {
    name: 'a local module beside the notebook',
    files: { 'tools.py': 'FACTOR = 3\n\ndef scale(x):\n    return x * FACTOR\n' },
    cells: ['import tools', 'a = tools.scale(2)', 'tools.FACTOR = 10', 'b = tools.scale(2)'],
    expect: [...proven, 'N31', 'N19', 'N14'],
  },
]

const random: readonly GraduateCase[] = [
  {
    name: 'seed in one cell, draws of python random in others',
    cells: [
      'import random\nrandom.seed(4)',
      'a = [random.random() for _ in range(3)]',
      'unused = 1',
      'b = random.sample(range(100), 5)',
      'c = sum(a) + b[0]',
    ],
    expect: proven,
  },
  {
    name: 'numpy legacy draws between pandas sample',
    cells: [
      'import numpy as np\nimport pandas as pd\nnp.random.seed(0)',
      'df = pd.DataFrame({"x": np.random.rand(20)})',
      'part = df.sample(5)',
      'noise = np.random.normal(size=3)',
      'total = float(part.x.sum() + noise.sum())',
    ],
    expect: proven,
  },
  {
    name: 'a generator object passed along',
    cells: [
      'import numpy as np\nrng = np.random.default_rng(7)',
      'a = rng.normal(size=3)',
      'b = rng.integers(0, 10, 4)',
      'c = float(a.sum() + b.sum())',
    ],
    expect: proven,
  },
  {
    name: 'sklearn without random_state after a global seed',
    cells: [
      'import numpy as np\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.ensemble import RandomForestClassifier\nnp.random.seed(1)',
      'X = np.random.rand(40, 3)\ny = (X[:, 0] > 0.5).astype(int)',
      'X_train, X_test, y_train, y_test = train_test_split(X, y)',
      'model = RandomForestClassifier(n_estimators=5).fit(X_train, y_train)',
      'score = float(model.score(X_test, y_test))',
    ],
    expect: proven,
  },
  {
    name: 'a RandomState shared by two models',
    cells: [
      'import numpy as np\nfrom sklearn.linear_model import SGDClassifier\nrs = np.random.RandomState(3)',
      'X = rs.rand(30, 2)\ny = (X.sum(1) > 1).astype(int)',
      'one = SGDClassifier(random_state=rs).fit(X, y)',
      'two = SGDClassifier(random_state=rs).fit(X, y)',
      'diff = float(abs(one.coef_ - two.coef_).sum())',
    ],
    expect: proven,
  },
  {
    name: 'draws without a seed',
    cells: [
      'import numpy as np\nbase = np.arange(5)',
      'noise = np.random.rand(5)',
      'total = base + noise',
      'n = len(total)',
    ],
    expect: stochastic,
  },
  {
    name: 'a draw that nobody reads moves the generator',
    cells: [
      'import random\nrandom.seed(0)',
      'random.random()',
      'a = random.random()',
      'for _ in range(3):\n    random.random()',
      'b = random.random()',
    ],
    expect: proven,
  },
  {
    name: 'a seed again in the middle',
    cells: [
      'import numpy as np\nnp.random.seed(1)\na = np.random.rand(2)',
      'b = np.random.rand(2)',
      'np.random.seed(1)',
      'c = np.random.rand(2)',
      'same = bool((a == c).all())',
    ],
    expect: proven,
  },
  {
    name: 'the state of a generator saved and put back',
    cells: [
      'import random\nrandom.seed(5)\nstate = random.getstate()',
      'a = random.random()',
      'random.setstate(state)',
      'b = random.random()',
      'same = a == b',
    ],
    expect: [...proven, 'N29', 'N28'],
  },
  {
    name: 'a seed hidden in a helper',
    cells: [
      'import numpy as np\ndef reset():\n    np.random.seed(9)\ndef draw():\n    return np.random.rand()',
      'reset()',
      'a = draw()',
      'b = draw()',
      'reset()\nc = draw()',
    ],
    expect: proven,
  },
  {
    name: 'clock, uuid and environment',
    cells: [
      'import datetime, uuid, os\nnow = datetime.datetime.now()',
      'token = uuid.uuid4().hex',
      'year_ok = now.year > 2000',
      'n = len(token)',
    ],
    expect: stochastic,
  },
  {
    name: 'the order of a set of strings',
    cells: [
      'words = {"pear", "apple", "fig", "plum", "kiwi"}',
      'order = list(words)',
      'first = order[0]',
      'n = len(order)',
    ],
    expect: [...stochastic, 'environment-sensitive'],
  },
]

const state: readonly GraduateCase[] = [
  {
    name: 'display options between cells',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"a": [1.23456789, 2.0]})',
      'pd.set_option("display.precision", 2)',
      'text = df.to_string()',
      'pd.reset_option("display.precision")',
      'after = df.to_string()',
    ],
    expect: [...proven, 'N31'],
  },
  {
    name: 'numpy print options and error state',
    cells: [
      'import numpy as np\na = np.array([1.23456789])',
      'np.set_printoptions(precision=3)',
      'text = repr(a)',
      'old = np.seterr(divide="raise")',
      'try:\n    np.array([1.0]) / 0\n    raised = False\nexcept FloatingPointError:\n    raised = True',
    ],
    expect: [...proven, 'N31'],
  },
  {
    name: 'decimal precision',
    cells: [
      'from decimal import Decimal, getcontext\na = Decimal(1) / Decimal(3)',
      'getcontext().prec = 5',
      'b = Decimal(1) / Decimal(3)',
      'c = (a, b)',
    ],
    expect: [...proven, 'N31'],
  },
  {
    name: 'rcParams and a style between figures',
    cells: [
      '%matplotlib inline\nimport matplotlib.pyplot as plt\nimport numpy as np\nx = np.arange(5)',
      'plt.plot(x)',
      'plt.rcParams["lines.linewidth"] = 5',
      'plt.plot(x * 2)',
      'total = int(x.sum())',
    ],
    expect: [...proven, 'N31'],
  },
  {
    name: 'a figure drawn over several cells',
    cells: [
      'import matplotlib.pyplot as plt\nvals = [1, 3, 2]',
      'fig, ax = plt.subplots()',
      'ax.plot(vals)',
      'ax.set_title("later")\nax.set_ylim(0, 5)',
      'fig',
      'total = sum(vals)',
    ],
    expect: [...proven, 'not-proven'],
  },
  {
    name: 'a plot of pandas and a seaborn one',
    files: data,
    cells: [
      'import pandas as pd\nimport seaborn as sns\nimport matplotlib.pyplot as plt\norders = pd.read_csv("data/orders.csv")',
      'orders.plot(x="id", y="total")',
      'sns.barplot(data=orders, x="currency", y="total", errorbar=None)\nplt.title("By currency")\nplt.show()',
      'orders.total.hist();',
    ],
    expect: proven,
  },
  {
    name: 'environment variables',
    cells: [
      'import os\nos.environ["MODE"] = "fast"',
      'mode = os.environ["MODE"]',
      'os.environ["MODE"] = "slow"',
      'both = mode + os.environ.get("MODE", "")',
    ],
    expect: [...proven, 'N31'],
  },
  {
    name: 'a warning filter and a monkeypatch',
    cells: [
      'import math, warnings\nwarnings.filterwarnings("ignore")\nreal = math.floor',
      'math.floor = lambda x: -1',
      'a = math.floor(2.5)',
      'math.floor = real',
      'b = math.floor(2.5)',
    ],
    expect: [...proven, 'N31', 'N14'],
  },
  {
    name: 'the working directory',
    files: data,
    cells: ['import os\nos.chdir("data")', 'text = open("orders.csv").read()', 'n = len(text)'],
    expect: [...proven, 'N31'],
  },
  {
    name: 'sys.path',
    files: { 'lib/mine.py': 'V = 4\n' },
    cells: ['import sys\nsys.path.append("lib")', 'import mine', 'v = mine.V + 1'],
    expect: [...proven, 'N31', 'N19', 'N17'],
  },
  {
    name: 'prints between the work',
    cells: [
      'a = 3\nprint("start", a)',
      'for i in range(3):\n    a += i\n    print(i, a)',
      'b = a * 2\nprint(f"{b=}")\nb',
      'def say(x):\n    print("saying", x)\n    return x',
      'c = say(b)',
    ],
    expect: proven,
  },
  {
    name: 'displays of tuples, None, frames, dicts and arrays',
    cells: [
      'import numpy as np\nimport pandas as pd\ndf = pd.DataFrame({"a": [1, 2], "b": ["x", None]})',
      'df.head()',
      '1, "two"',
      'None',
      'df.describe(), df.shape',
      '{"k": [1, 2]}',
      'np.arange(3);',
      'display(df.a)\ndf.b.isna().sum()',
      'n = len(df)',
    ],
    expect: proven,
  },
  {
    name: 'a display that changes what it shows',
    cells: ['a = [1, 2, 3]', 'a.pop()', 'd = {"k": 1}\nd.setdefault("z", 5)', 'b = len(a) + d["z"]', 'a.append(b)\na'],
    expect: proven,
  },
  {
    name: 'time and capture magics',
    cells: [
      '%load_ext autoreload\n%autoreload 2\nimport numpy as np',
      '%time a = np.arange(4).sum()',
      '%%time\nb = a + 1\nprint(b)',
      '%%capture out\nprint("hidden")\nc = int(b) * 2',
      '%timeit -n 1 -r 1 sum(range(3))',
      'd = c + 1',
    ],
    expect: [...proven, 'N15', 'N14', 'not-proven'],
  },
  {
    name: 'pip install and matplotlib magic',
    cells: [
      '!pip install pandas\n%pip install -q numpy',
      '%matplotlib inline\n%config InlineBackend.figure_format = "retina"\nimport pandas as pd',
      'df = pd.DataFrame({"a": [1]})',
      'n = len(df)',
    ],
    expect: proven,
  },
  {
    name: 'a shell command captured',
    cells: ['files = !echo hello', 'n = len(files)', 'm = n + 1'],
    expect: ['N16', 'N39', 'N15'],
  },
  {
    name: 'a cell of bash',
    cells: ['%%bash\necho hi > out.txt', 'text = open("out.txt").read()', 'n = len(text)'],
    expect: ['N16', 'N22', 'N15', 'N39'],
  },
  {
    name: 'a file written by a magic',
    cells: ['%%writefile helper.py\nV = 5', 'import helper\nv = helper.V', 'n = v + 1'],
    expect: [...proven, 'N15', 'N16', 'N22', 'N17', 'N19'],
  },
  {
    name: 'sql magic',
    cells: ['%load_ext sql\n%sql sqlite://', '%%sql\nselect 1 as a', 'n = 1'],
    expect: ['N15', 'N14', 'N39', 'N05', 'N17', 'N18'],
  },
  {
    name: 'an unknown extension',
    cells: ['%load_ext no_such_extension', 'a = 1', 'b = a + 1'],
    expect: ['N15', 'N17', 'N39', 'N05'],
  },
  {
    name: 'top level await',
    cells: [
      'import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x + 1',
      'a = await f(1)',
      'b = a + 1',
    ],
    expect: [...proven, 'N46'],
  },
  {
    name: 'an async function run by a helper',
    cells: [
      'import asyncio\nasync def f(x):\n    return x + 1\ndef go(x):\n    loop = asyncio.new_event_loop()\n    try:\n        return loop.run_until_complete(f(x))\n    finally:\n        loop.close()',
      'import concurrent.futures as cf\nwith cf.ThreadPoolExecutor(1) as pool:\n    a = pool.submit(go, 1).result()',
      'b = a + 1',
    ],
    expect: [...proven, 'N46', 'N32'],
  },
  {
    name: 'a thread that writes after its cell',
    cells: [
      'import threading, time\nbox = []\ndef work():\n    time.sleep(0.5)\n    box.append(1)',
      't = threading.Thread(target=work)\nt.start()',
      'early = len(box)',
      't.join()\nlate = len(box)',
    ],
    expect: [...proven, 'N46', 'N32', 'not-proven'],
  },
  {
    name: 'a subprocess',
    cells: [
      'import subprocess\nout = subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout',
      'n = len(out)',
      'm = n + 1',
    ],
    expect: [...proven, 'N16', 'not-proven'],
  },
  {
    name: 'an effect on the world',
    cells: [
      'import smtplib\nvalue = 3',
      'server = smtplib.SMTP("mail.example.com")\nserver.sendmail("a@b.c", "d@e.f", str(value))',
      'after = value + 1',
    ],
    expect: ['N48', 'N25', 'N39'],
  },
  {
    name: 'a post over the network',
    cells: [
      'import urllib.request, json\nvalue = 3',
      'urllib.request.urlopen("http://example.com/api", data=json.dumps(value).encode())',
      'after = value + 1',
    ],
    expect: ['N48', 'N25', 'N39'],
  },
  {
    name: 'a cell that fails on purpose',
    cells: ['a = 1', '1 / 0', 'b = a + 1'],
    tags: { 1: ['raises-exception'] },
    expect: [...proven, 'N39'],
  },
  {
    name: 'a cell that fails by mistake',
    cells: ['a = 1', 'b = undefined_thing', 'c = a + 1'],
    expect: ['N02', 'N39'],
  },
  {
    name: 'a half done cell that fails on purpose',
    cells: ['a = [1]', 'a.append(2)\nraise ValueError("stop")', 'b = len(a)'],
    tags: { 1: ['raises-exception'] },
    expect: ['N39'],
  },
]

const frames: readonly GraduateCase[] = [
  {
    name: 'awkward columns',
    cells: [
      'import pandas as pd, numpy as np, datetime as dt\nfrom decimal import Decimal\nmixed = pd.DataFrame({"o": [1, "1", 1.0, True, None, np.nan], "d": [Decimal("1.10"), Decimal("1.1"), None, Decimal(2), Decimal(3), Decimal(4)]})',
      'kinds = mixed.o.map(lambda v: type(v).__name__)',
      'missing = pd.DataFrame({"n": [None, np.nan, pd.NaT, pd.NA]}, dtype=object)',
      'which = [v is None for v in missing.n]',
      'lists = pd.DataFrame({"l": [[1], [2, 3], []], "m": [{"a": 1}, {}, {"b": None}]})',
      'total = lists.l.map(len).sum()',
    ],
    expect: proven,
  },
  {
    name: 'categories, their order and missing ones',
    cells: [
      'import pandas as pd\nc = pd.Categorical(["b", "a", None, "b"], categories=["c", "b", "a"], ordered=True)',
      'df = pd.DataFrame({"c": c, "i": pd.Categorical([3, 1, 1, 2])})',
      'low = df.c.min()\ncounts = df.groupby("c", observed=False).size()',
      'codes = df.i.cat.codes.tolist()',
    ],
    expect: proven,
  },
  {
    name: 'several levels, names and duplicated labels',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"a": [1, 1, 2], "b": list("xyx"), "v": [1.0, 2.0, 3.0]}).set_index(["a", "b"])',
      'wide = df.unstack("b")',
      'wide.columns.names',
      'twice = pd.concat([df, df])',
      'dup = pd.DataFrame([[1, 2]], columns=["x", "x"])',
      'n = len(twice.loc[1])\nfirst = dup.x.shape',
    ],
    expect: proven,
  },
  {
    name: 'times, zones, frequencies and periods',
    cells: [
      'import pandas as pd\nidx = pd.date_range("2024-03-30", periods=4, freq="D", tz="Europe/Berlin")',
      'ts = pd.Series(range(4), index=idx, name="v")',
      'hours = (idx[1:] - idx[:-1])',
      'per = pd.period_range("2024-01", periods=3, freq="M")\np = pd.Series([1, 2, 3], index=per)',
      'weekly = ts.resample("2D").sum()\nnaive = ts.tz_localize(None)',
      'step = pd.Timedelta("1h") * 3',
    ],
    expect: proven,
  },
  {
    name: 'empty frames and results without rows',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})',
      'none = df[df.a > 10]',
      'empty = pd.DataFrame()',
      'cols = pd.DataFrame(columns=["p", "q"])',
      'n = len(none) + len(empty) + len(cols)\ntotal = none.a.sum()',
    ],
    expect: proven,
  },
  {
    name: 'functions in cells and an index of mixed labels',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"f": [len, str, sum], "g": ["a", "b", "c"]})',
      'odd = pd.DataFrame({0: [1], "b": [2], (1, 2): [3]})',
      'got = df.f.iloc[0]([1, 2, 3])',
      'labels = [type(c).__name__ for c in odd.columns]',
    ],
    expect: proven,
  },
  {
    name: 'lambdas in a column',
    cells: [
      'import pandas as pd\nk = 2\ndf = pd.DataFrame({"f": [lambda x: x + k, lambda x: x * k]})',
      'a = [f(3) for f in df.f]',
      'k = 10',
      'b = [f(3) for f in df.f]',
    ],
    expect: [...proven, 'N32', 'not-proven'],
  },
  {
    name: 'attrs, flags and a frame with an index name',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["r", "s"], name="key"))',
      'df.attrs["unit"] = "EUR"',
      'out = df.reset_index()',
      'unit = out.attrs.get("unit")\nflags = df.set_flags(allows_duplicate_labels=False)',
    ],
    expect: proven,
  },
  {
    name: 'extension types, nullable integers and strings',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"i": pd.array([1, None, 3], dtype="Int64"), "s": pd.array(["a", None, "c"], dtype="string"), "b": pd.array([True, None, False], dtype="boolean")})',
      'total = df.i.sum()',
      'conv = pd.DataFrame({"x": [1.0, None]}).convert_dtypes()',
      'sparse = pd.Series(pd.arrays.SparseArray([0, 0, 1]))',
      'iv = pd.cut([1, 5, 9], bins=[0, 3, 6, 10])',
    ],
    expect: proven,
  },
  {
    name: 'scalars of every kind',
    cells: [
      'import numpy as np\nnan = float("nan"); inf = float("inf"); negzero = -0.0; big = 10 ** 40',
      'i8 = np.int8(5); f4 = np.float32(0.1); b = np.bool_(True); c = 1 + 2j',
      'tup = (nan, inf, negzero, big)',
      'out = f4 + i8\nsum_ = big + int(i8)',
    ],
    expect: proven,
  },
  {
    name: 'a constant in a comparison',
    cells: [
      'import pandas as pd\nLATE_MINUTES = 15\nflights = pd.DataFrame({"delay": [3, 20, 40]})',
      'flights["late"] = flights.delay > LATE_MINUTES',
      'share = float(flights.late.mean())',
    ],
    expect: proven,
  },
  {
    name: 'polars frames',
    cells: [
      'import polars as pl\ndf = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]})',
      'lazy = df.lazy().filter(pl.col("a") > 1)',
      'out = lazy.collect()',
      'by = out.group_by("b").agg(pl.col("a").sum()).sort("b")',
      'n = by.height',
    ],
    expect: [...proven, 'not-proven'],
  },
  {
    name: 'a pipeline of sklearn over cells',
    cells: [
      'import numpy as np, pandas as pd\nfrom sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\nfrom sklearn.linear_model import LogisticRegression\nrng = np.random.default_rng(0)',
      'X = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc"))\ny = (X.a + X.b > 0).astype(int)',
      'model = make_pipeline(StandardScaler(), LogisticRegression())',
      'model.fit(X, y)',
      'pred = model.predict_proba(X)[:, 1]',
      'print(round(float(pred.mean()), 3))\nmodel.score(X, y)',
    ],
    expect: proven,
  },
]

export const graduateCases: readonly GraduateCase[] = [...objects, ...names, ...streams, ...random, ...state, ...frames]
