"""`Any` and `TYPE_CHECKING` for annotations: `typing` itself costs each step's process 3 ms, of which most never need it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any as Any
else:
    Any = object
