"""Every trap of scopes: which names a statement binds, reads and deletes, as Python has it."""

import ast
import pathlib
import symtable

import pytest

from cellmill._notebook.facts_scope import Scope
from facts_of import facts_of, last, names, statements_of


def test_comprehension_targets_are_local_but_the_first_iterable_is_read_outside():
    found = last("ys = [x * k for x in xs]")
    assert found["binds"] == ["ys"]
    assert names(found["reads"]) == ["k", "xs"]


def test_a_comprehension_that_shadows_its_own_iterable_reads_it():
    assert names(last("x = [x for x in x]")["reads"]) == ["x"]


def test_a_walrus_in_a_comprehension_binds_outside():
    found = last("hits = [y for x in xs if (y := f(x))]")
    assert "y" in found["binds"] + found["mayBind"]
    assert "x" not in found["binds"] + found["mayBind"]


def test_class_bodies_read_globals_now_and_own_their_names():
    found = last("class A:\n    size = scale * 2\n    area = size ** 2\n    def m(self): return size")
    assert found["binds"] == ["A"]
    assert names(found["reads"]) == ["scale"]
    assert found["definitions"][0]["lateReads"] == ["size"]


def test_except_names_are_unbound_after_the_handler():
    found = last("try:\n    x = f()\nexcept ValueError as e:\n    print(e)\n    x = 0")
    assert found["binds"] == ["x"]
    assert "e" not in found["mayBind"] and "e" not in names(found["reads"])


def test_loop_and_with_targets_survive():
    assert last("for i in r:\n    pass")["mayBind"] == ["i"]
    assert last("with open(p) as f:\n    d = f.read()")["binds"] == ["f", "d"]


def test_loop_variables_are_no_reads_of_the_loop():
    found = last("for i in r:\n    t = i + 1\n    s = t")
    assert names(found["reads"]) == ["r"]


def test_accumulators_in_a_loop_are_read_from_outside():
    assert names(last("for i in r:\n    total = total + i")["reads"]) == ["r", "total"]


def test_del_is_a_read_and_a_deletion():
    found = last("del df")
    assert found["deletes"] == ["df"]
    assert names(found["reads"]) == ["df"]


def test_del_of_a_part_is_a_change():
    found = last("del df['a']")
    assert found["deletes"] == [] and found["mutations"][0]["how"] == "subscript"


def test_match_captures_may_bind():
    found = last("match command:\n    case [first, *rest]:\n        pass\n    case {'k': v, **others}:\n        pass")
    assert found["mayBind"] == ["first", "rest", "v", "others"] or set(found["mayBind"]) == {"first", "rest", "v", "others"}
    assert names(found["reads"]) == ["command"]


def test_defaults_and_decorators_are_read_at_the_definition():
    found = last("@wrap\ndef f(a, b=limit):\n    return a + b + late")
    assert names(found["reads"]) == ["limit", "wrap"]
    assert found["definitions"][0]["lateReads"] == ["late"]
    assert found["definitions"][0]["decorated"] is True


def test_annotations_are_read_unless_they_are_lazy():
    assert names(last("def f(a: T) -> U: pass")["reads"]) == ["T", "U"]
    assert names(last("from __future__ import annotations", "def f(a: T) -> U: pass")["reads"]) == []
    assert last("x: int")["binds"] == []


def test_conditional_definitions_may_bind():
    found = last("if flag:\n    x = 1\nelse:\n    y = 2")
    assert found["binds"] == [] and sorted(found["mayBind"]) == ["x", "y"]
    assert last("if flag:\n    x = 1\nelse:\n    x = 2")["binds"] == ["x"]


def test_a_branch_that_raises_does_not_count():
    assert last("if flag:\n    x = 1\nelse:\n    raise ValueError")["binds"] == ["x"]


def test_a_read_after_a_possible_binding_still_reads_outside():
    assert "x" in names(last("if flag:\n    x = 1\nprint(x)")["reads"])
    assert names(last("for i in r:\n    if i:\n        x = i\n    use = x")["reads"]) == ["r", "x"]


def test_f_strings_read_their_names():
    assert names(last("s = f'{a:{width}} {b!r}'")["reads"]) == ["a", "b", "width"]


def test_import_of_a_submodule_binds_the_package():
    found = last("import os.path")
    assert found["binds"] == ["os"]
    assert last("import xml.etree.ElementTree as ET")["binds"] == ["ET"]


def test_global_in_a_nested_function_writes_the_notebook():
    found = last("def f():\n    def g():\n        global n\n        n = 1\n    g()")
    assert found["binds"] == ["f"]
    assert found["definitions"][0]["lateWrites"] == ["n"]


def test_nonlocal_names_are_not_the_notebooks():
    fact = last("def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    return g")["definitions"][0]
    assert fact["lateReads"] == [] and fact["lateWrites"] == []


def test_functions_bind_late():
    found = last("f = lambda x: x * rate")
    assert names(found["reads"]) == []
    assert found["definitions"][0]["lateReads"] == ["rate"]


def test_a_lambda_passed_to_a_call_is_read_at_once():
    assert names(last("y = df.apply(lambda r: r * rate)")["reads"]) == ["df", "rate"]


def test_builtins_are_no_reads_unless_the_notebook_binds_them():
    assert names(last("n = len(x)")["reads"]) == ["x"]
    assert "len" in names(statements_of("n = len(x)", "len = 3")[0]["reads"])


def test_swapping_reads_both_before_binding():
    found = last("a, b = b, a")
    assert names(found["reads"]) == ["a", "b"] and found["binds"] == ["a", "b"]


def test_star_targets_and_nested_targets_bind():
    assert last("a, *b, (c, d) = x")["binds"] == ["a", "b", "c", "d"]


def test_suppress_makes_the_body_uncertain():
    assert last("from contextlib import suppress", "with suppress(KeyError):\n    x = d['k']")["mayBind"] == ["x"]


def test_generator_functions_are_told_apart():
    assert last("def g():\n    yield 1")["definitions"][0]["kind"] == "generator"
    assert last("def g():\n    def h():\n        yield 1\n    return h")["definitions"][0]["kind"] == "function"


def test_a_cell_that_does_not_parse_says_where():
    cell = facts_of("x = 1\ny = = 2")[0]
    assert cell["syntaxError"]["line"] == 2 and cell["syntaxError"]["python2"] is False
    assert cell["statements"] == []


@pytest.mark.parametrize(
    "source", ["print 'a'", "print x, y", "try:\n    f()\nexcept E, e:\n    pass", "raise E, 'x'", "exec 'x = 1'", "if a <> b: pass", "n = 0777", "u = ur'x'"]
)
def test_python_2_is_recognised(source):
    assert facts_of(source)[0]["syntaxError"]["python2"] is True


@pytest.mark.parametrize("source", ["x = " + "(" * 3000 + ")" * 3000, "x\0y = 1", "s = '\ud800'", "\udfff", "def f(:\n", "'" * 7, "return 5", "x = " + "-" * 100_000 + "1"])
def test_hostile_cells_give_an_error_and_no_exception(source):
    cell = facts_of(source)[0]
    assert cell["syntaxError"] is not None or cell["statements"]


def test_top_level_await_is_fine():
    cell = facts_of("r = await f()")[0]
    assert cell["syntaxError"] is None and cell["statements"][0]["habits"][0]["kind"] == "await"


def test_columns_count_utf16_units_of_the_cell():
    read = last("é = '𝒳' + name")["reads"][0]
    assert (read["span"]["column"], read["span"]["endColumn"]) == (11, 15)


def test_columns_keep_an_indent_that_ipython_strips():
    read = last("    x = name")["reads"][0]
    assert read["span"]["column"] in (4, 8)


def _symbols(table, node_scopes, found):
    for child in table.get_children():
        found.append(child)
        _symbols(child, node_scopes, found)


@pytest.mark.parametrize("module", ["argparse", "dataclasses", "typing", "functools", "inspect", "statistics", "enum", "contextlib", "asyncio/base_events", "json/decoder", "unittest/mock", "concurrent/futures/process"])
def test_owned_names_agree_with_symtable(module):
    path = pathlib.Path(ast.__file__).parent / f"{module}.py"
    text = path.read_text(encoding="utf-8")
    tables = []
    _symbols(symtable.symtable(text, str(path), "exec"), None, tables)
    by_place = {}
    for table in tables:
        if table.get_type() in ("function", "class") and table.get_name() not in ("listcomp", "setcomp", "dictcomp", "genexpr"):
            by_place.setdefault((table.get_name(), table.get_lineno()), []).append(table)
    checked = 0
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        line = node.decorator_list[0].lineno if node.decorator_list else node.lineno
        tables_here = by_place.get((node.name, line)) or by_place.get((node.name, node.lineno))
        assert tables_here, (node.name, line)
        if len(tables_here) != 1:
            continue
        owned = {symbol.get_name() for symbol in tables_here[0].get_symbols() if symbol.is_local() or symbol.is_parameter()}
        scope = {_mangled(name, tables_here[0], owned) for name in Scope(node).names} - {"__class__"}
        assert scope == {name for name in owned if not name.startswith(".") } - {"__class__", "__classdict__"}, node.name
        checked += 1
    assert checked > 3


def _mangled(name, table, owned):
    if name.startswith("__") and not name.endswith("__"):
        return next((other for other in owned if other.endswith(name) and other.startswith("_")), name)
    return name
