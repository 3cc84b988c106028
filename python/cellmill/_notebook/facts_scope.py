"""Which names a function or class body owns, by Python's own scope rules.

Invariant: agrees with `symtable` (a test compares the two over the standard library). A comprehension owns its
targets; a walrus inside one binds in the scope around it; `global` and `nonlocal` names are not owned.
"""

from __future__ import annotations

import ast

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class _Owned(ast.NodeVisitor):
    def __init__(self) -> None:
        self.names: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        # Targets of the comprehensions around the node: the walrus skips them, plain stores are theirs.
        self.in_comprehension = 0

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, (ast.Store, ast.Del)) and not self.in_comprehension:
            self.names.add(node.id)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.names.add(node.target.id)
        self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.names.add(node.name)
        self._around_function(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def _around_function(self, node: FunctionNode) -> None:
        for decorator in getattr(node, "decorator_list", []):
            self.visit(decorator)
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.visit(default)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._around_function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.names.add(node.name)
        for part in [*node.decorator_list, *node.bases, *[keyword.value for keyword in node.keywords]]:
            self.visit(part)

    def _comprehension(self, node: ast.expr) -> None:
        self.in_comprehension += 1
        self.generic_visit(node)
        self.in_comprehension -= 1

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self.names.add(alias.asname or alias.name.partition(".")[0])

    visit_ImportFrom = visit_Import

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.names.add(node.name)
        self.generic_visit(node)

    def _capture(self, node: ast.AST) -> None:
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if isinstance(name, str):
            self.names.add(name)
        self.generic_visit(node)

    visit_MatchAs = visit_MatchStar = visit_MatchMapping = _capture

    def visit_TypeAlias(self, node: ast.AST) -> None:
        self.names.add(node.name.id)

    def visit_Global(self, node: ast.Global) -> None:
        self.globals.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.nonlocals.update(node.names)


def _parameters(arguments: ast.arguments) -> list[str]:
    every = [*arguments.posonlyargs, *arguments.args]
    names = [argument.arg for argument in every]
    if arguments.vararg:
        names.append(arguments.vararg.arg)
    names.extend(argument.arg for argument in arguments.kwonlyargs)
    if arguments.kwarg:
        names.append(arguments.kwarg.arg)
    return names


class Scope:
    """The names owned by a body, its parameters in order, and those it declares global."""

    def __init__(self, node: FunctionNode | ast.ClassDef) -> None:
        owned = _Owned()
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        for part in body:
            owned.visit(part)
        self.is_class = isinstance(node, ast.ClassDef)
        self.parameters = [] if self.is_class else _parameters(node.args)
        self.globals = frozenset(owned.globals)
        self.names = frozenset((owned.names | set(self.parameters)) - owned.globals - owned.nonlocals)


def comprehension_targets(generators: list[ast.comprehension]) -> frozenset[str]:
    names: set[str] = set()
    for generator in generators:
        names.update(node.id for node in ast.walk(generator.target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return frozenset(names)


def is_generator(node: ast.AST) -> bool:
    """True when the body of this function yields, not counting functions inside it."""
    pending = list(node.body) if isinstance(node.body, list) else [node.body]
    while pending:
        part = pending.pop()
        if isinstance(part, (ast.Yield, ast.YieldFrom)):
            return True
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        pending.extend(ast.iter_child_nodes(part))
    return False
