"""Canonical encoding of any Python value: two values have one digest exactly when later code could not tell them apart.

Independent of process, hash seed, memory layout and of the module a class was defined in. Never calls `repr`, `==` or a
property of an unknown object; objects are walked through the same state that pickle would keep. Whatever cannot be
encoded raises `Unencodable`: nothing is ever left out silently. Libraries are handled in encode_data and encode_figure,
functions and classes in encode_code, and only once they are imported.
"""

from __future__ import annotations

import collections
import enum
import hashlib
import sys
import types
from typing import Any, Callable

from . import encode_builtins, encode_objects
from .encode_leaves import LEAVES, Unencodable as Unencodable, frame, str_bytes

MAX_NODES = 50_000_000


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
        leaf = LEAVES.get(kind)
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
            leaf = LEAVES.get(type(item))
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
            self.leaf(b"attribute", str_bytes(name) if type(name) is str else b"?")
            self.sink.label(f".{name}")
            self.walk(state[name])

    def class_of(self, value: Any) -> None:
        from . import encode_code

        encode_code.encode_class(self, type(value))


Handler = Callable[[Encoder, Any], None]
_HANDLERS: dict[type, Handler] = dict(encode_builtins.HANDLERS)


def _resolve(kind: type) -> Handler:
    """The handler of a type met for the first time: libraries first, then code, then builtin subclasses, then state."""
    from . import encode_code, encode_data, encode_database, encode_figure, encode_streams

    handler = encode_streams.handler_for(kind) or encode_database.handler_for(kind)
    if handler is not None:
        return handler
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
        return encode_builtins.enum_member
    if issubclass(kind, types.ModuleType):
        return encode_builtins.module
    if _is_iterator(kind):
        return _refuse("an iterator can be read only once")
    for builtin in (list, tuple, dict, set, frozenset, collections.deque, int, float, str, bytes, BaseException):
        if issubclass(kind, builtin):
            return encode_objects.builtin_subclass(builtin)
    return encode_objects.instance


def _is_iterator(kind: type) -> bool:
    return hasattr(kind, "__next__") and (hasattr(kind, "__iter__"))


def _refuse(why: str) -> Handler:
    def handler(_: Encoder, value: Any) -> None:
        raise Unencodable(f"{type(value).__module__}.{type(value).__qualname__}: {why}")

    return handler


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
