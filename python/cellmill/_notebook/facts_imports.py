"""Import statements, and where each module comes from: the standard library, beside the notebook, or a distribution.

Invariant: nothing of the user's is imported to find out; distributions are read from their metadata.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from cellmill._notebook.facts_values import Value

if TYPE_CHECKING:
    from cellmill._notebook.facts_names import Names


@lru_cache(maxsize=1)
def _metadata_folders() -> list[tuple[Path, str]]:
    """Every `*.dist-info` folder on the path, with the normalised name in its name."""
    found = []
    for entry in sys.path:
        try:
            names = sorted(os.listdir(entry)) if entry else []
        except OSError:
            continue
        found += [(Path(entry, name), _normalised(name.split("-")[0])) for name in names if name.endswith((".dist-info", ".egg-info"))]
    return found


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@lru_cache(maxsize=None)
def distribution_of(top: str) -> str | None:
    """The distribution that installed this top-level module; its files are searched as text, which is fast."""
    folders = _metadata_folders()
    wanted = _normalised(top)
    for folder, name in sorted(folders, key=lambda item: item[1] != wanted):
        if name == wanted and any((folder.parent / part).exists() for part in (top, f"{top}.py")):
            return _name_in(folder, name)
        if _holds(folder, top):
            return _name_in(folder, name)
    return None


def _holds(folder: Path, top: str) -> bool:
    listed = _text(folder / "RECORD")
    if listed:
        return listed.startswith(f"{top}/") or f"\n{top}/" in listed or re.search(rf"(?m)^{re.escape(top)}(\.[\w-]+)*\.(py|so|pyd),", listed) is not None
    return top in (_text(folder / "top_level.txt") or "").split()


def _name_in(folder: Path, name: str) -> str:
    found = re.search(r"(?m)^Name:\s*(\S+)", _text(folder / "METADATA") or _text(folder / "PKG-INFO") or "")
    return found.group(1) if found else name


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def origin_finder(local_modules: frozenset[str]) -> Callable[[str], str | None]:
    def origin(module: str) -> str | None:
        top = module.partition(".")[0]
        if module.startswith(".") or top in local_modules:
            return "local"
        if top in sys.stdlib_module_names:
            return "stdlib"
        return distribution_of(top)

    return origin


def record_import(walker: Names, node: ast.Import | ast.ImportFrom) -> None:
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


def _add(walker: Names, module: str, name: str | None, bound: str, inside_try: bool) -> None:
    removed = walker.knowledge.catalogue.removed
    for dotted in _prefixes(f"{module}.{name}" if name and name != "*" else module):
        if dotted in removed:
            walker.record.outdate(dotted, removed[dotted], walker.import_span)
    walker.record.add(
        walker.record.imports,
        {"module": module, "name": name, "boundAs": bound, "origin": walker.context.origin(module), "insideTry": inside_try},
    )
