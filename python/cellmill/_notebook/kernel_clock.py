"""A clock moved by whole days, to find values that depend on it: Python's own entry points are wrapped in place.

Types keep their identity (`datetime.datetime` is patched, not replaced). Clocks inside C libraries are not moved: numpy's
`datetime64('now')`, DuckDB's `now()`. Where libfaketime is loaded instead, nothing is wrapped.
"""

from __future__ import annotations

import ctypes
import datetime
import functools
import gc
import os
import time
from typing import Any, Callable


def shift_clock(seconds: int) -> str:
    """`libfaketime`, `wrapped` or `none`: how the clock was moved."""
    if seconds == 0:
        return "none"
    if "faketime" in os.environ.get("LD_PRELOAD", ""):
        return "libfaketime"
    _shift_time(seconds)
    _shift_datetime(datetime.timedelta(seconds=seconds))
    return "wrapped"


def _named_as(original: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A value that holds the function encodes as the original: the name stands for it."""

    def named(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__module__, function.__name__, function.__qualname__ = "time", original.__name__, original.__name__
        function.__doc__ = original.__doc__
        return function

    return named


def _shift_time(seconds: int) -> None:
    now, now_ns = time.time, time.time_ns

    @_named_as(now)
    def shifted() -> float:
        return now() + seconds

    @_named_as(now_ns)
    def shifted_ns() -> int:
        return now_ns() + seconds * 1_000_000_000

    time.time, time.time_ns = shifted, shifted_ns
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _of_seconds(getattr(time, name), shifted))
    original_format, original_text = time.strftime, time.asctime
    local = time.localtime

    @_named_as(original_format)
    def strftime(form: str, moment: Any = None) -> str:
        return original_format(form, local() if moment is None else moment)

    @_named_as(original_text)
    def asctime(moment: Any = None) -> str:
        return original_text(local() if moment is None else moment)

    time.strftime, time.asctime = strftime, asctime


def _of_seconds(original: Callable[..., Any], now: Callable[[], float]) -> Callable[..., Any]:
    @_named_as(original)
    def shifted(moment: Any = None) -> Any:
        return original(now() if moment is None else moment)

    return shifted


def _shift_datetime(by: datetime.timedelta) -> None:
    """`today` is left alone: it asks `time.time`, which is already wrapped."""
    _patch(datetime.datetime, "now", by)
    _patch(datetime.datetime, "utcnow", by)


def _patch(kind: type, name: str, by: datetime.timedelta) -> None:
    """Replaces a class method of a built-in type. Its dictionary is behind a proxy, which refers to nothing else."""
    own = kind.__dict__[name]

    def shifted(cls: type, *args: Any, **options: Any) -> Any:
        return own.__get__(None, cls)(*args, **options) + by

    functools.update_wrapper(shifted, getattr(kind, name), assigned=("__name__", "__qualname__", "__doc__"))
    inner = gc.get_referents(kind.__dict__)[0]
    inner[name] = classmethod(shifted)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))
