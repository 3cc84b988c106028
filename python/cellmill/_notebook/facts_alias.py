"""Which names the value of an expression may share memory with.

Invariant: leaving a name out claims that changing the result can never be seen through that name. `same` is the one
object, `view` shares its memory, `maybe` is what cannot be excluded.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cellmill._notebook.facts_scope import COMPREHENSIONS

if TYPE_CHECKING:
    from cellmill._notebook.facts_names import Names

Sources = dict[str, str]
_RANK = {"same": 2, "view": 1, "maybe": 0}


def _add(into: Sources, more: Sources, at_most: str = "same") -> None:
    for name, kind in more.items():
        weaker = kind if _RANK[kind] <= _RANK[at_most] else at_most
        if name not in into or _RANK[weaker] > _RANK[into[name]]:
            into[name] = weaker


def sources_of(walker: Names, node: ast.expr | None, element: bool = False) -> Sources:
    """`element`: what an item of the value may share memory with."""
    if node is None or walker.knowledge.is_immutable(walker.knowledge.types(node, walker.env)):
        return {}
    if isinstance(node, ast.Name):
        return _of_name(walker, node, element)
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return _of_part(walker, node, element)
    if isinstance(node, ast.Call):
        return _of_call(walker, node)
    return _of_compound(walker, node, element)


def _of_name(walker: Names, node: ast.Name, element: bool) -> Sources:
    value = walker.env.get(node.id)
    if value is None and walker.knowledge.is_builtin(node.id, walker.env):
        return {}
    if value is not None and (value.dotted or value.function or value.klass):
        return {}
    if element and value is not None and value.types and all(name in ("pandas.DataFrame", "pandas.Index", "pandas.GroupBy") for name in value.types):
        return {}
    return {node.id: "same"}


def _of_part(walker: Names, node: ast.Attribute | ast.Subscript, element: bool) -> Sources:
    if walker.knowledge.dotted(node, walker.env):
        return {}
    found = sources_of(walker, node.value)
    if not found:
        return {}
    if isinstance(node, ast.Subscript) and _copies(walker, node):
        return {name: "maybe" for name in found}
    kinds: list[str | None] = []
    attribute = node.attr if isinstance(node, ast.Attribute) else None
    types = walker.knowledge.types(node.value, walker.env)
    for name in types:
        part = walker.knowledge.catalogue.part(name, attribute)
        kinds.append("maybe" if part is None else part[1])
    if not types:
        kinds = ["maybe"]
    known = [kind for kind in kinds if kind]
    if not known:
        return {}
    result: Sources = {}
    _add(result, found, max(known, key=lambda kind: _RANK[kind]))
    return result


def _copies(walker: Names, node: ast.Subscript) -> bool:
    """Selection by a mask or a list, and by what may be one: NumPy and pandas copy then."""
    types = walker.knowledge.types(node.value, walker.env)
    if not types or not all(name.startswith(("pandas.", "numpy.")) for name in types):
        return False
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return not all(isinstance(part, (ast.Constant, ast.Slice, ast.UnaryOp)) for part in parts)


def _of_call(walker: Names, node: ast.Call) -> Sources:
    result: Sources = {}
    function = node.func
    value = walker.env.get(function.id) if isinstance(function, ast.Name) else None
    if value is not None and value.function is not None and value.function.plain:
        info = value.function.called_with(node, lambda part: walker.knowledge.types(part, walker.env))
        for position in info.returns_parameters:
            if position < len(node.args):
                _add(result, sources_of(walker, node.args[position]), "maybe")
        for keyword in node.keywords:
            if keyword.arg in info.parameters and info.parameters.index(keyword.arg) in info.returns_parameters:
                _add(result, sources_of(walker, keyword.value), "maybe")
        return result
    for effect in walker.knowledge.effects(node, walker.env):
        if effect is None:
            _everything(walker, node, result)
        elif effect.alias is not None:
            kind, of = effect.alias
            if of == "receiver" and isinstance(function, ast.Attribute):
                _add(result, sources_of(walker, function.value), kind)
            elif of == "all":
                for argument in node.args:
                    _add(result, sources_of(walker, argument), kind)
            elif isinstance(of, int) and of < len(node.args):
                _add(result, sources_of(walker, node.args[of]), kind)
    return result


def _everything(walker: Names, node: ast.Call, result: Sources) -> None:
    if isinstance(node.func, ast.Attribute):
        _add(result, sources_of(walker, node.func.value), "maybe")
    for argument in [*node.args, *[keyword.value for keyword in node.keywords]]:
        _add(result, sources_of(walker, argument), "maybe")


def _of_compound(walker: Names, node: ast.expr, element: bool) -> Sources:
    result: Sources = {}
    if isinstance(node, ast.IfExp):
        _add(result, sources_of(walker, node.body, element), "maybe")
        _add(result, sources_of(walker, node.orelse, element), "maybe")
    elif isinstance(node, ast.BoolOp):
        for part in node.values:
            _add(result, sources_of(walker, part, element), "maybe")
    elif isinstance(node, (ast.NamedExpr, ast.Await, ast.Starred)):
        return sources_of(walker, node.value, element)
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        for part in node.elts:
            _add(result, sources_of(walker, part), "same" if element else "maybe")
    elif isinstance(node, ast.Dict):
        for part in node.values:
            _add(result, sources_of(walker, part), "maybe")
    elif isinstance(node, COMPREHENSIONS):
        for part in (getattr(node, "elt", None), getattr(node, "value", None)):
            if isinstance(part, (ast.Name, ast.Subscript, ast.Attribute, ast.Tuple)):
                for generator in node.generators:
                    _add(result, sources_of(walker, generator.iter, True), "maybe")
    return result
