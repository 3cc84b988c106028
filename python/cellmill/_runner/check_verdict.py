"""A check's answer as a verdict: True or False, the rows that break the rule, or a failed `assert`. Evidence is output 0."""

from __future__ import annotations

import os
import pickle
from .._types import Any

from . import table_codec
from .compare_frames import NotLossless, shown
from .contract import ContractError

EVIDENCE_ROWS = 1000


def judge(value: Any, check: str, outputs: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(verdict of StepReport, outputs). Raises `ContractError` for an answer that is neither yes, no nor rows."""
    if isinstance(value, tuple) and len(value) == 2 and _is_bool(value[0]) and isinstance(value[1], str):
        return _verdict(bool(value[0]), value[1], None), []
    if _is_bool(value):
        return _verdict(bool(value), "" if value else f"{check} returned False", None), []
    kind = table_codec.frame_kind(value)
    if kind is not None:
        return _judge_rows(value, kind, outputs)
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return _judge_list(value, outputs)
    raise ContractError(
        f"{check} returned {'None' if value is None else f'a {type(value).__qualname__}'}, which says neither yes nor no",
        "return True or False, or the rows that break the rule (for a column of True and False, add .all())",
    )


def _verdict(passed: bool, message: str, rows: int | None) -> dict[str, Any]:
    return {"passed": passed, "message": message[:1000], "failedRows": rows}


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or (type(value).__module__ == "numpy" and type(value).__name__ in ("bool_", "bool"))


def _judge_rows(value: Any, kind: str, outputs: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if kind == "polars-lazy":
        value, kind = value.collect(), "polars"
    if kind == "pyarrow" and not hasattr(value, "num_rows"):
        value = value.read_all()
    count = {"pandas": len, "polars": len, "pyarrow": lambda v: v.num_rows, "duckdb": lambda v: v.shape[0]}[kind](value)
    if count == 0:
        return _verdict(True, "", 0), []
    few = (
        value.head(EVIDENCE_ROWS)
        if kind in ("pandas", "polars")
        else value.slice(0, EVIDENCE_ROWS)
        if kind == "pyarrow"
        else value.limit(EVIDENCE_ROWS)
    )
    message = f"{count:,} row{' breaks' if count == 1 else 's break'} the rule{_examples(few, kind)}"
    return _verdict(False, message, count), [_keep(few, outputs)]


def _judge_list(rows: list[dict[str, Any]], outputs: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if not rows:
        return _verdict(True, "", 0), []
    message = f"{len(rows):,} row{' breaks' if len(rows) == 1 else 's break'} the rule, such as {_row(rows[0])}"
    return _verdict(False, message, len(rows)), [_pickled(rows[:EVIDENCE_ROWS], outputs)]


def _examples(value: Any, kind: str) -> str:
    try:
        if kind == "pandas":
            rows = value.head(2).to_dict("records")
        elif kind == "polars":
            rows = value.head(2).to_dicts()
        elif kind == "pyarrow":
            rows = value.slice(0, 2).to_pylist()
        else:
            rows = [dict(zip(value.columns, row, strict=True)) for row in value.limit(2).fetchall()]
    except Exception:  # examples are decoration: the count and the evidence stand
        return ""
    return ", such as " + "; ".join(map(_row, rows))


def _row(row: dict[Any, Any]) -> str:
    return " ".join(f"{key}={shown(value)}" for key, value in list(row.items())[:6])


def _keep(value: Any, outputs: str) -> dict[str, Any]:
    try:
        rows = table_codec.write_table(value, os.path.join(outputs, "0.parquet"))
    except NotLossless:
        if os.path.exists(os.path.join(outputs, "0.parquet")):
            os.unlink(os.path.join(outputs, "0.parquet"))
        return _pickled(value, outputs)
    return {"output": "", "kind": "table", "codec": "parquet", "entry": "0.parquet", "rows": rows, "summary": {}}


def _pickled(value: Any, outputs: str) -> dict[str, Any]:
    with open(os.path.join(outputs, "0.pickle"), "wb") as stream:
        pickle.dump(value, stream, protocol=5)
    return {"output": "", "kind": "object", "codec": "pickle", "entry": "0.pickle", "rows": None, "summary": {}}
