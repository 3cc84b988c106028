"""Containers and other builtin types: one handler each, by the exact type."""

from __future__ import annotations

import datetime
import enum
import re
import types
from typing import TYPE_CHECKING, Any

from .encode_leaves import str_bytes

if TYPE_CHECKING:
    from .encode import Encoder, Handler


def _list(e: Encoder, value: list) -> None:
    if e.once(value):
        e.sink.open(b"list", value)
        e.items(list.__iter__(value))
        e.sink.close()


def _tuple(e: Encoder, value: tuple) -> None:
    e.sink.open(b"tuple", value)
    e.items(value)
    e.sink.close()


def _dict(e: Encoder, value: dict) -> None:
    if e.once(value):
        e.sink.open(b"dict", value)
        e.pairs(list(dict.items(value)))
        e.sink.close()


def _set(e: Encoder, value: set) -> None:
    if e.once(value):
        e.sink.open(b"set", value)
        e.unordered(set.__iter__(value))
        e.sink.close()


def _dict_view(e: Encoder, value: Any) -> None:
    """Keys, values or items: a window on a dict, known by what is seen through it."""
    if e.once(value):
        e.sink.open(type(value).__name__.encode(), value)
        e.items(e.temporary(list(value)))
        e.sink.close()


def _memoryview(e: Encoder, value: memoryview) -> None:
    """The bytes that it shows, and how it reads them."""
    if e.once(value):
        e.sink.open(b"memoryview", value)
        e.items([value.format, value.shape, value.readonly, value.tobytes()])
        e.sink.close()


def _frozenset(e: Encoder, value: frozenset) -> None:
    e.sink.open(b"frozenset", value)
    e.unordered(frozenset.__iter__(value))
    e.sink.close()


def _bytearray(e: Encoder, value: bytearray) -> None:
    if e.once(value):
        e.leaf(b"bytearray", bytes(value), value)


def _datetime(e: Encoder, value: datetime.datetime) -> None:
    e.sink.open(b"datetime", value)
    e.leaf(b"fields", value.replace(tzinfo=None).isoformat().encode() + b",%d" % value.fold)
    e.walk(value.tzinfo)
    e.sink.close()


def _time(e: Encoder, value: datetime.time) -> None:
    e.sink.open(b"time", value)
    e.leaf(b"fields", value.replace(tzinfo=None).isoformat().encode() + b",%d" % value.fold)
    e.walk(value.tzinfo)
    e.sink.close()


def _slice(e: Encoder, value: slice) -> None:
    e.sink.open(b"slice", value)
    e.items((value.start, value.stop, value.step))
    e.sink.close()


def _pattern(e: Encoder, value: re.Pattern) -> None:
    e.sink.open(b"pattern", value)
    e.items((value.pattern, value.flags))
    e.sink.close()


def module(e: Encoder, value: types.ModuleType) -> None:
    e.leaf(b"module", str_bytes(value.__name__), value)


def _mapping_proxy(e: Encoder, value: Any) -> None:
    e.sink.open(b"mappingproxy", value)
    e.pairs(list(value.items()))
    e.sink.close()


def _cell(e: Encoder, value: types.CellType) -> None:
    if e.once(value):
        e.sink.open(b"cell", value)
        try:
            content = value.cell_contents
        except ValueError:  # an empty cell: the variable was never bound
            e.leaf(b"empty", b"")
        else:
            e.walk(content)
        e.sink.close()


def enum_member(e: Encoder, value: enum.Enum) -> None:
    e.sink.open(b"enum", value)
    e.class_of(value)
    e.leaf(b"name", str_bytes(str(value._name_)))
    e.walk(value._value_)
    e.sink.close()


HANDLERS: dict[type, Handler] = {
    list: _list,
    tuple: _tuple,
    dict: _dict,
    set: _set,
    frozenset: _frozenset,
    memoryview: _memoryview,
    type({}.keys()): _dict_view,
    type({}.values()): _dict_view,
    type({}.items()): _dict_view,
    bytearray: _bytearray,
    datetime.datetime: _datetime,
    datetime.time: _time,
    slice: _slice,
    re.Pattern: _pattern,
    types.ModuleType: module,
    types.MappingProxyType: _mapping_proxy,
    types.CellType: _cell,
}
