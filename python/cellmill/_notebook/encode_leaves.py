"""Values without parts, as tagged bytes, and how a leaf stands in the stream."""

from __future__ import annotations

import datetime
import decimal
import fractions
import math
import pathlib
import struct
import uuid
from typing import Any, Callable

_NAN = struct.pack("<d", math.nan)


class Unencodable(Exception):
    """The value has no canonical encoding; the message says which part and why."""


def frame(tag: bytes, payload: bytes) -> bytes:
    """One leaf of the stream: lengths first, so that no two streams of leaves are equal by accident."""
    return b"%d:%s%d:%s" % (len(tag), tag, len(payload), payload)


def int_bytes(value: int) -> bytes:
    # Decimal text is refused above 4300 digits; hexadecimal is not.
    return b"%x" % value if value >= 0 else b"-%x" % -value


def float_bytes(value: float) -> bytes:
    return _NAN if value != value else struct.pack("<d", value)


def str_bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


# Exact types only: a subclass can carry state of its own.
LEAVES: dict[type, tuple[bytes, Callable[[Any], bytes]]] = {
    type(None): (b"none", lambda _: b""),
    bool: (b"bool", lambda v: b"1" if v else b"0"),
    int: (b"int", int_bytes),
    float: (b"float", float_bytes),
    str: (b"str", str_bytes),
    bytes: (b"bytes", bytes),
    complex: (b"complex", lambda v: float_bytes(v.real) + float_bytes(v.imag)),
    type(Ellipsis): (b"ellipsis", lambda _: b""),
    type(NotImplemented): (b"notimplemented", lambda _: b""),
    datetime.date: (b"date", lambda v: v.isoformat().encode()),
    datetime.timedelta: (b"timedelta", lambda v: b"%d,%d,%d" % (v.days, v.seconds, v.microseconds)),
    decimal.Decimal: (b"decimal", lambda v: str(v).encode()),
    fractions.Fraction: (b"fraction", lambda v: int_bytes(v.numerator) + b"/" + int_bytes(v.denominator)),
    uuid.UUID: (b"uuid", lambda v: v.bytes),
    range: (b"range", lambda v: b"%d,%d,%d" % (v.start, v.stop, v.step)),
    pathlib.PurePosixPath: (b"purepath", lambda v: str_bytes(str(v))),
    pathlib.PosixPath: (b"path", lambda v: str_bytes(str(v))),
}
