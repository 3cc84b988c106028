"""What went wrong is told in the author's terms: their lines, columns and cells, and what to type."""

import pandas as pd
import pytest
from runner_process import Project


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def fail(project, text, **work):
    project.write(assets__a=text)
    done = project.run(**work)
    assert done.code == 1 and done.report is None
    return done


def test_shows_the_authors_lines_with_columns_cells_and_flagged_packages(project):
    project.write(helpers="def deep(frame):\n    return frame['é' + 'x'] if frame is not None else frame['amont']\n")
    text = "from helpers import deep\ndef made(orders):\n    s = 'é'; return deep(orders) + 1\n"
    done = fail(
        project,
        text,
        inputs=[project.asset("orders", pd.DataFrame({"amount": [1.0], "id": [2]}))],
        lines=[{"file": "assets/a.py", "line": 3, "cell": 4}],
    )
    mine = [frame for frame in done.error["frames"] if frame["isProject"]]
    assert [(f["file"], f["line"], f["function"], f["cell"]) for f in mine] == [
        ("assets/a.py", 3, "made", 4),
        ("helpers.py", 2, "deep", None),
    ]
    first = mine[0]
    assert first["lineText"][first["column"] - 1 : first["endColumn"] - 1] == "deep(orders)"
    third = [frame for frame in done.error["frames"] if not frame["isProject"]]
    assert third and third[-1]["file"].startswith("pandas/")
    assert done.error["inputs"] == ["orders: 1 rows x 2 (amount float64, id int64)"]
    assert "cellmill/_runner" not in done.stderr and "assets/a.py" in done.stderr


@pytest.mark.parametrize(
    ("form", "expression"),
    [
        ("pandas", "orders['amont']"), ("pandas", "orders.amont"), ("pandas", "orders[['amont']]"), ("pandas", "orders[['id', 'amont']]"), ("pandas", "orders.query('amont > 1')"),
        ("pandas", "orders.groupby('amont').size()"), ("polars", "orders['amont']"), ("polars", "orders.select('amont')"), ("pyarrow", "orders['amont']"), ("duckdb", "orders.project('amont').fetchall()"),
    ],
)  # fmt: skip
def test_a_mistyped_column_gets_the_nearest_one(project, form, expression):
    given = project.asset("orders", pd.DataFrame({"amount": [1.0], "id": [2]}), form=form)
    done = fail(project, f"def made(orders):\n    return {expression}\n", inputs=[given])
    assert done.error["hint"] == "did you mean 'amount'? orders has: amount, id", done.error


def test_an_ordinary_key_error_has_no_invented_hint(project):
    done = fail(project, "def made():\n    return {}['k']\n")
    assert (done.error["type"], done.error["message"], done.error["hint"]) == ("KeyError", "'k'", None)


def test_a_syntax_error_points_into_the_file(project):
    done = fail(project, "x = 1\ndef made(:\n    pass\n", lines=[{"file": "assets/a.py", "line": 2, "cell": 7}])
    frame = done.error["frames"][-1]
    assert (done.error["type"], frame["file"], frame["line"], frame["column"], frame["cell"]) == (
        "SyntaxError",
        "assets/a.py",
        2,
        10,
        7,
    )


@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        (
            "import sklearnn\ndef made(): return 1\n",
            "packages",
            "add sklearnn to requirements.txt, then cellmill packages lock",
        ),
        ("import cv2\ndef made(): return 1\n", "packages", "add opencv-python to"),
        ("from pandas import nothing\ndef made(): return 1\n", "packages", "no such name"),
        ("def made(): raise MemoryError\n", "out-of-memory", "memory="),
        (
            "import errno\ndef made(): raise OSError(errno.ENOSPC, 'No space left on device')\n",
            "disk-full",
            "cellmill gc",
        ),
        (
            "import pandas as pd\ndef made(): return pd.read_csv('data/q3 sales.csv')\n",
            "exception",
            "sources: { q3_sales: file('data/q3 sales.csv') }",
        ),
        ("def made(): open('/data/q3.csv')\n", "exception", "file('/data/q3.csv')"),
        (
            "import pyarrow.parquet as pq\ndef made(): return pq.read_table('/data/q3.parquet')\n",
            "exception",
            "file('/data/q3.parquet')",
        ),
        ("import os\ndef made(): return os.environ['TOKEN']\n", "exception", 'secrets=["TOKEN"]'),
        ("import socket\ndef made():\n    raise socket.gaierror(-2, 'x')\n", "exception", "network="),
        ("import sys\ndef made(): sys.exit('bye')\n", "exit-code", "return"),
        ("class Odd(Exception):\n    def __str__(self): raise ValueError\ndef made(): raise Odd\n", "exception", None),
        ("def made(): raise KeyboardInterrupt\n", "exception", None),
        ("def made(): return made()\n", "exception", None),
    ],
)
def test_each_kind_of_failure_has_its_hint(project, text, kind, hint):
    done = fail(project, text)
    assert done.error["kind"] == kind, done.error
    assert done.error["hint"] is None if hint is None else hint in done.error["hint"]
    assert len(done.error["frames"]) <= 30


def test_a_cause_is_told_with_the_error(project):
    done = fail(
        project,
        "def made():\n    try:\n        1 / 0\n    except ZeroDivisionError as e:\n        raise ValueError('bad rates') from e\n",
    )
    assert done.error["message"] == "bad rates\ncaused by ZeroDivisionError: division by zero"
    assert done.error["frames"][-1]["line"] == 5


def test_a_failure_outside_of_project_code_is_told_without_frames_of_ours(project):
    done = fail(project, "def made(a, b): return 1\n", inputs=[])
    assert done.error["type"] == "TypeError" and done.error["frames"] == []


def test_a_closed_stderr_does_not_lose_the_failure(project):
    done = fail(
        project, "import sys\ndef made():\n    sys.stderr.close(); sys.stdout.close()\n    raise ValueError('x')\n"
    )
    assert done.error["message"] == "x"


def test_a_text_that_is_no_unicode_does_not_lose_the_failure(project):
    assert fail(project, "def made(): raise ValueError('\\udcff')\n").error["type"] == "ValueError"
