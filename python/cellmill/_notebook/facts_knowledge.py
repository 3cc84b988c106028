"""Answers on expressions, from the effect catalogue and what is known of names: types, import paths, effects, constants.

An empty tuple of types means *unknown*: whoever asks must assume the worst.
"""

from __future__ import annotations

import ast
import builtins

from cellmill._notebook.facts_effects import Catalogue, Effect
from cellmill._notebook.facts_values import Env, passes_seed, passes_true, union_types

MAX_CONSTANT = 2_000
_DISPLAYS = {ast.List: "list", ast.ListComp: "list", ast.Dict: "dict", ast.DictComp: "dict", ast.Set: "set", ast.SetComp: "set", ast.Tuple: "tuple", ast.GeneratorExp: "iterator", ast.JoinedStr: "str", ast.Compare: "", ast.Lambda: "function"}
_ELEMENT_TYPES = {"str": ("str",), "range": ("int",), "bytes": ("int",)}
BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython", "__name__", "__doc__", "__builtins__", "exit", "quit"}


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
