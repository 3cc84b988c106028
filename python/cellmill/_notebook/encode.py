"""Canonical encoding of any Python value: two values have one digest exactly when later code could not tell them apart.

Independent of process, hash seed, memory layout and of the module a class was defined in. Never calls `repr`, `==` or a
property of an unknown object; objects are walked through the same state that pickle would keep. Whatever cannot be
encoded raises `Unencodable`: nothing is ever left out silently. Libraries are handled in encode_data and encode_figure,
functions and classes in encode_code, and only once they are imported.
"""

from __future__ import annotations

import collections
import copyreg
import datetime
import decimal
import enum
import fractions
import hashlib
import math
import pathlib
import re
import struct
import sys
import types
import uuid
from typing import Any, Callable

MAX_NODES = 50_000_000
_NAN = struct.pack("<d", math.nan)


class Unencodable(Exception):
    """The value has no canonical encoding; the message says which part and why."""


def frame(tag: bytes, payload: bytes) -> bytes:
    """One leaf of the stream: lengths first, so that no two streams of leaves are equal by accident."""
    return b"%d:%s%d:%s" % (len(tag), tag, len(payload), payload)


class DigestSink:
    """Receives an encoding and keeps only its sha256."""

    fast = True

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def leaf(self, tag: bytes, payload: Any, value: Any = None) -> None:
        size = payload.nbytes if isinstance(payload, memoryview) else len(payload)
        self._hash.update(b"%d:%s%d:" % (len(tag), tag, size))
        self._hash.update(payload)

    def raw(self, frames: bytes) -> None:
        self._hash.update(frames)

    def open(self, tag: bytes, value: Any = None) -> None:
        self._hash.update(b"(%d:%s" % (len(tag), tag))

    def label(self, text: str) -> None:
        """Names the next node for people; not part of the encoding."""

    def close(self) -> None:
        self._hash.update(b")")

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _int(value: int) -> bytes:
    # Decimal text is refused above 4300 digits; hexadecimal is not.
    return b"%x" % value if value >= 0 else b"-%x" % -value


def _float(value: float) -> bytes:
    return _NAN if value != value else struct.pack("<d", value)


def _str(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


# Exact types only: a subclass can carry state of its own.
_LEAVES: dict[type, tuple[bytes, Callable[[Any], bytes]]] = {
    type(None): (b"none", lambda _: b""),
    bool: (b"bool", lambda v: b"1" if v else b"0"),
    int: (b"int", _int),
    float: (b"float", _float),
    str: (b"str", _str),
    bytes: (b"bytes", bytes),
    complex: (b"complex", lambda v: _float(v.real) + _float(v.imag)),
    type(Ellipsis): (b"ellipsis", lambda _: b""),
    type(NotImplemented): (b"notimplemented", lambda _: b""),
    datetime.date: (b"date", lambda v: v.isoformat().encode()),
    datetime.timedelta: (b"timedelta", lambda v: b"%d,%d,%d" % (v.days, v.seconds, v.microseconds)),
    decimal.Decimal: (b"decimal", lambda v: str(v).encode()),
    fractions.Fraction: (b"fraction", lambda v: _int(v.numerator) + b"/" + _int(v.denominator)),
    uuid.UUID: (b"uuid", lambda v: v.bytes),
    range: (b"range", lambda v: b"%d,%d,%d" % (v.start, v.stop, v.step)),
    pathlib.PurePosixPath: (b"purepath", lambda v: _str(str(v))),
    pathlib.PosixPath: (b"path", lambda v: _str(str(v))),
}

_REFUSED: tuple[tuple[type, str], ...] = (
    (types.CoroutineType, "a coroutine can be awaited only once"),
    (types.AsyncGeneratorType, "an asynchronous generator can be read only once"),
    (types.FrameType, "a running frame"),
    (types.TracebackType, "a traceback holds running frames"),
)


class Encoder:
    """One walk over one value (or several that share objects). `reached` and `buffers` say what it could mutate."""

    def __init__(self, sink: Any, ancestors: dict[int, int] | None = None) -> None:
        self.sink = sink
        self.nodes = 0
        #: id -> (number of first visit, object): the object is kept alive so that its id stays its own.
        self.memo: dict[int, tuple[int, Any]] = {}
        #: Mutable objects seen, by id.
        self.reached: dict[int, Any] = {}
        #: (start, end) addresses of writable memory seen.
        self.buffers: list[tuple[int, int]] = []
        #: Something was met that can be read only once, or is open: it is compared, and kept nowhere.
        self.streams = False
        self._ancestors = ancestors or {}
        self._keep: list[Any] = []

    # -- entry -------------------------------------------------------------------------------------------------

    def walk(self, value: Any) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise Unencodable(f"more than {MAX_NODES:,} parts")
        kind = type(value)
        leaf = _LEAVES.get(kind)
        if leaf is not None:
            self.sink.leaf(leaf[0], leaf[1](value), value)
            return
        handler = _HANDLERS.get(kind)
        if handler is None:
            handler = _resolve(kind)
            _HANDLERS[kind] = handler
        handler(self, value)

    def labelled(self, label: str, value: Any) -> None:
        self.sink.label(label)
        self.walk(value)

    def leaf(self, tag: bytes, payload: Any, value: Any = None) -> None:
        self.sink.leaf(tag, payload, value)

    def once(self, value: Any, mutable: bool = True) -> bool:
        """False when `value` was seen in this walk: then a back reference was written, and identity is kept."""
        key = id(value)
        if key in self._ancestors:
            self.sink.leaf(b"ancestor", b"%d" % self._ancestors[key])
            return False
        seen = self.memo.get(key)
        if seen is not None:
            self.sink.leaf(b"again", b"%d" % seen[0])
            return False
        self.memo[key] = (len(self.memo), value)
        if mutable:
            self.reached[key] = value
        return True

    def temporary(self, value: Any) -> Any:
        """Keeps an object made during the walk alive, so that its id is not given to another one."""
        self._keep.append(value)
        return value

    # -- containers --------------------------------------------------------------------------------------------

    def items(self, values: Any) -> None:
        """A sequence of values, in order. Runs of plain leaves go to a digest in one piece."""
        if not self.sink.fast:
            for position, item in enumerate(values):
                self.labelled(f"[{position}]", item)
            return
        frames: list[bytes] = []
        for item in values:
            leaf = _LEAVES.get(type(item))
            if leaf is not None:
                frames.append(frame(leaf[0], leaf[1](item)))
                if len(frames) > 20_000:
                    self.nodes += len(frames)
                    self.sink.raw(b"".join(frames))
                    frames.clear()
            else:
                if frames:
                    self.sink.raw(b"".join(frames))
                    frames.clear()
                self.walk(item)
        self.nodes += len(frames)
        self.sink.raw(b"".join(frames))

    def pairs(self, pairs: Any) -> None:
        for key, item in pairs:
            self.sink.label("key")
            self.walk(key)
            self.sink.label(f"[{key!r}]" if type(key) in (str, int, bool, float, type(None)) else "[...]")
            self.walk(item)

    def unordered(self, values: Any) -> None:
        """Elements by their own digests, sorted: neither hash seed nor insertion order counts."""
        ancestors = {**self._ancestors, **{key: number for key, (number, _) in self.memo.items()}}
        digests = []
        for item in values:
            inner = Encoder(DigestSink(), ancestors)
            inner.walk(item)
            self.reached.update(inner.reached)
            self.buffers.extend(inner.buffers)
            self.streams = self.streams or inner.streams
            self._keep.append(inner)
            self.nodes += inner.nodes
            digests.append((inner.sink.hexdigest(), item))
        digests.sort(key=lambda pair: pair[0])
        for digest, item in digests:
            self.sink.label("{...}")
            self.sink.leaf(b"element", digest.encode(), item)

    def attributes(self, state: dict[str, Any]) -> None:
        """Instance attributes by name: the order in which they were first set does not count."""
        for name in sorted(state, key=lambda key: (str(type(key)), str(key)) if type(key) is str else ("", "")):
            self.sink.label(f".{name}")
            self.leaf(b"attribute", _str(name) if type(name) is str else b"?")
            self.sink.label(f".{name}")
            self.walk(state[name])

    def class_of(self, value: Any) -> None:
        from . import encode_code

        encode_code.encode_class(self, type(value))


Handler = Callable[[Encoder, Any], None]
_HANDLERS: dict[type, Handler] = {}


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


def _module(e: Encoder, value: types.ModuleType) -> None:
    e.leaf(b"module", _str(value.__name__), value)


def _mapping_proxy(e: Encoder, value: Any) -> None:
    e.sink.open(b"mappingproxy", value)
    e.pairs(list(value.items()))
    e.sink.close()


def _singleton(e: Encoder, value: Any) -> None:
    e.leaf(b"singleton", type(value).__name__.encode(), value)


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


_HANDLERS.update(
    {
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
        types.ModuleType: _module,
        types.MappingProxyType: _mapping_proxy,
        types.CellType: _cell,
    }
)


def _resolve(kind: type) -> Handler:
    """The handler of a type met for the first time: libraries first, then code, then builtin subclasses, then state."""
    from . import encode_code, encode_data, encode_figure, encode_streams

    stream = encode_streams.handler_for(kind)
    if stream is not None:
        return stream
    if kind.__module__ == "sqlite3":
        from . import encode_database

        connection = encode_database.handler_for(kind)
        if connection is not None:
            return connection
    for base in kind.__mro__:
        handler = encode_data.handler_for(base, kind) or encode_figure.handler_for(base)
        if handler is not None:
            return handler
    handler = encode_code.handler_for(kind)
    if handler is not None:
        return handler
    for refused, why in _REFUSED:
        if issubclass(kind, refused):
            return _refuse(why)
    if issubclass(kind, enum.Enum):
        return _enum_member
    if issubclass(kind, types.ModuleType):
        return _module
    if _is_iterator(kind):
        return _refuse("an iterator can be read only once")
    for builtin in (list, tuple, dict, set, frozenset, collections.deque, int, float, str, bytes, BaseException):
        if issubclass(kind, builtin):
            return _builtin_subclass(builtin)
    return _object


def _is_iterator(kind: type) -> bool:
    return hasattr(kind, "__next__") and (hasattr(kind, "__iter__"))


def _refuse(why: str) -> Handler:
    def handler(_: Encoder, value: Any) -> None:
        raise Unencodable(f"{type(value).__module__}.{type(value).__qualname__}: {why}")

    return handler


def _enum_member(e: Encoder, value: enum.Enum) -> None:
    e.sink.open(b"enum", value)
    e.class_of(value)
    e.leaf(b"name", _str(str(value._name_)))
    e.walk(value._value_)
    e.sink.close()


_CONTENT: dict[type, Callable[[Encoder, Any], None]] = {
    list: lambda e, v: e.items(list.__iter__(v)),
    tuple: lambda e, v: e.items(tuple.__iter__(v)),
    dict: lambda e, v: e.pairs(list(dict.items(v))),
    set: lambda e, v: e.unordered(set.__iter__(v)),
    frozenset: lambda e, v: e.unordered(frozenset.__iter__(v)),
    collections.deque: lambda e, v: e.items([v.maxlen, *collections.deque.__iter__(v)]),
    int: lambda e, v: e.leaf(b"int", _int(int.__index__(v))),
    float: lambda e, v: e.leaf(b"float", _float(float.__float__(v))),
    str: lambda e, v: e.leaf(b"str", _str(str.__str__(v))),
    bytes: lambda e, v: e.leaf(b"bytes", bytes.__getitem__(v, slice(None))),
    BaseException: lambda e, v: e.walk(v.args),
}


def _builtin_subclass(builtin: type) -> Handler:
    content = _CONTENT[builtin]

    def handler(e: Encoder, value: Any) -> None:
        if not e.once(value):
            return
        e.sink.open(b"subclass", value)
        e.class_of(value)
        content(e, value)
        if isinstance(value, collections.defaultdict):
            e.labelled("default_factory", value.default_factory)
        e.attributes(_without_lost(value, plain_state(value)))
        e.sink.close()

    return handler


def _without_lost(value: Any, state: dict[str, Any]) -> dict[str, Any]:
    """scikit-learn's Bunch lets go of this when it is unpickled, and takes a missing one for an empty one."""
    lost = "_deprecated_key_to_warnings"
    if type(value).__name__ == "Bunch" and type(value).__module__.startswith("sklearn.") and state.get(lost) == {}:
        return {name: part for name, part in state.items() if name != lost}
    return state


def plain_state(value: Any) -> dict[str, Any]:
    """`__dict__` and filled slots, read without running any code of the class."""
    state: dict[str, Any] = {}
    for base in type(value).__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            name = f"_{base.__name__.lstrip('_')}{slot}" if slot.startswith("__") and not slot.endswith("__") else slot
            member = base.__dict__.get(name)
            if isinstance(member, types.MemberDescriptorType):
                try:
                    state[name] = member.__get__(value, type(value))
                except AttributeError:  # a slot that was never filled
                    continue
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:  # a class with slots only
        own = {}
    if isinstance(own, dict):
        state.update(own)
    return state


def _object(e: Encoder, value: Any) -> None:
    if e.once(value):
        e.sink.open(b"object", value)
        _reduced(e, value)
        e.sink.close()


def _reduced(e: Encoder, value: Any) -> None:
    kind = type(value)
    try:
        custom = copyreg.dispatch_table.get(kind)
        reduced = custom(value) if custom else value.__reduce_ex__(4)
    except Unencodable:
        raise
    except Exception as error:
        raise Unencodable(f"{kind.__module__}.{kind.__qualname__}: {type(error).__name__}: {error}") from error
    e.temporary(reduced)
    if isinstance(reduced, str):
        e.class_of(value)
        e.leaf(b"global", _str(reduced))
        return
    if not isinstance(reduced, tuple) or not 2 <= len(reduced) <= 6:
        raise Unencodable(f"{kind.__module__}.{kind.__qualname__}: __reduce__ gave no tuple")
    e.labelled("maker", reduced[0])
    e.labelled("arguments", reduced[1])
    state = reduced[2] if len(reduced) > 2 else None
    _state(e, state)
    if len(reduced) > 3 and reduced[3] is not None:
        e.labelled("items", e.temporary(list(reduced[3])))
    if len(reduced) > 4 and reduced[4] is not None:
        e.labelled("entries", e.temporary(list(reduced[4])))


def _state(e: Encoder, state: Any) -> None:
    if type(state) is dict and all(type(key) is str for key in state):
        e.sink.open(b"state", state)
        e.attributes(state)
        e.sink.close()
    elif type(state) is tuple and len(state) == 2 and all(part is None or type(part) is dict for part in state):
        e.sink.open(b"state", state)
        for part in state:
            _state(e, part)
        e.sink.close()
    else:
        e.labelled("state", state)


def digest(value: Any) -> str:
    """sha256 of the canonical encoding. Raises `Unencodable`."""
    return encode(value).sink.hexdigest()


def encode(value: Any) -> Encoder:
    """The finished walk: `.sink.hexdigest()`, and what the value reaches. Raises `Unencodable`."""
    encoder = Encoder(DigestSink())
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 10_000))
    try:
        encoder.walk(value)
    except RecursionError as error:
        raise Unencodable("nested too deeply") from error
    finally:
        sys.setrecursionlimit(limit)
    return encoder
