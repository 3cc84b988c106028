"""What a step reads without declaring it is seen with the author's line, and watching changes nothing."""

import pytest
from runner_process import Project, output

OBJECT = [output(kind="object")]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def seen(project, text, **work):
    project.write(assets__a=text)
    done = project.run(outputs=OBJECT, **work)
    return [(entry["kind"], entry["what"], entry["where"]) for entry in done.undeclared]


@pytest.fixture
def outside(tmp_path):
    path = tmp_path / "outside" / "rates.csv"
    path.parent.mkdir()
    path.write_text("a\n1\n")
    return str(path)


def test_a_file_is_named_with_the_line_that_asked_for_it(project, outside):
    text = f"import pandas as pd\ndef made():\n    return pd.read_csv({outside!r}).a.tolist()\n"
    assert seen(project, text) == [("file", outside, "assets/a.py:3")]


def test_listing_a_folder_and_opening_a_database_count(project, outside):
    folder = outside.rpartition("/")[0]
    assert seen(project, f"import os\ndef made():\n    return os.listdir({folder!r})\n") == [
        ("file", folder, "assets/a.py:3")
    ]
    assert seen(project, f"import sqlite3\ndef made():\n    sqlite3.connect({outside!r}).close()\n    return 1\n") == [
        ("file", outside, "assets/a.py:3")
    ]


def test_its_own_files_inputs_and_packages_are_no_finding(project):
    text = "import json, tempfile\nimport numpy, pandas, matplotlib.pyplot\ndef made(x):\n    open('own.txt', 'w').write(open(x).read())\n    with tempfile.TemporaryFile() as f: f.write(b'1')\n    json.load(open(__file__.replace('a.py', 'b.json')))\n    pandas.Timestamp('2024-01-01', tz='Europe/Berlin')\n    return open('own.txt').read()\n"
    (project.root / "assets").mkdir()
    (project.root / "assets/b.json").write_text("{}")
    assert seen(project, text, inputs=[project.source("x", {"d/x.csv": "a"})]) == []


def test_what_is_not_there_was_not_read(project):
    assert seen(project, "def made():\n    try: open('/nowhere/x')\n    except FileNotFoundError: return 1\n") == []


def test_processes_and_sockets_are_seen(project):
    assert seen(
        project,
        "import subprocess\ndef made():\n    return subprocess.run(['echo', 'hi'], capture_output=True).stdout\n",
    ) == [("process", "echo hi", "assets/a.py:3")]
    assert seen(
        project,
        "import socket\ndef made():\n    try: socket.create_connection(('127.0.0.1', 9), 1)\n    except OSError: return 1\n",
    )[-1] == ("network", "127.0.0.1:9", "assets/a.py:3")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import time\ndef made():\n    return time.time()\n", ("clock", "time.time()", "assets/a.py:3")),
        (
            "from time import localtime\ndef made():\n    return tuple(localtime())\n",
            ("clock", "time.localtime()", "assets/a.py:3"),
        ),
        (
            "import datetime\ndef made():\n    return datetime.datetime.now()\n",
            ("clock", "datetime.datetime.now()", "assets/a.py:3"),
        ),
        (
            "from datetime import date\nTODAY = date.today()\ndef made():\n    return TODAY\n",
            ("clock", "date.today()", "assets/a.py:2"),
        ),
        (
            "import pandas as pd\nclass C:\n    def now(self): return pd.Timestamp.now()\ndef made():\n    return C().now()\n",
            ("clock", "pd.Timestamp.now()", "assets/a.py:3"),
        ),
        ("import uuid\ndef made():\n    return uuid.uuid4()\n", ("random", "uuid4()", "assets/a.py:3")),
        ("import os\ndef made():\n    return os.urandom(4)\n", ("random", "os.urandom()", "assets/a.py:3")),
        ("import secrets\ndef made():\n    return secrets.token_hex()\n", ("random", "token_hex()", "assets/a.py:3")),
        (
            "import numpy as np\ndef made():\n    return np.random.default_rng().random()\n",
            ("random", "default_rng()", "assets/a.py:3"),
        ),
        (
            "import os\ndef made():\n    return os.environ.get('HOST_NAME')\n",
            ("environment", "HOST_NAME", "assets/a.py:3"),
        ),
        ("import os\ndef made():\n    return os.getenv('HOST_NAME')\n", ("environment", "HOST_NAME", "assets/a.py:3")),
    ],
)
def test_clock_entropy_and_environment_are_seen(project, text, expected):
    assert seen(project, text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "import time\ndef made():\n    return [time.gmtime(0).tm_year, time.strftime('%Y', time.gmtime(0)), time.perf_counter() > 0]\n",
        "import numpy as np\ndef made():\n    return np.random.default_rng(3).random()\n",
        "import numpy as np, random\ndef made():\n    return [np.random.RandomState(4).rand(), random.Random(4).random(), np.random.rand()]\n",
        "import logging\ndef made():\n    logging.warning('x')\n    return 1\n",
        "import datetime\ndef other(): return datetime.datetime.now()\ndef made():\n    return datetime.datetime(2024, 1, 1)\n",
        "import os\ndef made():\n    return os.environ['CELLMILL_IDEMPOTENCY_KEY']\n",
        "import matplotlib.pyplot as plt\ndef made():\n    plt.plot([1]); plt.savefig('x.svg'); plt.savefig('x.png')\n    return 1\n",
        "import sklearn.ensemble, scipy.stats, statsmodels.api, seaborn, polars, duckdb\ndef made():\n    return sklearn.ensemble.RandomForestClassifier(3).fit([[1], [2]], [0, 1]).predict([[1]]).tolist()\n",
    ],
)
def test_what_is_deterministic_is_no_finding(project, text):
    assert seen(project, text, environment={"CELLMILL_IDEMPOTENCY_KEY": "k"}) == []


def test_watched_functions_still_pickle_and_convert(project):
    text = "import pickle, time, os, datetime\ndef made():\n    return [pickle.loads(pickle.dumps(time.gmtime)) is time.gmtime, type(datetime.datetime(2024, 1, 1)) is datetime.datetime, dict(os.environ) == os.environ.copy()]\n"
    project.write(assets__a=text)
    assert project.run(outputs=OBJECT).value() == [True, True, True]
