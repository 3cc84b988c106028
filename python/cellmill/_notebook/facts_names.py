"""Names of one walk: which are the notebook's, what binds, reads and changes them, and what they were taken from.

Invariant: names of a function, class or comprehension being walked are its own and are not recorded; a change of a
local name is a change of everything that it may share memory with.
"""

from __future__ import annotations

import ast
import re
from typing import Callable

from cellmill._notebook.facts_alias import Sources, sources_of
from cellmill._notebook.facts_record import Record
from cellmill._notebook.facts_scope import Scope
from cellmill._notebook.facts_text import Places
from cellmill._notebook.facts_knowledge import Knowledge
from cellmill._notebook.facts_values import Env, Value, access_path, root_name, union_types

_HISTORY = re.compile(r"In|Out|_{1,3}|_i{1,3}|_\d+|_i\d+|_ih|_oh|_dh")
_ITERATE_AS_SUBSCRIPT = {"matplotlib.AxesArray", "matplotlib.Axes", "numpy.ndarray"}


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


class Names:
    def __init__(self, context: Context, places: Places, record: Record, env: Env, scope: Scope | None = None, outer: Names | None = None) -> None:
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

    def expression(self, node: ast.expr | None) -> None:
        """Reads an expression; what it is made of is the walker's business."""
        raise NotImplementedError

    def read_part(self, node: ast.Attribute | ast.Subscript) -> None:
        raise NotImplementedError

    def inner(self, scope: Scope) -> Names:
        """A walker for a body defined here; it does not see names of a class around it."""
        around = self.env.parent if self.scope is not None and self.scope.is_class and self.env.parent else self.env
        return type(self)(self.context, self.places, Record(), Env(around, scope.names, self.context.unstable), scope, self)

    def frozen(self) -> Names:
        """This walker's place in the scopes, for reading a body again later."""
        copy = type(self)(self.context, self.places, Record(), self.env, self.scope)
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
        self.read_part(target)
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
