"""Which names a cell can reach and which share state, over real values and real code objects."""

from __future__ import annotations

import collections
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cellmill._notebook.observe_names import (  # noqa: E402
    Reach,
    UserNames,
    alias_groups,
    reachable,
    shared_buffers,
    walk_value,
)


def reaches(namespace: dict) -> tuple[dict[str, Reach], list]:
    walks = {name: walk_value(value) for name, value in namespace.items()}
    found = {name: Reach(namespace[name], walk, problem, namespace) for name, (walk, problem, _) in walks.items()}
    return found, list(walks.values())


def cell(source: str, namespace: dict) -> set[str]:
    known, _ = reaches({name: value for name, value in namespace.items() if name != "__builtins__"})
    return reachable([compile(source, "<cell>", "exec")], namespace, known)


def defined(source: str) -> dict:
    namespace: dict = {"__name__": "__main__"}
    exec(compile(source, "<cell>", "exec"), namespace)
    del namespace["__builtins__"], namespace["__name__"]
    return namespace


def test_a_cell_reaches_what_functions_that_it_names_reach() -> None:
    namespace = defined("a = [1]\nb = [2]\nc = [3]\ndef inner(): return a\ndef outer(): return inner()")
    namespace_globals = namespace["outer"].__globals__
    namespace_globals.update(namespace)
    known, _ = reaches(namespace)
    for name, value in namespace.items():
        if callable(value):
            known[name].code = [value.__code__]
    assert reachable([compile("outer()", "<cell>", "exec")], namespace, known) == {"outer", "inner", "a"}


@pytest.mark.parametrize("source", ["exec(text)", "globals()['a']", "get_ipython().run_line_magic('run', 'x.py')"])
def test_a_computed_access_reaches_every_name(source: str) -> None:
    namespace = defined("a = [1]\nb = [2]\ntext = ''")
    assert cell(source, namespace) == {"a", "b", "text"}


def test_names_in_strings_count_and_other_names_do_not() -> None:
    namespace = defined("a = [1]\nb = [2]")
    assert cell("print('{a}')", namespace) == {"a"}
    assert cell("get_ipython().run_cell_magic('time', '', 'b.append(1)')", namespace) == {"b"}


def test_the_same_object_under_several_names_is_one_group_however_deep() -> None:
    shared = [1]
    namespace = {"a": shared, "b": {"x": (shared,)}, "c": [1], "d": collections.deque([shared]), "n": 5}
    found, _ = reaches(namespace)
    assert alias_groups(found) == [["a", "b", "d"]]


def test_instances_of_one_class_are_not_one_object() -> None:
    namespace = defined("class A:\n    common = []\n    def __init__(self): self.own = []\nx = A()\ny = A()")
    found, _ = reaches(namespace)
    assert alias_groups({name: found[name] for name in ("x", "y")}) == []


def test_bound_methods_and_closures_share_with_what_they_hold() -> None:
    namespace = defined("a = [1]\npush = a.append\ndef make():\n    kept = a\n    return lambda: kept\nf = make()")
    found, _ = reaches(namespace)
    assert alias_groups(found) == [["a", "f", "push"]]


def test_what_cannot_be_encoded_shares_with_what_it_holds() -> None:
    namespace = defined("a = [1]\ng = (x for x in a)\nit = iter(a)\nz = zip([1], [2])\nf = open('/dev/null')\nh = [f]\nn = [2]")
    found, _ = reaches(namespace)
    assert alias_groups(found) == [["a", "g", "it"], ["f", "h"]]


def test_views_share_memory_and_copies_do_not() -> None:
    array = np.arange(10.0)
    frame = pd.DataFrame({"x": array}, copy=False)
    namespace = {"array": array, "part": array[3:], "frame": frame, "copy": array.copy(), "empty": array[:0]}
    found, _ = reaches(namespace)
    assert alias_groups(found) == []
    assert shared_buffers(found) == {
        "array": {"part", "frame"},
        "part": {"array", "frame"},
        "frame": {"array", "part"},
    }


def test_parts_that_do_not_overlap_do_not_share() -> None:
    array = np.arange(10.0)
    found, _ = reaches({"left": array[:5], "right": array[5:]})
    assert shared_buffers(found) == {}


def test_names_of_ipython_are_not_the_users_and_a_user_may_take_one_over() -> None:
    namespace = {"In": [], "exit": print}
    names = UserNames(namespace, dict(namespace))
    namespace.update({"_": 1, "_12": 2, "_i3": "", "__": 3, "x": 1, "_private": 2, 5: "odd"})
    assert names.current() == {"x": 1, "_private": 2}


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, RecursionError])
def test_a_value_whose_own_code_fails_is_a_problem_and_no_error(error: type[BaseException]) -> None:
    class Hostile:
        def __reduce_ex__(self, protocol: int) -> object:
            raise error

    _, problem, _ = walk_value(Hostile())
    assert problem
