"""What is known of values and names without running anything: types, and what may share memory.

Invariant: an empty tuple of types means *unknown*; every question answered from it must assume the worst. Types are
names from the effect catalogue, `user:NAME` for classes of the notebook, `none` for None.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Callable

MAX_TYPES = 6


@dataclass
class FunctionInfo:
    parameters: list[str]
    mutates: set[int] = field(default_factory=set)
    may_mutate: set[int] = field(default_factory=set)
    # Positions of parameters that a result may be or hold.
    returns_parameters: set[int] = field(default_factory=set)
    returns: tuple[str, ...] = ()
    # False when arguments cannot be matched to parameters by position (`*args`, decorators).
    plain: bool = True
    # The same function as read with these types of its parameters.
    specialise: Callable[[tuple[tuple[str, ...], ...]], FunctionInfo] | None = None

    def called_with(self, node: ast.Call, types_of: Callable[[ast.expr], tuple[str, ...]], skipped: int = 0) -> FunctionInfo:
        """What is known of the function for this call."""
        if self.specialise is None or not self.plain or any(isinstance(part, ast.Starred) for part in node.args):
            return self
        given: dict[str, tuple[str, ...]] = {}
        for position, argument in enumerate(node.args):
            if position + skipped < len(self.parameters):
                given[self.parameters[position + skipped]] = types_of(argument)
        for keyword in node.keywords:
            if keyword.arg is not None:
                given[keyword.arg] = types_of(keyword.value)
        if not any(given.values()):
            return self
        return self.specialise(tuple(given.get(name, ()) for name in self.parameters))


@dataclass
class ClassInfo:
    methods: dict[str, FunctionInfo] = field(default_factory=dict)
    # False when a base or metaclass is unknown, or attribute access is hooked.
    closed: bool = True


@dataclass
class Value:
    types: tuple[str, ...] = ()
    # Full path of an imported module or of something in one.
    dotted: str | None = None
    constant: str | None = None
    function: FunctionInfo | None = None
    klass: ClassInfo | None = None
    # A text with values of variables in it.
    formatted: bool = False


UNKNOWN_VALUE = Value()


class Env:
    """Names to values; a function's environment shadows the one around its definition."""

    def __init__(self, parent: Env | None = None, owned: frozenset[str] = frozenset(), unstable: frozenset[str] = frozenset()) -> None:
        self.values: dict[str, Value] = {}
        self.parent = parent
        self.owned = owned
        # Names of the module that may hold something else by the time a body runs.
        self.unstable = unstable

    def get(self, name: str) -> Value | None:
        """None: not bound here; then it is a builtin or undefined."""
        if name in self.values:
            return self.values[name]
        if name in self.owned:
            return UNKNOWN_VALUE
        found = self.parent.get(name) if self.parent else None
        return UNKNOWN_VALUE if found is not None and name in self.unstable else found

    def set(self, name: str, value: Value) -> None:
        self.values[name] = value

    def forget(self, name: str) -> None:
        self.values.pop(name, None)

    def snapshot(self) -> dict[str, Value]:
        return dict(self.values)

    def merge(self, branches: list[dict[str, Value]]) -> None:
        """After branches that met again: what they disagree on has all their types and no constant."""
        names = {name for branch in branches for name in branch}
        merged: dict[str, Value] = {}
        for name in names:
            found = [branch.get(name) for branch in branches]
            first = found[0]
            if first is not None and all(other is first for other in found):
                merged[name] = first
                continue
            known = [value for value in found if value is not None]
            types = union_types([value.types for value in known]) if len(known) == len(branches) else ()
            dotted = {value.dotted for value in known}
            one = known[0]
            # `try: import a as m; except: import b as m`: the first reading is kept, since nothing is ordered by it.
            merged[name] = Value(types, one.dotted if len(dotted) == 1 or one.dotted else None, None, one.function, one.klass)
        self.values = merged


def union_types(groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    if any(not group for group in groups):
        return ()
    types = tuple(dict.fromkeys(name for group in groups for name in group))
    return types if len(types) <= MAX_TYPES else ()


def root_name(node: ast.expr) -> ast.Name | None:
    """The name at the start of `a.b[0].c`; through calls too when `calls` are methods of it."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return node if isinstance(node, ast.Name) else None


def access_path(node: ast.expr) -> list[str]:
    """At most the first two steps after the root: `.b` for attributes, the text of literal subscripts, else `*`."""
    steps: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute):
            steps.append("." + node.attr)
        else:
            index = node.slice
            steps.append(str(index.value) if isinstance(index, ast.Constant) and isinstance(index.value, (str, int)) else "*")
        node = node.value
    return [step[:200] for step in reversed(steps)][:2]


def passes_true(node: ast.Call, keyword: str) -> bool:
    return any(part.arg == keyword and not (isinstance(part.value, ast.Constant) and not part.value.value) for part in node.keywords)


def passes_seed(node: ast.Call, names: str) -> bool:
    """True when a seed other than None is given, by keyword or position (`0|seed`), or arguments are spread."""
    position, _, keyword = names.rpartition("|")
    if position and int(position) < len(node.args):
        argument = node.args[int(position)]
        return not (isinstance(argument, ast.Constant) and argument.value is None)
    for part in node.keywords:
        if part.arg is None:
            return True
        if part.arg == keyword:
            return not (isinstance(part.value, ast.Constant) and part.value.value is None)
    return False
