"""Tables as Parquet and back, for every kind of frame. Nothing is lost silently: what was written is read again and compared.

Used by steps and by `cellmill.load`. Libraries are imported only when a value or a wish needs them.
"""

from __future__ import annotations

import importlib.util
import warnings
from .._types import Any

from . import memory_layout
from .compare_frames import NotLossless, compare_arrow, compare_pandas, compare_polars, shown

_FORMS = (("pandas", "pandas"), ("pyarrow", "pyarrow"), ("polars", "polars"), ("duckdb", "duckdb"))


def default_form() -> str:
    """What a table arrives as when the author did not say."""
    for form, module in _FORMS:
        if importlib.util.find_spec(module) is not None and (form != "pandas" or _has("pyarrow")):
            return form
    raise NotLossless("no library that reads tables is installed; add pyarrow or polars to requirements.txt")


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def frame_kind(value: Any) -> str | None:
    """`pandas`, `polars`, `polars-lazy`, `pyarrow` or `duckdb` for what can be written as a table, else None."""
    for base in type(value).__mro__:
        name = (base.__module__.partition(".")[0], base.__name__)
        kind = _FRAMES.get(name)
        if kind is not None:
            return kind
    return None


_FRAMES = {
    ("pandas", "DataFrame"): "pandas",
    ("polars", "DataFrame"): "polars",
    ("polars", "LazyFrame"): "polars-lazy",
    ("pyarrow", "Table"): "pyarrow",
    ("pyarrow", "RecordBatch"): "pyarrow",
    ("pyarrow", "RecordBatchReader"): "pyarrow",
    ("_duckdb", "DuckDBPyRelation"): "duckdb",
    ("duckdb", "DuckDBPyRelation"): "duckdb",
}


# -- writing -----------------------------------------------------------------------------------------------------


def write_table(value: Any, path: str) -> int:
    """Writes one zstd Parquet file and gives the number of rows. Raises `NotLossless` when a reader would see another value."""
    kind = frame_kind(value)
    if kind == "pandas":
        return _write_pandas(value, path)
    if kind in ("polars", "polars-lazy"):
        return _write_polars(value, path)
    if kind == "pyarrow":
        return _write_arrow(value, path)
    if kind == "duckdb":
        return _write_duckdb(value, path)
    raise NotLossless(f"a {type(value).__module__}.{type(value).__qualname__} is not a table")


def _write_pandas(frame: Any, path: str) -> int:
    if not _has("pyarrow"):
        raise NotLossless("pandas writes tables with pyarrow, which is not installed; add pyarrow to requirements.txt")
    import pyarrow as pa
    import pyarrow.parquet as pq

    if type(frame).__name__ != "DataFrame" or not type(frame).__module__.startswith("pandas."):
        raise NotLossless(f"a {type(frame).__qualname__} is more than a DataFrame: its class would be lost")
    if not frame.columns.is_unique:
        repeated = frame.columns[frame.columns.duplicated()][0]
        raise NotLossless("two columns have one name", column=repeated)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what would not come back is found by comparing
            table = pa.Table.from_pandas(frame, nthreads=1)
        layout = memory_layout.frame_layout(frame)
        if layout is not None:
            table = table.replace_schema_metadata({**(table.schema.metadata or {}), memory_layout.KEY: layout})
        pq.write_table(table, path, compression="zstd")
    except (
        pa.ArrowInvalid,
        pa.ArrowTypeError,
        pa.ArrowNotImplementedError,
        TypeError,
        ValueError,
        OverflowError,
    ) as error:
        column, cell = _culprit(pa, frame)
        raise NotLossless(_first_line(error), column=column, value=cell) from error
    compare_pandas(frame, read_pandas([path], None))
    return len(frame)


def _culprit(pa: Any, frame: Any) -> tuple[Any, str | None]:
    """The first column that cannot be converted alone, and the first of its values that differs in type from those before."""
    for position in range(frame.shape[1]):
        series = frame.iloc[:, position]
        try:
            pa.array(series, from_pandas=True)
        except Exception:  # any failure marks this column: the error itself was already reported
            kinds: dict[type, int] = {}
            for cell in series if series.dtype == object else series.iloc[:1]:
                kinds.setdefault(type(cell), len(kinds))
                if len(kinds) > 1 or not isinstance(cell, (str, int, float, bool)):
                    return series.name, shown(cell)
            return series.name, shown(series.iloc[0]) if len(series) else None
    return None, None


def _write_polars(value: Any, path: str) -> int:
    import polars as pl

    frame = value.collect() if isinstance(value, pl.LazyFrame) else value
    for name, dtype in frame.schema.items():
        if dtype == pl.Object:
            raise NotLossless("a column of Python objects", column=name)
    try:
        frame.write_parquet(path, compression="zstd")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise NotLossless(_first_line(error)) from error
    compare_polars(frame, pl.read_parquet(path))
    return frame.height


def _write_arrow(value: Any, path: str) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if isinstance(value, pa.RecordBatchReader):
        table = value.read_all()
    else:
        table = pa.Table.from_batches([value]) if isinstance(value, pa.RecordBatch) else value
    if len(set(table.column_names)) != table.num_columns:
        repeated = next(name for name in table.column_names if table.column_names.count(name) > 1)
        raise NotLossless("two columns have one name", column=repeated)
    try:
        pq.write_table(table, path, compression="zstd")
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise NotLossless(_first_line(error)) from error
    compare_arrow(table, _arrow([path], None))
    return table.num_rows


def _write_duckdb(relation: Any, path: str) -> int:
    """DuckDB writes some types as others (HUGEINT as DOUBLE): the types that come back decide."""
    import duckdb

    relation.write_parquet(path, compression="zstd")
    back = duckdb.read_parquet(path)
    for name, before, after in zip(relation.columns, relation.types, back.types, strict=True):
        if str(before) != str(after):
            raise NotLossless(f"{before} comes back as {after}", column=name)
    return back.shape[0]


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__


# -- reading -----------------------------------------------------------------------------------------------------


def read_table(files: list[str], form: str, columns: list[str] | None) -> Any:
    """A stored table in the form that the author's annotation asks for, with exactly `columns` (None: all), in that order."""
    if form == "pandas":
        return read_pandas(files, columns)
    if form == "polars":
        import polars as pl

        return pl.read_parquet(files, columns=columns)[columns] if columns is not None else pl.read_parquet(files)
    if form == "polars-lazy":
        import polars as pl

        frame = pl.scan_parquet(files)
        return frame.select(columns) if columns is not None else frame
    if form == "pyarrow":
        return _arrow(files, columns)
    if form in ("duckdb", "relation"):
        return _read_duckdb(files, columns)
    if form == "rows":
        return _read_rows(files, columns)
    raise NotLossless(f"a table cannot be read as '{form}'")


def _arrow(files: list[str], columns: list[str] | None) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = [pq.ParquetFile(file).read(columns=columns) for file in files]
    table = parts[0] if len(parts) == 1 else pa.concat_tables(parts)
    return table.select(columns) if columns is not None else table


def read_pandas(files: list[str], columns: list[str] | None) -> Any:
    """Restricted to columns, the index counts as a column: it is left out unless it is named."""
    table = _arrow(files, columns)
    if columns is None:
        layout = (table.schema.metadata or {}).get(memory_layout.KEY)
        frame = table.to_pandas()
        return frame if layout is None else memory_layout.with_frame_layout(frame, layout)
    return _plain_columns(table).to_pandas()


def _plain_columns(table: Any) -> Any:
    """The frame's metadata without its index: rows are then numbered from 0."""
    import json

    metadata = dict(table.schema.metadata or {})
    if b"pandas" not in metadata:
        return table
    facts = json.loads(metadata[b"pandas"])
    facts["index_columns"] = []
    facts["columns"] = [
        entry for entry in facts["columns"] if entry.get("field_name", entry["name"]) in table.column_names
    ]
    metadata[b"pandas"] = json.dumps(facts).encode()
    return table.replace_schema_metadata(metadata)


def _read_duckdb(files: list[str], columns: list[str] | None) -> Any:
    import duckdb

    relation = duckdb.read_parquet(files)
    if columns is None:
        return relation
    return relation.project(", ".join('"' + name.replace('"', '""') + '"' for name in columns))


def _read_rows(files: list[str], columns: list[str] | None) -> list[dict[str, Any]]:
    if _has("pyarrow"):
        return _arrow(files, columns).to_pylist()
    if _has("polars"):
        return read_table(files, "polars", columns).to_dicts()
    relation = _read_duckdb(files, columns)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def convert_frame(value: Any, form: str, columns: list[str] | None) -> Any:
    """A frame that was kept as an object, in the form asked for where the conversion is the library's own."""
    kind = frame_kind(value)
    if kind is None:
        return value
    if columns is not None:
        value = value.select(columns) if kind in ("polars", "polars-lazy", "pyarrow") else value[columns]
    if form in (kind, "object", "path"):
        return value
    if form == "rows":
        return (
            value.to_dict("records")
            if kind == "pandas"
            else value.to_dicts()
            if kind == "polars"
            else value.to_pylist()
        )
    if form in ("polars", "polars-lazy"):
        import polars as pl

        frame = pl.from_pandas(value) if kind == "pandas" else pl.from_arrow(value) if kind == "pyarrow" else value
        return frame.lazy() if form == "polars-lazy" else frame
    if form == "pandas":
        return value.to_pandas()
    if form == "pyarrow":
        import pyarrow as pa

        return pa.Table.from_pandas(value, nthreads=1) if kind == "pandas" else value.to_arrow()
    if form in ("duckdb", "relation"):
        import duckdb

        return (
            duckdb.from_df(value)
            if kind == "pandas"
            else duckdb.from_arrow(value.to_arrow() if kind == "polars" else value)
        )
    return value
