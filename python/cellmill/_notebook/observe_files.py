"""Files below the project that a cell read or wrote, found from outside: C libraries raise no audit event.

Before the run every file gets an old access time, which the next read renews; a write changes size, time or inode. Where
the file system keeps no access times, or the tree is too big, that is said and not guessed.
"""

from __future__ import annotations

import os
import tempfile
from typing import Iterator

_MOST_FILES = 20_000
_OLD = 1_000_000_000 * 1_000_000_000  # 2001, in nanoseconds


class Files:
    def __init__(self, project: str) -> None:
        self._project = project
        self._last: dict[str, tuple[int, int, int]] = {}
        self.problems: list[str] = []
        self._is_on = True
        self._sees_reads = _keeps_access_times(project)
        if not self._sees_reads:
            self.problems.append("reads by C libraries (pyarrow, DuckDB) were not seen: this disk keeps no access times")

    def before_cell(self) -> None:
        """Files that are new since the last look get their old access time as well."""
        if not self._is_on:
            return
        now: dict[str, tuple[int, int, int]] = {}
        for path, entry in self._entries():
            now[path] = (entry.st_size, entry.st_mtime_ns, entry.st_ino)
            if self._sees_reads and entry.st_atime_ns != _OLD:
                _age(path, entry)
        self._last = now

    def after_cell(self) -> list[tuple[str, str]]:
        """(`open-read` or `open-write`, path below the project), sorted."""
        if not self._is_on:
            return []
        found: list[tuple[str, str]] = []
        seen: set[str] = set()
        for path, entry in self._entries():
            seen.add(path)
            if self._last.get(path) != (entry.st_size, entry.st_mtime_ns, entry.st_ino):
                found.append(("open-write", path))
            elif self._sees_reads and entry.st_atime_ns != _OLD:
                found.append(("open-read", path))
        found.extend(("open-write", path) for path in self._last if path not in seen)
        return sorted((kind, os.path.relpath(path, self._project)) for kind, path in found)

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        count = 0
        for folder, folders, files in os.walk(self._project):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in files:
                path = os.path.join(folder, name)
                try:
                    entry = os.lstat(path)
                except OSError:  # removed meanwhile by something the cell left running
                    continue
                if not _is_file(entry):
                    continue
                count += 1
                if count > _MOST_FILES:
                    self._is_on = False
                    self.problems.append(f"reads and writes by C libraries were not seen: more than {_MOST_FILES:,} files")
                    return
                yield path, entry


def _is_file(entry: os.stat_result) -> bool:
    return (entry.st_mode & 0o170000) == 0o100000


def _age(path: str, entry: os.stat_result) -> None:
    try:
        os.utime(path, ns=(_OLD, entry.st_mtime_ns), follow_symlinks=False)
    except OSError:  # made read-only or foreign by the notebook: its reads are then reported once too often
        return


def _keeps_access_times(folder: str) -> bool:
    try:
        handle, path = tempfile.mkstemp(dir=folder)
    except OSError:
        return False
    try:
        os.write(handle, b"x")
        os.close(handle)
        os.utime(path, ns=(_OLD, _OLD + 1))
        with open(path, "rb") as stream:
            stream.read()
        return os.stat(path).st_atime_ns > _OLD
    except OSError:
        return False
    finally:
        os.unlink(path)
