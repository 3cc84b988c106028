"""Proofs: what the variables of a step's function held when it returned, as digests. Values are kept only where asked for."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Callable, Iterable
from .._types import Any


def call_recording(call: Callable[[], Any], code: types.CodeType, locals_at_return: dict[str, Any]) -> Any:
    """Calls, and fills `locals_at_return` when the frame of `code` returns. Only returns of Python frames are looked at."""
    before = sys.getprofile()

    def look(frame: Any, event: str, arg: Any) -> None:
        if event == "return" and frame.f_code is code:
            locals_at_return.clear()
            locals_at_return.update(frame.f_locals)

    sys.setprofile(look)
    try:
        return call()
    finally:
        sys.setprofile(before)


def digests(values: dict[str, Any], code: types.CodeType) -> dict[str, dict[str, Any]]:
    """`code`: of the step's function, whose variables were globals of the notebook."""
    from .._notebook import encode, encode_code

    encode_code.inside_step(code)
    found = {}
    for name, value in values.items():
        try:
            found[name] = {"digest": encode.digest(value), "problem": None}
        except encode.Unencodable as error:
            found[name] = {"digest": None, "problem": str(error)}
        except Exception as error:  # a hostile class: it is not comparable, and says so
            found[name] = {"digest": None, "problem": f"{type(error).__name__}: {error}"}
    return found


def keep(values: dict[str, Any], names: Iterable[str], folder: str) -> None:
    """As `local-NAME.pickle`; a value that does not pickle is left out."""
    for name in names:
        try:
            content = pickle.dumps(values[name], protocol=5)
        except Exception:  # whatever its class raises: then there is nothing to look at
            continue
        with open(f"{folder}/local-{name}.pickle", "wb") as stream:
            stream.write(content)
