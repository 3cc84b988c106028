"""Project files that code reaches beside itself: through `__file__`, `importlib.resources`, `pkgutil`, literal paths.

A path is {base, parts, exact}: `base` is `__file__`, `package:NAME`, `name:CHAIN` (a global that may hold such a path)
or `literal`; `parts` are literal segments, `..` going up. Not exact means that anything below it may be read.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from .names import Aliases, chain_of

_SAME = frozenset(
    "pathlib.Path pathlib.PurePath pathlib.PosixPath str os.fspath os.path.abspath os.path.realpath os.path.normpath".split()
)
_SAME_METHODS = frozenset(("resolve", "absolute", "as_posix", "expanduser", "__str__", "__fspath__"))
_FILES = frozenset(("importlib.resources.files", "importlib_resources.files"))
_GETTERS = frozenset(
    "pkgutil.get_data importlib.resources.read_text importlib.resources.read_binary importlib.resources.open_text "
    "importlib.resources.open_binary importlib.resources.path importlib.resources.contents".split()
)
_JOINERS = frozenset(("os.path.join", "posixpath.join"))
_READERS = ("open", "read_text", "read_bytes")
_MAX_LITERAL = 300


@dataclass(frozen=True)
class Path:
    base: str
    parts: tuple[str, ...] = ()
    exact: bool = True

    def join(self, part: str) -> Path:
        return replace(self, parts=(*self.parts, part)) if self.exact else self

    def unknown(self) -> Path:
        return replace(self, exact=False)

    def json(self) -> list[object]:
        return [self.base, list(self.parts), self.exact]


class Paths:
    """Evaluates path expressions of one unit; `globals_` are the names that come from the module."""

    def __init__(self, aliases: Aliases, globals_: set[str], unit: ast.AST) -> None:
        self.aliases = aliases
        self.globals = globals_
        self.local: dict[str, Path] = {}
        self._read_locals(unit)

    def value(self, node: ast.AST) -> Path | None:
        match node:
            case ast.Name(id="__file__"):
                return Path("__file__")
            case ast.Name(id=name):
                return self.local.get(name) or (Path(f"name:{name}") if name in self.globals else None)
            case ast.Attribute(attr="parent", value=inner):
                found = self.value(inner)
                return found and found.join("..")
            case ast.Attribute(attr="__file__", value=inner):
                chain = chain_of(inner)
                return Path("file:" + ".".join(chain)) if chain else None
            case ast.Attribute():
                chain = chain_of(node)
                return Path("name:" + ".".join(chain)) if chain and chain[0] in self.globals else None
            case ast.Subscript(value=ast.Attribute(attr="parents", value=inner), slice=ast.Constant(value=int(up))):
                found = self.value(inner)
                for _ in range(min(up, 50) + 1):
                    found = found and found.join("..")
                return found
            case ast.BinOp(left=left, op=ast.Div() | ast.Add(), right=right):
                return self._joined(self.value(left), [right])
            case ast.JoinedStr(values=[ast.FormattedValue(value=first), *rest]):
                return self._joined(self.value(first), rest)
            case ast.Call():
                return self._call(node)
        return None

    def found(self, unit: ast.AST) -> list[list[object]]:
        """Every path that the unit builds, each as far as it is known."""
        seen: dict[str, list[object]] = {}
        self._visit(unit, seen)
        return [seen[key] for key in sorted(seen)]

    def _visit(self, node: ast.AST, seen: dict[str, list[object]]) -> None:
        literal = self._literal(node)
        path = self.value(node) if isinstance(node, ast.expr) else None
        found = literal or path
        if found is not None and not (isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)):
            seen[repr(found)] = found.json()
            if path is not None:
                # What it is built from is not used by itself; what it is joined with may be.
                for child in ast.walk(node):
                    if child is not node and isinstance(child, (ast.Lambda, ast.IfExp, ast.Subscript)):
                        self._children(child, seen)
                return
        self._children(node, seen)

    def _children(self, node: ast.AST, seen: dict[str, list[object]]) -> None:
        for child in ast.iter_child_nodes(node):
            # A local alias is followed to its uses.
            if isinstance(child, ast.Assign) and self._aliased(child):
                continue
            self._visit(child, seen)

    def _aliased(self, node: ast.Assign) -> bool:
        target = node.targets[0]
        return len(node.targets) == 1 and isinstance(target, ast.Name) and target.id in self.local

    def _read_locals(self, unit: ast.AST) -> None:
        """Locals of functions that are assigned once, to a path."""
        if not isinstance(unit, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return
        stores: dict[str, int] = {}
        for node in ast.walk(unit):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                stores[node.id] = stores.get(node.id, 0) + 1
        arguments = {node.arg for node in ast.walk(unit) if isinstance(node, ast.arg)}
        for node in ast.walk(unit):
            if not isinstance(node, ast.Assign) or len(node.targets) != 1:
                continue
            target = node.targets[0]
            if isinstance(target, ast.Name) and stores.get(target.id) == 1 and target.id not in arguments:
                path = self.value(node.value)
                if path is not None and not path.base.startswith("name:"):
                    self.local[target.id] = path

    def _call(self, node: ast.Call) -> Path | None:
        dotted = self.aliases.dotted(node.func)
        if dotted in _SAME and len(node.args) == 1:
            return self.value(node.args[0])
        if dotted == "os.path.dirname" and len(node.args) == 1:
            found = self.value(node.args[0])
            return found and found.join("..")
        if dotted in _SAME | _JOINERS and node.args:
            return self._joined(self.value(node.args[0]), node.args[1:])
        if dotted in _FILES:
            return self._package(node.args[0]) if node.args else Path("__file__").join("..").unknown()
        if dotted in _GETTERS:
            return self._joined(self._package(node.args[0]), node.args[1:2]) if node.args else None
        if isinstance(node.func, ast.Attribute):
            inner = self.value(node.func.value)
            if inner is None or inner.base.startswith("name:") and not self._is_path_method(node.func.attr):
                return None
            return self._method(node, inner)
        return None

    def _is_path_method(self, name: str) -> bool:
        return name in _SAME_METHODS or name in ("joinpath", "with_name", "with_suffix", "with_stem")

    def _method(self, node: ast.Call, inner: Path) -> Path | None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in _SAME_METHODS:
            return inner
        if name == "joinpath":
            return self._joined(inner, node.args)
        if name == "with_name":
            return self._joined(inner.join(".."), node.args)
        if name in ("with_suffix", "with_stem"):
            return inner.join("..").unknown()
        return None

    def _package(self, node: ast.AST) -> Path:
        match node:
            case ast.Constant(value=str(name)):
                return Path(f"package:{name}")
            case ast.Name(id="__name__" | "__package__"):
                return Path("__file__").join("..")
        chain = chain_of(node)
        return Path("package:" + (self.aliases.dotted(node) or "")) if chain else Path("__file__").join("..").unknown()

    def _joined(self, base: Path | None, parts: list[ast.expr]) -> Path | None:
        if base is None:
            return None
        for part in parts:
            match part:
                case ast.Constant(value=str(text)):
                    for segment in text.split("/"):
                        if segment not in ("", "."):
                            base = base.join(segment)
                case _:
                    base = base.unknown()
        return base

    def _literal(self, node: ast.AST) -> Path | None:
        """`open("query.sql")`: counts when a project file of that name is there."""
        if not isinstance(node, ast.Call):
            return None
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name not in _READERS and not name.startswith(("read_", "load", "scan_", "Path")):
            return None
        arguments = list(node.args[:1])
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call):
            arguments += function.value.args[:1]
        for argument in arguments:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                text = argument.value
                if 0 < len(text) <= _MAX_LITERAL and "\n" not in text and ":" not in text and not text.startswith("/"):
                    return Path("literal", tuple(part for part in text.split("/") if part not in ("", ".")))
        return None
