/** Other ways to write the same defects: each is found under its code. */
import { beforeAll, expect, it } from 'vitest'
import type { AuditResult } from '../../packages/core/src/notebook/finding.ts'
import { auditMany, codesOf } from './audit-cells.ts'

const P = 'import pandas as pd\nimport numpy as np\ndf = pd.read_csv("d.csv")'
const variants: readonly (readonly [code: string, cells: readonly string[]])[] = [
  ['N02', ['def f():\n    return undefined_thing']],
  ['N09', ['x = {"a": 1}', 'y = x', 'y["b"] = 2', 'print(x)']],
  ['N09', [P, 's = df["a"]', 's[0] = 9', 'print(df)']],
  ['N09', [P, 'm = df.values', 'm[0, 0] = 9', 'df.head()']],
  ['N10', ['k = 2', 'f = lambda x: x * k', 'f(3)']],
  ['N11', ['def f(lst):\n    lst.append(1)']],
  ['N11', ['acc = []', 'def f(x):\n    acc.append(x)']],
  ['N14', ['e = "1+" + str(2)', 'eval(e)']],
  ['N14', ['import numpy', 'numpy.random = None']],
  ['N16', ['%%bash\nwget http://x.org/a.csv']],
  ['N16', ['!wget http://x.org/a.csv -O a.csv']],
  ['N16', ['%pip install x']],
  [
    'N24',
    [
      'import sqlite3\ncon = sqlite3.connect(":memory:")',
      'con.execute("CREATE TABLE t2 AS SELECT * FROM t1")',
      'con.execute("SELECT * FROM t2").fetchall()',
    ],
  ],
  ['N24', ['import duckdb', 'duckdb.sql("create table t as select 1 a")', 'duckdb.sql("select * from t").df()']],
  ['N25', ['import urllib.request', 'x = urllib.request.urlopen("http://x.org").read()']],
  ['N25', ['import requests', 'x = requests.get(url)\nurl = 3']],
  ['N28', ['import random', 'x = random.random()']],
  ['N28', ['import random', 'def f():\n    return random.random()', 'x = f()']],
  ['N28', ['import torch', 'x = torch.randn(3)']],
  ['N28', [P, 's = df.sample(10)']],
  ['N28', ['from sklearn.model_selection import train_test_split', 'a, b = train_test_split([1, 2])']],
  ['N28', ['from sklearn.cluster import KMeans', 'l = KMeans(n_clusters=3).fit_predict([[1]])']],
  ['N29', ['import random\nrandom.seed(1)', 'a = random.random()', 'b = random.random()']],
  ['N30', ['import uuid', 'x = str(uuid.uuid4())']],
  ['N30', ['import glob', 'fs = glob.glob("*.csv")']],
  ['N30', ['import platform', 'x = platform.node()']],
  ['N30', ['import time', 'stamp = time.strftime("%Y")']],
  ['N30', ['import pandas as pd', 'x = pd.Timestamp.now()']],
  ['N30', ['from pathlib import Path', 'fs = list(Path("x").glob("*.csv"))']],
  ['N30', ['s = set("abc")', 'for c in s:\n    print(c)']],
  ['N30', ['s = set("abc")', 'l = list(s)']],
  ['N31', ['import os', 'os.environ["A"] = "b"', 'x = 1']],
  ['N31', ['import sys', 'sys.path.insert(0, "..")', 'x = 1']],
  ['N31', ['import matplotlib.pyplot as plt', 'plt.rcParams.update({"a": 1})', 'x = 1']],
  ['N31', ['import seaborn as sns', 'sns.set()', 'x = 1']],
  ['N31', ['import locale', 'locale.setlocale(locale.LC_ALL, "de_DE")', 'x = 1']],
  ['N31', ['%cd data', 'x = 1']],
  ['N31', ['import pandas as pd', 'pd.DataFrame.extra = lambda self: 1', 'x = 1']],
  ['N31', ['import numpy as np', 'np.set_printoptions(precision=3)', 'x = 1']],
  ['N32', ['f = open("a.txt")', 'f.read()']],
  ['N32', ['import threading', 'lock = threading.Lock()', 'with lock:\n    x = 1']],
  [
    'N32',
    [
      'from sqlalchemy import create_engine',
      'e = create_engine("sqlite://")',
      'import pandas as pd\nx = pd.read_sql("select 1", e)',
    ],
  ],
  ['N33', ['def g():\n    yield 1', 'it = g()', 'a = list(it)', 'b = list(it)']],
  ['N33', ['import csv', 'r = csv.reader(open("d.csv"))', 'rows = list(r)']],
  ['N33', ['g = (x for x in range(3))', 'sum(g)', 'sum(g)']],
  ['N36', ['from sklearn.linear_model import Ridge\nm = Ridge()', 'm.fit([[1]], [1])']],
  ['N36', ['xs = [3, 1]', 'xs.pop()']],
  ['N38', ['x = Out[1]']],
  ['N38', ['x = 1', 'exit()']],
  ['N46', ['import subprocess', 'p = subprocess.Popen(["sleep", "9"])']],
  ['N48', ['import smtplib', 's = smtplib.SMTP("x")', 's.sendmail("a", "b", "c")']],
  ['N48', ['import requests', 's = requests.Session()', 's.post("http://x.org", data={})']],
  ['N48', ['import boto3', 's3 = boto3.client("s3")', 's3.upload_file("a", "b", "c")']],
  ['N48', ['import sqlite3', 'con = sqlite3.connect("prod.db")', 'con.execute("INSERT INTO t VALUES (1)")']],
  ['N18', ['import pandas as pd', 'pd.scatter_matrix(1)']],
  [
    'N18',
    ['from sklearn.feature_extraction.text import CountVectorizer', 'v = CountVectorizer()', 'v.get_feature_names()'],
  ],
  ['N18', ['from sklearn.linear_model import LinearRegression', 'LinearRegression(normalize=True)']],
  ['N18', ['import pandas as pd\ndf = pd.DataFrame()', 'x = df.ix[0]']],
  ['N20', ['import pandas as pd\ndf = pd.read_csv("C:/Users/x/a.csv")']],
  ['N20', ['from pathlib import Path\np = Path("/Users/x") / "a.csv"']],
  ['N21', ['df = open("missing.txt").read()']],
  ['N26', ['import os\nos.environ["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKE1"']],
  ['N26', ['conn = "mysql://root:hunter2@db/x"']],
  ['N37', ['import matplotlib.pyplot as plt', 'plt.plot([1])', 'plt.xlabel("a")\nplt.show()']],
  [
    'N41',
    [
      'from sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import StandardScaler',
      'X = [[1]]\ny = [1]',
      'sc = StandardScaler()\nXs = sc.fit_transform(X)',
      'a, b, c, d = train_test_split(Xs, y)',
    ],
  ],
  [
    'N41',
    [
      'from sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import StandardScaler',
      'X = [[1]]\ny = [1]',
      'sc = StandardScaler()\nsc.fit(X)\nXs = sc.transform(X)',
      'a, b, c, d = train_test_split(Xs, y)',
    ],
  ],
  [
    'N41',
    [
      'from sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import StandardScaler',
      'X = [[1]]\ny = [1]',
      'X_train, X_test, y_train, y_test = train_test_split(X, y)',
      'sc = StandardScaler()\nX_train = sc.fit_transform(X_train)\nX_test = sc.fit_transform(X_test)',
    ],
  ],
  ['N12', ['data = [1]', 'data = {"a": 1}']],
  ['N08', ['xs = [1]', 'xs.append(2)']],
  ['N08', ['xs = [1]', 'import random\nrandom.shuffle(xs)']],
  ['N07', ['count = 0', 'count = count + 1']],
  ['N03', ['print(total)', 'total = 1']],
  ['N15', ['%load_ext autoreload']],
  ['N17', ['import notapackage']],
]

const harmless: readonly (readonly [what: string, cells: readonly string[]])[] = [
  [
    'a table in memory',
    [
      'import sqlite3\nimport pandas as pd\ncon = sqlite3.connect(":memory:")\npd.DataFrame({"a": [1]}).to_sql("t", con)\ncon.execute("INSERT INTO t VALUES (1, 2)")',
    ],
  ],
  ['a filter', ['import polars as pl\nx = pl.DataFrame({"a": [1]})\ny = x.filter(pl.col("a") > 0)']],
]

let results: readonly AuditResult[] = []
beforeAll(async () => {
  results = await auditMany([...variants, ...harmless].map(([, cells]) => ({ cells })))
})

function codesAt(index: number): readonly string[] {
  const result = results[index]
  return result === undefined ? [] : codesOf(result)
}

it.each(variants.map(([code, cells], index) => ({ code, index, text: cells.at(-1) ?? '' })))(
  'finds $code in $text',
  ({ code, index }) => {
    expect(codesAt(index)).toContain(code)
  },
)

it.each(harmless.map(([what], index) => ({ what, index })))(
  'does not take $what for an effect on the world',
  ({ index }) => {
    expect(codesAt(variants.length + index)).not.toContain('N48')
  },
)
