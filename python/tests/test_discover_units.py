"""What is a unit and what is an effect; which names a unit reads; what does not change a digest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "cellmill"))

from _discover.read_module import read_module


def facts(text: str) -> dict:
    return read_module(text.encode())


def effects(text: str) -> int:
    return sum("effect" in item for item in facts(text)["sequence"])


@pytest.mark.parametrize(
    "text",
    [
        "X = 1",
        "X: int = 1",
        "X = Y = [1, {'a': (2, 3)}]",
        "A, B = 1, 2",
        "X = 1\nY = X + 2 * X",
        "X = [1]\nY = len(X)",
        "X = [i * 2 for i in range(3) if i]",
        "import numpy as np\nX = np.pi * 2",
        "import re\nX = re.compile('a')",
        "from pathlib import Path\nHERE = Path(__file__).resolve().parent / 'sql'",
        "from pathlib import Path\nSQL = (Path(__file__).parent / 'a.sql').read_text()",
        "import logging\nlog = logging.getLogger(__name__)",
        "import helpers\nX = helpers.value",
        "def f(): pass\nTABLE = {'a': f}",
        "f = lambda x: g(x)",
        "import functools\n@functools.lru_cache(maxsize=None)\ndef f(): pass",
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: int = 1\n    y: list = dataclasses.field(default_factory=list)",
        "class A:\n    x = 1\n    @property\n    def t(self): return 1\n    @t.setter\n    def t(self, v): pass\n    @staticmethod\n    def s(): pass",
        "if __name__ == '__main__':\n    main()",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas",
        "'text alone'",
        "from cellmill import *\n@asset\ndef f(): pass",
        "from cellmill import param\nX = param(1)",
    ],
)
def test_only_binds_a_name(text: str) -> None:
    assert effects(text) == 0


@pytest.mark.parametrize(
    "text",
    [
        "print(1)",
        "X = make()",
        "X = {}\nX['a'] = 1",
        "import os\nos.environ['A'] = '1'",
        "X = 1\nX += 1",
        "X = 1\nX = 2",
        "Y = X\nX = 1",
        "def f(): pass\ndef f(): return 1",
        "def len(x): return 1\nX = [1]\nY = len(X)\nlen = 3",
        "def len(x): return 1\nX = [1]\nY = len(X)",
        "for i in range(3): pass",
        "with open('a') as f: pass",
        "try:\n    import a\nexcept ImportError:\n    a = None",
        "if X: Y = 1",
        "@register\ndef f(): pass",
        "@app.get('/')\ndef f(): pass",
        "def f(x=make()): pass",
        "def f(x: make()): pass",
        "class A(metaclass=M): pass",
        "class A:\n    print(1)",
        "class A:\n    x = make()",
        "class A(make()): pass",
        "import helpers\nX = helpers.value + 1",
        "import helpers\nhelpers.value = 1",
        "from __future__ import annotations",
        "del X",
        "assert True",
        "(Y := 1)",
        "X = [f(i) for i in range(3)]",
        "X = sorted([1], key=f)",
        "import datetime\nNOW = datetime.datetime.now()",
        "import helpers\nclass A:\n    x = helpers.descriptor",
        "match 1:\n    case x: pass",
    ],
)
def test_may_change_anything(text: str) -> None:
    assert effects(text) >= 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(x):\n    return x+1", "def f( x ) :\n    # why\n    return (x +\n        1)"),
        ("def f():\n    'doc'\n    return 1", "def f():\n    return 1"),
        ("class A:\n    'doc'\n    x = 1", "class A:\n    x = 1\n    'about x'"),
        ("X = 'a' 'b'", 'X = "ab"'),
        ("X = 0x10", "X = 16"),
        ("def f(x):\n\treturn x", "def f(x):\n    return x"),
        ("X = 1;Y = 2", "X = 1\nY = 2"),
        ("X = 1\r\nY = 2\r\n", "X = 1\nY = 2\n"),
    ],
)
def test_format_and_docstrings_are_not_in_digests(one: str, other: str) -> None:
    digests = [{name: unit["digest"] for name, unit in facts(text)["units"].items()} for text in (one, other)]
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("X = 1", "X = True"),
        ("X = 1", "X = 1.0"),
        ("X = 'a'", "X = b'a'"),
        ("X = (1,)", "X = [1]"),
        ("X = None", "X = ..."),
        ("X = -0.0", "X = 0.0"),
        ("X = {**A}", "X = {None: A}"),
        ("def f(x): pass", "def f(*, x): pass"),
        ("def f(x, /): pass", "def f(x): pass"),
        ("def f(): return", "def f(): yield"),
        ("def f(): return f'{x!r}'", "def f(): return f'{x!s}'"),
        ("X = 9999999999999999999999999999", "X = 9999999999999999999999999998"),
    ],
)
def test_different_code_has_different_digests(one: str, other: str) -> None:
    def all_digests(text: str) -> list:
        found = facts(text)
        return [unit["digest"] for unit in found["units"].values()] + [item.get("effect") for item in found["sequence"]]

    assert all_digests(one) != all_digests(other)


def reads(text: str, name: str = "f") -> list[str]:
    return facts(text)["units"][name]["reads"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(x):\n    y = x\n    return y", []),
        ("def f():\n    return a.b.c + d", ["a.b.c", "d"]),
        ("A = B = 1\ndef f(x=A) -> B:\n    return x", ["A", "B"]),
        ("def f():\n    def g():\n        return h\n    return g", ["h"]),
        ("def f():\n    h = 1\n    def g():\n        return h\n    return g", []),
        ("def f():\n    return [q for q in r]", ["r"]),
        ("def f():\n    global n\n    n = 1", []),
        ("def f():\n    import a.b\n    return a.b.c()", ["a.b.c"]),
        ("def f():\n    return getattr(m, 'x')", ["getattr", "m", "m.x"]),
        ("def f(df):\n    return df.query('a > @limit')", ["a", "limit"]),
        (
            "import duckdb\ndef f():\n    return duckdb.sql('select * from frame')",
            ["duckdb.sql", "frame", "from", "select"],
        ),
        ("def f():\n    return f()", ["f"]),
        ("def f(a):\n    a.b.c = d", ["d"]),
        ("def f():\n    m.b = d", ["d", "m.b"]),
        ("def f():\n    try: pass\n    except E as e: raise e", ["E"]),
        ("def f(v):\n    match v:\n        case K(x=1): return x", ["K", "x"]),
        ("class f:\n    x = 1\n    y = x\n    def m(self): return x", ["x"]),
        ("f = lambda a: a + b", ["b"]),
        ("class f:\n    x: 'list[Inner]' = 1", ["Inner", "list"]),
        ("def f():\n    s = '\u2028'\n    return s", []),
        ("Z = '\u2028\\\n\x0c'\ndef f():\n    return late", ["late"]),
    ],
)
def test_names_that_come_from_outside_of_the_unit(text: str, expected: list[str]) -> None:
    assert [name for name in reads(text) if name not in ("str", "int")] == expected


@pytest.mark.parametrize(
    "expression",
    [
        "getattr(m, n)", "globals()", "locals()", "vars(m)", "eval(s)", "exec(s)", "__import__(s)", "f.__doc__",
        "importlib.import_module(s)", "inspect.getsource(f)", "sys.modules[s]", "Base.__subclasses__()",
        "list(map(getattr, a, b))", "pickle.loads(s)", "df.query(s)", "df.eval(f'{s} > 1')", "f.__globals__[s]",
        "setattr(m, s, 1)", "typing.get_type_hints(f)",
    ],
)  # fmt: skip
def test_computed_names_are_seen(expression: str) -> None:
    text = f"import importlib, inspect, sys, pickle, typing\ndef f(df, s, n):\n    return {expression}"
    assert facts(text)["units"]["f"]["computed"]


@pytest.mark.parametrize(
    "expression",
    [
        "getattr(x, 'a')",
        "self.eval_at",
        "importlib.resources.files('a')",
        "x.__class__",
        "df.query('a > 1')",
        "ast.literal_eval(s)",
    ],
)
def test_literal_names_are_not_computed(expression: str) -> None:
    text = f"import importlib.resources, ast\ndef f(x, s, df, self):\n    return {expression}"
    assert "computed" not in facts(text)["units"]["f"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import datetime\ndef f(): return datetime.datetime.now()", "clock"),
        ("from datetime import date as d\ndef f(): return d.today()", "clock"),
        ("def f():\n    from time import time\n    return time()", "clock"),
        ("import pandas as pd\ndef f(): return pd.Timestamp('now')", "clock"),
        ("import uuid\ndef f(): return uuid.uuid4()", "random"),
        ("import numpy as np\ndef f(): return np.random.default_rng(None)", "random"),
        ("import random\ndef f(): random.seed()", "random"),
        ("import requests\ndef f(): return requests.get('x')", "network"),
        ("import pandas as pd\ndef f(): return pd.read_csv('https://x.org/a.csv')", "network"),
        ("import os\ndef f(): return os.environ.get('A')", "environment"),
        ("def f(): return open('a')", "file"),
        ("import subprocess as s\ndef f(): return s.run(['a'])", "process"),
    ],
)
def test_volatile_uses_are_seen_through_aliases(text: str, expected: str) -> None:
    assert expected in [use[0] for use in facts(text)["units"]["f"]["volatile"]]


def test_a_local_name_is_no_clock() -> None:
    assert "volatile" not in facts("def f(time):\n    return time.time()")["units"]["f"]


@pytest.mark.parametrize(
    ("expression", "seeded"),
    [
        ("np.random.rand(3)", False),
        ("random.random()", False),
        ("np.random.default_rng(7)", True),
        ("df.sample(3)", False),
        ("df.sample(3, random_state=1)", True),
        ("train_test_split(df, random_state=None)", False),
        ("KMeans(3, random_state=0)", True),
    ],
)
def test_random_draws_say_whether_they_have_a_seed(expression: str, seeded: bool) -> None:
    head = "import random\nimport numpy as np\nfrom sklearn.cluster import KMeans\nfrom sklearn.model_selection import train_test_split\n"
    draws = facts(f"{head}def f(df):\n    return {expression}")["units"]["f"]["draws"]
    assert [draw[2] for draw in draws] == [seeded]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("(Path(__file__).parent / 'a' / 'b.json').read_text()", ["__file__", ["..", "a", "b.json"], True]),
        (
            "open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'a.sql'))",
            ["__file__", ["..", "a.sql"], True],
        ),
        ("Path(__file__).resolve().parents[1].joinpath('a/b')", ["__file__", ["..", "..", "a", "b"], True]),
        ("Path(__file__).parent / name", ["__file__", [".."], False]),
        ("HERE / 'x.csv'", ["name:HERE", ["x.csv"], True]),
        ("list(HERE.glob('*.sql'))", ["name:HERE.glob", [], True]),
        ("files('pkg').joinpath('a.txt').read_text()", ["package:pkg", ["a.txt"], True]),
        ("pkgutil.get_data('pkg', 'a.txt')", ["package:pkg", ["a.txt"], True]),
        ("open('conf/a.json')", ["literal", ["conf", "a.json"], True]),
        ("f'{HERE}/a.sql'", ["name:HERE", ["a.sql"], True]),
    ],
)
def test_files_beside_the_module_are_seen(expression: str, expected: list) -> None:
    text = f"import os, pkgutil\nfrom pathlib import Path\nfrom importlib.resources import files\ndef f(name):\n    return {expression}"
    assert expected in facts(text)["units"]["f"]["data"]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("x = (\n", 1, 5), ("é = 1\nif x\n    y", 2, 5), ("def f():\nreturn 1", 2, 1), ("x = '\n", 1, 5)],
)
def test_syntax_errors_say_where(text: str, line: int, column: int) -> None:
    at = facts(text)["error"]["at"]
    assert (at["line"], at["column"]) == (line, column)
    assert at["lineText"] == text.split("\n")[line - 1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbfX = 1\n",
        b"# coding: latin-1\nX = '\xe9'\n",
        b"\x00",
        b"\xff\xfe",
        b"# coding: nope\n",
        b"x = " + b"(" * 3000,
    ],
)
def test_any_bytes_give_an_answer(content: bytes) -> None:
    assert isinstance(read_module(content), dict)


def test_places_count_characters() -> None:
    found = facts("from cellmill import asset\n@asset(wörld=1)\ndef f(ä, b=1): ...\n")
    assert [(one["at"]["line"], one["at"]["column"]) for one in found["diagnostics"]] == [(3, 10)]


def test_annotations_that_are_never_evaluated_are_no_effects() -> None:
    assert (
        effects(
            "from __future__ import annotations\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\ndef f(x: a.B): pass"
        )
        == 1
    )
