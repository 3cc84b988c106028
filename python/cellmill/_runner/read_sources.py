"""Captured sources: staged under the relative path that the author's code names, or read into a frame.

The files stay where they are; the working directory holds links to them, so `pd.read_csv("data/orders.csv")` of a
notebook finds what it found.
"""

from __future__ import annotations

import importlib.util
import os
from .._types import Any

from .contract import ContractError

#: Names of DuckDB's reader options, as pandas, polars and pyarrow call them.
_PANDAS = {"delim": "sep", "delimiter": "sep", "nullstr": "na_values", "skip": "skiprows", "quote": "quotechar", "escape": "escapechar", "decimal_separator": "decimal", "thousands": "thousands", "names": "names", "types": "dtype", "dtypes": "dtype", "all_varchar": "dtype"}  # fmt: skip
_POLARS = {"delim": "separator", "delimiter": "separator", "sep": "separator", "nullstr": "null_values", "skip": "skip_rows", "quote": "quote_char", "header": "has_header", "comment": "comment_prefix"}  # fmt: skip


def read_source(given: dict[str, Any], work_folder: str) -> Any:
    files = [os.path.join(given["folder"], name) for name in given["files"]]
    if not files:
        raise ContractError(f"the source '{given['name']}' has no files", "check its path in cellmill.config.ts")
    staged = stage(given, files, work_folder)
    form = given["form"]
    if form == "object" and given["annotation"] == "" and given["codec"] in ("other", "file"):
        form = "path"
    if given["annotation"] == "bytes":
        with open(files[0], "rb") as stream:
            return stream.read()
    if form == "path" or (form == "object" and given["annotation"] in ("", "str")):
        return _paths(given, staged)
    return read_files(given, files)


def stage(given: dict[str, Any], files: list[str], work_folder: str) -> list[str]:
    """Links each file below the working directory and gives the relative paths, in order."""
    names = given["sourcePaths"] or given["files"]
    if len(names) != len(files):
        raise ContractError(f"the source '{given['name']}' has {len(files)} files and {len(names)} names")
    staged = []
    for file, name in zip(files, names, strict=True):
        relative = os.path.join(*[part for part in name.split("/") if part not in ("", ".", "..")] or ["source"])
        target = os.path.join(work_folder, relative)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.lexists(target):
            try:
                os.symlink(file, target)
            except OSError:  # file systems without links
                import shutil

                shutil.copyfile(file, target)
        staged.append(relative)
    return staged


def pathlib_path(path: str) -> Any:
    import pathlib

    return pathlib.Path(path)


def _paths(given: dict[str, Any], staged: list[str]) -> Any:
    """One path; for a glob the list of them, or their folder where the annotation is a single path."""
    annotation = given["annotation"].replace(" ", "")
    as_pathlib = "Path" in annotation
    single = annotation in ("str", "Path", "pathlib.Path", "PathLike", "os.PathLike")
    if not given["isGlob"]:
        return pathlib_path(staged[0]) if as_pathlib else staged[0]
    if single:
        folder = os.path.commonpath([os.path.dirname(path) for path in staged]) or "."
        return pathlib_path(folder) if as_pathlib else folder
    return [pathlib_path(path) for path in staged] if as_pathlib else staged


def read_files(given: dict[str, Any], files: list[str]) -> Any:
    """The files as one frame in the form asked for, in the order of their names."""
    form = given["form"]
    codec = _format(given, files[0])
    if form == "object":
        form = (
            "pandas"
            if importlib.util.find_spec("pandas")
            else "polars"
            if importlib.util.find_spec("polars")
            else "rows"
        )
    readers = {"pandas": _pandas, "polars": _polars, "polars-lazy": _polars, "pyarrow": _arrow, "duckdb": _duckdb, "relation": _duckdb, "rows": _rows}  # fmt: skip
    reader = readers.get(form)
    if reader is None or codec == "other":
        raise ContractError(
            f"the source '{given['name']}' cannot be read as {form}: {os.path.basename(files[0])} is neither CSV, Parquet nor JSON",
            f"write {given['argument']}: str and read the path yourself",
        )
    try:
        value = reader(given, files, codec)
    except TypeError as error:
        if "unexpected keyword" not in str(error) or given["form"] in ("duckdb", "relation"):
            raise
        raise ContractError(f"the source '{given['name']}' has an option that {form} does not know: {error}") from error
    return value.lazy() if form == "polars-lazy" else value


def _format(given: dict[str, Any], file: str) -> str:
    if given["codec"] in ("csv", "parquet", "json"):
        return str(given["codec"])
    name = file.lower().removesuffix(".gz").removesuffix(".zst").removesuffix(".bz2").removesuffix(".xz")
    suffix = os.path.splitext(name)[1]
    known = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".json": "json", ".ndjson": "json", ".jsonl": "json"}  # fmt: skip
    if suffix in (".xlsx", ".xls", ".feather", ".arrow") and given["form"] in ("pandas", "object"):
        return suffix[1:]
    return known.get(suffix, "other")


def _lines(file: str) -> bool:
    """Whether a JSON file has one object a line."""
    return file.lower().removesuffix(".gz").endswith((".ndjson", ".jsonl"))


def _pandas(given: dict[str, Any], files: list[str], codec: str) -> Any:
    import pandas as pd

    columns, options = given["columns"], _pandas_options(given["options"], files[0])
    frames = []
    for file in files:
        if codec == "csv":
            frames.append(pd.read_csv(file, **options, **({"usecols": columns} if columns is not None else {})))
        elif codec == "parquet":
            frames.append(pd.read_parquet(file))
        elif codec == "json":
            frames.append(pd.read_json(file, **{"lines": _lines(file), **given["options"]}))
        else:
            frames.append(
                pd.read_feather(file) if codec in ("feather", "arrow") else pd.read_excel(file, **given["options"])
            )
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    return frame if columns is None else frame[columns]


def _pandas_options(given: dict[str, Any], file: str) -> dict[str, Any]:
    options = {_PANDAS.get(name, name): value for name, value in given.items()}
    if isinstance(options.get("header"), bool):
        options["header"] = 0 if options["header"] else None
    if given.get("all_varchar"):
        options["dtype"] = str
    if file.lower().removesuffix(".gz").endswith(".tsv"):
        options.setdefault("sep", "\t")
    return options


def _polars(given: dict[str, Any], files: list[str], codec: str) -> Any:
    import polars as pl

    columns = given["columns"]
    options = {_POLARS.get(name, name): value for name, value in given["options"].items()}
    if codec == "csv":
        frames = [
            pl.read_csv(file, **{**({"separator": "\t"} if file.endswith(".tsv") else {}), **options}) for file in files
        ]
    elif codec == "parquet":
        frames = [pl.read_parquet(file) for file in files]
    else:
        frames = [pl.read_ndjson(file, **options) if _lines(file) else pl.read_json(file, **options) for file in files]
    frame = frames[0] if len(frames) == 1 else pl.concat(frames)
    return frame if columns is None else frame.select(columns)


def _arrow(given: dict[str, Any], files: list[str], codec: str) -> Any:
    import pyarrow as pa

    if codec == "parquet":
        import pyarrow.parquet as pq

        parts = [pq.ParquetFile(file).read() for file in files]
    elif codec == "csv":
        parts = [_arrow_csv(given["options"], file) for file in files]
    else:
        import pyarrow.json as paj

        parts = [paj.read_json(file) for file in files]
    table = parts[0] if len(parts) == 1 else pa.concat_tables(parts)
    return table if given["columns"] is None else table.select(given["columns"])


def _arrow_csv(options: dict[str, Any], file: str) -> Any:
    import pyarrow.csv as pac

    read, parse, convert = {"use_threads": False}, {}, {}
    if options.get("header") is False:
        read["autogenerate_column_names"] = True
    for name, value in options.items():
        if name in ("delim", "sep", "delimiter"):
            parse["delimiter"] = value
        elif name == "quote":
            parse["quote_char"] = value
        elif name == "skip":
            read["skip_rows"] = value
        elif name == "nullstr":
            convert["null_values"] = value if isinstance(value, list) else [value]
        elif name != "header":
            raise TypeError(f"unexpected keyword '{name}'")
    if file.endswith(".tsv"):
        parse.setdefault("delimiter", "\t")
    return pac.read_csv(file, pac.ReadOptions(**read), pac.ParseOptions(**parse), pac.ConvertOptions(**convert))


def _duckdb(given: dict[str, Any], files: list[str], codec: str) -> Any:
    import duckdb

    reader = {"csv": "read_csv", "parquet": "read_parquet", "json": "read_json"}[codec]
    options = "".join(f", {_identifier(name)} = {_literal(value)}" for name, value in given["options"].items())
    columns = "*" if given["columns"] is None else ", ".join(map(_identifier, given["columns"]))
    return duckdb.sql(f"SELECT {columns} FROM {reader}({_literal(files)}{options})")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(key)}: {_literal(part)}' for key, part in value.items())}}}"
    return "NULL" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)


def _rows(given: dict[str, Any], files: list[str], codec: str) -> list[dict[str, Any]]:
    """Values as the first library at hand reads them; without one, CSV cells are text."""
    if importlib.util.find_spec("pyarrow"):
        return _arrow(given, files, codec).to_pylist()
    if importlib.util.find_spec("polars"):
        return _polars(given, files, codec).to_dicts()
    import csv
    import json

    rows: list[dict[str, Any]] = []
    for file in files:
        with open(file, encoding="utf-8", newline="") as stream:
            if codec == "csv":
                rows += csv.DictReader(stream, delimiter=given["options"].get("delim", ","))
            else:
                rows += [json.loads(line) for line in stream] if _lines(file) else json.load(stream)
    wanted = given["columns"]
    return rows if wanted is None else [{name: row[name] for name in wanted} for row in rows]
