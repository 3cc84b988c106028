"""Walks expressions in the order in which Python evaluates them: what they read, bind by the way, and change."""

from __future__ import annotations

import ast
from typing import Iterable

from cellmill._notebook.facts_alias import sources_of
from cellmill._notebook.facts_calls import record_call
from cellmill._notebook.facts_definitions import record_lambda
from cellmill._notebook.facts_names import Names
from cellmill._notebook.facts_scope import comprehension_targets
from cellmill._notebook.facts_text import literal_of, words_of
from cellmill._notebook.facts_values import access_path, root_name

MAX_INLINE = 500


class Expressions(Names):
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
