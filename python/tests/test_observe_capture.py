"""Captures, generator states, installs, files and the moved clock, each on its own."""

from __future__ import annotations

import json
import os
import pickle
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cellmill._notebook.capture import Captures  # noqa: E402
from cellmill._notebook.observe_files import Files  # noqa: E402
from cellmill._notebook.observe_shell import is_install  # noqa: E402
from cellmill._notebook.observe_tokens import Tokens, generator_states  # noqa: E402
from cellmill._notebook.observe_values import kind_of, type_name  # noqa: E402
from cellmill._runner.randomness import Generators  # noqa: E402


def keep(folder: Path, values: dict, *, value_bytes: int = 10**6, total_bytes: int = 10**9) -> dict:
    captures = Captures(str(folder), value_bytes, total_bytes)
    captures.before_cell(4, generator_states(), 0.0)
    facts = {name: {"digest": "d", "kind": "object", "problem": None, "group": None} for name in values}
    captures.after_cell(4, values, facts, {}, {})
    captures.save()
    return json.loads((folder / "index.json").read_text())["cells"][0]


def test_a_hostile_name_stays_in_its_folder(tmp_path: Path) -> None:
    names = keep(tmp_path / "c", {"../../evil": 1, "x" * 400: 2, "ré": 3, "rng": 4})["names"]
    files = [entry["file"] for entry in names.values()]
    assert all(file.startswith("4/") and ".." not in file and len(file) < 150 for file in files)
    assert len(set(files)) == 4 and "4/rng.pickle" not in files
    assert pickle.loads((tmp_path / "c" / names["../../evil"]["file"]).read_bytes()) == 1
    assert not (tmp_path / "evil").exists()


def test_what_is_too_large_is_said_and_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    cell = keep(tmp_path, {"big": bytes(2000), "small": 1, "array": np.zeros(1000)}, value_bytes=1000)
    assert cell["names"]["big"]["why"] == cell["names"]["array"]["why"] == "larger than 1,000 bytes"
    assert cell["names"]["small"]["file"] == "4/small.pickle"
    assert sorted(os.listdir(tmp_path / "4")) == ["rng.pickle", "small.pickle"]


def test_the_limit_for_all_values_holds_too(tmp_path: Path) -> None:
    names = keep(tmp_path, {"a": bytes(800), "b": bytes(800)}, total_bytes=1000)["names"]
    assert names["a"]["file"] and names["b"]["file"] is None and "larger than" in names["b"]["why"]


def test_large_arrays_are_kept_whole(tmp_path: Path) -> None:
    array = np.arange(200_000.0)
    entry = keep(tmp_path, {"array": array}, value_bytes=10**7)["names"]["array"]
    assert entry["codec"] == "pickle"
    assert np.array_equal(pickle.loads((tmp_path / entry["file"]).read_bytes()), array)


def test_what_nothing_can_pickle_says_why(tmp_path: Path) -> None:
    entry = keep(tmp_path, {"lock": threading.Lock()})["names"]["lock"]
    assert entry["file"] is None and "cannot pickle" in entry["why"]


def test_generator_states_are_restored_by_the_step_runner(tmp_path: Path) -> None:
    keep(tmp_path, {})
    drawn = random.random(), np.random.rand()
    random.seed(0), np.random.seed(0)
    Generators(None).restore(str(tmp_path / "4" / "rng.pickle"))
    assert (random.random(), np.random.rand()) == drawn


@pytest.mark.parametrize(
    "command",
    [
        "pip install x", "pip3 install -q x", "python -m pip install x", "/usr/bin/python3.11 -m pip install -r r.txt",
        "cd a && pip install x", "conda install -y x", "apt-get install -y graphviz", "sudo apt install x",
        "uv pip install x", "pip --quiet install x", "python3 -m pip uninstall x",
    ],
)  # fmt: skip
def test_installs_are_known(command: str) -> None:
    assert is_install(command)


@pytest.mark.parametrize("command", ["pip list", "pip freeze", "ls", "echo install", "python install.py", "cat pip.txt"])
def test_other_commands_run(command: str) -> None:
    assert not is_install(command)


def test_files_read_and_written_by_anyone_are_found(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a\n1\n")
    (tmp_path / "gone.csv").write_text("")
    files = Files(str(tmp_path))
    if files.problems:
        pytest.skip(files.problems[0])
    files.before_cell()
    subprocess.run(["cat", "in.csv"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "new.csv").write_text("x")
    (tmp_path / "gone.csv").unlink()
    assert files.after_cell() == [("open-read", "in.csv"), ("open-write", "gone.csv"), ("open-write", "new.csv")]
    files.before_cell()
    assert files.after_cell() == []


def test_a_token_changes_when_its_state_does_and_not_when_it_is_read(tmp_path: Path) -> None:
    tokens = Tokens(str(tmp_path))
    tokens.start()
    try:
        assert tokens.changed() == []
        random.random()
        np.random.rand()
        assert tokens.changed() == ["rng:np", "rng:py"]
        old = np.seterr(all="ignore")
        assert tokens.changed() == ["cfg:numpy"]
        np.seterr(**old)
        tokens.changed()
        assert tokens.changed() == [] and tokens.problems == {}
    finally:
        sys.meta_path.remove(tokens)


def test_kinds_and_types_of_values_whose_class_lies() -> None:
    class Meta(type):
        @property
        def __module__(cls) -> str:
            raise ValueError

    class Odd(metaclass=Meta):
        @property
        def __class__(self) -> type:
            raise ValueError

    assert type_name(Odd()).endswith("Odd")
    assert kind_of(Odd(), None, 1, False) == ("object", "")


CLOCK = """
import sys; sys.path.insert(0, sys.argv[1])
import datetime, time
from cellmill._notebook import encode
before, digest = datetime.datetime.now(), encode.digest([time.time, datetime.datetime])
from cellmill._notebook.kernel_clock import shift_clock
print(shift_clock(86400))
class Own(datetime.datetime): pass
for now in (datetime.datetime.now(), datetime.datetime.today(), Own.now(), datetime.datetime.fromtimestamp(time.time()),
            datetime.datetime.strptime(time.strftime("%Y-%m-%d %H:%M:%S"), "%Y-%m-%d %H:%M:%S"),
            datetime.datetime.fromtimestamp(time.mktime(time.localtime()))):
    print(round((now - before).total_seconds() / 86400, 2))
print((datetime.date.today() - before.date()).days, type(Own.now()) is Own)
print(datetime.datetime.now(datetime.timezone.utc).tzinfo, encode.digest([time.time, datetime.datetime]) == digest)
"""


def test_a_moved_clock_moves_every_entry_point_and_no_type() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", CLOCK, str(ROOT)], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.split() == ["wrapped", *["1.0"] * 6, "1", "True", "UTC", "True"]
