"""What a step returns is kept by kind, whole or not at all."""

import pandas as pd
import pytest
from runner_process import Project, output

OBJECT = [output(kind="object")]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, forks=True)


def run(project, body, outputs=None, **work):
    project.write(
        assets__a=f"import pandas as pd\nimport numpy as np\ndef made():\n{''.join('    ' + line + chr(10) for line in body.splitlines())}"
    )
    return project.run(outputs=outputs or [output()], **work)


AWKWARD = {
    "mixed labels": "pd.DataFrame([[1, 2]], columns=['a', 1])",
    "None against NaN": "pd.DataFrame({'a': ['x', None, float('nan')]})",
    "NaN among text": "pd.DataFrame({'a': ['x', float('nan')]})",
    "lists": "pd.DataFrame({'a': [[1], [2, 3]]})",
    "tuples": "pd.DataFrame({'a': [(1, 2)]})",
    "sets": "pd.DataFrame({'a': [{1}]})",
    "dicts": "pd.DataFrame({'a': [{'k': 1}, {'j': 2}]})",
    "integer categories": "pd.DataFrame({'a': pd.Categorical([3, 1, 3])})",
    "frequency": "pd.DataFrame({'a': [1, 2]}, index=pd.date_range('2024', periods=2, freq='D'))",
    "duplicate labels": "pd.DataFrame([[1, 2]], columns=['a', 'a'])",
    "interval categories": "pd.DataFrame({'a': pd.cut([1, 2, 3], [0, 2, 4])})",
    "complex": "pd.DataFrame({'a': [1j]})",
    "sparse": "pd.DataFrame({'a': pd.arrays.SparseArray([0, 0, 1])})",
    "decimals of two scales": "pd.DataFrame({'a': [__import__('decimal').Decimal('1.5'), __import__('decimal').Decimal('2.50')]})",
    "tuple in attrs": "(lambda f: (f.attrs.update(u=(1, 2)), f)[1])(pd.DataFrame({'a': [1]}))",
    "no columns": "pd.DataFrame(index=range(3))",
    "mixed objects": "pd.DataFrame({'a': [1, 'x']})",
    "1, True and 1.0": "pd.DataFrame({'a': pd.Series([1, True, 1.0], dtype=object)})",
    "datetime objects": "pd.DataFrame({'a': pd.Series([__import__('datetime').datetime(2024, 1, 1)], dtype=object)})",
    "seconds": "pd.DataFrame({'a': np.array(['2024-01-01'], dtype='datetime64[s]')})",
    "big integers": "pd.DataFrame({'a': [2**70]})",
    "numpy text": "pd.DataFrame({'a': pd.Series([np.str_('x')], dtype=object)})",
    "unused index level": "pd.DataFrame({'a': [1, 2]}, index=pd.MultiIndex.from_product([['p', 'q'], [1]])).iloc[:1]",
    "Series": "pd.Series([1, 2], name='s')",
    "numbered labels": "pd.DataFrame([[1, 2]])",
    "one list in two cells": "(lambda l: pd.DataFrame({'a': [l, l]}))([1])",
}
PLAIN = {
    "numbers and text": "pd.DataFrame({'i': [1, 2], 'f': [1.5, float('nan')], 'b': [True, False], 's': ['x', 'y']})",
    "None among text": "pd.DataFrame({'s': ['x', None]})",
    "negative zero": "pd.DataFrame({'a': [-0.0, 0.0]})",
    "time zones": "pd.DataFrame({'a': pd.to_datetime(['2024-01-01']).tz_localize('Europe/Berlin')})",
    "MultiIndex": "pd.DataFrame({'a': [1, 2]}, index=pd.MultiIndex.from_tuples([('x', 1), ('y', 2)], names=['p', 'q']))",
    "MultiIndex columns": "pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([('a', 'x'), ('a', 'y')]))",
    "ordered text categories": "pd.DataFrame({'a': pd.Categorical(['x', 'y'], categories=['y', 'x'], ordered=True)})",
    "nullable types": "pd.DataFrame({'a': pd.array([1, None], dtype='Int64'), 'b': pd.array(['x', None], dtype='string')})",
    "periods": "pd.DataFrame({'a': pd.period_range('2024-01', periods=2, freq='M')})",
    "integer labels": "pd.DataFrame([[1, 2]], columns=[0, 1])",
    "filtered rows": "pd.DataFrame({'a': [1, 2, 3]}).iloc[[0, 2]]",
    "plain attrs": "(lambda f: (f.attrs.update(u='m'), f)[1])(pd.DataFrame({'a': [1]}))",
    "dates": "pd.DataFrame({'a': [__import__('datetime').date(2024, 1, 1)]})",
    "durations": "pd.DataFrame({'a': pd.to_timedelta([1, 2], unit='s')})",
    "uniform decimals": "pd.DataFrame({'a': [__import__('decimal').Decimal('1.50'), __import__('decimal').Decimal('2.25')]})",
}


def exactly(text):
    """The digest of the value that the expression makes, here."""
    import numpy as np

    from cellmill._notebook import encode

    return encode.digest(eval(text, {"pd": pd, "np": np}))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """All frames as outputs of one step."""
    project = Project(tmp_path_factory.mktemp("corpus"))
    cases = {**AWKWARD, **PLAIN}
    made = run(project, f"return [{', '.join(cases.values())}]", [output(f"o{i}") for i in range(len(cases))])
    assert made.code == 0, made.stderr
    return {name: (made, position) for position, name in enumerate(cases)}


@pytest.mark.parametrize("name", AWKWARD)
def test_what_parquet_would_change_is_kept_exactly_as_an_object_and_the_reason_said(corpus, name):
    from cellmill._notebook import encode

    done, position = corpus[name]
    left = done.report["outputs"][position]
    assert (left["kind"], left["codec"]) == ("object", "pickle")
    assert left["summary"]["kindBecause"]
    assert encode.digest(done.value(position)) == exactly(AWKWARD[name])


@pytest.mark.parametrize("name", PLAIN)
def test_what_parquet_keeps_is_a_table_and_comes_back_exactly(corpus, name):
    from cellmill._notebook import encode
    from cellmill._runner import table_codec

    done, position = corpus[name]
    left = done.report["outputs"][position]
    assert left["kind"] == "table", left
    assert encode.digest(table_codec.read_table([str(done.outputs / left["entry"])], "pandas", None)) == exactly(
        PLAIN[name]
    )


@pytest.mark.parametrize("name", sorted(set(AWKWARD) - {"Series"}))
def test_a_declared_table_that_would_change_is_refused_with_the_line_to_type(tmp_path, name):
    import numpy as np

    from cellmill._runner.contract import ContractError
    from cellmill._runner.write_outputs import Outputs

    definition = {"id": "made", "symbol": "made", "options": {}, "outputs": [output(declared=True)]}
    with pytest.raises(ContractError) as refused:
        Outputs(definition, str(tmp_path)).write(eval(AWKWARD[name], {"pd": pd, "np": np}))
    assert 'kind="object"' in refused.value.hint


def test_the_refusal_names_the_column_and_the_value(project):
    done = run(project, "return pd.DataFrame({'ok': [1, 2], 'tags': ['x', float('nan')]})", [output(declared=True)])
    assert "column 'tags', value nan (float): comes back as None" in done.error["message"]


def test_other_frames_are_tables_too(project):
    for text in (
        "__import__('polars').DataFrame({'a': [1, None]})",
        "__import__('polars').LazyFrame({'a': [1]})",
        "__import__('pyarrow').table({'a': [1.5, float('nan')]})",
        "__import__('duckdb').sql('select 1 as a')",
    ):
        assert run(project, f"return {text}").report["outputs"][0]["kind"] == "table", text
    lossy = run(project, "import duckdb\nreturn duckdb.sql('select 1::hugeint as a')")
    assert lossy.error["kind"] == "contract" and "HUGEINT comes back as DOUBLE" in lossy.error["message"]


@pytest.mark.parametrize(
    "returned",
    [
        "(1, [2])",
        "[1, [2]]",
        "{'test': [2], 'train': 1}",
        "__import__('collections').namedtuple('Split', 'train test')(1, [2])",
        "__import__('types').SimpleNamespace(test=[2], train=1)",
    ],
)
def test_several_outputs_go_by_order_or_by_name(project, returned):
    done = run(project, f"return {returned}", [output("train", "object"), output("test", "object")])
    assert [done.value(0), done.value(1)] == [1, [2]], done.stderr


@pytest.mark.parametrize(
    "returned",
    [
        "1",
        "(1, 2, 3)",
        "{'train': 1}",
        "{'train': 1, 'test': 2, 'more': 3}",
        "'ab'",
        "pd.DataFrame({'train': [1], 'test': [2]})",
    ],
)
def test_a_wrong_number_of_outputs_is_refused(project, returned):
    done = run(project, f"return {returned}", [output("train", "object"), output("test", "object")])
    assert done.error["kind"] == "contract" and "train, test" in done.error["message"]


def test_returning_nothing_is_refused_with_what_to_do(project):
    done = run(project, "pass")
    assert done.error["kind"] == "contract" and "@report" in done.error["hint"]


def test_no_rows_is_a_warning(project):
    done = run(project, "return pd.DataFrame({'a': []})")
    assert done.code == 0 and done.report["warnings"] == ["'made' has no rows"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{'model': [1, lambda: 2]}", "['model'][1]"),
        ("__import__('threading').Lock()", "lock"),
        ("(n for n in [1])", "generator"),
    ],
)
def test_a_value_that_cannot_be_kept_names_the_part(project, text, part):
    done = run(project, f"return {text}", OBJECT)
    assert done.error["kind"] == "contract" and part in done.error["message"]


def test_files_are_kept_under_their_names(project):
    done = run(project, "open('out.csv', 'w').write('a')\nreturn 'out.csv'", [output(kind="file", declared=True)])
    assert (done.outputs / "0.file/out.csv").read_text() == "a"
    done = run(project, "return b'xyz'", [output(kind="file", declared=True)], options={"export": "reports/final.bin"})
    assert (done.outputs / "0.file/final.bin").read_bytes() == b"xyz"
    done = run(
        project,
        "import os\nos.mkdir('d')\nopen('d/1.txt', 'w').write('a')\nopen('d/2.txt', 'w').write('b')\nreturn 'd'",
        [output(kind="file", declared=True)],
    )
    assert done.report["outputs"][0]["summary"]["files"] == ["1.txt", "2.txt"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return 'nope.csv'", "no file"),
        ("return 3", "a int"),
        ("import os\nos.makedirs('d/e')\nreturn 'd'", "regular"),
        ("open('a\\nb', 'w')\nreturn 'a\\nb'", "name"),
        ("import os\nos.mkfifo('p')\nreturn 'p'", "regular"),
    ],
)
def test_what_is_no_plain_file_is_refused(project, body, why):
    done = run(project, body, [output(kind="file", declared=True)])
    assert done.error["kind"] == "contract" and why in done.error["message"]


def test_a_path_returned_without_declaring_a_file_is_refused(project):
    done = run(project, "from pathlib import Path\nPath('x.txt').write_text('a')\nreturn Path('x.txt')")
    assert 'kind="file"' in done.error["hint"]


def test_equal_values_give_equal_bytes_in_two_processes(tmp_path):
    project = Project(tmp_path)
    text = "return {'s': {'a', 'b', 'c'}, 'f': pd.DataFrame({'a': [[1], None]})}"
    first, again = (run(project, text, OBJECT) for _ in range(2))
    assert (first.outputs / "0.pickle").read_bytes() == (again.outputs / "0.pickle").read_bytes()
    first, again = (run(project, "return pd.DataFrame({'a': np.arange(1000.0), 's': ['x'] * 1000})") for _ in range(2))
    assert (first.outputs / "0.parquet").read_bytes() == (again.outputs / "0.parquet").read_bytes()


@pytest.mark.parametrize(
    ("body", "passed", "rows"),
    [
        ("return True", True, None), ("return np.bool_(False)", False, None), ("return pd.DataFrame({'a': []})", True, 0),
        ("return pd.DataFrame({'a': [1, 2]})", False, 2), ("return __import__('polars').DataFrame({'a': [1]})", False, 1),
        ("return __import__('duckdb').sql('select 1 as a where false')", True, 0), ("return __import__('pyarrow').table({'a': [1, 2, 3]})", False, 3),
        ("assert 1 == 2, 'one is not two'", False, None), ("return (False, 'too few')", False, None), ("return [{'id': 3}]", False, 1),
    ],
)  # fmt: skip
def test_a_check_answers_with_yes_or_no_or_the_rows_that_break_it(project, body, passed, rows):
    done = run(project, body, [output()], kind="check")
    assert done.code == 0, done.stderr
    assert (done.report["check"]["passed"], done.report["check"]["failedRows"]) == (passed, rows)
    assert len(done.report["outputs"]) == (1 if rows else 0)
    assert passed or done.report["check"]["message"]


@pytest.mark.parametrize("body", ["pass", "return 1", "return pd.Series([True, False])", "return 'yes'"])
def test_a_check_that_answers_neither_is_refused(project, body):
    done = run(project, body, [output()], kind="check")
    assert done.error["kind"] == "contract" and "True or False" in done.error["hint"]


def test_an_effect_has_no_output(project):
    assert run(project, "return 5", [output(kind="effect")], kind="effect").report["outputs"] == []
