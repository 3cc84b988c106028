"""One value as facts: type, kind, shape, size. Never calls `repr`, `==` or a property of an object of unknown type."""

from __future__ import annotations

import os
import tempfile
import types
from typing import Any

from .._runner import table_codec
from .._runner.compare_frames import NotLossless

_LARGEST_TRIAL = 1 << 30


def type_name(value: Any) -> str:
    kind = type(value)
    return f"{_module(kind)}.{type.__dict__['__qualname__'].__get__(kind)}"


def _module(kind: type) -> str:
    """Where a class was defined; a metaclass may compute it or put anything there."""
    module = type.__dict__["__dict__"].__get__(kind).get("__module__")
    if type(module) is not str and not kind.__flags__ & (1 << 9):  # a built-in class keeps it elsewhere
        module = type.__dict__["__module__"].__get__(kind)
    return module if type(module) is str else "?"


def is_defined_here(value: Any, namespace: dict[str, Any]) -> bool:
    if type(value) is types.FunctionType:
        return value.__globals__ is namespace
    return issubclass(type(value), type) and type.__dict__["__dict__"].__get__(value).get("__module__") == "__main__"


def shape_of(value: Any) -> str:
    """`12,044 x 3 (id int64, total float64)`; '' where a shape says nothing."""
    kind, name = type(value), type_name(value)
    module = _module(kind)
    if kind in (list, tuple, dict, set, frozenset, str, bytes, bytearray):
        return f"{len(value):,}"
    if name == "numpy.ndarray":
        return f"{' x '.join(f'{size:,}' for size in value.shape)} {value.dtype}"
    if module.startswith("pandas.") and kind.__name__ == "DataFrame":
        columns, index = value._mgr.axes
        types_ = [f"{label} {value._mgr.iget_values(i).dtype}" for i, label in enumerate(columns[:20])]
        more = ", ..." if len(columns) > 20 else ""
        return f"{len(index):,} x {len(columns)} ({', '.join(types_)}{more})"
    if module.startswith("pandas.") and kind.__name__ == "Series":
        return f"{len(value._mgr.axes[0]):,} {value._mgr.internal_values().dtype}"
    if module.startswith("polars.") and kind.__name__ == "DataFrame":
        types_ = [f"{label} {dtype}" for label, dtype in list(value.schema.items())[:20]]
        return f"{value.height:,} x {value.width} ({', '.join(types_)})"
    return ""


def kind_of(value: Any, problem: str | None, size: int, is_iterator: bool) -> tuple[str, str]:
    """(kind, why a frame is not a table). `isinstance` would ask the value for its class, and it may lie."""
    if issubclass(type(value), types.ModuleType):
        return "module", ""
    if issubclass(type(value), type):
        return "class", ""
    if type(value) in (types.FunctionType, types.BuiltinFunctionType, types.MethodType):
        return "function", ""
    if is_iterator:
        return "unserialisable", problem or ""
    if _frame(value):
        return _table(value, size)
    return "object", ""


def _frame(value: Any) -> bool:
    """Asks the codec only about classes of libraries that have frames: it reads attributes of what it is given."""
    libraries = {_module(base).partition(".")[0] for base in type(value).__mro__}
    return bool(libraries & {"pandas", "polars"}) and table_codec.frame_kind(value) in ("pandas", "polars")


def _table(value: Any, size: int) -> tuple[str, str]:
    if size > _LARGEST_TRIAL:
        return "object", f"larger than {_LARGEST_TRIAL >> 20} MB, so that Parquet was not tried"
    trial = value
    if table_codec.frame_kind(value) == "pandas":
        # Reading columns fills caches of the frame it is done on.
        trial = type(value).copy(value, deep=False)
    try:
        with tempfile.TemporaryDirectory(prefix="cellmill-") as folder:
            table_codec.write_table(trial, os.path.join(folder, "trial.parquet"))
    except NotLossless as error:
        return "object", str(error)[:500]
    except Exception as error:  # a subclass or a library's own error: what does not write is no table
        return "object", f"{type(error).__name__}: {error}"[:500]
    return "table", ""
