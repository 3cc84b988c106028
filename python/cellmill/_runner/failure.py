"""An exception of the author's code as a UserCodeError (errors.ts): their frames, with columns and notebook cells; ours hidden."""

from __future__ import annotations

import errno
import linecache
import os
import sys
import sysconfig
import traceback
from typing import Any

from . import hints
from .cells import CellMap
from .contract import ContractError

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_MOST_FRAMES = 30


class Failures:
    def __init__(self, code_root: str, cells: CellMap) -> None:
        self._root = code_root.rstrip(os.sep) + os.sep
        self._cells = cells
        self._site = sysconfig.get_paths()["purelib"] + os.sep
        self._standard = sysconfig.get_paths()["stdlib"] + os.sep

    def describe(self, error: BaseException, inputs: dict[str, Any], facts: hints.StepFacts) -> dict[str, Any]:
        """`inputs`: argument to (line describing it as it arrived, value)."""
        kind = _kind(error)
        return {
            "kind": kind,
            "type": _type_name(error),
            "message": _message(error),
            "frames": self._frames(error),
            "inputs": [line for line, _ in inputs.values()],
            "hint": hints.hint_for(
                error, kind, {name: value for name, (_, value) in inputs.items()}, self._user_locals(error), facts
            ),
        }

    # -- frames ----------------------------------------------------------------------------------------------------

    def _frames(self, error: BaseException) -> list[dict[str, Any]]:
        if isinstance(error, ContractError):
            return []
        frames = [self._frame(entry) for entry in self._entries(error)]
        if isinstance(error, SyntaxError) and error.filename and error.filename.startswith(self._root):
            frames = [frame for frame in frames if frame["isProject"]]
            frames.append(self._syntax_frame(error))
        if len(frames) > _MOST_FRAMES:
            frames = frames[:10] + frames[-(_MOST_FRAMES - 10) :]
        return frames

    def _entries(self, error: BaseException) -> list[Any]:
        """Traceback entries worth showing: project and package frames, else those of the exception that caused it."""
        chain: list[BaseException] = []
        current: BaseException | None = error
        while current is not None and current not in chain:
            chain.append(current)
            current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        for candidate in chain:
            entries = self._from_project(_walk(candidate), lambda entry: entry.tb_frame.f_code.co_filename)
            if entries:
                return entries
        return [entry for entry in _walk(error) if self._is_shown(entry.tb_frame.f_code.co_filename)]

    def _from_project(self, entries: list[Any], file_of: Any) -> list[Any]:
        """What was shown from the first project frame on; nothing when there is none."""
        shown = [entry for entry in entries if self._is_shown(file_of(entry))]
        first = next((i for i, entry in enumerate(shown) if file_of(entry).startswith(self._root)), len(shown))
        return shown[first:]

    def _is_shown(self, file: str) -> bool:
        return not file.startswith((_OURS, "<frozen "))

    def _frame(self, entry: Any) -> dict[str, Any]:
        code, line = entry.tb_frame.f_code, entry.tb_lineno
        file, is_project = self._place(code.co_filename)
        text = linecache.getline(code.co_filename, line, entry.tb_frame.f_globals).rstrip("\n")
        column, end = _columns(code, entry.tb_lasti, line, text)
        return {
            "file": file,
            "line": line,
            "column": column,
            "endColumn": end,
            "function": code.co_qualname,
            "lineText": text[:500],
            "isProject": is_project,
            "cell": self._cells.cell(file, line) if is_project else None,
        }

    def _place(self, file: str) -> tuple[str, bool]:
        if file.startswith(self._root):
            return file[len(self._root) :], True
        for base in (self._site, self._standard):
            if file.startswith(base):
                return file[len(base) :], False
        return file, False

    def _syntax_frame(self, error: SyntaxError) -> dict[str, Any]:
        file, is_project = self._place(error.filename or "")
        line = error.lineno or 1
        text = (error.text or linecache.getline(error.filename or "", line)).rstrip("\n")
        end = (
            error.end_offset
            if error.end_lineno == error.lineno and (error.end_offset or 0) > (error.offset or 1)
            else None
        )
        return {
            "file": file,
            "line": line,
            "column": max(error.offset or 1, 1),
            "endColumn": end or max(error.offset or 1, 1) + 1,
            "function": "<module>",
            "lineText": text[:500],
            "isProject": is_project,
            "cell": self._cells.cell(file, line),
        }

    def _user_locals(self, error: BaseException) -> dict[str, Any]:
        """Variables of the innermost project frame."""
        found: dict[str, Any] = {}
        for entry in _walk(error):
            if entry.tb_frame.f_code.co_filename.startswith(self._root):
                found = dict(entry.tb_frame.f_locals)
        return found

    def print(self, error: BaseException) -> None:
        """The traceback for the log, as Python prints it, without our frames."""
        summary = traceback.TracebackException.from_exception(error)
        part: traceback.TracebackException | None = summary
        seen: set[int] = set()
        while part is not None and id(part) not in seen:
            seen.add(id(part))
            part.stack[:] = self._from_project(list(part.stack), lambda frame: frame.filename)
            part = part.__cause__ or part.__context__
        text = "".join(summary.format()).replace(self._root, "")
        print(text, file=sys.stderr, end="")


def _walk(error: BaseException) -> list[Any]:
    entries, current = [], error.__traceback__
    while current is not None:
        entries.append(current)
        current = current.tb_next
    return entries


def _columns(code: Any, lasti: int, line: int, text: str) -> tuple[int | None, int | None]:
    """1-based columns in characters; the bytecode has them as bytes of UTF-8."""
    positions = list(code.co_positions())
    index = lasti // 2
    if not 0 <= index < len(positions):
        return None, None
    first, last, start, end = positions[index]
    if first != line or start is None or end is None:
        return None, None
    raw = text.encode("utf-8", "surrogatepass")
    column = len(raw[:start].decode("utf-8", "replace")) + 1
    return column, len(raw[:end].decode("utf-8", "replace")) + 1 if last == first else len(text) + 1


def _kind(error: BaseException) -> str:
    if isinstance(error, ContractError):
        return error.kind
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return "out-of-memory"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "disk-full"
    if isinstance(error, ImportError):
        return "packages"
    if isinstance(error, SystemExit):
        return "exit-code"
    return "exception"


def _type_name(error: BaseException) -> str:
    if isinstance(error, ContractError):
        return error.kind
    kind = type(error)
    return (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )


def _message(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the code called sys.exit({'' if error.code is None else repr(error.code)})"
    if isinstance(error, SyntaxError):
        return error.msg or "invalid syntax"
    try:
        text = str(error)
    except Exception:  # an exception whose text fails is still an exception
        text = ""
    if isinstance(error, KeyError) and len(error.args) == 1:
        text = repr(error.args[0])
    for note in getattr(error, "__notes__", []):
        text += f"\n{note}"
    cause = error.__cause__
    if cause is not None and not isinstance(error, ContractError):
        text += f"\ncaused by {_type_name(cause)}: {str(cause)[:500]}"
    return text[:4000]
