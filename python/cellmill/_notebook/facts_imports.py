"""Import statements, and where each module comes from: the standard library, beside the notebook, or a distribution.

Invariant: nothing of the user's is imported to find out; distributions are read from their metadata.
"""

from __future__ import annotations

import ast
import importlib.metadata
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Callable

from cellmill._notebook.facts_values import Value

if TYPE_CHECKING:
    from cellmill._notebook.facts_walk import Walker


@lru_cache(maxsize=1)
def _distributions() -> dict[str, list[str]]:
    try:
        return dict(importlib.metadata.packages_distributions())
    except Exception:  # noqa: BLE001  a broken distribution must not hide all others
        return {}


def origin_finder(local_modules: frozenset[str]) -> Callable[[str], str | None]:
    def origin(module: str) -> str | None:
        top = module.partition(".")[0]
        if module.startswith(".") or top in local_modules:
            return "local"
        if top in sys.stdlib_module_names:
            return "stdlib"
        found = _distributions().get(top)
        return found[0] if found else None

    return origin


def record_import(walker: Walker, node: ast.Import | ast.ImportFrom) -> None:
    inside_try = walker.depth > 0
    walker.import_span = walker.span(node)
    if isinstance(node, ast.Import):
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            _add(walker, alias.name, None, bound, inside_try)
            walker.bind(bound, Value(("module",), alias.name if alias.asname else bound))
        return
    module = "." * node.level + (node.module or "")
    if module == "__future__":
        walker.context.lazy_annotations |= any(alias.name == "annotations" for alias in node.names)
    for alias in node.names:
        if alias.name == "*":
            _add(walker, module, "*", "*", inside_try)
            walker.record.note("star-import")
            continue
        bound = alias.asname or alias.name
        dotted = f"{module}.{alias.name}"
        _add(walker, module, alias.name, bound, inside_try)
        walker.bind(bound, Value(walker.knowledge.catalogue.values.get(dotted, ()), dotted))


def _prefixes(dotted: str) -> list[str]:
    parts = dotted.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def _add(walker: Walker, module: str, name: str | None, bound: str, inside_try: bool) -> None:
    removed = walker.knowledge.catalogue.removed
    for dotted in _prefixes(f"{module}.{name}" if name and name != "*" else module):
        if dotted in removed:
            walker.record.outdate(dotted, removed[dotted], walker.import_span)
    walker.record.add(
        walker.record.imports,
        {"module": module, "name": name, "boundAs": bound, "origin": walker.context.origin(module), "insideTry": inside_try},
    )
