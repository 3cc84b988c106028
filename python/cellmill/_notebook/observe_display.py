"""Figures by their artist tree, taken as they are displayed: afterwards the inline backend has closed them.

The digest travels in the display's metadata, so that it stays with its output however that is captured or moved.
"""

from __future__ import annotations

import sys
from typing import Any

from . import encode
from .observe_quiet import quiet

METADATA = "cellmill"


class Displays:
    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._shown: list[dict[str, Any]] = []

    def install(self) -> None:
        formatter = self._shell.display_formatter
        render = formatter.format

        def format(obj: Any, *args: Any, **options: Any) -> Any:  # noqa: A001 - the name it replaces
            figure = self._figure(obj)
            data, metadata = render(obj, *args, **options)
            if figure is not None and isinstance(metadata, dict):
                metadata = {**metadata, METADATA: figure}
            return data, metadata

        formatter.format = format

    def take(self) -> list[dict[str, Any]]:
        shown, self._shown = self._shown, []
        return shown

    def _figure(self, obj: Any) -> dict[str, Any] | None:
        module = sys.modules.get("matplotlib.figure")
        if module is None or not issubclass(type(obj), module.FigureBase):
            return None
        try:
            with quiet():
                found = {"figure": encode.digest(obj), "axes": len(obj.axes), "problem": None}
        except Exception as error:  # a figure that cannot be read is said to be, and is still shown
            found = {"figure": None, "axes": 0, "problem": f"{type(error).__name__}: {error}"[:300]}
        self._shown.append(found)
        return found
