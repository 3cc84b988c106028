"""Data of an environment in a notebook or script. The command line is asked for the path; the catalog is never opened."""

from __future__ import annotations

import os
import sys
from .._types import Any


class LoadError(Exception):
    """The asset could not be loaded; the message is the command line's own, with what to type."""


def load(name: str, env: str | None = None, *, project: str | os.PathLike[str] | None = None) -> Any:
    """The current version of an asset in an environment.

    Tables are pandas frames (or pyarrow tables, or polars frames, whichever is installed), objects the values that
    were returned, files the path of the one file, or of their folder. What you get is a copy; changing it changes nothing.

    - `env`: the environment. Default: `CELLMILL_ENV`, then the one of the git branch, then `dev`.
    - `project`: a folder of the project. Default: the working directory.

    Raises `LoadError` when there is no such asset or it has no published version.

        orders = cellmill.load("orders_clean", env="prod")
    """
    if os.environ.get("CELLMILL_STEP"):
        raise LoadError(
            f"a step cannot load '{name}' by itself: take it as an argument, so that it is known as an input"
        )
    answer = _ask(name, env, project)
    folder = answer.get("path") or answer.get("folder")
    if not isinstance(folder, str):
        raise LoadError(f"the command line gave no path for '{name}'")
    files = sorted(os.path.join(folder, entry) for entry in os.listdir(folder) if not entry.startswith("."))
    files = [file for file in files if os.path.basename(file) != "random.pickle"]
    tables = [file for file in files if file.endswith(".parquet")]
    if tables:
        return _read_tables(tables)
    if len(files) == 1 and files[0].endswith((".pickle", ".pkl")) and answer.get("kind", "object") == "object":
        return _read_object(files[0], answer.get("project") or project)
    if len(files) == 1 and files[0].endswith(".json") and answer.get("kind") == "object":
        import json

        with open(files[0], encoding="utf-8") as stream:
            return json.load(stream)
    return files[0] if len(files) == 1 else folder


def _ask(name: str, env: str | None, project: Any) -> dict[str, Any]:
    import json
    import subprocess

    command = [*_command(), "path", name, "--json"]
    if env is not None:
        command += ["--env", env]
    if project is not None:
        command += ["--project", os.fspath(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise LoadError(done.stderr.strip() or f"{' '.join(command)} gave no answer (exit code {done.returncode})")
    error = answer.get("error")
    if error is not None or done.returncode != 0:
        error = error or {}
        hint = f"\nhint: {error['hint']}" if error.get("hint") else ""
        raise LoadError(f"{error.get('message', done.stderr.strip() or 'the command failed')}{hint}")
    return answer


def _command() -> list[str]:
    import shutil

    given = os.environ.get("CELLMILL_CLI")
    if given:
        return [given]
    found = shutil.which("cellmill")
    if found:
        return [found]
    folder = os.getcwd()
    while True:
        local = os.path.join(folder, "node_modules", ".bin", "cellmill")
        if os.path.exists(local):
            return [local]
        if os.path.dirname(folder) == folder:
            raise LoadError("the command `cellmill` was not found; install it, or set CELLMILL_CLI to its path")
        folder = os.path.dirname(folder)


def _read_tables(files: list[str]) -> Any:
    from .._runner import table_codec

    return table_codec.read_table(files, table_codec.default_form(), None)


def _read_object(file: str, project: Any) -> Any:
    """Classes of the project are found below its root, as in a step."""
    import pickle

    root = os.path.abspath(os.fspath(project)) if project is not None else os.getcwd()
    if root not in sys.path:
        sys.path.append(root)
    with open(file, "rb") as stream:
        return pickle.load(stream)
