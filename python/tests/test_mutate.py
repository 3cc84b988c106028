"""Mutants differ from the original in one place and still parse."""

import ast

from cellmill._notebook.mutate import mutants


def test_operators_constants_and_results_are_changed():
    text = "def f(x):\n    y = x * 3  # kept\n    return y, 'a'\n"
    found = mutants(text, "f")
    assert {mutant["what"] for mutant in found} == {"* became +", "3 became 4", "a part of the result left out"}
    for mutant in found:
        ast.parse(mutant["text"])
        assert "# kept" in mutant["text"]


def test_a_query_without_operators_has_a_mutant_by_its_result():
    assert [mutant["line"] for mutant in mutants("def f(x):\n    return g(x).df()\n", "f")] == [2]


def test_defaults_and_decorators_are_left_alone():
    text = "@asset(kind='object')\ndef f(x, *, n=3):\n    return x\n"
    assert all("n=3" in mutant["text"] and "kind='object'" in mutant["text"] for mutant in mutants(text, "f"))


def test_an_unknown_function_has_none():
    assert mutants("x = 1\n", "f") == []
