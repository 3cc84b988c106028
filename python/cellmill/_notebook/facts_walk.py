"""Walks statements in the order in which Python runs them and records what they bind, read and change.

Invariant: a name counts as certainly bound only if every way through the statement binds it, and a read counts unless
the name is certainly bound before it in the same statement. One walker serves module level and function bodies. Expressions
are in facts_expressions, names in facts_names, calls in facts_calls, definitions in facts_definitions.
"""

from __future__ import annotations

import ast
from typing import Callable

from cellmill._notebook.facts_alias import Sources, sources_of
from cellmill._notebook.facts_calls import record_call
from cellmill._notebook.facts_definitions import record_class, record_function, record_lambda
from cellmill._notebook.facts_expressions import Expressions
from cellmill._notebook.facts_imports import record_import
from cellmill._notebook.facts_scope import COMPREHENSIONS
from cellmill._notebook.facts_values import Value

_SUPPRESSORS = ("suppress", "raises", "assertRaises", "assertRaisesRegex", "ignored")


class Walker(Expressions):
    def body(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        method = getattr(self, "_" + type(node).__name__, None)
        if method is not None:
            method(node)

    def _Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            record_call(self, node.value, is_statement=True)
        else:
            self.expression(node.value)

    def _Assign(self, node: ast.Assign) -> None:
        first = node.targets[0]
        if isinstance(node.value, ast.Lambda) and isinstance(first, ast.Name):
            record_lambda(self, node.value, first.id, immediate=False)
            return
        self.expression(node.value)
        for target in node.targets:
            self.assign(target, node.value)
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        for name in names[1:]:
            if not self.is_local(name) and not self.knowledge.is_immutable(self.knowledge.types(node.value, self.env)):
                self.record.alias(name, names[0], "same")

    def _AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.expression(node.value)
        if not self.context.lazy_annotations and self.scope is None:
            self.expression(node.annotation)
        if node.value is not None:
            self.assign(node.target, node.value)

    def _AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            self.read(target, [])
            self.expression(node.value)
            types = self.knowledge.types(target, self.env)
            known = self.env.get(target.id) or Value()
            if not self.knowledge.is_immutable(types):
                self.mutate(target.id, [], target, "augmented", bool(types))
            self.bind(target.id, Value(types or self.knowledge.types(node.value, self.env) if types else (), known.dotted))
            return
        self.read_part(target)
        self.expression(node.value)
        self.store(target, "subscript" if isinstance(target, ast.Subscript) else "attribute")

    def _Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._delete(target)

    def _delete(self, target: ast.expr) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self._delete(part)
            return
        if not isinstance(target, ast.Name):
            self.read_part(target)
            self.store(target, "subscript" if isinstance(target, ast.Subscript) else "attribute")
            return
        name = target.id
        if self.is_local(name):
            return
        self.read(target, [])
        self.env.forget(name)
        if name in self.record.bound and self.depth == 0:
            self.record.bound.remove(name)
        if self.depth == 0:
            self.record.deletes.append(name)
        elif name not in self.definite:
            self.record.mutate(name, [], self.span(target), "delete", False)
        self.definite.discard(name)

    def _Import(self, node: ast.Import | ast.ImportFrom) -> None:
        record_import(self, node)

    _ImportFrom = _Import

    def _FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        record_function(self, node)

    _AsyncFunctionDef = _FunctionDef

    def _ClassDef(self, node: ast.ClassDef) -> None:
        record_class(self, node)

    def _TypeAlias(self, node: ast.AST) -> None:
        self.bind(node.name.id, Value())

    def _Return(self, node: ast.Return) -> None:
        self.expression(node.value)
        if node.value is not None:
            self.returned.append(node.value)
            self.returned_types.append(self.knowledge.types(node.value, self.env))
        else:
            self.returned_types.append(("none",))
        self.dead = True

    def _Raise(self, node: ast.Raise) -> None:
        self.expression(node.exc)
        self.expression(node.cause)
        self.dead = True

    def _Break(self, _node: ast.stmt) -> None:
        self.dead = True

    _Continue = _Break

    def _Assert(self, node: ast.Assert) -> None:
        self._short_circuit(node.test, [node.msg] if node.msg else [])

    def branches(self, ways: list[Callable[[], None]]) -> None:
        """Runs alternatives from the same state; what all living ones agree on holds afterwards."""
        start, start_values, was_dead = set(self.definite), self.env.snapshot(), self.dead
        living: list[set[str]] = []
        values: list[dict[str, Value]] = []
        self.depth += 1
        for way in ways:
            self.definite, self.dead = set(start), was_dead
            self.env.values = dict(start_values)
            way()
            if not self.dead:
                living.append(self.definite)
                values.append(self.env.snapshot())
        self.depth -= 1
        self.dead = not living
        self.definite = set.intersection(*living) if living else start
        if values:
            self.env.merge(values)
        else:
            self.env.values = start_values

    def _If(self, node: ast.If) -> None:
        self.expression(node.test)
        self.branches([lambda: self.body(node.body), lambda: self.body(node.orelse)])

    def _For(self, node: ast.For | ast.AsyncFor) -> None:
        self.expression(node.iter)

        def once() -> None:
            self._loop_target(node.target, node.iter)
            self.body(node.body)

        self._loop(once, node)

    _AsyncFor = _For

    def _loop(self, once: Callable[[], None], node: ast.For | ast.AsyncFor | ast.While) -> None:
        self.branches([self._revived(once), lambda: None])
        if not node.orelse:
            return
        if any(isinstance(part, ast.Break) for part in ast.walk(node)):
            self.branches([lambda: self.body(node.orelse), lambda: None])
        else:
            self.body(node.orelse)

    def _revived(self, way: Callable[[], None]) -> Callable[[], None]:
        """`break` and `continue` end the body, not what follows the loop."""

        def run() -> None:
            before, start = self.dead, set(self.definite)
            way()
            if self.dead and not before:
                self.dead = False
                self.definite = start

        return run

    def _While(self, node: ast.While) -> None:
        self.expression(node.test)
        self._loop(lambda: self.body(node.body), node)

    def _With(self, node: ast.With | ast.AsyncWith) -> None:
        suppresses = False
        for item in node.items:
            self.expression(item.context_expr)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, self._entered(item.context_expr))
            if isinstance(item.context_expr, ast.Call):
                function = item.context_expr.func
                name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                suppresses = suppresses or name in _SUPPRESSORS
        if suppresses:
            self.branches([self._revived(lambda: self.body(node.body)), lambda: None])
        else:
            self.body(node.body)

    _AsyncWith = _With

    def _entered(self, value: ast.expr) -> ast.expr:
        return value

    def _Try(self, node: ast.Try) -> None:
        def normal() -> None:
            self.body(node.body)
            self.body(node.orelse)

        def handler_of(handler: ast.ExceptHandler) -> Callable[[], None]:
            def run() -> None:
                # The body may have stopped anywhere.
                self.expression(handler.type)
                if _hides_errors(handler):
                    self.record.habit("bare-except", self.span(handler))
                shadowed = self.env.get(handler.name) if handler.name else None
                if handler.name:
                    self.owned.append(frozenset({handler.name}))
                    self.env.set(handler.name, Value())
                self.body(handler.body)
                if handler.name:
                    self.owned.pop()
                    self.env.forget(handler.name)
                    if shadowed is not None:
                        self.env.set(handler.name, shadowed)

            return run

        self.branches([normal, *[handler_of(handler) for handler in node.handlers]])
        self.body(node.finalbody)

    _TryStar = _Try

    def _Match(self, node: ast.Match) -> None:
        self.expression(node.subject)
        sources = {name: "maybe" for name in sources_of(self, node.subject)}

        def case_of(case: ast.match_case) -> Callable[[], None]:
            def run() -> None:
                self._pattern(case.pattern, sources)
                self.expression(case.guard)
                self.body(case.body)

            return run

        ways = [case_of(case) for case in node.cases]
        last = node.cases[-1]
        total = last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
        self.branches(ways if total else [*ways, lambda: None])

    def _pattern(self, pattern: ast.pattern, sources: Sources) -> None:
        for part in ast.walk(pattern):
            name = getattr(part, "name", None) or getattr(part, "rest", None)
            if isinstance(part, (ast.MatchAs, ast.MatchStar, ast.MatchMapping)) and isinstance(name, str):
                self._bind_with(name, Value(), dict(sources))
            elif isinstance(part, ast.MatchValue):
                self.expression(part.value)
            elif isinstance(part, ast.MatchClass):
                self.expression(part.cls)


def _hides_errors(handler: ast.ExceptHandler) -> bool:
    everything = handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException"))
    return everything and all(isinstance(part, (ast.Pass, ast.Continue)) for part in handler.body)


for _node in COMPREHENSIONS:
    setattr(Walker, "_" + _node.__name__, Walker._comprehension)
