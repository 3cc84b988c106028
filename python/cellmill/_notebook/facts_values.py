"""What is known of values without running anything: types, import paths, constants, and what may share memory.

Invariant: an empty tuple of types means *unknown*; every question answered from it must assume the worst. Types are
names from the effect catalogue, `user:NAME` for classes of the notebook, `none` for None.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass, field
from typing import Callable

from cellmill._notebook.facts_effects import Catalogue, Effect

BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython", "__name__", "__doc__", "__builtins__", "exit", "quit"}
MAX_TYPES = 6
MAX_CONSTANT = 2_000
_DISPLAYS = {ast.List: "list", ast.ListComp: "list", ast.Dict: "dict", ast.DictComp: "dict", ast.Set: "set", ast.SetComp: "set", ast.Tuple: "tuple", ast.GeneratorExp: "iterator", ast.JoinedStr: "str", ast.Compare: "", ast.Lambda: "function"}
_ELEMENT_TYPES = {"str": ("str",), "range": ("int",), "bytes": ("int",)}


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


class Knowledge:
    """Answers questions on expressions with the catalogue and an environment."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def dotted(self, node: ast.expr, env: Env) -> str | None:
        """Full path of a name or attribute chain rooted in an import; None otherwise."""
        steps: list[str] = []
        while isinstance(node, ast.Attribute):
            steps.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        value = env.get(node.id)
        if value is None or value.dotted is None:
            return None
        return ".".join([value.dotted, *reversed(steps)])

    def is_builtin(self, name: str, env: Env) -> bool:
        return name in BUILTINS and env.get(name) is None

    def is_immutable(self, types: tuple[str, ...]) -> bool:
        return bool(types) and all(not self._mutable(name) for name in types)

    def _mutable(self, type_name: str) -> bool:
        if type_name in ("none", "function", "module"):
            return False
        entry = self.catalogue.types.get(type_name)
        return entry is None or entry.mutable

    def types(self, node: ast.expr, env: Env) -> tuple[str, ...]:
        if isinstance(node, ast.Constant):
            return ("none",) if node.value is None else (type(node.value).__name__,)
        if isinstance(node, ast.Name):
            value = env.get(node.id)
            return value.types if value else ()
        if isinstance(node, ast.Call):
            return self._call_types(node, env)
        if isinstance(node, ast.Attribute):
            return self._part_types(node, env)
        if isinstance(node, ast.Subscript):
            return self._part_types(node, env)
        if isinstance(node, ast.IfExp):
            return union_types([self.types(node.body, env), self.types(node.orelse, env)])
        if isinstance(node, ast.NamedExpr):
            return self.types(node.value, env)
        if isinstance(node, (ast.BinOp, ast.UnaryOp)):
            return self._operator_types(node, env)
        if isinstance(node, ast.Compare):
            return self._comparison_types(node, env)
        display = _DISPLAYS.get(type(node))
        return (display,) if display else ()

    def _operator_types(self, node: ast.BinOp | ast.UnaryOp, env: Env) -> tuple[str, ...]:
        if isinstance(node, ast.UnaryOp):
            return ("bool",) if isinstance(node.op, ast.Not) else self.types(node.operand, env)
        left, right = self.types(node.left, env), self.types(node.right, env)
        if left == ("str",):
            return ("str",)
        if left and right and set(left) | set(right) <= {"int", "float", "bool"}:
            return ("float",) if "float" in left + right or isinstance(node.op, ast.Div) else ("int",)
        frames = [types for types in (left, right) if any("." in name for name in types)]
        if frames:
            return frames[0]
        return left if left == right else ()

    def _comparison_types(self, node: ast.Compare, env: Env) -> tuple[str, ...]:
        groups = [self.types(part, env) for part in [node.left, *node.comparators]]
        frames = [types for types in groups if any("." in name for name in types)]
        if frames:
            return frames[0]
        return ("bool",) if all(groups) or isinstance(node.ops[0], (ast.Is, ast.IsNot, ast.In, ast.NotIn)) else ()

    def _part_types(self, node: ast.Attribute | ast.Subscript, env: Env) -> tuple[str, ...]:
        if isinstance(node, ast.Attribute) and self.dotted(node, env):
            return self.catalogue.values.get(self.dotted(node, env) or "", ())
        groups = []
        for name in self.types(node.value, env):
            entry = self.catalogue.part(name, node.attr if isinstance(node, ast.Attribute) else None)
            if entry is None:
                return _ELEMENT_TYPES.get(name, ()) if isinstance(node, ast.Subscript) else ()
            groups.append(entry[0])
        return union_types(groups) if groups else ()

    def _call_types(self, node: ast.Call, env: Env) -> tuple[str, ...]:
        function = node.func
        if isinstance(function, ast.Name):
            value = env.get(function.id)
            if value is not None and value.klass is not None:
                return (f"user:{function.id}",)
            if value is not None and value.function is not None:
                info = value.function
                return info.returns or info.called_with(node, lambda part: self.types(part, env)).returns
        memory = self._in_memory(node, env)
        if memory is not None:
            return (memory,)
        groups = []
        for effect in self.effects(node, env):
            if effect is None:
                return ()
            if effect.inplace and passes_true(node, "inplace") and "none" not in effect.returns:
                groups.append(("none",))
            elif effect.unseeded and not passes_seed(node, "random_state"):
                groups.append((effect.unseeded,))
            elif effect.returns == ("receiver",) and isinstance(function, ast.Attribute):
                groups.append(self.types(function.value, env))
            else:
                groups.append(() if "?" in effect.returns else effect.returns)
        return union_types(groups) if groups else ()

    def _in_memory(self, node: ast.Call, env: Env) -> str | None:
        """A database that ends with the process is not the world outside."""
        dotted = self.dotted(node.func, env)
        if dotted not in ("sqlite3.connect", "sqlalchemy.create_engine", "sqlalchemy.engine.create_engine") or not node.args:
            return None
        where = self.constant(node.args[0], env)
        if dotted == "sqlite3.connect":
            return "sqlite3.MemoryConnection" if where == ":memory:" else None
        return "sqlalchemy.MemoryEngine" if where in ("sqlite://", "sqlite:///:memory:", "duckdb:///:memory:") else None

    def effects(self, node: ast.Call, env: Env) -> list[Effect | None]:
        """What the catalogue says of this call, one entry per type the receiver may have; [None] when unknown."""
        function = node.func
        dotted = self.dotted(function, env)
        if dotted is not None:
            return [self.catalogue.function(dotted)]
        if isinstance(function, ast.Name):
            return [self.catalogue.function(f"builtins.{function.id}") if self.is_builtin(function.id, env) else None]
        if isinstance(function, ast.Attribute):
            types = self.types(function.value, env)
            # A method that one of the types lists is that type's: the others would have raised.
            listing = [name for name in types if self.catalogue.lists(name, function.attr)]
            return [self.catalogue.method(name, function.attr) for name in listing or types] or [None]
        return [None]

    def _is_fixed(self, node: ast.expr, env: Env) -> bool:
        """A literal, or a constant by its name: a table's name, say."""
        return self.constant(node, env) is not None and (not isinstance(node, ast.Name) or node.id.isupper())

    def is_formatted(self, node: ast.expr | None, env: Env) -> bool:
        """True for text into which values of variables are put."""
        if isinstance(node, ast.JoinedStr):
            return any(isinstance(part, ast.FormattedValue) and not self._is_fixed(part.value, env) for part in node.values)
        if isinstance(node, ast.Name):
            value = env.get(node.id)
            return value is not None and value.formatted
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
            texts = [part for part in (node.left, node.right) if self.constant(part, env) is not None]
            return len(texts) == 1 or any(self.is_formatted(part, env) for part in (node.left, node.right))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            return isinstance(node.func.value, (ast.Constant, ast.Name)) and bool(node.args or node.keywords)
        return False

    def constant(self, node: ast.expr | None, env: Env, depth: int = 0) -> str | None:
        """Text that an expression has, with `*` for parts that are not known; None when nothing is known."""
        if node is None or depth > 40:
            return None
        if isinstance(node, ast.Constant):
            return str(node.value)[:MAX_CONSTANT] if isinstance(node.value, (str, int)) else None
        if isinstance(node, ast.Name):
            value = env.get(node.id)
            return value.constant if value else None
        if isinstance(node, ast.JoinedStr):
            return "".join(self._fstring_part(part, env, depth) for part in node.values)[:MAX_CONSTANT]
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Div)):
            return self._joined(node, env, depth)
        if isinstance(node, ast.Call):
            return self._constant_call(node, env, depth)
        return None

    def _fstring_part(self, part: ast.expr, env: Env, depth: int) -> str:
        if isinstance(part, ast.Constant):
            return str(part.value)
        known = self.constant(part.value, env, depth + 1) if isinstance(part, ast.FormattedValue) else None
        return "*" if known is None else known

    def _joined(self, node: ast.BinOp, env: Env, depth: int) -> str | None:
        left, right = self.constant(node.left, env, depth + 1), self.constant(node.right, env, depth + 1)
        if left is None and right is None:
            return None
        slash = isinstance(node.op, ast.Div) and not (left or "").endswith("/")
        return f"{'*' if left is None else left}{'/' if slash else ''}{'*' if right is None else right}"[:MAX_CONSTANT]

    def _constant_call(self, node: ast.Call, env: Env, depth: int) -> str | None:
        dotted = self.dotted(node.func, env)
        if dotted in ("os.path.join", "posixpath.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath"):
            parts = [self.constant(argument, env, depth + 1) for argument in node.args]
            if not parts:
                return "." if dotted != "os.path.join" else None
            return "/".join("*" if part is None else part.rstrip("/") or "/" for part in parts).replace("//", "/" if not str(parts[0]).startswith(("http", "s3", "ftp")) else "//")
        if dotted in ("os.path.expanduser", "os.path.abspath", "os.path.normpath", "builtins.str") or (isinstance(node.func, ast.Name) and node.func.id == "str"):
            return self.constant(node.args[0], env, depth + 1) if node.args else None
        if isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            template = self.constant(node.func.value, env, depth + 1)
            if template is not None:
                import re

                return re.sub(r"\{[^{}]*\}", "*", template)
        return None


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
