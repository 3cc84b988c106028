"""What to type about a failure. A hint names real columns, files and packages, or there is none."""

from __future__ import annotations

import difflib
import os
import re
from typing import Any, NamedTuple

from . import table_codec
from .contract import ContractError

_DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "bs4": "beautifulsoup4",
    "skimage": "scikit-image",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "docx": "python-docx",
    "Crypto": "pycryptodome",
    "serial": "pyserial",
    "git": "gitpython",
    "attr": "attrs",
    "jwt": "pyjwt",
}


class StepFacts(NamedTuple):
    symbol: str
    code_root: str
    network: bool
    hosts: list[str]
    secrets: list[str]


def hint_for(
    error: BaseException, kind: str, inputs: dict[str, Any], variables: dict[str, Any], facts: StepFacts
) -> str | None:
    if isinstance(error, ContractError):
        return error.hint
    if kind == "out-of-memory":
        return f'give the step more: @asset(memory="8GB") above {facts.symbol}, or read fewer columns with reads='
    if kind == "disk-full":
        return "free some space, then run again: cellmill gc"
    if kind == "packages":
        return _package_hint(error, facts)
    if kind == "exit-code":
        return "return instead of leaving the process"
    if isinstance(error, (FileNotFoundError, PermissionError)):
        return _file_hint(error)
    if _is_network(error):
        return _network_hint(facts)
    if isinstance(error, KeyError) and error.args and _reads_environment(error):
        return _variable_hint(str(error.args[0]), facts)
    return _column_hint(error, inputs, variables)


# -- packages ----------------------------------------------------------------------------------------------------


def _package_hint(error: BaseException, facts: StepFacts) -> str:
    name = getattr(error, "name", None) or ""
    top = name.partition(".")[0]
    if not isinstance(error, ModuleNotFoundError):
        return f"the locked version of {_DISTRIBUTIONS.get(top, top) or 'the package'} has no such name: pin another in requirements.txt, then cellmill packages lock"
    if os.path.isdir(os.path.join(facts.code_root, top)):
        return f"there is no module {name} in the project"
    return f"add {_DISTRIBUTIONS.get(top, top)} to requirements.txt, then cellmill packages lock"


# -- files, network, environment ---------------------------------------------------------------------------------


def _file_hint(error: OSError) -> str | None:
    path = error.filename
    if not isinstance(path, (str, bytes)):
        match = re.search(r"'([^']+)'|((?:\.{0,2}/)\S+)", str(error))
        path = match.group(1) or match.group(2) if match else None
    if path is None:
        return (
            "a step sees only its inputs: declare the file as a source in cellmill.config.ts and take it as an argument"
        )
    text = os.fsdecode(path)
    shown = os.path.relpath(text) if text.startswith(os.getcwd() + os.sep) else text
    name = re.sub(r"\W+", "_", os.path.splitext(os.path.basename(text))[0]).strip("_").lower() or "data"
    return f"declare it as a source in cellmill.config.ts, sources: {{ {name}: file('{shown}') }}, and take it as the argument {name}: str"


def _is_network(error: BaseException) -> bool:
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        if isinstance(current, ConnectionError) or type(current).__name__ in (
            "gaierror",
            "URLError",
            "NewConnectionError",
            "ConnectError",
            "NameResolutionError",
        ):
            return True
        if isinstance(current, OSError) and current.errno in (101, 113):
            return True
        current = current.__cause__ or current.__context__
    return False


def _network_hint(facts: StepFacts) -> str | None:
    if facts.network:
        return None
    host = facts.hosts[-1] if facts.hosts else "example.org"
    return f'a step has no network unless it says so: @asset(network=["{host}"], refresh="1d") above {facts.symbol}, or make the address a source: http(...)'


def _reads_environment(error: BaseException) -> bool:
    entry = error.__traceback__
    while entry is not None and entry.tb_next is not None:
        entry = entry.tb_next
    return (
        entry is not None
        and entry.tb_frame.f_code.co_filename in ("<frozen os>",)
        or (entry is not None and entry.tb_frame.f_code.co_filename.endswith("_runner/watch.py"))
    )


def _variable_hint(name: str, facts: StepFacts) -> str:
    return f"a step has no environment of its own: @asset(secrets=[\"{name}\"]) above {facts.symbol}, or a parameter with fromEnv('{name}') in cellmill.config.ts"


# -- columns -----------------------------------------------------------------------------------------------------


def _column_hint(error: BaseException, inputs: dict[str, Any], variables: dict[str, Any]) -> str | None:
    wanted = _wanted_column(error)
    if wanted is None:
        return None
    frames = _frames(error, inputs, variables)
    for name, columns in frames:
        near = difflib.get_close_matches(wanted, columns, n=1, cutoff=0.6)
        if near:
            return f"did you mean '{near[0]}'? {_columns_of(name, columns)}"
    return _columns_of(*frames[0]) if frames else None


def _wanted_column(error: BaseException) -> str | None:
    if isinstance(error, AttributeError):
        owner = getattr(error, "obj", None)
        return error.name if owner is not None and _column_names(owner) is not None else None
    name = type(error).__name__
    if isinstance(error, KeyError) and error.args:
        key = error.args[0]
        if isinstance(key, str):
            match = (
                re.search(r'Field "([^"]+)"', key)
                or re.search(r"\[?'([^']+)'(?:[^\]]*\])? (?:not in|not found)", key)
                or re.search(r"\['([^']+)'", key)
            )
            return match.group(1) if match else key
    if name in ("ColumnNotFoundError", "BinderException", "SchemaError"):
        match = re.search(r"[\"']([^\"']+)[\"']", str(error))
        return match.group(1) if match else str(error).split("\n", 1)[0].strip('"')
    if name == "UndefinedVariableError":
        match = re.search(r"name '([^']+)'", str(error))
        return match.group(1) if match else None
    return None


def _frames(error: BaseException, inputs: dict[str, Any], variables: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Frames in sight, by name: the one asked first, then the step's inputs, then other variables."""
    found: dict[str, list[str]] = {}
    owner = getattr(error, "obj", None)
    for name, value in [*variables.items(), *inputs.items()]:
        if value is owner and owner is not None:
            found.setdefault(name, _column_names(value) or [])
    for name, value in [*inputs.items(), *variables.items()]:
        columns = _column_names(value)
        if columns is not None:
            found.setdefault(name, columns)
    return list(found.items())


def _column_names(value: Any) -> list[str] | None:
    kind = table_codec.frame_kind(value)
    if kind in ("pandas", "polars", "duckdb"):
        return [str(name) for name in value.columns]
    if kind == "pyarrow":
        return [field.name for field in value.schema]
    return None


def _columns_of(name: str, columns: list[str]) -> str:
    shown = ", ".join(columns[:12]) + (", ..." if len(columns) > 12 else "")
    return f"{name} has: {shown}" if columns else f"{name} has no columns"
