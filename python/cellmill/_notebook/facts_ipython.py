"""IPython's own input transformer, loaded from the notebook's environment without starting IPython.

Invariant: only `IPython.core.inputtransformer2` and what it imports is executed: the package's `__init__`, which
imports everything, is not. Where that does not work, there is no transformer and facts_magics stands alone.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
import types
from functools import lru_cache
from typing import Callable


def ipython_version() -> str | None:
    try:
        return importlib.metadata.version("ipython")
    except importlib.metadata.PackageNotFoundError:
        return None


@lru_cache(maxsize=1)
def transformer() -> Callable[[str], str] | None:
    try:
        spec = importlib.util.find_spec("IPython")
        if spec is None or not spec.submodule_search_locations:
            return None
        for name in ("IPython", "IPython.core", "IPython.utils"):
            bare = types.ModuleType(name)
            tail = name.split(".")[1:]
            bare.__path__ = ["/".join([location, *tail]) for location in spec.submodule_search_locations]
            sys.modules.setdefault(name, bare)
        module = importlib.import_module("IPython.core.inputtransformer2")
        return module.TransformerManager().transform_cell
    except Exception:  # noqa: BLE001  any IPython that loads otherwise leaves the reading to facts_magics
        return None
