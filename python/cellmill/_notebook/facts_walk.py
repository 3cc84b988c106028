"""Walks statements in the order in which Python runs them and records what they bind, read and change.

Invariant: a name counts as certainly bound only if every way through the statement binds it, and a read counts unless
the name is certainly bound before it in the same statement. One walker serves module level and function bodies; there,
names of the function are its own and only what reaches outside is recorded. Calls are in facts_calls, definitions in
facts_definitions.
"""

from __future__ import annotations

import ast
import re
from typing import Callable, Iterable

from cellmill._notebook.facts_alias import Sources, sources_of
from cellmill._notebook.facts_calls import record_call
from cellmill._notebook.facts_definitions import record_class, record_function, record_lambda
from cellmill._notebook.facts_imports import record_import
from cellmill._notebook.facts_record import Record
from cellmill._notebook.facts_scope import COMPREHENSIONS, Scope, comprehension_targets
from cellmill._notebook.facts_text import Places, literal_of, words_of
from cellmill._notebook.facts_values import Env, Knowledge, Value, access_path, root_name, union_types

_HISTORY = re.compile(r"In|Out|_{1,3}|_i{1,3}|_\d+|_i\d+|_ih|_oh|_dh")
_ITERATE_AS_SUBSCRIPT = {"matplotlib.AxesArray", "matplotlib.Axes", "numpy.ndarray"}
_SUPPRESSORS = ("suppress", "raises", "assertRaises", "assertRaisesRegex", "ignored")


class Context:
    """What is shared by all walks over one notebook."""

    def __init__(self, knowledge: Knowledge, origin: Callable[[str], str | None]) -> None:
        self.knowledge = knowledge
        self.origin = origin
        self.lazy_annotations = False
        # How many bodies are being read again for one call.
        self.specialising = 0
        # Names that the notebook binds more than once.
        self.unstable: frozenset[str] = frozenset()


class Walker:
    def __init__(self, context: Context, places: Places, record: Record, env: Env, scope: Scope | None = None, outer: Walker | None = None) -> None:
        self.context = context
        self.knowledge = context.knowledge
        self.places = places
        self.record = record
        self.env = env
        self.scope = scope
        self.outer = outer
        # Names that are not the module's, innermost last: function locals, comprehension targets.
        self.owned: list[frozenset[str]] = outer.owned_inside() if outer else []
        if scope is not None:
            self.owned.append(scope.names)
        self.definite: set[str] = set()
        self.dead = False
        self.depth = 0
        # Local or loop name to what it may share memory with.
        self.local_sources: dict[str, Sources] = {}
        # Parameters of this function that it changes: name to certainty.
        self.changed_parameters: dict[str, bool] = {}
        # Parameters that no longer hold what was passed.
        self.rebound: set[str] = set()
        self.maybe_rebound: set[str] = set()
        # What methods of the class being walked do when they run.
        self.late: Record | None = None
        self.import_span: dict = {}
        # Inside `sorted(..)`: listings there have an order.
        self.in_sorted = 0
        self.returned: list[ast.expr] = []
        self.returned_types: list[tuple[str, ...]] = []

    def inner(self, scope: Scope) -> Walker:
        """A walker for a body defined here; it does not see names of a class around it."""
        around = self.env.parent if self.scope is not None and self.scope.is_class and self.env.parent else self.env
        return Walker(self.context, self.places, Record(), Env(around, scope.names, self.context.unstable), scope, self)

    def frozen(self) -> Walker:
        """This walker's place in the scopes, for reading a body again later."""
        copy = Walker(self.context, self.places, Record(), self.env, self.scope)
        copy.owned = list(self.owned)
        return copy

    def owned_inside(self) -> list[frozenset[str]]:
        return self.owned[:-1] if self.scope is not None and self.scope.is_class else list(self.owned)

    # Names

    def is_local(self, name: str) -> bool:
        if self.scope is not None and name in self.scope.globals:
            return False
        return any(name in names for names in self.owned)

    def span(self, node: ast.AST) -> dict:
        return self.places.span(node)

    def read(self, node: ast.Name, path: list[str]) -> None:
        name = node.id
        if self.is_local(name) or name in self.definite:
            return
        if self.env.get(name) is None:
            if name in ("__name__", "__file__", "__builtins__"):
                self.record.note(name)
            elif _HISTORY.fullmatch(name):
                self.record.note("history")
        self.record.read(name, path, self.span(node))

    def read_by_text(self, name: str, node: ast.AST) -> None:
        """A name that a string names: a query, a formula, SQL."""
        if not self.is_local(name) and name not in self.definite:
            self.record.read(name, [], self.span(node))

    def bind(self, name: str, value: Value) -> None:
        self.env.set(name, value)
        if self.is_local(name):
            return
        self.record.bind(name)
        if name in self.record.deletes:
            self.record.deletes.remove(name)
        if not self.dead:
            self.definite.add(name)

    def mutate(self, name: str, path: list[str], node: ast.AST, how: str, certain: bool, seen: frozenset[str] = frozenset()) -> None:
        """Records the change, and that of everything the name was taken from in this statement or function."""
        value = self.env.get(name)
        if value is not None and self.knowledge.is_immutable(value.types) and how not in ("attribute", "subscript"):
            return
        if self.is_local(name):
            if self.scope is not None and name in self.scope.parameters and name not in self.rebound:
                certainly = certain and name not in self.maybe_rebound
                self.changed_parameters[name] = self.changed_parameters.get(name, False) or certainly
        else:
            self.record.mutate(name, path, self.span(node), how, certain)
        for source, kind in self.local_sources.get(name, {}).items():
            if source not in seen and source != name:
                self.mutate(source, [], node, how, certain and kind != "maybe", seen | {name})

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

    def _chain(self, node: ast.Attribute | ast.Subscript) -> None:
        root = root_name(node)
        if root is not None:
            self.read(root, access_path(node))
            self._state_read(node)
        inner: ast.expr = node
        while isinstance(inner, (ast.Attribute, ast.Subscript)):
            if inner is not node or root is None:
                self._outdated(inner)
            if isinstance(inner, ast.Subscript):
                self.expression(inner.slice)
            inner = inner.value
        if root is None:
            self.expression(inner)

    _Attribute = _Subscript = _chain

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

    # Binding

    def assign(self, target: ast.expr, value: ast.expr | None) -> None:
        """Binds a target; the value has been read already."""
        if isinstance(target, ast.Name):
            self._assign_name(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, None)
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            self._store_part(target)

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.expr | None) -> None:
        parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts) else None
        if parts is not None and not any(isinstance(part, ast.Starred) for part in [*parts, *target.elts]):
            # All of the right side is evaluated before the first name is bound.
            known = [(self._value_of(part), sources_of(self, part)) for part in parts]
            for item, part, (found, sources) in zip(target.elts, parts, known):
                if isinstance(item, ast.Name):
                    self._bind_with(item.id, found, sources)
                else:
                    self.assign(item, part)
            return
        sources = {name: "maybe" for name in sources_of(self, value)} if value is not None else {}
        types = self._unpacked_types(value)
        for position, item in enumerate(target.elts):
            if isinstance(item, ast.Name):
                known = types[position] if position < len(types) else types[-1] if types else ()
                self._bind_with(item.id, Value(known), dict(sources))
            else:
                self.assign(item, None)

    def _unpacked_types(self, value: ast.expr | None) -> list[tuple[str, ...]]:
        """`fig, axes = plt.subplots()`: the catalogue writes such types as `(A|B)`."""
        types = self.knowledge.types(value, self.env) if value is not None else ()
        if len(types) == 1 and types[0].startswith("("):
            return [tuple(part.split("/")) if part != "?" else () for part in types[0][1:-1].split("|")]
        return []

    def _assign_name(self, name: str, value: ast.expr | None) -> None:
        if value is None:
            self._bind_with(name, Value(), {})
            return
        sources = sources_of(self, value)
        self._bind_with(name, self._value_of(value), sources)

    def _value_of(self, value: ast.expr) -> Value:
        if isinstance(value, ast.Name):
            known = self.env.get(value.id)
            if known is not None:
                return known
        dotted = self.knowledge.dotted(value, self.env)
        constant = self.knowledge.constant(value, self.env)
        return Value(self.knowledge.types(value, self.env), dotted, constant, formatted=self.knowledge.is_formatted(value, self.env))

    def _bind_with(self, name: str, value: Value, sources: Sources) -> None:
        self.bind(name, value)
        immutable = self.knowledge.is_immutable(value.types)
        before = self.local_sources.get(name, {}) if name in sources else {}
        self.local_sources[name] = {} if immutable else {source: kind for source, kind in {**before, **sources}.items() if source != name}
        if self.scope is not None and sources.get(name, "maybe") == "maybe":
            (self.rebound if self.depth == 0 and name not in sources else self.maybe_rebound).add(name)
        if not immutable and not self.is_local(name):
            for source, kind in sources.items():
                if not self.is_local(source):
                    self.record.alias(name, source, kind)

    def _store_part(self, target: ast.Attribute | ast.Subscript) -> None:
        self._chain(target)
        how = "attribute" if isinstance(target, ast.Attribute) else "subscript"
        self.store(target, how)

    def store(self, target: ast.expr, how: str) -> None:
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Subscript) and self._is_chained(target.value):
            self.record.habit("chained-assignment", self.span(target))
        root = root_name(target)
        dotted = self.knowledge.dotted(root, self.env) if root is not None else None
        if root is not None and dotted is not None:
            self._store_in_module(target, dotted)
        elif root is not None:
            self.mutate(root.id, access_path(target), root, how, True)
        else:
            for source in sources_of(self, target):
                self.mutate(source, [], target, how, False)

    def _is_chained(self, inner: ast.Subscript) -> bool:
        types = self.knowledge.types(inner.value, self.env)
        if types:
            return all(name in ("pandas.DataFrame", "pandas.Series") for name in types)
        # `df[df.a > 1]["b"] = 2` is a frame by the way it is used.
        return isinstance(inner.slice, ast.Compare)

    def _store_in_module(self, target: ast.expr, dotted: str) -> None:
        full = target
        while isinstance(full, ast.Subscript):
            full = full.value
        path = self.knowledge.dotted(full, self.env) or dotted
        state = self.knowledge.catalogue.state_token(path)
        self.record.token(state or f"cfg:{path.partition('.')[0]}", "write", f"assigns {path}", self.span(target))
        if state is None:
            self.record.note("setattr-module")

    def _loop_target(self, target: ast.expr, iterable: ast.expr) -> None:
        sources = {name: "maybe" if kind == "maybe" else "view" for name, kind in sources_of(self, iterable, element=True).items()}
        types = self.knowledge.types(iterable, self.env)
        if types in (("set",), ("frozenset",)):
            self.record.habit("set-iteration", self.span(iterable))
        if isinstance(target, (ast.Tuple, ast.List)) and self._parallel(target, iterable):
            return
        element = ("int",) if types == ("range",) else ("str",) if types == ("str",) else self._element_types(types)
        names = [target] if isinstance(target, ast.Name) else [node for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        for node in names:
            self._bind_with(node.id, Value(element), dict(sources))
        if not isinstance(target, (ast.Name, ast.Tuple, ast.List)):
            self.assign(target, None)

    def _element_types(self, types: tuple[str, ...]) -> tuple[str, ...]:
        if not types or not set(types) <= _ITERATE_AS_SUBSCRIPT:
            return ()
        parts = [self.knowledge.catalogue.part(name, None) for name in types]
        return union_types([part[0] if part else () for part in parts])

    def _parallel(self, target: ast.Tuple | ast.List, iterable: ast.expr) -> bool:
        """`for n, x in enumerate(xs)` and `for x, y in zip(xs, ys)`: each target has its own source."""
        if not isinstance(iterable, ast.Call) or not isinstance(iterable.func, ast.Name) or iterable.keywords:
            return False
        name, arguments = iterable.func.id, list(iterable.args)
        if name not in ("zip", "enumerate") or not self.knowledge.is_builtin(name, self.env) or any(isinstance(part, ast.Starred) for part in arguments):
            return False
        if name == "enumerate":
            if len(target.elts) != 2 or not arguments:
                return False
            self._loop_target(target.elts[0], ast.Call(func=ast.Name(id="range", ctx=ast.Load()), args=[], keywords=[]))
            self._loop_target(target.elts[1], arguments[0])
            return True
        if len(arguments) != len(target.elts):
            return False
        for part, source in zip(target.elts, arguments):
            self._loop_target(part, source)
        return True

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
        self._chain(target)
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
            self._chain(target)
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
