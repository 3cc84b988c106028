"""Canonical encoding of what can be read only once: iterators, generators and files, by their type and what is left of them.

Nothing is consumed: builtin iterators say where they stand when they are reduced, and a suspended generator is its code,
the place where it waits, its variables and what lies on its stack. What does not show its place has no encoding.
"""

from __future__ import annotations

import gc
import io
import itertools
import os
import types
import warnings
from typing import TYPE_CHECKING, Any

from . import encode_bytecode
from .encode_leaves import Unencodable

if TYPE_CHECKING:
    from .encode import Encoder, Handler

_SHOWING = {
    type(made)
    for made in (
        iter([]), iter(()), iter(""), iter("\u00e9"), iter(b""), iter(bytearray()), iter(range(0)), iter(range(1 << 70)),
        reversed([]), iter({}), iter({}.values()), iter({}.items()), reversed({}), iter(set()),
        enumerate(()), zip(), map(int, ()), filter(None, ()), reversed(()),
    )
}  # fmt: skip
#: Reducing these takes nothing from what they read.
_ITERTOOLS = (
    itertools.count, itertools.cycle, itertools.repeat, itertools.chain, itertools.islice, itertools.product,
    itertools.permutations, itertools.combinations, itertools.combinations_with_replacement, itertools.zip_longest,
    itertools.starmap, itertools.takewhile, itertools.dropwhile, itertools.filterfalse, itertools.compress,
)  # fmt: skip
_FILES = (io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.BufferedRandom, io.FileIO)
_NOT_STATE = (types.FrameType, types.CodeType, types.FunctionType, types.CellType)


def handler_for(kind: type) -> Handler | None:
    if kind in _SHOWING:
        return _iterator
    if kind is types.GeneratorType:
        return _generator
    if kind in _FILES:
        return _file
    if kind in (io.StringIO, io.BytesIO):
        return _memory_file
    if kind in _ITERTOOLS:
        return _iterator
    return None


def _iterator(e: Encoder, value: Any) -> None:
    e.streams = True
    if e.once(value):
        e.sink.open(b"iterator", value)
        e.leaf(b"type", type(value).__name__.encode())
        reduced = e.temporary(_reduced(value))
        e.items(reduced[1])
        e.walk(reduced[2] if len(reduced) > 2 else None)
        e.sink.close()


def _reduced(value: Any) -> Any:
    try:
        with warnings.catch_warnings():
            # Python 3.12 announces that itertools will not be reduced any more; 3.14 keeps its word.
            warnings.simplefilter("ignore", DeprecationWarning)
            return value.__reduce__()
    except TypeError as error:
        raise Unencodable(f"{type(value).__module__}.{type(value).__qualname__}: an iterator that does not show its place") from error


def _generator(e: Encoder, value: types.GeneratorType) -> None:
    from . import encode_code
    e.streams = True
    if not e.once(value):
        return
    frame = value.gi_frame
    e.sink.open(b"generator", value)
    e.walk(value.gi_code)
    if frame is None:
        e.leaf(b"exhausted", b"")
    elif value.gi_running:
        raise Unencodable("builtins.generator: it runs")
    else:
        outside = encode_code.names_of_step(value.gi_code)
        e.leaf(b"at", b"%d" % encode_bytecode.place_of(value.gi_code, frame.f_lasti))
        e.attributes({name: part for name, part in frame.f_locals.items() if name not in outside})
        hidden = {id(frame.f_globals), id(frame.f_builtins), id(frame.f_locals)}
        held = [part for part in gc.get_referents(value) if id(part) not in hidden and not isinstance(part, _NOT_STATE)]
        own = {id(part) for part in frame.f_locals.values()}
        e.items([part for part in held if id(part) not in own])
    e.sink.close()


def _file(e: Encoder, value: Any) -> None:
    e.streams = True
    if not e.once(value):
        return
    name = value.name
    e.sink.open(b"file", value)
    e.leaf(b"type", type(value).__name__.encode())
    # Where a source lies differs between a notebook and a step.
    e.walk(os.path.basename(name) if isinstance(name, (str, bytes)) else None)
    e.walk(getattr(value, "mode", None))
    e.walk(value.closed)
    if not value.closed:
        if value.writable():
            raise Unencodable(f"_io.{type(value).__name__}: a file open for writing")
        try:
            e.walk(value.tell())
        except OSError as error:  # in the middle of reading lines
            raise Unencodable(f"_io.{type(value).__name__}: {error}") from error
    e.sink.close()


def _memory_file(e: Encoder, value: Any) -> None:
    e.streams = True
    if e.once(value):
        e.sink.open(b"memory-file", value)
        e.leaf(b"type", type(value).__name__.encode())
        e.walk(None if value.closed else value.getvalue())
        e.walk(None if value.closed else value.tell())
        e.attributes(value.__dict__)
        e.sink.close()
