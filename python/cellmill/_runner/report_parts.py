"""What a report shows, in the order in which it was shown: printed text, figures, returned values.

Everything is a flat file beside `report.json`, which lists the parts. Text written to stdout still goes to the log.
"""

from __future__ import annotations

import json
import math
import os
import sys
from .._types import Any

from . import figures, table_codec
from .project_code import ProjectFinder

_TEXT_LIMIT = 5_000_000


class Shown:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._parts: list[dict[str, Any]] = []
        self._text: list[str] = []
        self._text_size = 0
        self._metrics: dict[str, Any] = {}
        self._drawn: dict[int, Any] = {}
        #: Notebook cell whose lines are running, where the module was graduated.
        self.cell: int | None = None
        os.makedirs(folder)

    def start(self, finder: ProjectFinder) -> None:
        sys.stdout = _Tee(sys.stdout, self)
        finder.after_import("IPython.core.display_functions", self._take_over_display)

    def _take_over_display(self, module: Any) -> None:
        original = module.display

        def display(*values: Any, **options: Any) -> Any:
            """Shows values in the report, as a notebook would."""
            for value in values:
                self.display(value)

        display.__wrapped__ = original  # type: ignore[attr-defined]
        # Modules that had it already took it by name.
        for taken in (module, sys.modules.get("IPython.display"), sys.modules.get("IPython.core.display")):
            if getattr(taken, "display", None) is original:
                taken.display = display  # type: ignore[union-attr]

    # -- text ------------------------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        if self._text_size < _TEXT_LIMIT:
            self._text.append(text)
            self._text_size += len(text)
            if self._text_size >= _TEXT_LIMIT:
                self._text.append("\n[the rest of the text is in the log]\n")

    def end_text(self) -> None:
        text, self._text = "".join(self._text), []
        if text.strip("\n"):
            self._add_text(text)

    def _add_text(self, text: str, name: str | None = None) -> None:
        self._part("text", {"text": self._file("txt", text)}, None, name)

    # -- values ----------------------------------------------------------------------------------------------------

    def add_figure(self, figure: Any, name: str | None = None, again: bool = False) -> None:
        self.end_text()
        if id(figure) in self._drawn and not again:
            return
        self._drawn[id(figure)] = figure
        digest = figures.figure_digest(figure)
        stem = os.path.join(self._folder, str(len(self._parts) + 1))
        written = figures.save_figure(figure, stem)
        self._part("figure", {kind: os.path.basename(path) for kind, path in written.items()}, digest, name)

    def add_returned(self, value: Any) -> None:
        """A dictionary of plain values is metrics; a list or tuple shows its parts; anything else is shown."""
        if value is None:
            return
        if isinstance(value, dict) and value and all(isinstance(key, str) for key in value):
            plain = {key: part for key, part in value.items() if _is_scalar(part)}
            if plain:
                self._add_metrics(plain)
            for key, part in value.items():
                if key not in plain:
                    self.add(part, key)
        elif isinstance(value, (list, tuple)) and any(not _is_scalar(part) for part in value):
            for part in value:
                self.add(part)
        elif isinstance(value, str):
            self._flush_before()
            self._add_text(value)
        else:
            self.add(value)

    def add(self, value: Any, name: str | None = None) -> None:
        figure = figures.figure_of(value)
        if figure is not None:
            self.add_figure(figure, name)
            return
        self.end_text()
        files = {"text": self._file("txt", _plain(value))}
        kind = "table" if table_codec.frame_kind(value) or type(value).__name__ == "Series" else "value"
        for suffix, text in _rich(value).items():
            files[suffix] = self._file(suffix, text)
            kind = "html" if kind == "value" and suffix == "html" else kind
        self._part(kind, files, _digest(value), name)

    def display(self, value: Any) -> None:
        """As a cell shows its last value: a figure as itself, an artist by its text, since its figure is shown when it ends."""
        figure = figures.figure_of(value)
        if figure is None:
            self.add(value)
        elif figure is value:
            # It may have been drawn on since it was shown.
            self.add_figure(figure, again=True)
        else:
            self.end_text()
            self._part("value", {"text": self._file("txt", _plain(value))}, None, None)

    def _flush_before(self) -> None:
        self.end_text()

    def _add_metrics(self, metrics: dict[str, Any]) -> None:
        self.end_text()
        values = {key: _json_scalar(value) for key, value in metrics.items()}
        self._metrics.update(values)
        self._part("metrics", {}, _digest(metrics), None, {"values": values})

    # -- files -----------------------------------------------------------------------------------------------------

    def _file(self, suffix: str, text: str) -> str:
        name = f"{len(self._parts) + 1}.{suffix}"
        with open(os.path.join(self._folder, name), "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(text)
        return name

    def _part(
        self, kind: str, files: dict[str, str], digest: str | None, name: str | None, more: dict[str, Any] | None = None
    ) -> None:
        self._parts.append(
            {"type": kind, "name": name, "cell": self.cell, "files": files, "digest": digest, **(more or {})}
        )

    def finish(self) -> dict[str, Any]:
        """Writes `report.json` and gives the summary."""
        self.end_text()
        with open(os.path.join(self._folder, "report.json"), "w", encoding="utf-8") as stream:
            json.dump({"version": 1, "parts": self._parts}, stream, indent=1, allow_nan=False)
        drawn = [part["digest"] for part in self._parts if part["type"] == "figure"]
        return {"parts": len(self._parts), "figures": drawn, "metrics": self._metrics}


class _Tee:
    """stdout that the report also hears. Everything else is the real stream's."""

    def __init__(self, stream: Any, shown: Shown) -> None:
        self._stream = stream
        self._shown = shown

    def write(self, text: str) -> int:
        self._shown.write(text)
        return self._stream.write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _is_scalar(value: Any) -> bool:
    if value is None or isinstance(value, (bool, int, float, str)):
        return True
    return type(value).__module__ == "numpy" and getattr(value, "shape", None) == () and hasattr(value, "item")


def _json_scalar(value: Any) -> Any:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return repr(plain)
    return plain if plain is None or isinstance(plain, (bool, int, float, str)) else str(plain)


def _plain(value: Any) -> str:
    """As IPython prints it, where a notebook's step has loaded it: long lists over several lines, sets in order."""
    if "IPython.core.formatters" in sys.modules:
        text = sys.modules["IPython.core.formatters"].PlainTextFormatter()(value)
        if isinstance(text, str):
            return text
    return repr(value)


def _rich(value: Any) -> dict[str, str]:
    """HTML and the like, from the value's own methods. A method that fails shows the text only."""
    for method, suffix in (
        ("_repr_html_", "html"),
        ("_repr_svg_", "svg"),
        ("_repr_latex_", "tex"),
        ("_repr_markdown_", "md"),
    ):
        if isinstance(value, type) or not hasattr(value, method):
            continue
        try:
            text = getattr(value, method)()
        except Exception:  # display methods are decoration: the text part stands
            continue
        if isinstance(text, str) and text:
            return {suffix: text}
    return {}


def _digest(value: Any) -> str | None:
    from .._notebook import encode

    try:
        return encode.digest(value)
    except encode.Unencodable:
        return None
