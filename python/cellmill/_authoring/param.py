"""Parameters of the project. `param` gives the default back, or in a step the run's value for the name assigned to.

The name is the assignment's target in lower case. It is found in the caller's bytecode, so that the text of the module
stays what it would be without us, and needs no file.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from .._types import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeVar

    Value = TypeVar("Value")

#: What the run decided, by name; None outside of a step.
_run_values: Mapping[str, Any] | None = None

_STORES = ("STORE_NAME", "STORE_GLOBAL")


def param(default: Value, *, description: str = "") -> Value:
    """A parameter of the project: a typed, named value that a run or environment may set.

    Write it once, at the top of a module, and use the name as what it is: a plain value of the default's type.

    - `default`: an int, float, bool, str, date, datetime, or what JSON can hold.
    - `description`: for people.

        MIN_TOTAL = param(0.0)      # the parameter min_total
    """
    if _run_values is None:
        return default
    name = _assigned_name(sys._getframe(1))
    if name is None:
        raise TypeError("param() must be assigned to one name at the top of a module: NAME = param(default)")
    if name.lower() not in _run_values:
        return default
    return convert(_run_values[name.lower()], default)


def provide(values: Mapping[str, Any] | None) -> None:
    """Sets the run's values for the modules imported from now on."""
    global _run_values
    _run_values = values


def convert(value: Any, like: Any) -> Any:
    """A JSON value as the type of the default."""
    import datetime

    kind = type(like)
    if kind is float and type(value) is int:
        return float(value)
    if kind is int and type(value) is float and value.is_integer():
        return int(value)
    if kind is datetime.datetime and isinstance(value, str):
        return parse_datetime(value)
    if kind is datetime.date and isinstance(value, str):
        return datetime.date.fromisoformat(value)
    if kind in (tuple, set, frozenset) and isinstance(value, list):
        return kind(value)
    return value


def parse_datetime(text: str) -> Any:
    import datetime

    return datetime.datetime.fromisoformat(text)


def _assigned_name(frame: Any) -> str | None:
    """Target of `NAME = param(..)` in a module's own code: the instruction after the call that is under way."""
    import dis

    if frame.f_code.co_name != "<module>":
        return None
    # While the call is under way the last instruction may be one of its cache entries.
    after = next((part for part in dis.get_instructions(frame.f_code) if part.offset > frame.f_lasti), None)
    return after.argval if after is not None and after.opname in _STORES else None
