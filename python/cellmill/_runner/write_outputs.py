"""What a step returned, kept by kind: a table as Parquet, any value as a pickle, files as their bytes.

Where the author did not say the kind, a frame that survives Parquet unchanged is a table and anything else an object. A
declared table that does not survive is refused, with the column, the value and the line to type.
"""

from __future__ import annotations

import os
import pickle
import re
import types
from .._types import Any

from . import memory_layout, table_codec
from .compare_frames import NotLossless
from .contract import ContractError

_SAFE_NAME = re.compile(r"\w(?:[\w.+=@ ()-]{0,198}[\w)])?", re.UNICODE)


class Outputs:
    def __init__(self, definition: dict[str, Any], folder: str) -> None:
        self._definition = definition
        self._folder = folder
        self._called = definition["symbol"] or definition["id"]
        self.warnings: list[str] = []

    def write(self, value: Any) -> list[dict[str, Any]]:
        outputs = self._definition["outputs"]
        if value is None and not (len(outputs) == 1 and outputs[0]["kind"] == "object" and outputs[0]["kindDeclared"]):
            raise ContractError(
                f"{self._called} returned None, so there is nothing to keep",
                "return the value it makes; a function that only shows is a @report, one that acts on the world an @effect",
            )
        values = [value] if self._is_single(value) else self._split(value)
        return [
            self._write_one(index, output, part)
            for index, (output, part) in enumerate(zip(outputs, values, strict=True))
        ]

    # -- several outputs -------------------------------------------------------------------------------------------

    def _is_single(self, value: Any) -> bool:
        outputs = self._definition["outputs"]
        if len(outputs) != 1:
            return False
        name = outputs[0]["output"]
        return name == "" or not (isinstance(value, dict) and list(value) == [name])

    def _split(self, value: Any) -> list[Any]:
        names = [output["output"] for output in self._definition["outputs"]]
        if isinstance(value, dict):
            missing, extra = [n for n in names if n not in value], [k for k in value if k not in names]
            if missing or extra:
                raise self._count(f"a dictionary with {_listed(list(value))}")
            return [value[name] for name in names]
        if isinstance(value, (tuple, list)):
            if len(value) != len(names):
                raise self._count(f"{len(value)} value{'' if len(value) == 1 else 's'}")
            return list(value)
        if (
            table_codec.frame_kind(value) is None
            and not isinstance(value, (str, bytes))
            and all(hasattr(value, n) for n in names)
        ):
            return [getattr(value, name) for name in names]
        raise self._count(f"one {type(value).__qualname__}")

    def _count(self, returned: str) -> ContractError:
        names = [output["output"] for output in self._definition["outputs"]]
        return ContractError(
            f"{self._called} declares {len(names)} outputs ({', '.join(names)}) and returned {returned}",
            f"return {', '.join(names)} as a tuple in this order, or as a dictionary with these names",
        )

    # -- one output --------------------------------------------------------------------------------------------------

    def _write_one(self, index: int, output: dict[str, Any], value: Any) -> dict[str, Any]:
        self._refuse_streams(value)
        kind, declared = output["kind"], output["kindDeclared"]
        if not declared:
            return self._write_undeclared(index, output, value)
        if kind == "table":
            return self._write_table(index, output, value)
        if kind == "file":
            return self._write_file(index, output, value)
        return self._write_object(index, output, value, {})

    def _write_undeclared(self, index: int, output: dict[str, Any], value: Any) -> dict[str, Any]:
        if isinstance(value, os.PathLike) and os.path.exists(value):
            raise ContractError(
                f"{self._called} returned the path of a file, which is gone when the step ends",
                f'write @asset(kind="file") above {self._called}, and the file itself is kept',
            )
        if table_codec.frame_kind(value) is None:
            return self._write_object(
                index, output, value, {"kindBecause": f"a {type(value).__qualname__} is not a frame"}
            )
        try:
            return self._table(index, output, value, {"kindBecause": "a frame that Parquet keeps unchanged"})
        except NotLossless as loss:
            self._remove(f"{index}.parquet")
            if table_codec.frame_kind(value) in ("duckdb", "polars-lazy"):
                raise self._lossy(loss, output) from loss
            because = f"as a table it would change: {loss.describe()}"
            return self._write_object(index, output, value, {"kindBecause": because})

    def _write_table(self, index: int, output: dict[str, Any], value: Any) -> dict[str, Any]:
        if table_codec.frame_kind(value) is None:
            hint = (
                "return .to_frame()"
                if type(value).__name__ == "Series"
                else f'return a frame, or write @asset(kind="object") above {self._called}'
            )
            raise ContractError(
                f"{self._name(output)} is declared as a table, and {self._called} returned a {type(value).__qualname__}",
                hint,
            )
        try:
            return self._table(index, output, value, {})
        except NotLossless as loss:
            raise self._lossy(loss, output) from loss

    def _lossy(self, loss: NotLossless, output: dict[str, Any]) -> ContractError:
        return ContractError(
            f"{self._name(output)} would not come back from a table unchanged: {loss.describe()}",
            f'write @asset(kind="object") above {self._called}, or change the column',
        )

    def _table(self, index: int, output: dict[str, Any], value: Any, summary: dict[str, Any]) -> dict[str, Any]:
        entry = f"{index}.parquet"
        rows = table_codec.write_table(value, os.path.join(self._folder, entry))
        if rows == 0:
            self.warnings.append(f"{self._name(output)} has no rows")
        return {
            "output": output["output"],
            "kind": "table",
            "codec": "parquet",
            "entry": entry,
            "rows": rows,
            "summary": summary,
        }

    def _write_object(self, index: int, output: dict[str, Any], value: Any, summary: dict[str, Any]) -> dict[str, Any]:
        entry = f"{index}.pickle"
        try:
            with open(os.path.join(self._folder, entry), "wb") as stream:
                memory_layout.pickler(stream).dump(value)
        except (pickle.PicklingError, TypeError, AttributeError, RecursionError, ValueError) as error:
            raise ContractError(
                f"{self._name(output)} cannot be kept: {_unpicklable(value)} ({_short(error)})",
                "return data, and make connections, locks, files and generators again where they are needed",
            ) from error
        named = f"{type(value).__module__}.{type(value).__qualname__}"
        return {
            "output": output["output"],
            "kind": "object",
            "codec": "pickle",
            "entry": entry,
            "rows": None,
            "summary": {"class": named, **summary},
        }

    # -- files -----------------------------------------------------------------------------------------------------

    def _write_file(self, index: int, output: dict[str, Any], value: Any) -> dict[str, Any]:
        entry = f"{index}.file"
        folder = os.path.join(self._folder, entry)
        os.mkdir(folder)
        if isinstance(value, (bytes, bytearray, memoryview)):
            export = (self._definition.get("options") or {}).get("export")
            name = os.path.basename(export) if export else output["asset"].rpartition(".")[2]
            with open(os.path.join(folder, self._safe(name)), "wb") as stream:
                stream.write(value)
        else:
            for path in self._paths(output, value):
                self._keep_file(path, folder)
        return {
            "output": output["output"],
            "kind": "file",
            "codec": "file",
            "entry": entry,
            "rows": None,
            "summary": {"files": sorted(os.listdir(folder))},
        }

    def _paths(self, output: dict[str, Any], value: Any) -> list[str]:
        given = value if isinstance(value, (list, tuple)) else [value]
        paths: list[str] = []
        for part in given:
            if not isinstance(part, (str, os.PathLike)):
                raise ContractError(
                    f"{self._name(output)} is declared as a file, and {self._called} returned a {type(part).__qualname__}",
                    "return the path of the file it wrote, or its bytes",
                )
            path = os.fspath(part)
            if os.path.isdir(path):
                paths += [os.path.join(path, name) for name in sorted(os.listdir(path))]
            elif os.path.exists(path):
                paths.append(path)
            else:
                raise ContractError(
                    f"{self._name(output)}: there is no file '{path}' in the step's folder",
                    "return the path it was written to",
                )
        if not paths:
            raise ContractError(f"{self._name(output)}: the folder is empty")
        return paths

    def _keep_file(self, path: str, folder: str) -> None:
        if not os.path.isfile(path):
            raise ContractError(
                f"'{path}' is not a regular file", "return a flat folder, or pack a tree as a .zip or .tar"
            )
        target = os.path.join(folder, self._safe(os.path.basename(path)))
        if os.path.exists(target):
            raise ContractError(f"two files are called '{os.path.basename(path)}'")
        import shutil

        shutil.copyfile(path, target)

    def _safe(self, name: str) -> str:
        if not _SAFE_NAME.fullmatch(name):
            raise ContractError(
                f"a file cannot be kept under the name {name!r}", "use letters, digits, dots, dashes and spaces"
            )
        return name

    # -- shared ----------------------------------------------------------------------------------------------------

    def _name(self, output: dict[str, Any]) -> str:
        return f"'{output['asset']}'"

    def _remove(self, entry: str) -> None:
        path = os.path.join(self._folder, entry)
        if os.path.exists(path):
            os.unlink(path)

    def _refuse_streams(self, value: Any) -> None:
        if isinstance(value, (types.GeneratorType, map, zip, filter)):
            raise ContractError(
                f"{self._called} returned a {type(value).__name__}, which can be read only once",
                "return list(...) of it",
            )


def _unpicklable(value: Any) -> str:
    """The innermost part of the value that cannot be pickled, as a path from the value."""
    path, current = "the value", value
    for _ in range(8):
        parts = _parts(current)
        bad = next(((label, part) for label, part in parts if not _pickles(part)), None)
        if bad is None:
            break
        path, current = path + bad[0], bad[1]
    return f"{path} is a {type(current).__module__}.{type(current).__qualname__}"


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{key!r}]", part) for key, part in list(value.items())[:1000]]
    if isinstance(value, (list, tuple, set)):
        return [(f"[{position}]", part) for position, part in enumerate(list(value)[:1000])]
    state = getattr(value, "__dict__", None)
    return (
        [(f".{key}", part) for key, part in state.items()]
        if isinstance(state, dict) and not isinstance(value, (type, types.FunctionType))
        else []
    )


def _pickles(value: Any) -> bool:
    try:
        pickle.dumps(value, protocol=5)
    except Exception:  # which part fails is all that is asked
        return False
    return True


def _listed(names: list[Any]) -> str:
    return ", ".join(repr(name) for name in names[:10]) or "no keys"


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
