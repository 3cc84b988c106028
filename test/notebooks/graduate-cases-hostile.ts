/**
 * More notebooks with one trap each, of the kinds that keep state where a value does not show it: code run from other
 * files and strings, containers and attributes that share objects, identity, modules with state, files and folders.
 */
import type { GraduateCase } from './graduate-case.ts'

const proven = ['proven']
const orders = {
  'data/orders.csv': 'id,day,total\n1,2024-01-01,5\n2,2024-01-01,7\n3,2024-01-02,1\n',
}

const code: readonly GraduateCase[] = [
  {
    name: 'a helper file run with a magic',
    files: {
      'helper.py': 'import math\n\nK = 5\n\n\ndef double(x):\n    """Twice."""\n    return math.floor(x) * 2\n',
    },
    cells: ['%run helper.py', 'a = double(K)', 'b = [a, K]', 'c = sum(b)'],
    expect: proven,
  },
  {
    name: 'a helper run with a magic that sets what the notebook sets again',
    files: { 'helper.py': 'K = 5\n\n\ndef scaled(x):\n    return x * K\n' },
    cells: ['%run helper.py', 'K = 100', 'a = scaled(2)'],
    expect: ['N14'],
  },
  {
    name: 'a helper run with a magic that looks whether it is the main program',
    files: { 'helper.py': 'ran = 0\nif __name__ == "__main__":\n    ran = 1\n' },
    cells: ['%run helper.py', 'a = ran + 1'],
    expect: proven,
  },
  {
    name: 'another notebook run with a magic',
    files: {
      'setup.ipynb': JSON.stringify({
        nbformat: 4,
        nbformat_minor: 5,
        metadata: { kernelspec: { name: 'python3', language: 'python', display_name: 'Python 3' } },
        cells: [
          { cell_type: 'markdown', id: 'a', metadata: {}, source: '# Setup' },
          { cell_type: 'code', id: 'b', metadata: {}, source: 'rate = 0.5', outputs: [], execution_count: null },
          {
            cell_type: 'code',
            id: 'c',
            metadata: {},
            source: 'def halved(x):\n    return x * rate',
            outputs: [],
            execution_count: null,
          },
        ],
      }),
    },
    cells: ['%run setup.ipynb', 'a = halved(8)', 'b = a + rate'],
    expect: proven,
  },
  { name: 'exec of a literal', cells: ['exec("a = 3\\nb = a + 1")', 'c = b * 2'], expect: proven },
  { name: 'eval of a literal', cells: ['a = 3', 'b = eval("a * 2")', 'c = b + 1'], expect: proven },
  {
    name: 'exec of a text that is put together',
    cells: ['n = 3', 'exec(f"a{n} = {n}")', 'b = a3 + 1'],
    expect: ['N14', 'N02'],
  },
  {
    name: 'captured text read later',
    cells: ['%%capture said\nprint("hello")\na = 2', 'b = said.stdout.strip() + str(a)'],
    expect: ['N15'],
  },
  {
    name: 'a timed cell with several statements',
    cells: ['%%time\na = [1, 2]\na.append(3)\nb = sum(a)', '%%capture\nprint("quiet")\nc = b + 1', 'd = c * 2'],
    expect: proven,
  },
  {
    name: 'a helper with a global called in its own cell',
    cells: [
      'total = 0\ndef add(n):\n    global total\n    total += n\nfor i in range(5):\n    add(i)',
      'half = total / 2',
      'quarter = half / 2',
    ],
    expect: proven,
  },
  {
    name: 'a helper with a global called in later cells',
    cells: ['count = 0\ndef bump():\n    global count\n    count += 1', 'bump()\nbump()', 'total = count'],
    expect: proven,
  },
  { name: 'a global statement at the top', cells: ['global x\nx = 3', 'y = x + 1'], expect: [...proven, 'N11'] },
  {
    name: 'a main guard',
    cells: ['def main():\n    return [1, 2]', 'if __name__ == "__main__":\n    out = main()', 'n = len(out)'],
    expect: proven,
  },
  { name: 'the history of inputs', cells: ['a = 1', 'text = In[1]', 'n = len(text)'], expect: ['N38'] },
  { name: 'an output by its number', cells: ['2 + 3', 'a = Out[1] + 1'], expect: ['N38'] },
  {
    name: 'an environment variable by a magic',
    cells: ['%env MODE=fast', 'import os\nm = os.environ["MODE"]'],
    expect: ['N15', 'N31'],
  },
  {
    name: 'the folder changed by a magic',
    files: orders,
    cells: ['%cd data', 'import pandas as pd\ndf = pd.read_csv("orders.csv")'],
    expect: ['N15', 'N31'],
  },
  { name: 'all names forgotten by a magic', cells: ['a = 1', '%reset -f', 'b = 2'], expect: ['N15'] },
  {
    name: 'a module written by a magic and imported',
    cells: ['%%writefile made.py\nK = 4', 'import made\na = made.K + 1'],
    expect: ['N15'],
  },
]

const sharing: readonly GraduateCase[] = [
  {
    name: 'a list held by an attribute',
    cells: [
      'class Box:\n    pass',
      'items = [1]\nbox = Box()\nbox.items = items',
      'items.append(2)',
      'n = len(box.items)',
    ],
    expect: proven,
  },
  {
    name: 'a list held by a closure',
    cells: [
      'def reader(values):\n    def read():\n        return sum(values)\n    return read',
      'values = [1, 2]\nread = reader(values)',
      'values.append(10)',
      'total = read()',
    ],
    expect: proven,
  },
  {
    name: 'a default argument that remembers',
    cells: [
      'def keep(x, seen=[]):\n    seen.append(x)\n    return list(seen)',
      'a = keep(1)',
      'b = keep(2)',
      'c = keep(3)',
    ],
    expect: proven,
  },
  {
    name: 'a registry filled by a decorator',
    cells: [
      'known = {}\ndef register(f):\n    known[f.__name__] = f\n    return f',
      '@register\ndef one():\n    return 1',
      '@register\ndef two():\n    return 2',
      'total = sum(f() for f in known.values())',
    ],
    expect: [...proven, 'N32', 'N10', 'N08'],
  },
  {
    name: 'instances counted by their class',
    cells: ['class C:\n    n = 0\n    def __init__(self):\n        C.n += 1', 'a = C()', 'b = C()', 'made = C.n'],
    expect: [...proven, 'N32', 'N08'],
  },
  {
    name: 'an iterator held in a dict',
    cells: ['box = {"pairs": zip([1, 2, 3], "abc")}', 'first = next(box["pairs"])', 'rest = list(box["pairs"])'],
    expect: [...proven, 'N33', 'N32'],
  },
  {
    name: 'the keys of a dict that grows',
    cells: ['d = {"a": 1}\nkeys = d.keys()', 'd["b"] = 2', 'n = len(keys)'],
    expect: proven,
  },
  {
    name: 'a default dict with a lambda',
    cells: [
      'from collections import defaultdict\nd = defaultdict(lambda: 7)',
      'd["a"] += 1',
      'e = d["b"]',
      'total = sum(d.values())',
    ],
    expect: proven,
  },
  {
    name: 'a setdefault that hands out what it holds',
    cells: ['d = {}', 'mine = d.setdefault("a", [])', 'mine.append(3)', 'n = len(d["a"])'],
    expect: proven,
  },
  {
    name: 'one value assigned to two names',
    cells: ['import numpy as np\na = b = np.zeros(3)', 'a += 1', 'total = float(b.sum())'],
    expect: proven,
  },
  {
    name: 'arguments changed through a star',
    cells: [
      'def pad(*lists):\n    for one in lists:\n        one.append(0)',
      'a = [1]\nb = [2]',
      'pad(a, b)',
      'n = len(a) + len(b)',
    ],
    expect: proven,
  },
  {
    name: 'a frame in a dict changed under its own name',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"x": [1, 2]})',
      'frames = {"a": df}',
      'df["z"] = 1',
      'columns = list(frames["a"].columns)',
    ],
    expect: proven,
  },
  {
    name: 'a grouping made before its frame changes',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, 3]})',
      'g = df.groupby("k")',
      'df["v"] = df["v"] * 10',
      'sums = g["v"].sum()',
    ],
    expect: proven,
  },
  {
    name: 'a rolling window over a series that changes',
    cells: [
      'import pandas as pd\ns = pd.Series([1.0, 2.0, 3.0])',
      'r = s.rolling(2)',
      's.iloc[0] = 100.0',
      'out = r.sum()',
    ],
    expect: proven,
  },
  {
    // Treating every `df.index` as shared would merge what nearly never changes; the proof sees the difference.
    name: 'an index that is named through its frame',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"x": [1]})',
      'idx = df.index',
      'df.index.name = "k"',
      'name = idx.name',
    ],
    expect: [...proven, 'not-proven'],
  },
  {
    name: 'bytes written through a view',
    cells: ['buf = bytearray(b"abc")', 'view = memoryview(buf)', 'view[0] = 122', 'text = bytes(buf).decode()'],
    expect: [...proven, 'N32'],
  },
  {
    name: 'text compared by identity',
    cells: ['a = "".join(["hello", " ", "world"])', 'b = a', 'same = a is b', 'flags = [same, a == b]'],
    expect: [...proven, 'N09'],
  },
  {
    // An address is another one in every run: at best all but the addresses is equal.
    name: 'objects found by their address',
    cells: ['a = [1]\nseen = {id(a): "a"}', 'b = [2]', 'found = id(a) in seen', 'n = int(found) + len(b)'],
    expect: [...proven, 'proven-except-stochastic', 'not-proven'],
  },
  {
    name: 'an instance of a class that is defined again',
    cells: ['class A:\n    pass', 'x = A()', 'class A:\n    pass', 'same = isinstance(x, A)'],
    expect: [...proven, 'N34', 'N12', 'N32'],
  },
  {
    name: 'an object that leaves its cache behind',
    cells: [
      'class Model:\n    def __init__(self):\n        self.cache = {}\n    def __getstate__(self):\n        return {}\n    def __setstate__(self, state):\n        self.cache = {}',
      'm = Model()',
      'm.cache[1] = 2',
      'n = len(m.cache)',
      'k = n + 1',
    ],
    expect: [...proven, 'N32', 'N34', 'not-proven'],
  },
  {
    name: 'one function name with two meanings',
    cells: ['def f(x):\n    return x + 1', 'a = f(1)', 'def f(x):\n    return x + 2', 'b = f(1)', 'c = [a, b]'],
    expect: proven,
  },
  {
    name: 'a module name used for data',
    cells: ['import json\ntext = json.dumps([1])', 'json = {"a": text}', 'n = len(json["a"])'],
    expect: proven,
  },
]

const surroundings: readonly GraduateCase[] = [
  {
    name: 'a local module that keeps state',
    files: { 'store.py': 'KEPT = []\n\n\ndef add(x):\n    KEPT.append(x)\n' },
    cells: ['import store', 'store.add(1)', 'store.add(2)', 'n = len(store.KEPT)'],
    expect: [...proven, 'N31', 'N11', 'N08', 'N32'],
  },
  {
    name: 'a local module that seeds when it is imported',
    files: { 'seeded.py': 'import random\n\nrandom.seed(7)\n' },
    cells: ['import random\nimport seeded', 'a = random.random()', 'b = random.random()'],
    expect: [...proven, 'proven-except-stochastic', 'not-proven', 'N29', 'N28'],
  },
  {
    name: 'an accessor of pandas registered in a cell',
    cells: [
      'import pandas as pd\n@pd.api.extensions.register_dataframe_accessor("tiny")\nclass Tiny:\n    def __init__(self, df):\n        self.df = df\n    def total(self):\n        return int(self.df.x.sum())',
      'df = pd.DataFrame({"x": [1, 2]})',
      'n = df.tiny.total()',
    ],
    expect: [...proven, 'N31', 'N14', 'N34', 'N10'],
  },
  {
    // N14 also names attributes set on modules.
    name: 'an attribute put on a module',
    cells: ['import math\nmath.double_pi = 2 * math.pi', 'a = math.double_pi', 'b = a + 1'],
    expect: [...proven, 'N14', 'N31'],
  },
  {
    name: 'a name put into the builtins',
    cells: ['import builtins\nbuiltins.rate = 3', 'a = rate * 2', 'b = a + 1'],
    expect: [...proven, 'N31', 'N02'],
  },
  {
    name: 'warnings made errors between cells',
    cells: [
      'import warnings\ndef risky():\n    try:\n        warnings.warn("x")\n        return "quiet"\n    except UserWarning:\n        return "raised"',
      'a = risky()',
      'warnings.simplefilter("error")',
      'b = risky()',
      'c = [a, b]',
    ],
    expect: [...proven, 'N31'],
  },
  {
    name: 'copy on write switched on between cells',
    cells: [
      'import pandas as pd\ndf = pd.DataFrame({"a": [1, 2]})',
      'pd.options.mode.copy_on_write = True',
      's = df["a"]\ns.iloc[0] = 9',
      'first = int(df.a.iloc[0])',
    ],
    expect: [...proven, 'N31'],
  },
  {
    name: 'floating point errors raised after a cell',
    cells: [
      'import numpy as np\na = np.array([1.0]) / 0',
      'old = np.seterr(divide="raise")',
      'try:\n    np.array([1.0]) / 0\n    flag = "quiet"\nexcept FloatingPointError:\n    flag = "raised"',
      'out = [flag, float(a[0])]',
    ],
    expect: [...proven, 'N31'],
  },
  {
    // `time.localtime` reads the clock for all that we know, and so does what is made from it.
    name: 'the time zone of the process',
    cells: [
      'import os, time\nos.environ["TZ"] = "Asia/Tokyo"\ntime.tzset()',
      'hour = time.localtime(0).tm_hour',
      'late = hour + 1',
    ],
    expect: [...proven, 'N31', 'N30', 'not-proven'],
  },
  {
    name: 'a log kept by a handler',
    cells: [
      'import logging\nlines = []\nclass Keep(logging.Handler):\n    def emit(self, record):\n        lines.append(record.getMessage())',
      'log = logging.getLogger("trap")\nlog.addHandler(Keep())\nlog.setLevel(logging.INFO)',
      'log.info("one")',
      'log.info("two")',
      'n = len(lines)',
    ],
    expect: [...proven, 'N31', 'N32', 'N11', 'N08', 'N10'],
  },
  {
    name: 'a pickle written and read',
    cells: [
      'import pickle\na = {"k": [1, 2]}',
      'with open("a.pickle", "wb") as f:\n    pickle.dump(a, f)',
      'with open("a.pickle", "rb") as f:\n    b = pickle.load(f)',
      'b["k"].append(3)\nn = len(a["k"])',
    ],
    expect: [...proven, 'N22'],
  },
  {
    name: 'arrays saved into a folder that is made',
    cells: [
      'import os\nimport numpy as np\nos.makedirs("out", exist_ok=True)',
      'a = np.arange(4.0)\nnp.save("out/a.npy", a)',
      'b = np.load("out/a.npy")',
      'total = float(b.sum())',
    ],
    expect: [...proven, 'N22'],
  },
  {
    name: 'a file of a temporary folder',
    cells: [
      'import os, tempfile\nfolder = tempfile.mkdtemp()',
      'with open(os.path.join(folder, "x.txt"), "w") as f:\n    f.write("hello")',
      'text = open(os.path.join(folder, "x.txt")).read()',
      'n = len(text)',
    ],
    expect: [...proven, 'proven-except-stochastic', 'N22', 'not-proven'],
  },
  {
    name: 'a source copied and read as the copy',
    files: orders,
    cells: [
      'import shutil\nimport pandas as pd\nshutil.copy("data/orders.csv", "copy.csv")',
      'df = pd.read_csv("copy.csv")',
      'total = int(df.total.sum())',
    ],
    expect: [...proven, 'N22', 'N23'],
  },
  {
    name: 'the files of a folder counted',
    files: { ...orders, 'data/more.csv': 'id\n1\n' },
    cells: ['import os\nnames = sorted(os.listdir("data"))', 'n = len(names)', 'm = n + 1'],
    expect: [...proven, 'N22', 'N30', 'N21'],
  },
  {
    name: 'a path made from parts',
    files: orders,
    cells: [
      'from pathlib import Path\nimport pandas as pd\nBASE = Path("data")',
      'df = pd.read_csv(BASE / "orders.csv")',
      'total = int(df.total.sum())',
    ],
    expect: [...proven, 'N20', 'N21'],
  },
  {
    name: 'a rng of sklearn consumed by two splits',
    cells: [
      'import numpy as np\nfrom sklearn.model_selection import train_test_split\nstate = np.random.RandomState(1)\nX = np.arange(20)',
      'a, b = train_test_split(X, random_state=state)',
      'c, d = train_test_split(X, random_state=state)',
      'firsts = [int(a[0]), int(c[0])]',
    ],
    expect: proven,
  },
  {
    name: 'numbers whose rounding depends on their order in memory',
    cells: [
      'import numpy as np, pandas as pd\nrng = np.random.default_rng(3)\nm = rng.normal(size=(40, 5))',
      'df = pd.DataFrame(m, columns=list("abcde"))[::2]\nwide = m[:, ::2]',
      'means = df.mean()\ngram = df.to_numpy().T @ df.to_numpy()',
      'other = wide.T @ wide',
      'total = float(gram.sum() + other.sum() + means.sum())',
    ],
    expect: proven,
  },
]

export const hostileCases: readonly GraduateCase[] = [...code, ...sharing, ...surroundings]
