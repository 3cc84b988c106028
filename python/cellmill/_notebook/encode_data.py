"""Canonical encoding of tables and arrays of other libraries (polars, pyarrow, scipy.sparse, torch), and who encodes which type.

Nothing here imports a library: a value of a library's type means that the library is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .encode_leaves import Unencodable, str_bytes
from .encode_numpy import array_bytes, elements, encode_array, encode_dtype, encode_scalar, note_buffer
from .encode_pandas import (
    encode_extension_array,
    encode_extension_dtype,
    encode_frame,
    encode_index,
    encode_interval,
    encode_missing,
    encode_period,
    encode_series,
    encode_timedelta,
    encode_timestamp,
)

if TYPE_CHECKING:
    from .encode import Encoder, Handler


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
            e.leaf(b"elements", array_bytes(value.to_numpy()), value)
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
        raise Unencodable("a time zone without a name")
    e.leaf(b"zone", str_bytes(f"{type(value).__module__}:{key}"), value)


_BY_NAME: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): encode_array,
    ("numpy", "generic"): encode_scalar,
    ("numpy", "dtype"): encode_dtype,
    ("pandas", "DataFrame"): encode_frame,
    ("pandas", "Series"): encode_series,
    ("pandas", "Index"): encode_index,
    ("pandas", "ExtensionArray"): encode_extension_array,
    ("pandas", "ExtensionDtype"): encode_extension_dtype,
    ("pandas", "Timestamp"): encode_timestamp,
    ("pandas", "Timedelta"): encode_timedelta,
    ("pandas", "Period"): encode_period,
    ("pandas", "Interval"): encode_interval,
    ("pandas", "NaTType"): encode_missing(b"NaT"),
    ("pandas", "NAType"): encode_missing(b"NA"),
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
        return encode_array
    return _BY_NAME.get((base.__module__.partition(".")[0], base.__name__))
