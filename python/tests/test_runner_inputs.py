"""Inputs arrive as the annotation says, sources under the path that the author's code names."""

import pandas as pd
import pytest
from runner_process import Project, output

OBJECT = [output(kind="object", declared=True)]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, forks=True)


def described(project, given, expression="type(x).__module__.split('.')[0] + '.' + type(x).__name__", **work):
    project.write(assets__a=f"def made(x):\n    return {expression}\n")
    done = project.run(inputs=[given], outputs=OBJECT, **work)
    assert done.code == 0, done.stderr
    return done.value()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("pandas", "pandas.DataFrame"), ("polars", "polars.DataFrame"), ("polars-lazy", "polars.LazyFrame"),
        ("pyarrow", "pyarrow.Table"), ("duckdb", "_duckdb.DuckDBPyRelation"), ("rows", "builtins.list"), ("path", "builtins.str"), ("object", "pandas.DataFrame"),
    ],
)  # fmt: skip
def test_a_table_arrives_in_each_form(project, form, expected):
    given = project.asset("x", pd.DataFrame({"a": [1], "b": ["x"]}), form=form, annotation="")
    assert described(project, given) == expected


@pytest.mark.parametrize("form", ["pandas", "polars", "polars-lazy", "pyarrow", "duckdb", "rows"])
def test_hands_over_exactly_the_declared_columns_in_their_order(project, form):
    given = project.asset(
        "x",
        pd.DataFrame({"a": [1], "b": ["x"], "c": [2.0]}, index=pd.Index([7], name="k")),
        form=form,
        columns=["c", "a"],
    )
    names = {"rows": "list(x[0])", "pyarrow": "x.column_names", "polars-lazy": "x.collect().columns"}.get(
        form, "list(x.columns)"
    )
    assert described(project, given, names) == ["c", "a"]


def test_an_index_that_was_not_declared_is_not_handed_over(project):
    frame = pd.DataFrame({"a": [1, 2], "c": pd.Categorical(["x", "y"])}, index=["p", "q"])
    given = project.asset("x", frame, columns=["c"])
    assert described(project, given, "[x.index.tolist(), str(x.dtypes['c'])]") == [[0, 1], "category"]


def test_a_missing_column_is_named(project):
    project.write(assets__a="def made(x): return 1\n")
    done = project.run(inputs=[project.asset("x", pd.DataFrame({"a": [1]}), columns=["nope"])])
    assert done.error["kind"] == "contract" and "nope" in done.error["message"]


def test_an_object_arrives_as_it_was_and_its_frame_in_the_form_asked_for(project):
    frame = pd.DataFrame({"a": [[1], None]})
    assert described(project, project.asset("x", frame, codec="pickle"), "[x.a.tolist(), type(x).__name__]") == [
        [[1], None],
        "DataFrame",
    ]
    assert (
        described(project, project.asset("x", pd.DataFrame({"a": [1]}), codec="pickle", form="polars"))
        == "polars.DataFrame"
    )
    assert described(project, project.asset("x", {"k": 1}, codec="pickle", form="object"), "x") == {"k": 1}


def test_an_object_whose_class_is_gone_says_how_to_go_on(project):
    project.write(assets__a="def made(x): return 1\n")
    given = project.asset("x", 1, codec="pickle")
    (project.folder / "snapshot-x" / "data.pickle").write_bytes(b"\x80\x05cassets.gone\nModel\n.")
    done = project.run(inputs=[given])
    assert done.error["kind"] == "contract" and "--rebuild" in done.error["hint"]


def test_a_source_arrives_under_its_own_relative_path(project):
    given = project.source("x", {"data/orders.csv": "a\n1\n"})
    done = described(project, given, "[x, open('data/orders.csv').read(), __import__('pathlib').Path(x).suffix]")
    assert done == ["data/orders.csv", "a\n1\n", ".csv"]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("list[str]", ["data/a.csv", "data/b.csv"]),
        ("", ["data/a.csv", "data/b.csv"]),
        ("str", "data"),
        ("list[Path]", ["data/a.csv", "data/b.csv"]),
        ("Path", "data"),
    ],
)
def test_a_glob_arrives_as_its_paths_or_their_folder(project, annotation, expected):
    given = project.source("x", {"data/a.csv": "a\n1\n", "data/b.csv": "a\n2\n"}, annotation=annotation, isGlob=True)
    shown = "[str(p) for p in x] if isinstance(x, list) else str(x)"
    assert described(project, given, shown) == expected
    assert described(project, given, "sorted(__import__('glob').glob('data/*.csv'))") == ["data/a.csv", "data/b.csv"]
    kind = "type(x[0] if isinstance(x, list) else x).__name__"
    assert described(project, given, kind) == ("PosixPath" if "Path" in annotation else "str")


@pytest.mark.parametrize("path", ["../up/x.csv", "/abs/x.csv"])
def test_a_path_from_outside_is_staged_inside(project, path):
    given = project.source("x", {"x.csv": "a\n1\n"}, sourcePaths=[path])
    assert described(project, given, "[x.startswith(('/', '..')), open(x).read()]") == [False, "a\n1\n"]


@pytest.mark.parametrize("form", ["pandas", "polars", "polars-lazy", "pyarrow", "duckdb", "rows"])
def test_a_source_is_read_with_its_declared_options(project, form):
    given = project.source(
        "x", {"d/x.csv": "a;b\n1;x\n2;y\n"}, form=form, annotation="", options={"delim": ";"}, columns=["b"]
    )
    cells = {
        "pandas": "x.b.tolist()",
        "polars": "x['b'].to_list()",
        "polars-lazy": "x.collect()['b'].to_list()",
        "pyarrow": "x['b'].to_pylist()",
        "duckdb": "[r[0] for r in x.fetchall()]",
        "rows": "[r['b'] for r in x]",
    }
    assert described(project, given, cells[form]) == ["x", "y"]


def test_files_of_a_glob_are_one_frame_in_the_order_of_their_names(project):
    given = project.source(
        "x", {"d/a.csv": "a\n1\n", "d/b.csv": "a\n2\n"}, form="pandas", annotation="pd.DataFrame", isGlob=True
    )
    assert described(project, given, "[x.a.tolist(), x.index.tolist()]") == [[1, 2], [0, 1]]


def test_json_lines_are_known_by_their_suffix(project):
    given = project.source(
        "x", {"d/x.jsonl": '{"a": 1}\n{"a": 2}\n'}, form="pandas", annotation="pd.DataFrame", codec="json"
    )
    assert described(project, given, "x.a.tolist()") == [1, 2]


def test_an_unknown_option_or_format_is_refused_with_what_to_write(project):
    project.write(assets__a="def made(x): return 1\n")
    unknown = project.run(
        inputs=[
            project.source("x", {"x.csv": "a\n1\n"}, form="pandas", annotation="pd.DataFrame", options={"sniff": 3})
        ]
    )
    assert unknown.error["kind"] == "contract" and "sniff" in unknown.error["message"]
    binary = project.run(
        inputs=[project.source("x", {"x.bin": "a"}, form="pandas", annotation="pd.DataFrame", codec="other")]
    )
    assert "x: str" in binary.error["hint"]


def test_changing_an_input_changes_nothing_outside_the_step(project):
    given = project.source("x", {"data/x.csv": "a\n1\n"}, form="pandas", annotation="pd.DataFrame")
    described(project, given, "x.__setitem__('a', 5)  or 1")
    assert (project.folder / "capture-x/data/x.csv").read_text() == "a\n1\n"
