"""Functions, lambdas and classes: what is evaluated at the definition, and what their bodies do when they run.

Invariant: defaults, decorators, base classes and class bodies are read now; bodies of functions are read late, and
their names resolve past class scopes.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cellmill._notebook.facts_alias import sources_of
from cellmill._notebook.facts_record import Record
from cellmill._notebook.facts_scope import FunctionNode, Scope, is_generator
from cellmill._notebook.facts_values import ClassInfo, FunctionInfo, Value, union_types

if TYPE_CHECKING:
    from cellmill._notebook.facts_walk import Walker

_MAX_SPECIALISING = 4
_MAX_VARIANTS = 8
_TRANSPARENT = {"staticmethod", "classmethod", "property", "functools.lru_cache", "functools.cache", "functools.wraps"}


def record_function(walker: Walker, node: ast.FunctionDef | ast.AsyncFunctionDef) -> FunctionInfo:
    for decorator in node.decorator_list:
        walker.expression(decorator)
    _evaluate_signature(walker, node.args)
    if not walker.context.lazy_annotations:
        for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]:
            if argument is not None:
                walker.expression(argument.annotation)
        walker.expression(node.returns)
    kind = "generator" if is_generator(node) else "async" if isinstance(node, ast.AsyncFunctionDef) else "function"
    info, body = _walk_body(walker, node, kind)
    _keep(walker, node.name, kind, info, body, bool(node.decorator_list))
    if any(not _is_transparent(walker, decorator) for decorator in node.decorator_list):
        walker.bind(node.name, Value())
    else:
        walker.bind(node.name, Value(("function",), None, None, info))
    return info


def _is_transparent(walker: Walker, decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = walker.knowledge.dotted(function, walker.env) or (function.id if isinstance(function, ast.Name) else "")
    return name in _TRANSPARENT


def record_lambda(walker: Walker, node: ast.Lambda, name: str, immediate: bool) -> FunctionInfo:
    """`immediate`: passed straight on, so that its body may run within the statement."""
    _evaluate_signature(walker, node.args)
    info, body = _walk_body(walker, node, "lambda")
    _keep(walker, name, "lambda", info, body, False)
    if not immediate:
        walker.bind(name, Value(("function",), None, None, info))
    elif walker.scope is None:
        for read in body.reads:
            if read["name"] not in walker.definite:
                walker.record.read(read["name"], read["path"], read["span"])
        for change in body.mutations:
            walker.record.mutate(change["name"], change["path"], change["span"], change["how"], False)
        for token in body.tokens:
            walker.record.token(token["token"], token["mode"], token["why"], token["span"])
    return info


def _evaluate_signature(walker: Walker, arguments: ast.arguments) -> None:
    for default in [*arguments.defaults, *arguments.kw_defaults]:
        if default is not None:
            walker.expression(default)


def _walk_body(walker: Walker, node: FunctionNode, kind: str) -> tuple[FunctionInfo, Record]:
    scope = Scope(node)
    info, record = _read_body(walker, node, kind, scope, ())
    known: dict[tuple[tuple[str, ...], ...], FunctionInfo] = {}
    origin = walker.frozen()

    def specialise(types: tuple[tuple[str, ...], ...]) -> FunctionInfo:
        """Read again with what is known of the arguments; once per combination, and not without end."""
        if types not in known:
            if origin.context.specialising >= _MAX_SPECIALISING or len(known) >= _MAX_VARIANTS:
                return info
            known[types] = info
            origin.context.specialising += 1
            known[types] = _read_body(origin, node, kind, scope, types)[0]
            origin.context.specialising -= 1
        return known[types]

    info.specialise = specialise
    return info, record


def _read_body(walker: Walker, node: FunctionNode, kind: str, scope: Scope, types: tuple[tuple[str, ...], ...]) -> tuple[FunctionInfo, Record]:
    inner = walker.inner(scope)
    for name, known in zip(scope.parameters, types):
        if known:
            inner.env.set(name, Value(known))
    if isinstance(node, ast.Lambda):
        _walk_lambda(inner, node.body)
        inner.returned.append(node.body)
        inner.returned_types.append(inner.knowledge.types(node.body, inner.env))
    else:
        inner.body(node.body)
        if not inner.dead:
            inner.returned_types.append(("none",))
    info = FunctionInfo(scope.parameters, plain=node.args.vararg is None and node.args.kwarg is None)
    for name, certain in inner.changed_parameters.items():
        (info.mutates if certain else info.may_mutate).add(scope.parameters.index(name))
    for value in inner.returned:
        for name in _parameters_behind(inner, value, scope):
            info.returns_parameters.add(scope.parameters.index(name))
    if kind == "generator":
        info.returns = ("iterator",)
        info.returns_parameters = set(range(len(scope.parameters)))
    elif kind != "async":
        info.returns = union_types(inner.returned_types) if inner.returned_types else ("none",)
    return info, inner.record


def _walk_lambda(inner: Walker, body: ast.expr) -> None:
    """`lambda d: d.update(..)` is written for its effect, as a statement is."""
    from cellmill._notebook.facts_calls import record_call

    if isinstance(body, ast.Call) and isinstance(body.func, ast.Attribute) and not inner.knowledge.dotted(body.func, inner.env):
        record_call(inner, body, is_statement=True)
    else:
        inner.expression(body)


def _parameters_behind(inner: Walker, value: ast.expr, scope: Scope) -> set[str]:
    pending, found, seen = list(sources_of(inner, value)), set(), set()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in scope.parameters and name not in inner.rebound:
            found.add(name)
        pending.extend(inner.local_sources.get(name, {}))
    return found


def definition_fact(name: str, kind: str, info: FunctionInfo, body: Record, decorated: bool) -> dict:
    changed = [change["name"] for change in body.mutations if change["certain"]]
    maybe = [change["name"] for change in body.mutations if not change["certain"]]
    writes = list(dict.fromkeys([*body.bound, *body.deletes, *changed]))
    return {
        "name": name,
        "kind": kind,
        "lateReads": sorted({read["name"] for read in body.reads}),
        "lateWrites": writes,
        "lateMayWrites": [name for name in dict.fromkeys(maybe) if name not in writes],
        "lateTokens": body.tokens,
        "lateCalls": body.calls,
        "lateImports": body.imports,
        "mutatesParameters": sorted(info.mutates),
        "mayMutateParameters": sorted(info.may_mutate - info.mutates),
        "returnsParameters": sorted(info.returns_parameters),
        "parameters": info.parameters,
        "decorated": decorated,
    }


def _keep(walker: Walker, name: str, kind: str, info: FunctionInfo, body: Record, decorated: bool) -> None:
    record = walker.record
    record.literals.extend(body.literals)
    record.words |= body.words
    for dynamic in body.dynamic:
        record.note(dynamic)
    record.outdated.extend(body.outdated)
    record.habits.extend(body.habits)
    record.cut = record.cut or body.cut
    if walker.scope is None:
        record.add(record.definitions, definition_fact(name, kind, info, body, decorated))
        return
    # Defined in a function or class: it may run whenever that does.
    absorb(record, body)


def absorb(into: Record, body: Record) -> None:
    for item in body.reads:
        into.add(into.reads, item)
    for change in body.mutations:
        into.mutate(change["name"], change["path"], change["span"], change["how"], change["certain"])
    for token in body.tokens:
        into.token(token["token"], token["mode"], token["why"], token["span"])
    into.calls.extend(body.calls)
    into.imports.extend(body.imports)
    for name in body.bound:
        if name not in into.bound:
            into.bound.append(name)


def record_class(walker: Walker, node: ast.ClassDef) -> None:
    for part in [*node.decorator_list, *node.bases, *[keyword.value for keyword in node.keywords]]:
        walker.expression(part)
    inner = walker.inner(Scope(node))
    late = Record()
    methods: dict[str, FunctionInfo] = {}
    for statement in node.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            # Its decorators and defaults run now; its body is what an instance does later.
            inner.late = late
            methods[statement.name] = record_function_in_class(inner, statement)
        else:
            inner.statement(statement)
    body = inner.record
    record = walker.record
    record.literals.extend(body.literals)
    record.words |= body.words
    for dynamic in body.dynamic:
        record.note(dynamic)
    record.outdated.extend(body.outdated)
    record.habits.extend(body.habits)
    absorb(record, body)
    closed = all(isinstance(base, ast.Name) and base.id == "object" for base in node.bases) and not node.keywords
    inherited = [walker.env.get(base.id) for base in node.bases if isinstance(base, ast.Name)]
    for value in inherited:
        if value is not None and value.klass is not None:
            methods = {**value.klass.methods, **methods}
    closed = closed or (bool(node.bases) and all(value is not None and value.klass is not None and value.klass.closed for value in inherited) and len(inherited) == len(node.bases))
    info = FunctionInfo([])
    if walker.scope is None:
        fact = definition_fact(node.name, "class", info, late, bool(node.decorator_list))
        record.add(record.definitions, fact)
    else:
        absorb(record, late)
    hooked = bool({"__setattr__", "__getattr__", "__getattribute__"} & set(methods))
    walker.bind(node.name, Value((), None, None, None, ClassInfo(methods, closed and not hooked)))


def record_function_in_class(inner: Walker, node: ast.FunctionDef | ast.AsyncFunctionDef) -> FunctionInfo:
    for decorator in node.decorator_list:
        inner.expression(decorator)
    _evaluate_signature(inner, node.args)
    kind = "generator" if is_generator(node) else "async" if isinstance(node, ast.AsyncFunctionDef) else "function"
    info, body = _walk_body(inner, node, kind)
    inner.record.literals.extend(body.literals)
    inner.record.words |= body.words
    for dynamic in body.dynamic:
        inner.record.note(dynamic)
    inner.record.outdated.extend(body.outdated)
    inner.record.habits.extend(body.habits)
    if inner.late is not None:
        absorb(inner.late, body)
    inner.env.set(node.name, Value(("function",), None, None, info))
    static = any(isinstance(decorator, ast.Name) and decorator.id == "staticmethod" for decorator in node.decorator_list)
    if static:
        # So that positions count a receiver as methods do.
        info = FunctionInfo(["", *info.parameters], {p + 1 for p in info.mutates}, {p + 1 for p in info.may_mutate}, {p + 1 for p in info.returns_parameters}, info.returns, info.plain)
    return info

