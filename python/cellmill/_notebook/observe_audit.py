"""Files, sockets, processes and databases that a cell touched, with the line, from Python's audit events.

Reads by C libraries raise no event: observe_files finds those by access times. Invariant: the hook records and never
changes what happens, except that hosts outside the allowed ones cannot be reached.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, Callable

from .observe_names import is_cell_frame

_MOST = 5_000
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_SYSTEM = ("/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/", "/opt/", "/etc/", "/dev/", "/proc/", "/sys/")


class Audit:
    def __init__(self, namespace: dict[str, Any], project: str, ignored: list[str], allowed_hosts: list[str]) -> None:
        self._namespace = namespace
        self._project = os.path.realpath(project).rstrip(os.sep) + os.sep
        self._ignored = tuple(os.path.realpath(path).rstrip(os.sep) + os.sep for path in ignored if path)
        self._allowed = set(allowed_hosts)
        self._busy = threading.local()
        self._seen: dict[tuple[str, str, int | None], None] = {}
        self._more = 0
        self.active = False
        self._events: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._open,
            "os.remove": lambda args: self._path("open-write", args[0]),
            "os.rmdir": lambda args: self._path("open-write", args[0]),
            "os.mkdir": lambda args: self._path("open-write", args[0]),
            "os.truncate": lambda args: self._path("open-write", args[0]),
            "os.rename": self._rename,
            "os.chdir": lambda args: self._path("chdir", args[0]),
            "sqlite3.connect": self._sqlite,
            "socket.connect": self._connect,
            "socket.getaddrinfo": lambda args: self._host(args[0], args[1]),
            "socket.gethostbyname": lambda args: self._host(args[0], None),
            "subprocess.Popen": lambda args: self._process(args[1] or args[0]),
            "os.system": lambda args: self._process(args[0]),
            "os.exec": lambda args: self._process(args[1]),
            "os.posix_spawn": lambda args: self._process(args[1]),
            "pty.spawn": lambda args: self._process(args[0]),
        }

    def install(self) -> None:
        sys.addaudithook(self._hook)

    def take(self) -> list[dict[str, Any]]:
        events = [{"kind": kind, "what": what, "line": line} for kind, what, line in self._seen]
        if self._more:
            events.append({"kind": "open-read", "what": f"and {self._more:,} more events", "line": None})
        self._seen, self._more = {}, 0
        return events

    def note(self, kind: str, what: str, line: int | None = None) -> None:
        key = (kind, what[:1000], line if line is not None else self._line())
        if key in self._seen:
            return
        if len(self._seen) < _MOST:
            self._seen[key] = None
        else:
            self._more += 1

    def relative(self, path: str) -> str:
        """Below the project by its relative path, else absolute."""
        full = os.path.realpath(path)
        return full[len(self._project) :] if full.startswith(self._project) else full

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        handler = self._events.get(event)
        if handler is None or not self.active or getattr(self._busy, "inside", False):
            return
        self._busy.inside = True
        try:
            handler(args)
        except _Refused as refused:
            raise PermissionError(13, str(refused)) from None
        except Exception:  # an odd argument is the callee's to refuse; watching must not change what happens
            return
        finally:
            self._busy.inside = False

    def _open(self, args: tuple[Any, ...]) -> None:
        path, mode, flags = args[0], args[1], args[2]
        writes = bool(set(mode) & set("wax+")) if isinstance(mode, str) else bool((flags or 0) & _WRITE_FLAGS)
        self._path("open-write" if writes else "open-read", path)

    def _path(self, kind: str, path: Any) -> None:
        if isinstance(path, int) or path is None:
            return
        text = os.fsdecode(path)
        full = os.path.realpath(text)
        if not full.startswith(self._project):
            # IPython keeps a file for each cell's code.
            if (full + os.sep).startswith(self._ignored) or full.startswith(_SYSTEM) or "/ipykernel_" in full or full.endswith(".pyc"):
                return
        elif "/__pycache__/" in full:
            return
        self.note(kind, self.relative(full))

    def _rename(self, args: tuple[Any, ...]) -> None:
        self._path("open-write", args[0])
        self._path("open-write", args[1])

    def _sqlite(self, args: tuple[Any, ...]) -> None:
        text = os.fsdecode(args[0])
        self.note("sqlite", text if text in ("", ":memory:") or text.startswith("file:") else self.relative(text))

    def _process(self, value: Any) -> None:
        command = _command(value)
        # matplotlib lists the fonts when its cache is new.
        if not command.startswith("fc-list "):
            self.note("process", command)

    def _connect(self, args: tuple[Any, ...]) -> None:
        address = args[1]
        if isinstance(address, tuple):
            self._host(address[0], address[1], resolved=True)
        else:
            self.note("socket", f"unix:{os.fsdecode(address)}")

    def _host(self, host: Any, port: Any, resolved: bool = False) -> None:
        name = os.fsdecode(host) if host is not None else ""
        self.note("socket", name if port is None else f"{name}:{port}")
        # An address was resolved from an allowed name, or is one that the notebook names itself.
        if self._allowed and not resolved and name not in self._allowed and name not in ("", "localhost"):
            raise _Refused(f"the notebook may not reach {name}")

    def _line(self) -> int | None:
        """The line of the cell that is running: its module-level frame, found outwards."""
        frame: Any = sys._getframe(1)
        while frame is not None:
            if is_cell_frame(frame, self._namespace):
                # The body of `%%time` and the like is compiled on its own, one line below.
                inner = frame.f_code.co_filename.startswith("<")
                return frame.f_lineno + (1 if inner else 0)
            frame = frame.f_back
        return None


class _Refused(Exception):
    pass


def _command(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(os.fsdecode(part) if isinstance(part, (str, bytes, os.PathLike)) else "?" for part in value)
    return os.fsdecode(value)
