"""Sees what a step reads without having declared it: files, sockets, processes, clock, entropy and environment.

An explanation, not a wall: the sandbox denies, this names the line. Values are never altered. C libraries that open files
themselves are not seen here. Only the first 200 different sightings are kept.
"""

from __future__ import annotations

import functools
import os
import random
import stat
import sys
import _thread
import time
from .._types import Any
from collections.abc import Callable

_LIMIT = 200
_SYSTEM = ("/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/", "/opt/", "/etc/", "/dev/", "/proc/", "/sys/")
#: Below /usr/share, what libraries read for themselves.
_SHARED = ("/usr/share/zoneinfo", "/usr/share/fonts", "/usr/share/fontconfig", "/usr/share/mime", "/usr/share/locale")
_ENTROPY_MODULES = ("random.py", "secrets.py", "uuid.py")


class Watch:
    def __init__(self, code_root: str, allowed: list[str], environment: set[str]) -> None:
        self._code = code_root.rstrip(os.sep) + os.sep
        self._allowed = tuple({os.path.realpath(path).rstrip(os.sep) + os.sep for path in [code_root, *allowed]})
        #: The interpreter's own folders never change, so their files, opened by the hundred, are known by name.
        self._installed = (sys.prefix.rstrip(os.sep) + os.sep, sys.base_prefix.rstrip(os.sep) + os.sep)
        self._environment = environment
        self._seen: dict[tuple[str, str, str], None] = {}
        self._busy = _thread._local()
        self.hosts: list[str] = []
        self.active = False
        self._events: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._on_open,
            "os.listdir": self._on_folder,
            "os.scandir": self._on_folder,
            "sqlite3.connect": self._on_folder,
            "socket.connect": self._on_connect,
            "socket.getaddrinfo": self._on_lookup,
            "subprocess.Popen": self._on_process,
            "os.system": self._on_process,
            "os.exec": self._on_process,
            "os.posix_spawn": self._on_process,
        }

    def start(self) -> None:
        self._wrap_entry_points()
        self.active = True
        sys.addaudithook(self._hook)

    def found(self) -> list[dict[str, str]]:
        return [{"kind": kind, "what": what, "where": where} for kind, what, where in self._seen]

    def note(self, kind: str, what: str, where: str) -> None:
        if len(self._seen) < _LIMIT:
            self._seen.setdefault((kind, what[:300], where))

    def note_clock(self, what: str, where: str) -> None:
        """A clock read found in the code: `date.today()` also showed as the `time.time()` that it calls."""
        self._seen.pop(("clock", "time.time()", where), None)
        self.note("clock", what, where)

    # -- audit events --------------------------------------------------------------------------------------------

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        handler = self._events.get(event)
        if handler is None or not self.active or getattr(self._busy, "inside", False):
            return
        self._busy.inside = True
        try:
            handler(args)
        except (OSError, ValueError, TypeError, AttributeError):
            pass  # an odd argument is the callee's to refuse; watching must not change what happens
        finally:
            self._busy.inside = False

    def _on_open(self, args: tuple[Any, ...]) -> None:
        path, mode, flags = args[0], args[1], args[2] if len(args) > 2 else 0
        self._on_path(path, writing=bool(mode and set(str(mode)) & set("wax+")) or bool((flags or 0) & 3))

    def _on_folder(self, args: tuple[Any, ...]) -> None:
        self._on_path(args[0] if args[0] is not None else ".", writing=False)

    def _on_path(self, path: Any, writing: bool) -> None:
        if isinstance(path, int):
            return
        text = os.fsdecode(path)
        if text.startswith(("file:", ":memory:")) or text == "":
            return
        if text in ("/dev/urandom", "/dev/random"):
            self._from_project("random", text)
            return
        if text.startswith(self._installed) and ".." not in text:
            return
        real = os.path.realpath(text)
        if (real + os.sep).startswith(self._allowed):
            return
        where, importing = self._place()
        if real.startswith(_SYSTEM) and (importing or where == "" or not _is_data(real)):
            return
        if os.path.exists(real):
            self.note("file", f"{real} (written)" if writing else real, where)

    def _on_connect(self, args: tuple[Any, ...]) -> None:
        address = args[1]
        if isinstance(address, tuple) and len(address) >= 2:
            self.note("network", f"{address[0]}:{address[1]}", self._place()[0])

    def _on_lookup(self, args: tuple[Any, ...]) -> None:
        host = args[0].decode(errors="replace") if isinstance(args[0], bytes) else str(args[0])
        self.hosts.append(host)
        self.note("network", host, self._place()[0])

    def _on_process(self, args: tuple[Any, ...]) -> None:
        where, importing = self._place()
        if importing or where == "":
            return  # libraries that ask uname or ldconfig while they are imported
        command = args[1] if len(args) > 1 and isinstance(args[1], (list, tuple)) and args[1] else args[0]
        parts = command if isinstance(command, (list, tuple)) else [command]
        self.note("process", " ".join(os.fsdecode(part) for part in parts if isinstance(part, (str, bytes))), where)

    # -- places --------------------------------------------------------------------------------------------------

    def _place(self) -> tuple[str, bool]:
        """(`file:line` of the nearest project frame or '', whether a module import stands in between)."""
        frame: Any = sys._getframe(1)
        importing = False
        while frame is not None:
            file = frame.f_code.co_filename
            if file.startswith(self._code):
                return f"{file[len(self._code) :]}:{frame.f_lineno}", importing
            if file.startswith("<frozen importlib"):
                importing = True
            frame = frame.f_back
        return "", importing

    def _from_project(self, kind: str, what: str) -> None:
        where, importing = self._place()
        if where and not importing:
            self.note(kind, what, where)

    def _direct(self, frame: Any) -> str:
        file = frame.f_code.co_filename
        return f"{file[len(self._code) :]}:{frame.f_lineno}" if file.startswith(self._code) else ""

    # -- entry points without an audit event -----------------------------------------------------------------------

    def _wrap_entry_points(self) -> None:
        for name, most in (("time", 0), ("time_ns", 0), ("localtime", 0), ("gmtime", 0), ("ctime", 0), ("strftime", 1)):
            self._wrap_clock(name, most)
        original = os.urandom

        @functools.wraps(original)
        def urandom(size: int, /) -> bytes:
            self._on_entropy(sys._getframe(1))
            return original(size)

        os.urandom = urandom
        random._urandom = urandom  # type: ignore[attr-defined]
        self._watch_environment()

    def _wrap_clock(self, name: str, most: int) -> None:
        """With more than `most` arguments the function converts a given instant and asks no clock."""
        original = getattr(time, name)

        @functools.wraps(original)
        def clock(*args: Any) -> Any:
            if len(args) <= most:
                where = self._direct(sys._getframe(1))
                if where and self.active:
                    self.note("clock", f"time.{name}()", where)
            return original(*args)

        setattr(time, name, clock)

    def _on_entropy(self, frame: Any) -> None:
        """Entropy that project code asks for, itself or by way of the standard modules."""
        passed = []
        while frame is not None and os.path.basename(frame.f_code.co_filename) in _ENTROPY_MODULES:
            passed.append(frame.f_code.co_name)
            frame = frame.f_back
        if frame is None or not self.active:
            return
        # numpy asks for bits even for a generator that it seeds afterwards, so these say nothing.
        where = "" if passed == ["getrandbits"] else self._direct(frame)
        if where:
            self.note("random", f"{passed[-1]}()" if passed else "os.urandom()", where)

    def watch_numpy(self, module: Any) -> None:
        """`default_rng()` without a seed, whoever calls it."""
        original = module.default_rng

        @functools.wraps(original)
        def default_rng(seed: Any = None) -> Any:
            if seed is None and self.active:
                self._from_project("random", "default_rng()")
            return original(seed)

        module.default_rng = default_rng
        if hasattr(module, "_generator"):
            module._generator.default_rng = default_rng  # where pickle looks for it

    def _watch_environment(self) -> None:
        watch, plain = self, type(os.environ)

        class Environ(plain):  # type: ignore[misc, valid-type]
            def __getitem__(self, key: str) -> str:
                watch._on_variable(key, sys._getframe(1))
                return plain.__getitem__(self, key)

        Environ.__name__, Environ.__qualname__ = plain.__name__, plain.__qualname__
        os.environ.__class__ = Environ

    def _on_variable(self, key: Any, frame: Any) -> None:
        depth = 0
        while frame is not None and depth < 4 and frame.f_code.co_filename.startswith("<frozen "):
            frame, depth = frame.f_back, depth + 1
        where = self._direct(frame) if frame is not None else ""
        if where and self.active and key not in self._environment:
            self.note("environment", str(key), where)


def _is_data(path: str) -> bool:
    """Files of the system that could be somebody's data: not devices, not what libraries look up for themselves."""
    if path.startswith(("/dev/", "/proc/", "/sys/")) or path.startswith(_SHARED):
        return False
    if path.startswith("/etc/"):
        return path in ("/etc/hostname", "/etc/machine-id", "/etc/passwd")
    if not path.startswith(("/usr/share/", "/usr/local/", "/opt/")):
        return False
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
