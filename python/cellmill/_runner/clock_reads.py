"""Finds `datetime.now()`, `date.today()` and their like in the functions that a step can reach.

These are methods of C types, which cannot be watched without changing what the author's code sees. So names are looked up
as the running module has them: sure about what they name, not about whether they were called.
"""

from __future__ import annotations

import datetime
import dis
import os
import sys
import types
from typing import Any
from collections.abc import Iterator

_NAMES = ("now", "today", "utcnow")
_LOADS = ("LOAD_GLOBAL", "LOAD_NAME")
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")


def clock_reads(function: types.FunctionType, code_root: str) -> Iterator[tuple[str, str]]:
    """(`datetime.now()`, `file:line`) pairs."""
    root = code_root.rstrip(os.sep) + os.sep
    queue: list[tuple[types.CodeType, dict[str, Any]]] = [(function.__code__, function.__globals__)]
    queue += [(code, module.__dict__) for module, code in _module_bodies(root)]
    seen: set[types.CodeType] = set()
    while queue:
        code, names = queue.pop()
        if code in seen or not code.co_filename.startswith(root):
            continue
        seen.add(code)
        for line, what, reached in _chains(code, names):
            if what:
                yield f"{what}()", f"{code.co_filename[len(root) :]}:{line}"
            queue += _bodies(reached)
        queue += [
            (part, names) for part in code.co_consts if isinstance(part, types.CodeType) and code.co_name != "<module>"
        ]


def _module_bodies(root: str) -> Iterator[tuple[types.ModuleType, types.CodeType]]:
    for module in {id(module): module for module in list(sys.modules.values())}.values():
        file = getattr(module, "__file__", None)
        loader = getattr(module, "__loader__", None)
        if isinstance(file, str) and file.startswith(root) and hasattr(loader, "get_code"):
            try:
                code = loader.get_code(module.__name__)
            except (ImportError, SyntaxError, OSError):
                continue  # a module under a second name was seen under its first
            if code is not None:
                yield module, code


def _bodies(value: Any) -> list[tuple[types.CodeType, dict[str, Any]]]:
    if isinstance(value, types.FunctionType):
        return [(value.__code__, value.__globals__)]
    if isinstance(value, type):
        parts = [getattr(part, "__func__", getattr(part, "fget", part)) for part in vars(value).values()]
        return [(part.__code__, part.__globals__) for part in parts if isinstance(part, types.FunctionType)]
    return []


def _chains(code: types.CodeType, names: dict[str, Any]) -> Iterator[tuple[int, str, Any]]:
    """Each name and dotted name in the code, as what it stands for; `what` is set where it reads a clock."""
    current: Any = None
    path, line = "", code.co_firstlineno
    for instruction in dis.get_instructions(code):
        line = instruction.positions.lineno if instruction.positions and instruction.positions.lineno else line
        if instruction.opname in _LOADS:
            current, path = names.get(instruction.argval), str(instruction.argval)
            if current is not None:
                yield line, "", current
        elif instruction.opname in _ATTRIBUTES and current is not None:
            attribute = str(instruction.argval)
            path = f"{path}.{attribute}"
            if attribute in _NAMES and isinstance(current, type) and issubclass(current, datetime.date):
                yield line, path, None
                current = None
            else:
                current = current.__dict__.get(attribute) if isinstance(current, (types.ModuleType, type)) else None
                if current is not None:
                    yield line, "", current
        elif instruction.opname not in ("PUSH_NULL", "PRECALL", "CACHE"):
            current = None
