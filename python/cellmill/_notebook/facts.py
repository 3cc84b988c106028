"""Static facts of Python notebooks: one line of JSON on stdin, an array of NotebookFacts (notebook/ir.ts) on stdout.

Started as `<python> -I facts.py` in a sandbox, by the notebook's own interpreter. Invariant: the notebook is parsed and
never run; nothing of the user's is imported.
"""

from __future__ import annotations

import ast
import json
import sys
import threading
import types
import warnings
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(_ROOT))
if __name__ == "__main__":
    # What authors import is not needed here, and would be half of the start.
    sys.modules["cellmill"] = types.ModuleType("cellmill")
    sys.modules["cellmill"].__path__ = [str(_ROOT / "cellmill")]

from cellmill._notebook.facts_cells import CellReader  # noqa: E402
from cellmill._notebook.facts_effects import load_catalogue  # noqa: E402
from cellmill._notebook.facts_imports import origin_finder  # noqa: E402
from cellmill._notebook.facts_ipython import ipython_version  # noqa: E402
from cellmill._notebook.facts_knowledge import BUILTINS, Knowledge  # noqa: E402
from cellmill._notebook.facts_names import Context  # noqa: E402

_RECURSION_LIMIT = 20_000
_STACK_BYTES = 512 * 1024 * 1024


def notebook_facts(cells: list[dict], local_modules: list[str] | None = None) -> dict:
    """`cells`: objects with `index` and `source`, in document order, code cells only."""
    context = Context(Knowledge(load_catalogue()), origin_finder(frozenset(local_modules or [])))
    reader = CellReader(context)
    parsed = [reader.parse(cell["index"], cell["source"]) for cell in cells]
    context.unstable = _bound_more_than_once([cell.tree for cell in parsed if cell.tree is not None])
    facts = [reader.facts(cell) for cell in parsed]
    _drop_noise(facts)
    return {"python": ".".join(map(str, sys.version_info[:3])), "ipython": ipython_version(), "cells": facts}


def _bound_more_than_once(trees: list[ast.Module]) -> frozenset[str]:
    counts: dict[str, int] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
                counts[node.id] = counts.get(node.id, 0) + 1
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                counts[node.name] = counts.get(node.name, 0) + 1
    return frozenset(name for name, count in counts.items() if count > 1)


def _drop_noise(cells: list[dict]) -> None:
    """Builtins that the notebook never binds are no facts, nor are words that name nothing."""
    statements = [statement for cell in cells for statement in cell["statements"]]
    bound = {name for statement in statements for name in (*statement["binds"], *statement["mayBind"])}
    bound |= {name for statement in statements for definition in statement["definitions"] for name in definition["lateWrites"]}
    ignored = BUILTINS - bound
    for statement in statements:
        statement["reads"] = [read for read in statement["reads"] if read["name"] not in ignored]
        statement["namesInStrings"] = sorted(set(statement["namesInStrings"]) & bound)
        for definition in statement["definitions"]:
            definition["lateReads"] = [name for name in definition["lateReads"] if name not in ignored]


def main() -> None:
    request = json.loads(sys.stdin.buffer.readline())
    result: list[list[dict]] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            result.append([notebook_facts(notebook["cells"], notebook.get("localModules")) for notebook in request["notebooks"]])
        except BaseException as error:  # noqa: BLE001  carried to the main thread
            failure.append(error)

    warnings.simplefilter("ignore")
    sys.setrecursionlimit(_RECURSION_LIMIT)
    threading.stack_size(_STACK_BYTES)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    json.dump(result[0], sys.stdout)


if __name__ == "__main__":
    main()
