"""Follows which notebook cell's lines are running in the step's function, and ends figures and text where it changes.

Only the function's own frame is followed line by line; every other call costs one look.
"""

from __future__ import annotations

import sys
import types
from .._types import Any
from collections.abc import Callable


class CellMap:
    """Project line to notebook cell, from `.cellmill/lines`."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self._cells = {(entry["file"], entry["line"]): entry["cell"] for entry in lines}

    def cell(self, file: str, line: int) -> int | None:
        return self._cells.get((file, line))

    def of_function(self, file: str, code: types.CodeType) -> dict[int, int]:
        """Lines of a function that come from a cell."""
        numbers = {line for _, _, line in code.co_lines() if line is not None}
        return {line: self._cells[(file, line)] for line in numbers if (file, line) in self._cells}


def call_by_cells(
    call: Callable[[], Any], code: types.CodeType, cells: dict[int, int], entered: Callable[[int], None]
) -> Any:
    """Calls, and tells each time that `code` goes on to a line of another cell. The last cell's end is the caller's."""
    current: list[int | None] = [None]

    def follow_line(frame: Any, event: str, arg: Any) -> Any:
        cell = cells.get(frame.f_lineno) if event == "line" else None
        if cell is not None and cell != current[0]:
            current[0] = cell
            sys.settrace(None)
            try:
                entered(cell)
            finally:
                sys.settrace(follow_call)
        return follow_line

    def follow_call(frame: Any, event: str, arg: Any) -> Any:
        return follow_line if frame.f_code is code else None

    sys.settrace(follow_call)
    try:
        return call()
    finally:
        sys.settrace(None)
