"""What statements import, bind and export, each looked at by itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .names import Target, bindings_of, bound_names, imports_in
from .uses import WORD

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_IMPORT_ERRORS = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))


def module_imports(tree: ast.AST) -> list[ast.Import | ast.ImportFrom]:
    """Imports that run when the module does: not those inside functions and classes."""
    found: list[ast.Import | ast.ImportFrom] = []
    stack = list(ast.iter_child_nodes(tree))[::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.append(node)
        elif not isinstance(node, _SCOPES):
            stack.extend(list(ast.iter_child_nodes(node))[::-1])
    return found


def is_star_of_cellmill(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "cellmill" and any(a.name == "*" for a in node.names)


def modules_of(node: ast.Import | ast.ImportFrom) -> list[Target]:
    if isinstance(node, ast.Import):
        return [[alias.name, 0, None] for alias in node.names]
    return [[node.module or "", node.level, None]]


def is_future(node: ast.Import | ast.ImportFrom) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def rebound_names(bound: list[tuple[ast.stmt, set[str]]]) -> set[str]:
    """Names that several statements bind: which of them holds depends on order, so none of them is a unit."""
    seen: dict[str, object] = {}
    twice: set[str] = set()
    for node, names in bound:
        targets = dict(bindings_of(node)) if isinstance(node, (ast.Import, ast.ImportFrom)) else {}
        if isinstance(node, ast.AnnAssign) and node.value is None:
            continue
        for name in names:
            target = targets.get(name, object())
            if name in seen and seen[name] != target:
                twice.add(name)
            seen[name] = target
    return twice


def optional_imports(tree: ast.AST) -> set[int]:
    """Imports whose failure the code itself handles."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Try):
            continue
        kinds = {
            name.id
            for handler in node.handlers
            for name in (ast.walk(handler.type) if handler.type is not None else [ast.Name("Exception", ast.Load())])
            if isinstance(name, ast.Name)
        }
        if kinds & _IMPORT_ERRORS:
            for part in [*node.body, *node.handlers]:
                found.update(id(inner) for inner in imports_in(part))
    return found


def plain_targets(targets: list[ast.expr]) -> list[str]:
    """Names bound by `A = ..`, `A = B = ..`, `A, B = ..`; empty for anything else."""
    names: list[str] = []
    for target in targets:
        parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        for part in parts:
            if not isinstance(part, ast.Name):
                return []
            names.append(part.id)
    return names


def exports_after(node: ast.stmt, before: list[str] | str | None) -> list[str] | str | None:
    """`__all__` once the statement has run: its names, or `computed` when they are not written out once."""
    if "__all__" not in bound_names(node) and not _touches_exports(node):
        return before
    if isinstance(node, ast.Assign) and before is None and isinstance(node.value, (ast.List, ast.Tuple)):
        names = [item.value for item in node.value.elts if isinstance(item, ast.Constant)]
        if len(names) == len(node.value.elts) and all(isinstance(name, str) for name in names):
            return [str(name) for name in names]
    return "computed"


def _touches_exports(node: ast.stmt) -> bool:
    if isinstance(node, _SCOPES):
        return False
    return any(isinstance(inner, ast.Name) and inner.id == "__all__" for inner in ast.walk(node))


def quoted_types(nodes: list[ast.AST]) -> set[str]:
    """Names in annotations that are texts: pydantic and the like look them up."""
    notes = [
        note for node in nodes for note in (getattr(node, "annotation", None), getattr(node, "returns", None)) if note
    ]
    texts = [inner.value for note in notes for inner in ast.walk(note) if isinstance(inner, ast.Constant)]
    return {word for text in texts if isinstance(text, str) for word in WORD.findall(text)}


def eager_parts(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that are evaluated when the statement runs: not the bodies of functions, but their defaults and the like."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        for name, value in ast.iter_fields(current):
            if name == "body" and isinstance(current, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                continue
            stack.extend(part for part in (value if isinstance(value, list) else [value]) if isinstance(part, ast.AST))


def first_line(node: ast.stmt) -> int:
    return min([node.lineno, *[decorator.lineno for decorator in getattr(node, "decorator_list", [])]])
