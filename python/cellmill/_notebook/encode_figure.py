"""Canonical encoding of matplotlib figures: the artist tree before rendering, never pixels.

A figure is its axes in order; axes are their limits, scales, ticks, texts and artists; an artist is its data and style.
Reading an artist tree may settle what drawing would settle too (autoscaled limits), and nothing else.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .encode import Encoder, Handler

_STYLE = ("alpha", "visible", "zorder", "linestyle", "linewidth", "marker", "markersize", "hatch", "fill", "fontsize", "rotation", "horizontalalignment", "verticalalignment", "drawstyle")  # fmt: skip
_COLOURS = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")
_SKIPPED = ("XAxis", "YAxis", "ZAxis", "Spine", "Spines")


def _plain(value: Any) -> Any:
    """Colours and dash patterns as nested tuples of numbers and strings."""
    np = sys.modules["numpy"]
    if isinstance(value, np.ndarray):
        return tuple(_plain(part) for part in value.tolist()) if value.ndim else value.item()
    if isinstance(value, (list, tuple)):
        return tuple(_plain(part) for part in value)
    return value.item() if isinstance(value, np.generic) else value


def _walk_named(e: Encoder, name: str, value: Any) -> None:
    e.leaf(b"part", name.encode())
    e.labelled(f".{name}", value)


def _style(e: Encoder, artist: Any) -> None:
    colors = sys.modules["matplotlib.colors"]
    is_deep = hasattr(artist, "_offsets3d")
    for name in _COLOURS:
        getter = getattr(artist, f"get_{name}", None)
        if getter is None:
            continue
        # In three dimensions, drawing shades and sorts by depth; what it starts from is the figure's.
        value = getattr(sys.modules["matplotlib.collections"].Collection, f"get_{name}")(artist) if is_deep and name != "color" else getter()
        try:
            value = _plain(colors.to_rgba_array(value))
        except (ValueError, TypeError):  # 'auto', 'none' and cycles keep their own words
            value = _plain(value)
        _walk_named(e, name, value)
    is_sorted = getattr(getattr(artist, "axes", None), "computed_zorder", False)
    for name in _STYLE:
        getter = getattr(artist, f"get_{name}", None)
        if getter is not None and not (is_sorted and name == "zorder"):
            value = artist._linewidths3d if is_deep and name == "linewidth" else getter()
            value = value.tolist() if hasattr(value, "tolist") else value
            if value is None or isinstance(value, (str, int, float, bool, tuple, list)):
                _walk_named(e, name, _plain(value))


def _artist(e: Encoder, artist: Any) -> None:
    """One artist inside axes."""
    np = sys.modules["numpy"]
    kind = type(artist).__name__
    if hasattr(artist, "update_scalarmappable") and artist.get_array() is not None:
        # Colours by value are settled when they are drawn: a figure is the same before and after that.
        artist.update_scalarmappable()
    e.sink.open(b"artist", artist)
    e.leaf(b"kind", kind.encode())
    if hasattr(artist, "get_xydata"):
        x, y = artist.get_data(orig=False)[:2]
        _walk_named(e, "x", _numbers(np, x))
        _walk_named(e, "y", _numbers(np, y))
    elif isinstance(artist, sys.modules["matplotlib.text"].Text):
        _walk_named(e, "text", artist.get_text())
        _walk_named(e, "position", _plain(artist.get_position()))
    elif hasattr(artist, "get_array") and hasattr(artist, "get_extent"):
        _walk_named(e, "array", _numbers(np, artist.get_array()))
        _walk_named(e, "extent", _plain(artist.get_extent()))
    else:
        _shape(e, np, artist)
    if hasattr(artist, "get_cmap") and artist.get_array() is not None:
        _walk_named(e, "cmap", artist.get_cmap().name)
        _walk_named(e, "clim", _plain(artist.get_clim()))
    label = artist.get_label()
    _walk_named(e, "label", label if isinstance(label, str) and not re.match(r"_child\d+$", label) else "")
    _style(e, artist)
    if kind == "Legend":
        _walk_named(e, "texts", [text.get_text() for text in artist.get_texts()])
        _walk_named(e, "title", artist.get_title().get_text())
        _walk_named(e, "location", artist._loc_real if hasattr(artist, "_loc_real") else artist._loc)
    else:
        for child in artist.get_children():
            _artist(e, child)
    e.sink.close()


def _shape(e: Encoder, np: Any, artist: Any) -> None:
    if hasattr(artist, "get_offsets") and hasattr(artist, "get_paths"):
        if hasattr(artist, "_offsets3d"):
            for part in artist._offsets3d:
                _walk_named(e, "offsets", _numbers(np, part))
        else:
            _walk_named(e, "offsets", _numbers(np, artist.get_offsets()))
        for path in artist.get_paths():
            _path(e, np, path)
        array = artist.get_array() if hasattr(artist, "get_array") else None
        _walk_named(e, "array", None if array is None else _numbers(np, array))
        if hasattr(artist, "get_sizes"):
            _walk_named(e, "sizes", _numbers(np, getattr(artist, "_sizes3d", artist.get_sizes())))
    elif hasattr(artist, "get_path") and hasattr(artist, "get_patch_transform"):
        _path(e, np, artist.get_path())
        _walk_named(e, "transform", _numbers(np, artist.get_patch_transform().get_matrix()))


def _path(e: Encoder, np: Any, path: Any) -> None:
    _walk_named(e, "vertices", _numbers(np, path.vertices))
    _walk_named(e, "codes", None if path.codes is None else [int(code) for code in path.codes])


def _numbers(np: Any, value: Any) -> Any:
    """A fresh array with writable memory of its own, so that only numbers count."""
    if isinstance(value, np.ma.MaskedArray):
        return [np.array(value.filled(0)), np.array(np.ma.getmaskarray(value))]
    return np.array(value)


def _axes(e: Encoder, axes: Any) -> None:
    e.sink.open(b"axes", axes)
    e.leaf(b"kind", f"{type(axes).__name__}:{axes.name}".encode())
    _walk_named(e, "position", [float(part) for part in axes.get_position(original=True).bounds])
    for side in ("x", "y", "z"):
        if hasattr(axes, f"get_{side}lim"):
            _walk_named(e, f"{side}lim", [float(part) for part in getattr(axes, f"get_{side}lim")()])
            _walk_named(e, f"{side}scale", getattr(axes, f"get_{side}scale")())
            _walk_named(e, f"{side}label", getattr(axes, f"get_{side}label")())
            axis = getattr(axes, f"{side}axis")
            _walk_named(e, f"{side}ticks", [float(tick) for tick in axis.get_majorticklocs()])
            _walk_named(e, f"{side}ticklabels", _tick_labels(axis))
            _walk_named(e, f"{side}grid", bool(axis._major_tick_kw.get("gridOn", False)))
    for place in ("center", "left", "right"):
        _walk_named(e, f"title-{place}", axes.get_title(loc=place))
    _walk_named(e, "shown", (bool(axes.axison), bool(axes.get_visible())))
    _style(e, axes)
    titles = {id(axes.title), id(axes._left_title), id(axes._right_title), id(axes.patch)}
    for child in axes.get_children():
        if type(child).__name__ in _SKIPPED or id(child) in titles:
            continue
        if hasattr(child, "get_xlim") and hasattr(child, "transAxes"):
            _axes(e, child)
        else:
            _artist(e, child)
    e.sink.close()


def _tick_labels(axis: Any) -> list[str]:
    formatter = axis.get_major_formatter()
    return [str(text) for text in formatter.format_ticks(axis.get_majorticklocs())]


def encode_figure(e: Encoder, figure: Any) -> None:
    if not e.once(figure):
        return
    e.sink.open(b"figure", figure)
    _walk_named(e, "size", [float(part) for part in figure.get_size_inches()])
    for axes in figure.axes:
        _axes(e, axes)
    for child in figure.get_children():
        if child is figure.patch or child in figure.axes:
            continue
        if hasattr(child, "subfigs") and hasattr(child, "add_subplot"):
            encode_figure(e, child)
        else:
            _artist(e, child)
    _style(e, figure)
    e.sink.close()


def _loose_axes(e: Encoder, axes: Any) -> None:
    """Axes as a value are a place in their figure: whoever holds them can change the whole figure."""
    figure = axes.figure
    e.sink.open(b"axes-of", axes)
    if figure is None:
        _axes(e, axes)
    else:
        e.leaf(b"number", b"%d" % figure.axes.index(axes) if axes in figure.axes else b"-1")
        e.reached[id(figure)] = figure
        encode_figure(e, figure)
    e.sink.close()


def _loose_artist(e: Encoder, artist: Any) -> None:
    if not e.once(artist):
        return
    figure = artist.figure
    if figure is not None:
        e.reached[id(figure)] = figure
    e.sink.open(b"artist-of", artist)
    _artist(e, artist)
    e.sink.close()


_HANDLERS: dict[tuple[str, str], Any] = {
    ("matplotlib.figure", "FigureBase"): encode_figure,
    ("matplotlib.axes._base", "_AxesBase"): _loose_axes,
    ("matplotlib.artist", "Artist"): _loose_artist,
}


def handler_for(base: type) -> Handler | None:
    return _HANDLERS.get((base.__module__, base.__name__))
