"""Runs the step runner as the process it is, on modules written to a temporary folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

MAIN = Path(__file__).parent.parent / "cellmill" / "_runner" / "main.py"

OPTIONS: dict[str, Any] = {
    "refresh": None, "random": "seeded", "afterRandom": None, "exact": True, "threads": 1, "retries": 0, "timeoutMs": None,
    "memoryBytes": None, "network": [], "secrets": [], "engine": "duckdb", "export": None, "tags": [], "owner": None,
}  # fmt: skip


def output(name: str = "", kind: str = "table", declared: bool = False, asset: str = "made") -> dict[str, Any]:
    return {"asset": asset if name == "" else name, "output": name, "kind": kind, "kindDeclared": declared}


class Done:
    def __init__(self, folder: Path, process: subprocess.CompletedProcess[str]) -> None:
        self.folder = folder
        self.outputs = folder / "outputs"
        self.code = process.returncode
        self.stdout, self.stderr = process.stdout, process.stderr
        self.report = self._json("result.json")
        failed = self._json("error.json")
        self.error = failed["error"] if failed else None
        self.undeclared = (self.report or failed or {}).get("undeclared", [])

    def _json(self, name: str) -> Any:
        path = self.outputs / name
        return json.loads(path.read_text()) if path.exists() else None

    def value(self, index: int = 0) -> Any:
        import pickle

        import pandas as pd

        assert self.report is not None, self.stderr
        path = self.outputs / self.report["outputs"][index]["entry"]
        return pd.read_parquet(path) if path.suffix == ".parquet" else pickle.loads(path.read_bytes())


def fork_step(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    files = [folder / "stdout", folder / "stderr"]
    pid = os.fork()
    if pid == 0:
        try:
            os.environ.clear()
            os.environ.update(environment)
            for number, path in enumerate(files, 1):
                os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), number)
            sys.stdout, sys.stderr = open(1, "w", encoding="utf-8"), open(2, "w", encoding="utf-8")  # noqa: SIM115
            from cellmill._runner import run_step

            run_step.main(str(folder))
        finally:
            os._exit(70)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return subprocess.CompletedProcess([], code, files[0].read_text(), files[1].read_text())


class Project:
    """A folder of modules, and steps run in it."""

    def __init__(self, folder: Path, forks: bool = False) -> None:
        """With `forks`, steps run in forks of this process: without a fresh interpreter, but in a tenth of the time."""
        self.forks = forks
        self.folder = folder
        self.root = folder / "code"
        self.root.mkdir(parents=True)
        self._runs = 0

    def write(self, **files: str) -> Project:
        for name, text in files.items():
            path = self.root / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self

    def run(self, symbol: str = "made", file: str = "assets/a.py", **work: Any) -> Done:
        self._runs += 1
        folder = self.folder / f"run{self._runs}"
        for name in ("outputs", "work", "tmp"):
            (folder / name).mkdir(parents=True)
        definition = {
            "id": symbol, "kind": work.pop("kind", "asset"), "language": "python", "file": file, "symbol": symbol,
            "outputs": work.pop("outputs", [output()]), "parameters": work.pop("parameter_types", []),
            "options": {**OPTIONS, **work.pop("options", {})},
        }  # fmt: skip
        environment = work.pop("environment", {})
        full = {
            "definition": definition, "inputs": [], "parameters": {}, "projectParameters": {}, "runTime": "2024-05-06T07:08:09.000Z",
            "seed": "s", "randomState": None, "codeRoot": str(self.root), "lines": [], "strict": False, **work,
        }  # fmt: skip
        (folder / "work.json").write_text(json.dumps(full))
        environment = {
            "PATH": "/usr/bin:/bin",
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            "MPLBACKEND": "agg",
            "OPENBLAS_NUM_THREADS": "1",
            "TMPDIR": str(folder / "tmp"),
            "HOME": str(folder / "tmp"),
            **environment,
        }
        if self.forks:
            return Done(folder, fork_step(folder, environment))
        process = subprocess.run(
            [sys.executable, "-s", "-P", str(MAIN), str(folder)],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder / "work",
            env=environment,
        )
        return Done(folder, process)

    def asset(
        self, argument: str, value: Any, form: str = "pandas", annotation: str = "pd.DataFrame", **more: Any
    ) -> dict[str, Any]:
        """A stored value as a step's input."""
        import pickle

        folder = self.folder / f"snapshot-{argument}"
        folder.mkdir(exist_ok=True)
        if more.get("codec") == "pickle":
            (folder / "data.pickle").write_bytes(pickle.dumps(value, 5))
        else:
            value.to_parquet(folder / "data.parquet")
        codec = more.pop("codec", "parquet")
        return {
            "argument": argument, "form": form, "annotation": annotation, "columns": None, "origin": "asset", "codec": codec,
            "folder": str(folder), "files": [f"data.{codec}"], "sourcePaths": [], "isGlob": False, "name": argument, "options": {}, **more,
        }  # fmt: skip

    def source(
        self, argument: str, files: dict[str, str], form: str = "path", annotation: str = "str", **more: Any
    ) -> dict[str, Any]:
        folder = self.folder / f"capture-{argument}"
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return {
            "argument": argument, "form": form, "annotation": annotation, "columns": None, "origin": "source", "codec": "csv",
            "folder": str(folder), "files": list(files), "sourcePaths": list(files), "isGlob": False, "name": argument, "options": {}, **more,
        }  # fmt: skip
