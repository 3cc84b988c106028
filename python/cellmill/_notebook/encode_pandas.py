"""Canonical encoding of pandas: frames, series, indexes, extension arrays and their scalars.

Reads only internals that have no side effects: public accessors cache what they return.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .encode_leaves import str_bytes
from .encode_numpy import array_bytes, dtype_text, elements, note_buffer

if TYPE_CHECKING:
    from .encode import Encoder


def encode_index(e: Encoder, value: Any) -> None:
    e.sink.open(b"index", value)
    e.class_of(value)
    e.labelled("names", list(value.names))
    kind = type(value).__name__
    if kind == "RangeIndex":
        e.labelled("range", (value.start, value.stop, value.step))
    elif kind == "MultiIndex":
        for position, level in enumerate(value.levels):
            e.labelled(f"levels[{position}]", level)
        for position, codes in enumerate(value.codes):
            e.sink.label(f"codes[{position}]")
            e.leaf(b"codes", array_bytes(codes.astype("int64")), codes)
    else:
        e.labelled("freq", _freq(value))
        array_like(e, value._data if hasattr(value, "_data") else value.array, buffers=False)
    e.sink.close()


def _freq(value: Any) -> str | None:
    if type(value).__name__ not in ("DatetimeIndex", "TimedeltaIndex", "DatetimeArray", "TimedeltaArray"):
        return None
    freq = value.freq
    return None if freq is None else freq.freqstr


def array_like(e: Encoder, array: Any, buffers: bool = True) -> None:
    """One column: a numpy array or a pandas extension array."""
    np = sys.modules["numpy"]
    if isinstance(array, np.ndarray):
        if buffers:
            note_buffer(e, array)
        e.sink.open(b"array", array)
        e.labelled("dtype", dtype_text(array.dtype))
        elements(e, array)
        e.sink.close()
        return
    e.sink.open(b"extension-array", array)
    name = type(array).__name__
    if name == "NumpyExtensionArray" or name == "PandasArray":
        array_like(e, array._ndarray, buffers)
    elif name in ("DatetimeArray", "TimedeltaArray", "PeriodArray"):
        e.labelled("dtype", str(array.dtype))
        if buffers:
            note_buffer(e, array._ndarray)
        e.leaf(b"elements", array_bytes(array._ndarray.view("int64")), array)
    elif name == "Categorical":
        e.labelled("categories", array.categories)
        e.labelled("ordered", bool(array.ordered))
        if buffers:
            note_buffer(e, array._ndarray)
        e.leaf(b"elements", array_bytes(array.codes.astype("int64")), array)
    elif hasattr(array, "_mask") and hasattr(array, "_data"):
        e.labelled("dtype", str(array.dtype))
        data, mask = array._data, array._mask
        if buffers:
            note_buffer(e, data)
            note_buffer(e, mask)
        if mask.any():  # what lies under the mask cannot be seen
            data = data.copy()
            data[mask] = data.dtype.type(0)
        e.leaf(b"mask", array_bytes(mask), mask)
        e.leaf(b"elements", array_bytes(data), array)
    elif name == "IntervalArray":
        e.labelled("closed", array.closed)
        e.labelled("left", array.left)
        e.labelled("right", array.right)
    elif name == "SparseArray":
        e.labelled("dtype", str(array.dtype))
        e.labelled("fill_value", array.fill_value)
        e.labelled("positions", array.sp_index.indices.tolist())
        array_like(e, array.sp_values, buffers)
    else:
        _other_extension(e, array, buffers)
    e.sink.close()


def _other_extension(e: Encoder, array: Any, buffers: bool) -> None:
    e.class_of(array)
    e.labelled("dtype", str(array.dtype))
    dtype = array.dtype
    storage = getattr(dtype, "storage", None)
    if storage is not None:
        e.labelled("storage", (storage, repr(getattr(dtype, "na_value", None))))
    if buffers:
        # Unknown memory: names that hold the very same array are still found.
        e.reached.setdefault(id(array), array)
    cells = array.to_numpy(dtype=object) if hasattr(array, "to_numpy") else array.astype(object)
    e.sink.open(b"cells", array)
    e.items(cells.tolist())
    e.sink.close()


def _pandas_common(e: Encoder, value: Any) -> None:
    pandas_class = type(value).__name__ in ("DataFrame", "Series") and type(value).__module__.startswith("pandas.")
    if not pandas_class:
        e.class_of(value)
        for name in getattr(value, "_metadata", ()):
            if name not in ("name", "_name"):
                e.labelled(f".{name}", value.__dict__.get(name))
    e.labelled("attrs", dict(value._attrs))
    e.labelled("allows_duplicate_labels", bool(value._flags._allows_duplicate_labels))


def encode_frame(e: Encoder, value: Any) -> None:
    if not e.once(value):
        return
    e.sink.open(b"dataframe", value)
    _pandas_common(e, value)
    manager = value._mgr
    columns, index = manager.axes[0], manager.axes[1]
    e.labelled("columns", columns)
    e.labelled("index", index)
    for position in range(len(columns)):
        label = columns[position]
        e.sink.label(f"[{label!r}]" if type(label) in (str, int) else f"column {position}")
        array_like(e, manager.iget_values(position))
    e.sink.close()


def encode_series(e: Encoder, value: Any) -> None:
    if not e.once(value):
        return
    e.sink.open(b"series", value)
    _pandas_common(e, value)
    e.labelled("name", value._name)
    e.labelled("index", value._mgr.axes[0])
    e.sink.label("values")
    array_like(e, value._mgr.internal_values())
    e.sink.close()


def encode_extension_array(e: Encoder, value: Any) -> None:
    if e.once(value):
        e.sink.open(b"standalone", value)
        e.labelled("freq", _freq(value))
        array_like(e, value)
        e.sink.close()


def encode_extension_dtype(e: Encoder, value: Any) -> None:
    e.sink.open(b"extension-dtype", value)
    e.class_of(value)
    e.leaf(b"text", str_bytes(str(value)))
    if type(value).__name__ == "CategoricalDtype":
        e.walk(value.categories)
        e.walk(value.ordered)
    e.sink.close()


def encode_timestamp(e: Encoder, value: Any) -> None:
    e.sink.open(b"timestamp", value)
    e.items((int(value._value), value.unit, value.fold))
    e.walk(value.tzinfo)
    e.sink.close()


def encode_timedelta(e: Encoder, value: Any) -> None:
    e.leaf(b"pandas-timedelta", b"%d%s" % (int(value._value), str_bytes(value.unit)), value)


def encode_period(e: Encoder, value: Any) -> None:
    e.leaf(b"period", b"%d%s" % (int(value.ordinal), str_bytes(value.freqstr)), value)


def encode_interval(e: Encoder, value: Any) -> None:
    e.sink.open(b"interval", value)
    e.items((value.left, value.right, value.closed))
    e.sink.close()


def encode_missing(name: bytes) -> Any:
    return lambda e, value: e.leaf(name, b"", value)
