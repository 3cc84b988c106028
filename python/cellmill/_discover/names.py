"""Names: what imports bind, dotted chains (`helpers.sub.clean`), and which names of a statement are global in it.

Scopes are decided by the interpreter's own `symtable`, statement by statement; in doubt a name counts as global.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator

# [module, level, attribute or None]: `from ..a import b` binds b to ["a", 2, "b"]; `import a.b` binds a to ["a", 0, None].
Target = list[object]


def bindings_of(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Target]]:
    """Names that an import binds; a star binds none that we can know here."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname is not None:
                yield alias.asname, [alias.name, 0, None]
            else:
                yield alias.name.partition(".")[0], [alias.name.partition(".")[0], 0, None]
        return
    for alias in node.names:
        if alias.name != "*":
            yield alias.asname or alias.name, [node.module or "", node.level, alias.name]


def dotted_target(target: Target) -> str:
    """`pandas.DataFrame`; relative imports keep their dots (`..a.b`)."""
    module, level, attribute = target
    text = "." * int(str(level)) + str(module)
    if attribute is None:
        return text
    return f"{text}.{attribute}" if module else f"{text}{attribute}"


def chain_of(node: ast.AST) -> list[str] | None:
    """`a.b.c` as a list, or None when it does not begin with a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    parts.append(node.id)
    return parts[::-1]


class Aliases:
    """From a name as written to what it stands for, through the module's imports and then a unit's own."""

    def __init__(self, known: dict[str, str] | None = None) -> None:
        self.known = dict(known or {})

    def with_imports(self, nodes: list[ast.Import | ast.ImportFrom]) -> Aliases:
        inner = Aliases(self.known)
        for node in nodes:
            for name, target in bindings_of(node):
                inner.known[name] = dotted_target(target)
        return inner

    def dotted(self, node: ast.AST) -> str | None:
        """Canonical dotted name: `pd.DataFrame` and `pandas.DataFrame` are both `pandas.DataFrame`."""
        chain = chain_of(node)
        if chain is None:
            return None
        return ".".join([self.known.get(chain[0], chain[0]), *chain[1:]])

    def text(self, node: ast.AST) -> str:
        """An annotation's text in canonical form."""
        return ast.unparse(_Canonical(self).visit(_copy(node)))


class _Canonical(ast.NodeTransformer):
    def __init__(self, aliases: Aliases) -> None:
        self.aliases = aliases

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(self.aliases.known.get(node.id, node.id), ast.Load()), node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str):
            return node
        try:
            inner = ast.parse(node.value, mode="eval").body
        except (SyntaxError, ValueError):
            return node
        return self.visit(inner)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        node.value = self.visit(node.value)
        # Strings in Literal are values, not names.
        if self.aliases.dotted(node.value) not in ("typing.Literal", "typing_extensions.Literal"):
            node.slice = self.visit(node.slice)
        return node


def _copy(node: ast.AST) -> ast.AST:
    return ast.parse(ast.unparse(node), mode="eval").body


def imports_in(node: ast.AST) -> list[ast.Import | ast.ImportFrom]:
    return [inner for inner in ast.walk(node) if isinstance(inner, (ast.Import, ast.ImportFrom))]


def global_names(source: str) -> set[str]:
    """Names that the statement may read from the module's namespace or the builtins, nested scopes included."""
    names: set[str] = set()
    _collect(symtable.symtable(source, "<unit>", "exec"), names)
    return names


def _collect(table: symtable.SymbolTable, names: set[str]) -> None:
    kind = str(table.get_type())
    # A class body reads the module's name where its own is not bound yet.
    top = kind.lower().endswith("module")
    loose = top or kind.lower().endswith("class")
    for symbol in table.get_symbols():
        if (symbol.is_referenced() and loose) or (symbol.is_global() and not top):
            names.add(symbol.get_name())
    for child in table.get_children():
        _collect(child, names)


def bound_names(node: ast.stmt) -> set[str]:
    """Names that a top-level statement binds or deletes in the module, nested blocks included, scopes not."""
    names: set[str] = set()
    stack: list[ast.AST] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(current.name)
            continue
        if isinstance(current, ast.Lambda):
            continue
        if isinstance(current, ast.comprehension):
            # Its target lives in a scope of its own.
            stack.extend([current.iter, *current.ifs])
            continue
        if isinstance(current, (ast.Import, ast.ImportFrom)):
            names.update(name for name, _ in bindings_of(current))
        elif isinstance(current, ast.Name) and not isinstance(current.ctx, ast.Load):
            names.add(current.id)
        elif isinstance(current, ast.ExceptHandler) and current.name:
            names.add(current.name)
        elif isinstance(current, (ast.MatchAs, ast.MatchStar)) and current.name:
            names.add(current.name)
        elif isinstance(current, ast.MatchMapping) and current.rest:
            names.add(current.rest)
        stack.extend(ast.iter_child_nodes(current))
    return names
