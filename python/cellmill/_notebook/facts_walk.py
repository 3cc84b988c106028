"""Walks statements in the order in which Python runs them and records what they bind, read and change.

Invariant: a name counts as certainly bound only if every way through the statement binds it, and a read counts unless
the name is certainly bound before it in the same statement. One walker serves module level and function bodies. Names
are in facts_names, calls in facts_calls, definitions in facts_definitions.
"""

from __future__ import annotations

import ast
from typing import Callable, Iterable

from cellmill._notebook.facts_alias import Sources, sources_of
from cellmill._notebook.facts_calls import record_call
from cellmill._notebook.facts_definitions import record_class, record_function, record_lambda
from cellmill._notebook.facts_imports import record_import
from cellmill._notebook.facts_names import Names
from cellmill._notebook.facts_scope import COMPREHENSIONS, comprehension_targets
from cellmill._notebook.facts_text import literal_of, words_of
from cellmill._notebook.facts_values import Value, access_path, root_name

MAX_INLINE = 500
_SUPPRESSORS = ("suppress", "raises", "assertRaises", "assertRaisesRegex", "ignored")


class Walker(Names):
    # Expressions

    def expression(self, node: ast.expr | None) -> None:
        if node is None:
            return
        method = getattr(self, "_" + type(node).__name__, None)
        if method is not None:
            method(node)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child)
            elif isinstance(child, ast.keyword):
                self.expression(child.value)

    def _Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.read(node, [])

    def read_part(self, node: ast.Attribute | ast.Subscript) -> None:
        root = root_name(node)
        if root is not None:
            self.read(root, access_path(node))
            self._state_read(node)
        inner: ast.expr = node
        while isinstance(inner, (ast.Attribute, ast.Subscript)):
            if inner is not node or root is None:
                self._outdated(inner)
            self._fill(inner)
            if isinstance(inner, ast.Subscript):
                self.expression(inner.slice)
            inner = inner.value
        if root is None:
            self.expression(inner)

    _Attribute = _Subscript = read_part

    def _fill(self, node: ast.expr) -> None:
        """What is computed when it is first asked for changes the object that keeps it."""
        if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
            return
        catalogue = self.knowledge.catalogue
        if any(catalogue.is_lazy(name) for name in self.knowledge.types(node.value, self.env)):
            for name in sources_of(self, node.value):
                self.mutate(name, [], node, f"attribute:{node.attr}", False)

    def _state_read(self, node: ast.expr) -> None:
        self._outdated(node)
        while isinstance(node, ast.Subscript):
            node = node.value
        dotted = self.knowledge.dotted(node, self.env)
        token = self.knowledge.catalogue.state_token(dotted) if dotted else None
        if token:
            self.record.token(token, "read", f"reads {dotted}", self.span(node))

    def _outdated(self, node: ast.expr) -> None:
        if not isinstance(node, ast.Attribute):
            return
        removed = self.knowledge.catalogue.removed
        dotted = self.knowledge.dotted(node, self.env)
        names = [dotted] if dotted else [f"{name}.{node.attr}" for name in self.knowledge.types(node.value, self.env)]
        for name in names:
            if name in removed:
                self.record.outdate(name, removed[name], self.span(node))

    def _Await(self, node: ast.Await) -> None:
        if self.scope is None:
            self.record.habit("await", self.span(node))
        self.expression(node.value)

    def _Call(self, node: ast.Call) -> None:
        record_call(self, node)

    def _Constant(self, node: ast.Constant) -> None:
        found = literal_of(node, self.span(node))
        if found is None:
            return
        self.record.add(self.record.literals, found)
        if isinstance(node.value, str):
            self.record.words |= words_of(node.value)

    def _display(self, node: ast.List | ast.Tuple | ast.Set) -> None:
        """Of data written inline, the first items speak for all."""
        items = node.elts
        if len(items) > MAX_INLINE:
            items = [*items[:MAX_INLINE], *[item for item in items[MAX_INLINE:] if not isinstance(item, ast.Constant)]]
        for item in items:
            self.expression(item)

    _List = _Tuple = _Set = _display

    def _JoinedStr(self, node: ast.JoinedStr) -> None:
        found = literal_of(node, self.span(node))
        if found is not None:
            self.record.add(self.record.literals, found)
            self.record.words |= words_of(found["value"])
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.expression(part.value)
                if isinstance(part.format_spec, ast.JoinedStr):
                    self.expression(part.format_spec)

    def _NamedExpr(self, node: ast.NamedExpr) -> None:
        # Python forbids a walrus on a comprehension's own target, so this binds around the comprehension.
        self.expression(node.value)
        self._assign_name(node.target.id, node.value)

    def _comprehension(self, node: ast.expr) -> None:
        generators = node.generators
        self.expression(generators[0].iter)
        owned, definite = self.owned, set(self.definite)
        shadowed = {name: self.env.values.get(name) for name in comprehension_targets(generators)}
        self.owned = [*owned, comprehension_targets(generators)]
        for position, generator in enumerate(generators):
            if position:
                self.expression(generator.iter)
            self._loop_target(generator.target, generator.iter)
            for condition in generator.ifs:
                self.expression(condition)
        for part in (getattr(node, "elt", None), getattr(node, "key", None), getattr(node, "value", None)):
            self.expression(part)
        self.owned = owned
        # The element runs zero times for an empty iterable; the first iterable always.
        self.definite = {name for name in self.definite if name in definite}
        for name, value in shadowed.items():
            self.local_sources.pop(name, None)
            if value is None:
                self.env.forget(name)
            else:
                self.env.set(name, value)

    def _Lambda(self, node: ast.Lambda) -> None:
        record_lambda(self, node, "<lambda>", immediate=True)

    def _short_circuit(self, first: ast.expr, others: Iterable[ast.expr]) -> None:
        self.expression(first)
        definite = set(self.definite)
        for other in others:
            self.expression(other)
        self.definite = definite

    def _BoolOp(self, node: ast.BoolOp) -> None:
        self._short_circuit(node.values[0], node.values[1:])

    def _IfExp(self, node: ast.IfExp) -> None:
        self._short_circuit(node.test, [node.body, node.orelse])

    def _Yield(self, node: ast.Yield) -> None:
        self.expression(node.value)

    # Statements

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
