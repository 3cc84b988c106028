"""Instances of classes: of builtin types by their content and attributes, of any other by what pickle would keep."""

from __future__ import annotations

import collections
import copyreg
import types
from typing import TYPE_CHECKING, Any, Callable

from .encode_leaves import Unencodable, float_bytes, int_bytes, str_bytes

if TYPE_CHECKING:
    from .encode import Encoder, Handler

_CONTENT: dict[type, Callable[[Encoder, Any], None]] = {
    list: lambda e, v: e.items(list.__iter__(v)),
    tuple: lambda e, v: e.items(tuple.__iter__(v)),
    dict: lambda e, v: e.pairs(list(dict.items(v))),
    set: lambda e, v: e.unordered(set.__iter__(v)),
    frozenset: lambda e, v: e.unordered(frozenset.__iter__(v)),
    collections.deque: lambda e, v: e.items([v.maxlen, *collections.deque.__iter__(v)]),
    int: lambda e, v: e.leaf(b"int", int_bytes(int.__index__(v))),
    float: lambda e, v: e.leaf(b"float", float_bytes(float.__float__(v))),
    str: lambda e, v: e.leaf(b"str", str_bytes(str.__str__(v))),
    bytes: lambda e, v: e.leaf(b"bytes", bytes.__getitem__(v, slice(None))),
    BaseException: lambda e, v: e.walk(v.args),
}


def builtin_subclass(builtin: type) -> Handler:
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


def instance(e: Encoder, value: Any) -> None:
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
        e.leaf(b"global", str_bytes(reduced))
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
