"""matplotlib in a step: drawn on agg with matplotlib's own defaults, which are what Jupyter's inline backend uses too.

`plt.show()` and every boundary between two notebook cells end the open figures, as the inline backend does at the end of a
cell. A figure's identity is the digest of its artist tree, taken before it is rendered; the images are for people.
"""

from __future__ import annotations

import sys
import types
from .._types import Any
from collections.abc import Callable

from .project_code import ProjectFinder

_NO_DATES = {"png": {}, "svg": {"Date": None, "Creator": None}}


class Figures:
    """`keep` receives each figure as it ends; None drops them."""

    def __init__(self, keep: Callable[[Any], None] | None) -> None:
        self._keep = keep

    def start(self, finder: ProjectFinder) -> None:
        finder.after_import("matplotlib.pyplot", self._take_over)

    def _take_over(self, pyplot: types.ModuleType) -> None:
        def show(*args: Any, **options: Any) -> None:
            """Ends the open figures, as in a notebook."""
            self.end_all()

        pyplot.show = show  # type: ignore[attr-defined]

    def end_all(self) -> None:
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None or not hasattr(pyplot, "get_fignums"):
            return
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            if self._keep is not None:
                self._keep(figure)
        pyplot.close("all")


def figure_of(value: Any) -> Any:
    """The figure that a value is or belongs to (axes, artists, seaborn grids), else None."""
    figures = sys.modules.get("matplotlib.figure")
    if figures is None:
        return None
    if isinstance(value, figures.Figure):
        return value
    artists = sys.modules["matplotlib.artist"]
    candidate = (
        getattr(value, "figure", None)
        if isinstance(value, artists.Artist) or type(value).__module__.startswith("seaborn")
        else None
    )
    return candidate if isinstance(candidate, figures.Figure) else None


def figure_digest(figure: Any) -> str | None:
    from .._notebook import encode

    try:
        return encode.digest(figure)
    except encode.Unencodable:
        return None


def save_figure(figure: Any, stem: str) -> dict[str, str]:
    """Writes `<stem>.png` and `<stem>.svg`, as tightly cropped as inline does. Equal figures give equal bytes."""
    import matplotlib

    written = {}
    with matplotlib.rc_context({"svg.hashsalt": "cellmill"}):
        for suffix, metadata in _NO_DATES.items():
            figure.savefig(f"{stem}.{suffix}", format=suffix, bbox_inches="tight", metadata=metadata)
            written[suffix] = f"{stem}.{suffix}"
    return written
