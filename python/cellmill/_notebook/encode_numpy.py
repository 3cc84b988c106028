"""Canonical encoding of numpy's arrays, scalars and dtypes.

Every element counts, in order, with its exact type; NaN has one bit pattern, -0.0 differs from 0.0, memory layout does
not count. Imports no library: a value of its type means that it is there.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .encode_leaves import Unencodable, str_bytes

if TYPE_CHECKING:
    from .encode import Encoder


def dtype_text(dtype: Any) -> bytes:
    if dtype.names is not None:
        fields = b",".join(str_bytes(name) + b":" + dtype_text(dtype.fields[name][0]) for name in dtype.names)
        return b"{" + fields + b"}"
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return dtype_text(base) + str_bytes(str(shape))
    return str_bytes(dtype.str if dtype.kind != "T" else str(dtype))


def array_bytes(array: Any) -> Any:
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
    raise Unencodable(f"an array of dtype {array.dtype}")


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
        e.leaf(b"elements", array_bytes(array), array)


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


def encode_array(e: Encoder, value: Any) -> None:
    np = sys.modules["numpy"]
    if not e.once(value):
        return
    note_buffer(e, value)
    e.sink.open(b"ndarray", value)
    if type(value) is not np.ndarray:
        e.class_of(value)
    e.labelled("dtype", dtype_text(value.dtype))
    e.labelled("shape", value.shape)
    e.labelled("writeable", bool(value.flags.writeable))
    if isinstance(value, np.ma.MaskedArray):
        e.labelled("mask", np.ma.getmaskarray(value).tobytes())
        # None stands for the dtype's own, which whoever asks is given, and which pickling writes out.
        fill = value._fill_value
        e.labelled("fill_value", np.ma.core._check_fill_value(None, value.dtype) if fill is None else fill)
        elements(e, value.data)
    else:
        elements(e, value.view(np.ndarray))
    e.sink.close()


def encode_scalar(e: Encoder, value: Any) -> None:
    np = sys.modules["numpy"]
    e.sink.open(b"numpy-scalar", value)
    array = np.asarray(value)
    e.leaf(b"dtype", dtype_text(array.dtype))
    elements(e, array.reshape(1))
    e.sink.close()


def encode_dtype(e: Encoder, value: Any) -> None:
    e.leaf(b"dtype", dtype_text(value), value)
