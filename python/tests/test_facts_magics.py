"""IPython's syntax: lines and columns stay, magics become facts, and the reading agrees with IPython's own."""

import ast

import pytest

from cellmill._notebook.facts_ipython import transformer
from cellmill._notebook.facts_magics import plain_cell
from facts_of import facts_of, last, names, tokens

CELLS = [
    "%matplotlib inline\nx = 1",
    "x = !ls {folder}\ny = 2",
    "files = %sql select 1",
    "!pip install pandas",
    "%%time\nx = 1\ny = x",
    "%%bash\necho hi",
    "%%capture out\nprint(1)",
    "df?",
    "?df",
    "df.head??",
    "for i in range(3):\n    !echo {i}",
    "s = '''\n%not a magic\n!nor this\n'''",
    "x = 5 % 3",
    "x = (1 +\n     2 % y)",
    "a = b \\\n  % c",
    "%%writefile f.py\nx = 1\nprint x",
    ">>> x = 1\n>>> y = 2",
    "%time y = f(x)",
    "%timeit -n 10 f(x)",
    "if x:\n    %matplotlib inline\n    y = 1",
    "# comment\n%%time\nx = 1" if False else "%%time\n\nx = 1",
    "!ls \\\n  -l",
    "get_ipython().run_line_magic('x', '')",
    "%env A=1",
    "x = 1;",
    "!!ls",
    "    x = 1\n    y = 2",
    "print('a %s' % b)",
    "x != y",
]


@pytest.mark.parametrize("source", CELLS)
def test_lines_are_kept(source):
    assert len(plain_cell(source).lines) == len(source.split("\n"))


@pytest.mark.parametrize("source", CELLS)
def test_agrees_with_ipythons_own_transformer(source):
    transform = transformer()
    if transform is None:
        pytest.skip("IPython is not installed here")
    theirs = ast.parse(transform(source))
    calls = [node for node in ast.walk(theirs) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call) and getattr(node.func.value.func, "id", "") == "get_ipython"]
    written = source.count("get_ipython()")
    cell = plain_cell(source)
    assert len(cell.magics) == len(calls) - written
    if not any(magic.kind == "cell" for magic in cell.magics):
        ours = {node.id for node in ast.walk(ast.parse(cell.text)) if isinstance(node, ast.Name)}
        assert ours <= {node.id for node in ast.walk(theirs) if isinstance(node, ast.Name)} | {"None"}


def test_shell_lines_read_python_names():
    found = last("x = !ls {folder}/$name")
    assert found["binds"] == ["x"] and names(found["reads"]) == ["folder", "name"]
    assert found["kind"] == "magic"


def test_time_binds_and_timeit_does_not():
    assert last("%time y = f(x)")["binds"] == ["y"]
    assert last("%timeit y = f(x)")["binds"] == []
    body = facts_of("%%timeit\ny = f(x)")[0]["statements"]
    assert all(not statement["binds"] for statement in body)
    assert facts_of("%%time\ny = f(x)")[0]["statements"][-1]["binds"] == ["y"]


def test_capture_binds_its_name():
    assert "out" in [name for statement in facts_of("%%capture out\nx = 1")[0]["statements"] for name in statement["binds"]]


def test_writefile_is_a_file():
    assert ("file:f.py", "write") in tokens(last("%%writefile f.py\nx = = 1"))


def test_a_sql_cell_names_its_tables():
    assert ("table:orders", "read") in tokens(last("%%sql\nselect * from orders"))


def test_run_and_unknown_magics_are_opaque():
    assert "run" in last("%run other.py")["dynamic"]
    assert "magic:frobnicate" in last("%frobnicate x")["dynamic"]


def test_settings_magics():
    assert ("cfg:cwd", "write") in tokens(last("%cd data"))
    assert ("cfg:environ", "write") in tokens(last("%env A=1"))
    assert ("cfg:matplotlib", "write") in tokens(last("%matplotlib inline"))


def test_spans_of_code_beside_magics_are_those_of_the_cell():
    cell = facts_of("%matplotlib inline\n\nx = name")[0]
    read = cell["statements"][-1]["reads"][0]["span"]
    assert (read["line"], read["column"]) == (3, 4)


def test_magic_looking_text_in_strings_is_text():
    cell = facts_of("s = '''\n%cd x\n!rm y\n'''")[0]
    assert cell["magics"] == [] and cell["syntaxError"] is None


def test_a_magic_in_a_loop_reads_its_names():
    found = last("for i in r:\n    !echo {i} {other}")
    assert "other" in names(found["reads"]) and "i" not in names(found["reads"])


def test_an_empty_cell_and_a_comment_are_fine():
    assert facts_of("")[0]["statements"] == [] and facts_of("# nothing")[0]["statements"] == []
