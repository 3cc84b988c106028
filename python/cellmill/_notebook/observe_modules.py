"""Which distributions the notebook imported, with versions; modules that only the kernel or the observer loaded are not."""

from __future__ import annotations

import importlib.metadata
import os
import sys


class Modules:
    def __init__(self, tools: str | None) -> None:
        self._tools = os.path.realpath(tools) + os.sep if tools else None
        self._known: set[str] = set()
        self._loaded: set[str] = set()
        self._kernels: set[str] = set()

    def start(self) -> None:
        self._known = set(sys.modules)
        self._kernels = {name.partition(".")[0] for name in self._known}

    def note_loaded(self) -> None:
        """Right after a cell: what is new was loaded by it."""
        tops = {name.partition(".")[0] for name in set(sys.modules) - self._known}
        self._loaded.update(tops - self._kernels)
        self._known = set(sys.modules)

    def forget_loaded(self) -> None:
        """What is new was loaded by the observer."""
        self._known = set(sys.modules)

    def distributions(self, imports: list[str]) -> dict[str, str]:
        """`imports`: modules that the notebook's text imports, which may have been loaded before it."""
        wanted = self._loaded | {name.partition(".")[0] for name in imports}
        found: dict[str, str] = {}
        owners = importlib.metadata.packages_distributions()
        for module in wanted:
            if module not in sys.modules or self._is_tool(module):
                continue
            for distribution in owners.get(module, ()):
                try:
                    found[distribution] = importlib.metadata.version(distribution)
                except importlib.metadata.PackageNotFoundError:  # a leftover of an uninstalled package
                    continue
        return dict(sorted(found.items()))

    def _is_tool(self, module: str) -> bool:
        file = getattr(sys.modules.get(module), "__file__", None)
        return self._tools is not None and isinstance(file, str) and os.path.realpath(file).startswith(self._tools)
