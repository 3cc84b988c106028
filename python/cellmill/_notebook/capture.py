"""Keeps values after each cell so that a step can be replayed later: see `captures/index.json` below.

Layout of the capture folder:
  <cell>/<name>.pickle      one value, protocol 5; functions and classes of `__main__` by reference
  <cell>/group-<n>.pickle   one dict of the names that share mutable objects: one load keeps them one; members that
                            cannot be kept are not in it, and are named in the index
  <cell>/rng.pickle         generator states before the cell, as `_runner/randomness` restores them
  index.json                for each cell and name: file, digest, codec, group, or why there is none
Invariant: what is not kept is in the index with its reason.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import pickle
import re
from typing import Any

from .._runner.memory_layout import pickler

_CODECS = ("pickle", "cloudpickle")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,120}")


class TooLarge(Exception):
    """More bytes than the limit for one value."""


class _LimitedFile:
    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self._left -= size
        if self._left < 0:
            raise TooLarge
        return self._stream.write(data)


class Captures:
    def __init__(self, folder: str, value_bytes: int, total_bytes: int) -> None:
        self._folder = folder
        self._value_bytes = value_bytes
        self._left = total_bytes
        self._cells: list[dict[str, Any]] = []

    def before_cell(self, cell: int, states: dict[str, Any], started_at: float) -> None:
        os.makedirs(self._path(cell, ""), exist_ok=True)
        with open(self._path(cell, "rng.pickle"), "wb") as stream:
            pickle.dump(states, stream, protocol=5)
        record = {"cell": cell, "startedAt": started_at, "rng": f"{cell}/rng.pickle", "names": {}, "groups": [], "deleted": []}
        self._cells.append(record)

    def after_cell(
        self,
        cell: int,
        values: dict[str, Any],
        facts: dict[str, dict],
        groups: dict[int, dict[str, Any]],
        problems: dict[int, dict[str, str]],
    ) -> None:
        """`facts`: per name `digest`, `kind`, `group`; `groups`: per number all members, also those not changed here;
        `problems`: per group the members that cannot be kept, with why."""
        record = self._cells[-1]
        for number, members in groups.items():
            missing = problems.get(number, {})
            kept = {name: value for name, value in members.items() if name not in missing}
            if kept:
                file, codec, why = self._write(cell, f"group-{number}", kept, _CODECS)
            else:
                file, codec, why = None, None, "no member can be kept"
            group = {"number": number, "names": sorted(kept), "missing": missing, "file": file, "codec": codec, "why": why}
            record["groups"].append(group)
        for name, value in values.items():
            fact = facts[name]
            entry = {"digest": fact["digest"], "kind": fact["kind"], "group": fact["group"], "file": None, "codec": None}
            if fact["kind"] == "module":
                entry["why"] = "a module is imported, not kept"
            elif fact["kind"] == "unserialisable":
                entry["why"] = fact["problem"] or "it can be read only once"
            else:
                # cloudpickle turns an open file into its text: only what has an encoding may be kept by value.
                codecs = _CODECS if fact["digest"] is not None else _CODECS[:1]
                entry["file"], entry["codec"], entry["why"] = self._write(cell, name, value, codecs)
            record["names"][name] = entry

    def deleted(self, names: list[str]) -> None:
        self._cells[-1]["deleted"] = names

    def save(self) -> None:
        path = os.path.join(self._folder, "index.json")
        with open(path + ".new", "w", encoding="utf-8") as stream:
            json.dump({"version": 1, "cells": self._cells}, stream)
        os.replace(path + ".new", path)

    def _path(self, cell: int, name: str) -> str:
        return os.path.join(self._folder, str(cell), name)

    def _write(self, cell: int, name: str, value: Any, codecs: tuple[str, ...]) -> tuple[str | None, str | None, str]:
        safe = name if _PLAIN.fullmatch(name) or name.startswith("group-") else _hashed(name)
        file = f"{cell}/{'value-rng' if safe == 'rng' else safe}.pickle"
        path = os.path.join(self._folder, file)
        why = ""
        for codec in codecs:
            try:
                module = importlib.import_module(codec)
                self._dump(module, value, path)
                return file, codec, ""
            except TooLarge:
                os.unlink(path)
                return None, None, f"larger than {min(self._value_bytes, self._left):,} bytes"
            except Exception as error:  # values refuse to be pickled in every way there is
                why = why or f"{type(error).__name__}: {error}"[:500]
        if os.path.exists(path):
            os.unlink(path)
        return None, None, why

    def _dump(self, module: Any, value: Any, path: str) -> None:
        limit = min(self._value_bytes, self._left)
        with open(path, "wb") as stream:
            limited = _LimitedFile(stream, limit)
            made = pickler(limited) if module is pickle else module.Pickler(limited, protocol=5)
            made.dump(value)
        self._left -= os.path.getsize(path)


def _hashed(name: str) -> str:
    return "name-" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
