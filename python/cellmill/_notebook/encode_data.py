"""Canonical encoding of arrays and frames: numpy, pandas, polars, pyarrow, scipy.sparse, torch.

Every element counts, in order, with its exact type; NaN has one bit pattern, -0.0 differs from 0.0, memory layout does
not count. Reads only internals that have no side effects (pandas caches what its public accessors return). Nothing here
imports a library: a value of a library's type means that the library is there.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .encode import Encoder, Handler


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


# -- numpy -----------------------------------------------------------------------------------------------------


def _dtype_text(dtype: Any) -> bytes:
    if dtype.names is not None:
        fields = b",".join(_text(name) + b":" + _dtype_text(dtype.fields[name][0]) for name in dtype.names)
        return b"{" + fields + b"}"
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return _dtype_text(base) + _text(str(shape))
    return _text(dtype.str if dtype.kind != "T" else str(dtype))


def _array_bytes(array: Any) -> Any:
    """Elements in C order as bytes, with one NaN and without padding. Not for object or structured dtypes."""
    np = sys.modules["numpy"]
    array = np.ascontiguousarray(array)
    kind = array.dtype.kind
    if kind in "fc":
        if array.dtype.itemsize // (2 if kind == "c" else 1) > 8:
            # Extended precision has padding bytes; ten of them hold the value on x86, elsewhere all do.
            real = array.view(np.longdouble)
            used = 10 if np.finfo(np.longdouble).nmant == 63 else real.dtype.itemsize
            real = np.where(np.isnan(real), np.longdouble("nan"), real)
            parts = real.reshape(-1, 1).view(np.uint8).reshape(-1, real.dtype.itemsize)[:, :used]
            return memoryview(np.ascontiguousarray(parts)).cast("B") if parts.size else b""
        real = array.view(array.real.dtype) if kind == "c" and array.ndim else array
        real = np.atleast_1d(array).view(np.atleast_1d(array).real.dtype) if kind == "c" else real
        missing = np.isnan(real)
        if missing.any():
            real = real.copy()
            real[missing if real.ndim else ()] = np.nan
        array = real
    if array.size == 0:
        return b""
    if kind in "mMUSVbiuf" or kind == "c":
        return memoryview(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    raise _unencodable(f"an array of dtype {array.dtype}")


def _unencodable(why: str) -> Exception:
    from .encode import Unencodable

    return Unencodable(why)


def elements(e: Encoder, array: Any) -> None:
    """The elements of one ndarray."""
    dtype = array.dtype
    if dtype.names is not None:
        for name in dtype.names:
            e.sink.label(f"[{name!r}]")
            e.sink.open(b"field", array[name])
            elements(e, array[name])
            e.sink.close()
    elif dtype.hasobject or dtype.kind == "T":
        e.sink.open(b"cells", array)
        e.items(array.ravel(order="C").tolist() if dtype.kind == "T" else _object_cells(array))
        e.sink.close()
    else:
        e.leaf(b"elements", _array_bytes(array), array)


def _object_cells(array: Any) -> list[Any]:
    return list(array.ravel(order="C").flat) if array.ndim != 1 else array.tolist()


def note_buffer(e: Encoder, array: Any) -> None:
    """Remembers the memory of an array, so that names which share it can be found."""
    np = sys.modules["numpy"]
    if array.size and not array.dtype.hasobject:
        bounds = getattr(np, "byte_bounds", None) or np.lib.array_utils.byte_bounds
        e.buffers.append(bounds(array))
    elif array.size:
        e.reached.setdefault(id(array.base if array.base is not None else array), array)


def _ndarray(e: Encoder, value: Any) -> None:
    np = sys.modules["numpy"]
    if not e.once(value):
        return
    note_buffer(e, value)
    e.sink.open(b"ndarray", value)
    if type(value) is not np.ndarray:
        e.class_of(value)
    e.labelled("dtype", _dtype_text(value.dtype))
    e.labelled("shape", value.shape)
    e.labelled("writeable", bool(value.flags.writeable))
    if isinstance(value, np.ma.MaskedArray):
        e.labelled("mask", np.ma.getmaskarray(value).tobytes())
        e.labelled("fill_value", value._fill_value)
        elements(e, value.data)
    else:
        elements(e, value.view(np.ndarray))
    e.sink.close()


def _np_scalar(e: Encoder, value: Any) -> None:
    np = sys.modules["numpy"]
    e.sink.open(b"numpy-scalar", value)
    array = np.asarray(value)
    e.leaf(b"dtype", _dtype_text(array.dtype))
    elements(e, array.reshape(1))
    e.sink.close()


def _np_dtype(e: Encoder, value: Any) -> None:
    e.leaf(b"dtype", _dtype_text(value), value)


# -- pandas ----------------------------------------------------------------------------------------------------


def _index(e: Encoder, value: Any) -> None:
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
            e.leaf(b"codes", _array_bytes(codes.astype("int64")), codes)
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
        e.labelled("dtype", _dtype_text(array.dtype))
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
        e.leaf(b"elements", _array_bytes(array._ndarray.view("int64")), array)
    elif name == "Categorical":
        e.labelled("categories", array.categories)
        e.labelled("ordered", bool(array.ordered))
        if buffers:
            note_buffer(e, array._ndarray)
        e.leaf(b"elements", _array_bytes(array.codes.astype("int64")), array)
    elif hasattr(array, "_mask") and hasattr(array, "_data"):
        e.labelled("dtype", str(array.dtype))
        data, mask = array._data, array._mask
        if buffers:
            note_buffer(e, data)
            note_buffer(e, mask)
        if mask.any():  # what lies under the mask cannot be seen
            data = data.copy()
            data[mask] = data.dtype.type(0)
        e.leaf(b"mask", _array_bytes(mask), mask)
        e.leaf(b"elements", _array_bytes(data), array)
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


def _frame(e: Encoder, value: Any) -> None:
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


def _series(e: Encoder, value: Any) -> None:
    if not e.once(value):
        return
    e.sink.open(b"series", value)
    _pandas_common(e, value)
    e.labelled("name", value._name)
    e.labelled("index", value._mgr.axes[0])
    e.sink.label("values")
    array_like(e, value._mgr.internal_values())
    e.sink.close()


def _extension_array(e: Encoder, value: Any) -> None:
    if e.once(value):
        e.sink.open(b"standalone", value)
        e.labelled("freq", _freq(value))
        array_like(e, value)
        e.sink.close()


def _extension_dtype(e: Encoder, value: Any) -> None:
    e.sink.open(b"extension-dtype", value)
    e.class_of(value)
    e.leaf(b"text", _text(str(value)))
    if type(value).__name__ == "CategoricalDtype":
        e.walk(value.categories)
        e.walk(value.ordered)
    e.sink.close()


def _timestamp(e: Encoder, value: Any) -> None:
    e.sink.open(b"timestamp", value)
    e.items((int(value._value), value.unit, value.fold))
    e.walk(value.tzinfo)
    e.sink.close()


def _timedelta(e: Encoder, value: Any) -> None:
    e.leaf(b"pandas-timedelta", b"%d%s" % (int(value._value), _text(value.unit)), value)


def _period(e: Encoder, value: Any) -> None:
    e.leaf(b"period", b"%d%s" % (int(value.ordinal), _text(value.freqstr)), value)


def _interval(e: Encoder, value: Any) -> None:
    e.sink.open(b"interval", value)
    e.items((value.left, value.right, value.closed))
    e.sink.close()


def _missing(name: bytes) -> Any:
    return lambda e, value: e.leaf(name, b"", value)


# -- polars, pyarrow, scipy, torch, time zones --------------------------------------------------------------------


def _polars_frame(e: Encoder, value: Any) -> None:
    if not e.once(value):
        return
    e.sink.open(b"polars-frame", value)
    for column in value.get_columns():
        e.labelled(f"[{column.name!r}]", column)
    e.sink.close()


def _polars_series(e: Encoder, value: Any) -> None:
    e.sink.open(b"polars-series", value)
    e.items((value.name, str(value.dtype), len(value)))
    if value.dtype.is_numeric() and value.null_count() == 0 and str(value.dtype) not in ("Int128", "UInt128"):
        if not str(value.dtype).startswith("Decimal"):
            e.leaf(b"elements", _array_bytes(value.to_numpy()), value)
            e.sink.close()
            return
    e.sink.open(b"cells", value)
    e.items(value.to_list())
    e.sink.close()
    e.sink.close()


def _arrow_table(e: Encoder, value: Any) -> None:
    e.sink.open(b"arrow-table", value)
    for field, column in zip(value.schema, value.columns, strict=True):
        e.sink.label(f"[{field.name!r}]")
        e.items((field.name, str(field.type), field.nullable))
        e.walk(field.metadata)
        _arrow_array(e, column)
    e.walk(value.schema.metadata)
    e.sink.close()


def _arrow_array(e: Encoder, value: Any) -> None:
    e.sink.open(b"arrow-array", value)
    e.items((str(value.type), len(value)))
    e.items(value.to_pylist())
    e.sink.close()


def _sparse(e: Encoder, value: Any) -> None:
    if not e.once(value):
        return
    e.sink.open(b"sparse", value)
    e.class_of(value)
    e.labelled("shape", value.shape)
    for name in ("data", "indices", "indptr", "row", "col", "offsets", "coords"):
        part = getattr(value, name, None) if name in value.__dict__ or name in ("row", "col") else None
        if part is not None:
            e.labelled(name, part)
    e.sink.close()


def _tensor(e: Encoder, value: Any) -> None:
    if not e.once(value):
        return
    e.sink.open(b"tensor", value)
    e.items((str(value.dtype), tuple(value.shape), str(value.device), bool(value.requires_grad)))
    plain = value.detach().cpu()
    if str(value.dtype) == "torch.bfloat16":
        plain = plain.float()
    array = plain.numpy()
    note_buffer(e, array)
    elements(e, array)
    e.walk(value.grad)
    e.sink.close()


def _zone(e: Encoder, value: Any) -> None:
    key = getattr(value, "key", None) or getattr(value, "zone", None)
    if key is None:
        raise _unencodable("a time zone without a name")
    e.leaf(b"zone", _text(f"{type(value).__module__}:{key}"), value)


_BY_NAME: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "generic"): _np_scalar,
    ("numpy", "dtype"): _np_dtype,
    ("pandas", "DataFrame"): _frame,
    ("pandas", "Series"): _series,
    ("pandas", "Index"): _index,
    ("pandas", "ExtensionArray"): _extension_array,
    ("pandas", "ExtensionDtype"): _extension_dtype,
    ("pandas", "Timestamp"): _timestamp,
    ("pandas", "Timedelta"): _timedelta,
    ("pandas", "Period"): _period,
    ("pandas", "Interval"): _interval,
    ("pandas", "NaTType"): _missing(b"NaT"),
    ("pandas", "NAType"): _missing(b"NA"),
    ("polars", "DataFrame"): _polars_frame,
    ("polars", "Series"): _polars_series,
    ("pyarrow", "Table"): _arrow_table,
    ("pyarrow", "RecordBatch"): _arrow_table,
    ("pyarrow", "ChunkedArray"): _arrow_array,
    ("pyarrow", "Array"): _arrow_array,
    ("scipy", "_spbase"): _sparse,
    ("torch", "Tensor"): _tensor,
    ("zoneinfo", "ZoneInfo"): _zone,
}


def handler_for(base: type, kind: type) -> Handler | None:
    """By top-level package and class name of one base of `kind`."""
    if base.__module__.partition(".")[0] == "pytz" and kind.__name__ not in ("type",):
        return _zone if hasattr(kind, "zone") else None
    if base.__name__ == "ndarray" and base.__module__ == "numpy":
        return _ndarray
    return _BY_NAME.get((base.__module__.partition(".")[0], base.__name__))
