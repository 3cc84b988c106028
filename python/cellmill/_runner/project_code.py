"""Imports project code: the root is searched first, then the folder of the step's module, then the packages.

One file is one module object, named by its path below the root, whatever name it was imported by: a class has the same
name in the step that pickles it and in the step that reads it.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
import types
from .._types import Any
from collections.abc import Callable


class ProjectFinder:
    """Finds the packages above the step's module in the project before any installed one, and joins second names."""

    def __init__(self, root: str, module_name: str) -> None:
        self._root = root
        self._top = module_name.partition(".")[0]
        self._after: dict[str, Callable[[types.ModuleType], None]] = {}

    def after_import(self, module: str, act: Callable[[types.ModuleType], None]) -> None:
        """Calls `act` with `module` once it has run, now or later."""
        loaded = sys.modules.get(module)
        if loaded is not None:
            act(loaded)
        else:
            self._after[module] = act

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        act = self._after.pop(fullname, None)
        if act is not None:
            return _observed(importlib.machinery.PathFinder.find_spec(fullname, path), act)
        if fullname == self._top:
            return self._top_spec(fullname)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or not spec.origin or not spec.origin.startswith(self._root + os.sep):
            return None
        canonical = canonical_name(self._root, spec.origin)
        if canonical is None or canonical == fullname:
            return None
        return importlib.machinery.ModuleSpec(fullname, _SecondName(canonical), origin=spec.origin)

    def _top_spec(self, name: str) -> Any:
        """A folder without `__init__.py` loses to an installed package of its name by Python's own rules; not here."""
        folder = os.path.join(self._root, name)
        if not os.path.isdir(folder) or os.path.exists(folder + ".py"):
            return None
        init = os.path.join(folder, "__init__.py")
        if os.path.exists(init):
            return importlib.util.spec_from_file_location(name, init, submodule_search_locations=[folder])
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [folder]
        return spec


class _SecondName:
    def __init__(self, canonical: str) -> None:
        self._canonical = canonical
        self._spec: Any = None

    def create_module(self, spec: Any) -> types.ModuleType:
        module = importlib.import_module(self._canonical)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        module.__spec__ = self._spec


def _observed(spec: Any, act: Callable[[types.ModuleType], None]) -> Any:
    if spec is None or spec.loader is None:
        return spec
    run = spec.loader.exec_module

    def exec_module(module: types.ModuleType) -> None:
        run(module)
        act(module)

    spec.loader.exec_module = exec_module
    return spec


def canonical_name(root: str, file: str) -> str | None:
    """`assets/staging/orders.py` is `assets.staging.orders`; None where a folder's name holds a dot."""
    relative = os.path.relpath(file, root)
    parts = relative.removesuffix(".py").split(os.sep)
    if parts[-1] == "__init__":
        parts.pop()
    if not parts or any("." in part or not part for part in parts):
        return None
    return ".".join(parts)


def prepare(root: str, file: str) -> ProjectFinder:
    """Makes the project importable for the step's module `file`, relative to `root`."""
    folder = os.path.dirname(os.path.join(root, file))
    sys.path[:0] = [root] if folder == root else [root, folder]
    finder = ProjectFinder(root, canonical_name(root, os.path.join(root, file)) or "")
    sys.meta_path.insert(0, finder)
    sys.dont_write_bytecode = True
    return finder


def import_module(root: str, file: str) -> types.ModuleType:
    path = os.path.join(root, file)
    name = canonical_name(root, path)
    if name is not None:
        return importlib.import_module(name)
    name = "cellmill_step_" + "".join(part if part.isalnum() else "_" for part in file)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
