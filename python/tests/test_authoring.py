"""What authors import: functions stay plain, values stay plain, and loading asks the command line."""

import json
import pickle
import stat
import subprocess
import sys

import pandas as pd
import pytest

import cellmill
from cellmill import asset, check, effect, load, param, report, setup


def test_decorators_give_the_same_function_back():
    def made(orders, *, currency="EUR"):
        """One row per order."""
        return orders, currency

    for decorate in (
        asset,
        report,
        effect,
        setup,
        asset(kind="table", reads={"orders": ["id"]}, retries=2),
        check("orders"),
        check(made, severity="warn"),
    ):
        assert decorate(made) is made
    assert made(1) == (1, "EUR") and made.__doc__ == "One row per order."
    assert (
        pickle.loads(pickle.dumps(test_decorators_give_the_same_function_back))
        is test_decorators_give_the_same_function_back
    )


def test_what_was_declared_can_be_read():
    @asset(outputs=("train", "test"), refresh="1h")
    def split(): ...

    declared = split.__cellmill__
    assert (
        declared.kind == "asset"
        and declared.options["outputs"] == ("train", "test")
        and declared.options["refresh"] == "1h"
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: asset(retries="3"), "retries is str, it takes int"),
        (lambda: asset(retries=True), "retries is bool"),
        (lambda: asset(kind="frame"), "it takes table, object, file"),
        (lambda: report(colour="red"), "no option 'colour'"),
        (lambda: asset(3), "decorates a function"),
        (lambda: asset(type("C", (), {})), "decorates a function"),
        (lambda: check(), "write @check"),
        (lambda: check("x", severity="fatal"), "write @check"),
    ],
)
def test_a_declaration_of_the_wrong_type_is_told_at_import(make, words):
    with pytest.raises((TypeError, ValueError), match=words):
        make()


@pytest.mark.parametrize("value", [1, 1.5, "x", True, None, [1], {"a": 1}])
def test_a_parameter_is_its_default_outside_of_a_step(value):
    assert param(value) is value


def test_importing_it_imports_nothing_outside_the_standard_library():
    code = "import sys; import cellmill; print([m for m in sys.modules if m.partition('.')[0] in ('pandas', 'numpy', 'pyarrow', 'asyncio')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=cellmill.__path__[0] + "/..", check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.fixture
def command(tmp_path, monkeypatch):
    """A command that answers as the real one does, and notes what it was asked."""

    def answers(value, code=0, error=""):
        script = tmp_path / "cellmill"
        script.write_text(
            f"#!{sys.executable}\nimport json, sys\nopen({str(tmp_path / 'asked')!r}, 'w').write(json.dumps(sys.argv[1:]))\nsys.stderr.write({error!r})\nprint({json.dumps(value)!r})\nsys.exit({code})\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("CELLMILL_CLI", str(script))
        return lambda: json.loads((tmp_path / "asked").read_text())

    return answers


def test_loads_tables_objects_and_files(command, tmp_path):
    folder = tmp_path / "snapshot"
    folder.mkdir()
    frame = pd.DataFrame({"a": [1, 2]}, index=["x", "y"])
    frame.to_parquet(folder / "data.parquet")
    (folder / "random.pickle").write_bytes(b"")
    asked = command({"path": str(folder), "kind": "table"})
    pd.testing.assert_frame_equal(load("orders", env="prod"), frame)
    assert asked() == ["path", "orders", "--json", "--env", "prod"]

    (folder / "data.parquet").unlink()
    (folder / "data.pickle").write_bytes(pickle.dumps({"k": 1}))
    command({"path": str(folder), "kind": "object"})
    assert load("model") == {"k": 1}

    (folder / "data.pickle").rename(folder / "out.pdf")
    command({"path": str(folder), "kind": "file"})
    assert load("letter") == str(folder / "out.pdf")


def test_what_the_command_refuses_is_raised_with_its_hint(command):
    command(
        {"error": {"code": "UNKNOWN_NAME", "message": "there is no asset 'ordrs'", "hint": "did you mean 'orders'?"}}, 2
    )
    with pytest.raises(cellmill.LoadError, match="(?s)there is no asset 'ordrs'.*hint: did you mean 'orders'"):
        load("ordrs")
    command("not an answer", 1, "it broke")
    with pytest.raises(cellmill.LoadError):
        load("orders")


def test_a_step_cannot_load_behind_its_inputs(monkeypatch):
    monkeypatch.setenv("CELLMILL_STEP", "made")
    with pytest.raises(cellmill.LoadError, match="take it as an argument"):
        load("orders")
