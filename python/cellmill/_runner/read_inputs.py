"""Hands inputs over as the author's annotation says: stored snapshots here, captured sources in read_sources."""

from __future__ import annotations

import json
import os
import pickle
from .._types import Any

from . import read_sources, table_codec
from .compare_frames import NotLossless
from .contract import ContractError


def read_input(given: dict[str, Any], work_folder: str) -> Any:
    """`given` is a StepInput of runtimes/runtime.ts. Raises `ContractError` when the content does not fit the annotation."""
    if given["origin"] == "source":
        return read_sources.read_source(given, work_folder)
    files = [os.path.join(given["folder"], name) for name in given["files"]]
    if not files:
        raise ContractError(f"the input '{given['argument']}' has no files")
    try:
        return _read_asset(given, files)
    except (NotLossless, KeyError) as error:
        raise _unreadable(given, error) from error


def _read_asset(given: dict[str, Any], files: list[str]) -> Any:
    codec, form, columns = given["codec"], given["form"], given["columns"]
    if codec == "parquet":
        if form == "path":
            return as_path(given, files[0])
        return table_codec.read_table(files, table_codec.default_form() if form == "object" else form, columns)
    if codec == "pickle":
        return _restrict(given, _unpickle(given, files[0]))
    if codec == "json":
        with open(files[0], encoding="utf-8") as stream:
            return json.load(stream)
    if codec == "file":
        return _read_file(given, files)
    return as_path(given, given["folder"])


def as_path(given: dict[str, Any], path: str) -> Any:
    """`str`, unless the annotation is a pathlib class."""
    return read_sources.pathlib_path(path) if "Path" in given["annotation"] else path


def _read_file(given: dict[str, Any], files: list[str]) -> Any:
    if given["annotation"] == "bytes":
        with open(files[0], "rb") as stream:
            return stream.read()
    if given["form"] in ("path", "object"):
        return as_path(given, files[0] if len(files) == 1 else given["folder"])
    return read_sources.read_files(given, files)


def _unpickle(given: dict[str, Any], path: str) -> Any:
    try:
        with open(path, "rb") as stream:
            return pickle.load(stream)
    except (ModuleNotFoundError, AttributeError) as error:
        raise ContractError(
            f"'{given['name']}' holds a class or function that this step cannot import: {error}",
            "the code may have been renamed since; make it importable from this module, or build "
            f"{given['name']} again: cellmill run {given['name']} --rebuild",
        ) from error


def _restrict(given: dict[str, Any], value: Any) -> Any:
    form, columns = given["form"], given["columns"]
    if table_codec.frame_kind(value) is None:
        if columns is not None:
            raise ContractError(
                f"'{given['argument']}' declares columns, but {given['name']} is a {type(value).__qualname__}, which has none",
                f"leave '{given['argument']}' out of reads=",
            )
        return value
    return table_codec.convert_frame(value, form, columns)


def _unreadable(given: dict[str, Any], error: Exception) -> ContractError:
    text = error.describe() if isinstance(error, NotLossless) else f"no column {error}"
    return ContractError(f"the input '{given['argument']}' cannot be read as {given['form']}: {text}")


def describe(argument: str, value: Any) -> str:
    """One line for messages: `orders: 12,044 rows x 3 (id int64, total float64, day object)`."""
    try:
        return f"{argument}: {_shape(value)}"
    except Exception:  # describing an input must never hide the failure it is described for
        return f"{argument}: {type(value).__qualname__}"


def _shape(value: Any) -> str:
    kind = table_codec.frame_kind(value)
    if kind in ("pandas", "polars"):
        rows, columns = value.shape
        types = list(zip(value.columns, value.dtypes, strict=True))
        named = ", ".join(f"{name} {dtype}" for name, dtype in types[:20]) + (", ..." if len(types) > 20 else "")
        return f"{rows:,} rows x {columns} ({named})"
    if kind == "pyarrow" and hasattr(value, "num_rows"):
        named = ", ".join(f"{field.name} {field.type}" for field in list(value.schema)[:20])
        return f"{value.num_rows:,} rows x {value.num_columns} ({named})"
    if kind == "duckdb":
        return f"relation ({', '.join(f'{n} {t}' for n, t in list(zip(value.columns, value.types, strict=True))[:20])})"
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)[:200]
    if type(value).__name__ == "ndarray":
        return f"array {value.shape} {value.dtype}"
    if isinstance(value, (list, tuple, dict, set)):
        return f"{type(value).__name__} of {len(value):,}"
    return type(value).__qualname__
