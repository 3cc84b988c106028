/** The audit on small notebooks: each defect is found where it is, and clean notebooks have none. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { AuditResult } from '../../packages/core/src/notebook/finding.ts'
import { audit, auditMany, codesOf, placesOf, type AuditOptions, type TestCell } from './audit-cells.ts'

type Case = readonly [
  what: string,
  code: string,
  place: string,
  cells: readonly (string | TestCell)[],
  options?: AuditOptions,
]

const PANDAS = 'import pandas as pd\ndf = pd.DataFrame({"a": [1, 2]})'
const SPLIT =
  'from sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import StandardScaler\nfrom sklearn.linear_model import Ridge'

const cases: readonly Case[] = [
  [
    'counts that decrease',
    'N01',
    '1:-',
    [
      { source: 'a = 1', count: 5 },
      { source: 'b = a', count: 2 },
    ],
  ],
  ['a name of a deleted cell', 'N02', '1:2', ['a = 1', 'b = 2\nprint(gone + a)']],
  ['a missing well-known import', 'N02', '0:1', ['df = pd.DataFrame()']],
  ['a name that is deleted before', 'N02', '2:1', ['a = 1', 'del a', 'print(a)']],
  ['a name used above its definition', 'N03', '0:1', ['print(a)', 'a = 1']],
  [
    'a function called before a global that it reads exists',
    'N03',
    '1:1',
    ['def f():\n    return rate * 2', 'x = f()', 'rate = 3'],
  ],
  [
    'gaps in the counts',
    'N04',
    '1:-',
    [
      { source: 'a = 1', count: 1 },
      { source: 'b = a', count: 40 },
    ],
  ],
  [
    'a cell that was never run',
    'N06',
    '1:-',
    [
      { source: 'a = 1', count: 1 },
      { source: 'b = a', count: null },
    ],
  ],
  ['rebinding a name to what it was', 'N07', '1:1', [PANDAS, 'df = df.dropna()']],
  ['a counter', 'N07', '1:1', ['n = 0', 'n += 1']],
  ['a list that grows', 'N07', '1:1', ['xs = []', 'xs.append(1)']],
  ['a column set in a later cell', 'N08', '1:1', [PANDAS, 'df["b"] = 1']],
  ['inplace in a later cell', 'N08', '1:1', [PANDAS, 'df.drop(columns="a", inplace=True)']],
  ['a change inside a called function', 'N08', '2:1', [PANDAS, 'def mark(d):\n    d["m"] = 1', 'mark(df)']],
  ['one object under two names', 'N09', '2:1', ['a = [1]', 'b = a', 'b.append(2)', 'print(a)']],
  ['a view of an array', 'N09', '2:1', ['import numpy as np\na = np.zeros(3)', 'b = a[1:]', 'b[0] = 9', 'print(a)']],
  [
    'a function that reads a variable',
    'N10',
    '1:1',
    ['rate = 0.2', 'def tax(x):\n    return x * rate', 'print(tax(3))'],
  ],
  [
    'a function with a global statement',
    'N11',
    '1:1',
    ['n = 0', 'def count():\n    global n\n    n = n + 1', 'count()'],
  ],
  ['a function that changes its argument', 'N11', '0:1', ['def mark(d):\n    d["m"] = 1\n    return d']],
  [
    'one name for two things',
    'N12',
    '1:1',
    ['import pandas as pd\nx = pd.read_csv("a.csv")', 'x = 3'],
    { files: ['a.csv'] },
  ],
  ['a star import', 'N13', '0:1', ['from math import *']],
  ['exec of a computed text', 'N14', '0:2', ['code = "a" + str(1)\nexec(code)']],
  ['globals()', 'N14', '0:1', ['globals()["a"] = 1']],
  ['%run', 'N14', '0:1', ['%run other.py']],
  ['a magic', 'N15', '0:1', ['%matplotlib inline']],
  ['pip in the notebook', 'N16', '0:1', ['!pip install pandas']],
  ['a captured shell command', 'N16', '0:1', ['files = !ls']],
  ['a package without version', 'N17', '0:1', ['import polars'], { requirements: '' }],
  ['a removed NumPy name', 'N18', '0:2', ['import numpy as np\nx = np.object']],
  ['a module that moved', 'N18', '0:1', ['from sklearn.cross_validation import train_test_split']],
  ['a removed method of a frame', 'N18', '1:1', [PANDAS, 'd = df.append(df)']],
  ['a module beside the notebook', 'N19', '0:1', ['import helpers'], { files: ['helpers.py'] }],
  [
    'a path in a home folder',
    'N20',
    '0:2',
    ['import pandas as pd\nd = pd.read_csv("/home/ann/d.csv")'],
    { files: ['data/d.csv'] },
  ],
  ['a Windows path', 'N20', '0:1', ['path = r"C:\\Users\\ann\\d.csv"']],
  ['a Colab path', 'N20', '0:1', ['path = "/content/drive/MyDrive/d.csv"']],
  ['a missing data file', 'N21', '0:2', ['import pandas as pd\nd = pd.read_csv("d.csv")']],
  ['a file between two cells', 'N22', '1:1', [`${PANDAS}\ndf.to_csv("o.csv")`, 'e = pd.read_csv("o.csv")']],
  [
    'a file that replaces its own input',
    'N23',
    '0:3',
    ['import pandas as pd\nd = pd.read_csv("d.csv")\nd.to_csv("d.csv")'],
    { files: ['d.csv'] },
  ],
  [
    'a table between two cells',
    'N24',
    '1:1',
    [
      'import sqlite3, pandas as pd\ncon = sqlite3.connect("x.db")\npd.DataFrame().to_sql("orders", con)',
      'e = pd.read_sql("select * from orders", con)',
    ],
    { files: ['x.db'] },
  ],
  ['data from the network', 'N25', '0:2', ['import pandas as pd\nd = pd.read_csv("https://example.org/d.csv")']],
  ['a parameter', 'N27', '0:1', ['THRESHOLD = 1.5', 'print(THRESHOLD)']],
  ['random numbers without a seed', 'N28', '0:2', ['import numpy as np\nx = np.random.rand(3)']],
  [
    'an estimator without a seed',
    'N28',
    '0:3',
    ['from sklearn.ensemble import RandomForestClassifier\nm = RandomForestClassifier()\nm.fit(X, y)\nX = y = 1'],
  ],
  [
    'a seed that comes too late',
    'N28',
    '0:2',
    ['import numpy as np\nx = np.random.rand(3)', 'np.random.seed(0)\ny = np.random.rand(3)'],
  ],
  [
    'one generator for two cells',
    'N29',
    '1:1',
    ['import numpy as np\nnp.random.seed(0)\nx = np.random.rand(3)', 'y = np.random.rand(3)'],
  ],
  ['the clock', 'N30', '0:2', ['from datetime import datetime\ntoday = datetime.now()']],
  ['an unsorted listing', 'N30', '0:2', ['import os\nfiles = os.listdir("data")']],
  ['pandas options', 'N31', '0:2', ['import pandas as pd\npd.set_option("display.max_rows", 5)', 'x = 1']],
  ['the working folder', 'N31', '0:2', ['import os\nos.chdir("data")', 'x = 1']],
  [
    'a connection used by another cell',
    'N32',
    '0:2',
    ['import sqlite3\ncon = sqlite3.connect(":memory:")', 'con.execute("select 1")'],
  ],
  ['an iterator used by another cell', 'N33', '0:1', ['pairs = zip([1], [2])', 'a = list(pairs)', 'b = list(pairs)']],
  ['a cell that only shows', 'N35', '1:-', [PANDAS, 'df.head()']],
  ['a display that changes data', 'N36', '1:1', [PANDAS, 'df.pop("a")']],
  [
    'axes of an earlier cell',
    'N37',
    '1:1',
    ['import matplotlib.pyplot as plt\nfig, ax = plt.subplots()', 'ax.plot([1])'],
  ],
  ['a title in a cell of its own', 'N37', '1:1', ['import matplotlib.pyplot as plt\nplt.plot([1])', 'plt.title("t")']],
  ['the last output', 'N38', '1:1', ['1 + 1', 'x = _']],
  ['input()', 'N38', '0:1', ['name = input("who?")']],
  [
    'a stored error',
    'N39',
    '0:-',
    [
      {
        source: '1 / 0',
        outputs: [{ output_type: 'error', ename: 'ZeroDivisionError', evalue: 'division by zero', traceback: [] }],
      },
    ],
  ],
  ['Python 2', 'N40', '0:1', ['print "hello"']],
  [
    'scaling before the split',
    'N41',
    '1:1',
    [
      `${SPLIT}\nX = [[1.0], [2.0]]\ny = [1, 2]`,
      'X = StandardScaler().fit_transform(X)',
      'X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)',
    ],
  ],
  [
    'fitting on the test set',
    'N41',
    '1:1',
    [
      `${SPLIT}\nX_train, X_test, y_train, y_test = train_test_split([[1]], [1], random_state=0)`,
      'm = Ridge().fit(X_test, y_test)',
    ],
  ],
  ['a very long cell', 'N42', '0:-', [Array.from({ length: 130 }, (_, line) => `a${line} = ${line}`).join('\n')]],
  ['another language', 'N44', '0:1', ['%%bash\necho hi']],
  [
    'a kernel of another language',
    'N44',
    '-:-',
    ['a = 1'],
    { metadata: { kernelspec: { name: 'python3', language: 'python' }, language_info: { name: 'R' } } },
  ],
  ['a thread that is left running', 'N46', '0:2', ['import threading\nt = threading.Thread(target=print)\nt.start()']],
  ['top-level await', 'N46', '0:2', ['import asyncio\nawait asyncio.sleep(0)']],
  ['widgets', 'N47', '0:1', ['from ipywidgets import interact']],
  [
    'a table written to a database',
    'N48',
    '1:1',
    [
      `${PANDAS}\nfrom sqlalchemy import create_engine\nengine = create_engine("postgresql://db/x")`,
      'df.to_sql("t", engine)',
    ],
  ],
  ['a post', 'N48', '0:2', ['import requests\nr = requests.post("https://example.org", json={})']],
  ['a cell that is no Python', 'N49', '0:1', ['a = = 1']],
  ['all warnings off', 'N50', '0:2', ['import warnings\nwarnings.filterwarnings("ignore")']],
  ['a bare except', 'N51', '0:3', ['try:\n    a = 1\nexcept:\n    pass']],
  ['chained assignment', 'N52', '1:1', [PANDAS, 'df[df.a > 1]["a"] = 3']],
  [
    'a pickle from outside',
    'N53',
    '0:2',
    ['import pickle\nm = pickle.load(open("m.pkl", "rb"))'],
    { files: ['m.pkl'] },
  ],
  ['certificates unchecked', 'N54', '0:2', ['import requests\nr = requests.get("https://example.org", verify=False)']],
  ['input as code', 'N55', '0:1', ['x = eval(input())']],
  [
    'SQL from variables',
    'N56',
    '1:1',
    [
      'import sqlite3\nimport pandas as pd\ncon = sqlite3.connect(":memory:")\nname = "x".upper()',
      'd = pd.read_sql(f"select * from t where n = \'{name}\'", con)',
    ],
  ],
  [
    'e-mail addresses in an output',
    'N57',
    '0:-',
    [{ source: 'print(1)', outputs: [{ output_type: 'stream', name: 'stdout', text: 'ann.smith@company.org' }] }],
  ],
  ['the local time zone', 'N58', '0:2', ['from datetime import datetime\nd = datetime.fromtimestamp(0)']],
  ['a fixed date', 'N59', '1:1', [PANDAS, 'late = df[df.a > "2024-01-31"]']],
]

describe('audit', () => {
  let results: readonly AuditResult[] = []
  beforeAll(async () => {
    results = await auditMany(cases.map(([, , , cells, options]) => ({ cells, options })))
  })

  it.each(cases.map(([what, code, place], index) => ({ what, code, place, index })))(
    'finds $what',
    ({ code, place, index }) => {
      const result = results[index]
      expect(result === undefined ? [] : placesOf(result).filter((found) => found.startsWith(code))).toContain(
        `${code}@${place}`,
      )
    },
  )

  it('says what cannot be checked without a run', async () => {
    expect((await audit(['a = 1'])).notChecked).toEqual(['N05', 'N34', 'N45'])
  })

  it('reads other languages from the file alone', async () => {
    const result = await audit(
      [
        { source: 'x <- 1', count: 4 },
        { source: 'password <- "hunter2secret"', count: 2 },
      ],
      { metadata: { kernelspec: { name: 'ir', language: 'R' } } },
    )
    expect(result.language).toBe('r')
    expect(codesOf(result)).toContain('N01')
    expect(result.notChecked).toContain('N02')
    expect(result.runnable).toBeNull()
  })

  it('knows that a notebook with an undefined name cannot run', async () => {
    expect((await audit(['print(gone)'])).runnable).toBe(false)
    expect((await audit(['a = 1\nprint(a)'])).runnable).toBeNull()
  })

  it('names the order that would work', async () => {
    expect(
      (
        await audit([
          { source: 'print(a)', count: 2 },
          { source: 'a = 1', count: 1 },
        ])
      ).order,
    ).toBe('recorded')
    expect(
      (
        await audit([
          { source: 'print(a)', count: null },
          { source: 'a = 1', count: null },
        ])
      ).order,
    ).toBe('repaired')
    expect((await audit(['a = 1', 'print(a)'])).order).toBe('document')
  })

  it('offers the missing import as a diff', async () => {
    const found = (await audit(['a = 1\ndf = pd.DataFrame()'])).findings.find(({ code }) => code === 'N02')
    expect(found?.fix?.diff).toContain('+import pandas as pd')
  })

  it('offers the file of the same name for a path of another machine', async () => {
    const found = (
      await audit(['import pandas as pd\nd = pd.read_csv("/Users/ann/x/d.csv")'], { files: ['data/d.csv'] })
    ).findings
    expect(found.find(({ code }) => code === 'N20')?.fix?.diff).toContain('+d = pd.read_csv("data/d.csv")')
    expect(found.map(({ code }) => code)).not.toContain('N21')
  })
})

describe('secrets', () => {
  const key = ['AKIA', 'ABCDEFGH12345678'].join('')
  const secretCells: readonly (readonly [string, string, string])[] = [
    ['an AWS key', `aws = "${key}"`, key],
    ['a password', 'password = "correct-horse-battery"', 'correct-horse-battery'],
    ['a keyword argument', 'con = connect(user="a", password="Tr0ub4dor&3")', 'Tr0ub4dor&3'],
    ['a connection string', 'url = "postgresql://ann:s3cr3tpw@db.example.com/x"', 's3cr3tpw'],
    [
      'an environment variable',
      'import os\nos.environ["API_TOKEN"] = "a8f5f167f44f4964e6c998dee827110c"',
      'a8f5f167f44f4964e6c998dee827110c',
    ],
    ['a dictionary', 'conf = {"api_key": "9d4e1e23bd5b727046a9e3b4b7db57bd"}', '9d4e1e23bd5b727046a9e3b4b7db57bd'],
    ['a magic', '%env GITHUB=ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'],
  ]

  it('finds each, and never prints it', async () => {
    const results = await auditMany(secretCells.map(([, source]) => ({ cells: [source] })))
    for (const [index, [what, , secret]] of secretCells.entries()) {
      const found = results[index]?.findings.filter(({ code }) => code === 'N26') ?? []
      expect(found.length, what).toBeGreaterThan(0)
      expect(JSON.stringify(found), what).not.toContain(secret)
    }
  })

  it('finds a key in a saved output and in text', async () => {
    const outputs = [{ output_type: 'stream', name: 'stdout', text: `key ${key}` }]
    expect(codesOf(await audit([{ source: 'show()', outputs }]))).toContain('N26')
    expect(codesOf(await audit([{ type: 'markdown', source: `use ${key}` }, 'a = 1']))).toContain('N26')
  })

  it('does not take look-alikes for secrets', async () => {
    const sources = [
      'password = os.environ["PASSWORD"]',
      'password = getpass()',
      'api_key = "YOUR_API_KEY"',
      'token = "<token>"',
      'v = CountVectorizer(token_pattern=r"(?u)\\b\\w\\w+\\b")',
      'tokens = "a b c"',
      'secret = ""',
      'key = "customer_id"',
      'password = "xxxxxxxx"',
      'if token == "something-else-1234567": pass',
      'pad_token = "[PAD]"',
      'url = "https://example.org/a:b@c"',
      'df = df.merge(other, left_on="key", right_on="api_key")',
      'hash = "d41d8cd98f00b204e9800998ecf8427e"',
      '# password = "old-password-here"',
    ]
    const results = await auditMany(sources.map((source) => ({ cells: [source] })))
    expect(
      sources.filter((_, index) => results[index] === undefined || codesOf(results[index]).includes('N26')),
    ).toEqual([])
  })
})

/** Findings that are no defects: what the cell is, not what is wrong with it. */
const NEUTRAL = ['N35', 'N27', 'N15']

const clean: readonly (readonly [string, readonly (string | TestCell)[], AuditOptions?])[] = [
  [
    'an analysis from a file',
    [
      'import pandas as pd\nimport matplotlib.pyplot as plt',
      'flights = pd.read_csv("data/flights.csv", parse_dates=["day"])\nflights["delay_h"] = flights.arr_delay / 60',
      'THRESHOLD = 1.5',
      'def late(df):\n    return df[df.delay_h > THRESHOLD]',
      'by_carrier = late(flights).groupby("carrier").size().rename("late").reset_index()',
      'by_carrier.plot.bar(x="carrier", y="late")\nplt.title("Late flights")\nplt.tight_layout()',
      'by_carrier.head()',
    ],
    { files: ['data/flights.csv'] },
  ],
  [
    'a model',
    [
      'import numpy as np\nfrom sklearn.datasets import load_iris\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler',
      'X, y = load_iris(return_X_y=True)\nX_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)',
      'model = make_pipeline(StandardScaler(), RandomForestClassifier(random_state=0)).fit(X_train, y_train)',
      'predictions = model.predict(X_test)\naccuracy = (predictions == y_test).mean()',
      'print(f"accuracy: {accuracy:.3f}")',
    ],
  ],
  [
    'loops, comprehensions and handlers',
    [
      'import json\nfrom collections import Counter, defaultdict',
      'words = "a b a c".split()\ncounts = Counter(words)\ngroups = defaultdict(list)\nfor word in words:\n    groups[word[0]].append(word)',
      'lengths = {word: len(word) for word in words}\nlongest = max(lengths, key=lengths.get)\npairs = [(i, w) for i, w in enumerate(words)]',
      'try:\n    value = int("3")\nexcept ValueError as error:\n    print(error)\n    value = 0',
      'for i, (word, n) in enumerate(counts.items()):\n    print(i, word, n)',
      'text = json.dumps({"longest": longest, "pairs": pairs, "value": value, "groups": dict(groups)})',
      'print(text)',
    ],
  ],
  [
    'functions and classes',
    [
      'import math\nfrom dataclasses import dataclass\nfrom functools import lru_cache',
      '@dataclass\nclass Point:\n    x: float\n    y: float\n\n    def norm(self):\n        return math.hypot(self.x, self.y)\n\n    def scaled(self, k):\n        return Point(self.x * k, self.y * k)',
      '@lru_cache\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)',
      'def apply(f, *args, **kwargs):\n    return f(*args, **kwargs)',
      'p = Point(3, 4)\nq = p.scaled(2)',
      'total = apply(fib, 10) + q.norm() + sum(x * x for x in range(3))',
      'total',
    ],
  ],
  [
    'seeded arrays',
    [
      'import numpy as np',
      'rng = np.random.default_rng(0)\nsample = rng.normal(size=(100, 2))',
      'centred = sample - sample.mean(axis=0)\nu, s, vt = np.linalg.svd(centred, full_matrices=False)',
      'scores = centred @ vt.T\nexplained = s**2 / np.sum(s**2)',
      'print(explained.round(3))',
    ],
  ],
  [
    'plots that stay in their cell',
    [
      'import numpy as np\nimport matplotlib.pyplot as plt\nimport seaborn as sns',
      'x = np.linspace(0, 1, 50)',
      'fig, axes = plt.subplots(1, 2, figsize=(8, 3))\nfor ax, power in zip(axes, [1, 2]):\n    ax.plot(x, x**power)\n    ax.set_title(f"x^{power}")\nfig.tight_layout()\nplt.show()',
      'plt.figure()\nplt.plot(x, np.sin(x), label="sin")\nplt.xlabel("x")\nplt.legend()\nplt.show()',
      'sns.lineplot(x=x, y=np.cos(x))',
    ],
  ],
  [
    'DuckDB over frames',
    [
      'import duckdb\nimport pandas as pd',
      'orders = pd.DataFrame({"customer": [1, 1, 2], "total": [10.0, 5.0, 7.5]})',
      'per_customer = duckdb.sql("select customer, sum(total) as total from orders group by customer order by customer").df()',
      'per_customer',
    ],
  ],
  [
    'files that it writes and leaves',
    [
      'from pathlib import Path\nimport pandas as pd',
      'raw = pd.read_csv(Path("data") / "raw.csv")',
      'summary = raw.describe()',
      'summary.to_csv("summary.csv")',
    ],
    { files: ['data/raw.csv'] },
  ],
  [
    'unsaved and without outputs',
    [
      { source: 'a = 1', count: null },
      { source: 'b = a + 1', count: null },
      { source: 'print(b)', count: null },
    ],
  ],
  ['an empty last cell', ['a = 1', 'print(a)', { source: '', count: null }]],
]

describe('a clean notebook', () => {
  let results: readonly AuditResult[] = []
  beforeAll(async () => {
    results = await auditMany(clean.map(([, cells, options]) => ({ cells, options })))
  })

  it.each(clean.map(([what], index) => ({ what, index })))('has no findings: $what', ({ index }) => {
    const result = results[index]
    expect(result === undefined ? ['nothing'] : placesOf(result, NEUTRAL)).toEqual([])
  })
})
