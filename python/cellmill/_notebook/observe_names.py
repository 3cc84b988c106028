"""Which names are the user's, which of them a cell can reach, and which share mutable objects or memory.

Reach is an over-estimate: every identifier in the cell's code, in functions and classes that it may call, and in strings
that look like code; a computed access (`exec`, `globals`) reaches all names.
"""

from __future__ import annotations

import builtins
import gc
import re
import sys
import types
from typing import Any, Iterable

from . import encode

_IPYTHON = re.compile(r"_+|_i{1,3}|_i?\d+|_[ido]h|In|Out|_exit_code|__warningregistry__|__annotations__|__annotate__|__doc__|__nonzero__")
_SHELL = {"get_ipython", "exit", "quit"}
_WORD = re.compile(r"[^\W\d]\w*")
_COMPUTED = {"exec", "eval", "globals", "locals", "vars", "gc", "_getframe", "currentframe"}
#: Words beside `get_ipython` that stand for magics which run or remove what no text here names.
_MAGICS = {"run", "reset", "reset_selective", "load", "rerun", "recall", "store", "macro", "user_ns", "push", "pylab"}
_LONGEST_STRING = 100_000
_MOST_REFERENTS = 50_000
#: Functions hold all globals of their module.
_OPAQUE = (types.FunctionType, types.CodeType, types.FrameType, types.BuiltinFunctionType)


def is_cell_frame(frame: Any, namespace: dict[str, Any]) -> bool:
    """Whether a frame runs a cell's own lines: IPython 7 and 8 name its code by the cell's line."""
    return frame.f_globals is namespace and frame.f_code.co_name.startswith(("<module>", "<cell line"))


class UserNames:
    """The user's namespace without what IPython puts there."""

    def __init__(self, namespace: dict[str, Any], hidden: dict[str, Any]) -> None:
        self._namespace = namespace
        self._hidden = {name: value for name, value in {**hidden, **namespace}.items() if type(name) is str}

    def current(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in list(self._namespace.items())
            if type(name) is str and not self._is_hidden(name, value)
        }

    def _is_hidden(self, name: str, value: Any) -> bool:
        # `%reset` puts new ones of its own back.
        if _IPYTHON.fullmatch(name) or (name in _SHELL and name in self._hidden and type(value) is type(self._hidden[name])):
            return True
        return name in self._hidden and self._hidden[name] is value


def code_words(code: types.CodeType, words: set[str]) -> None:
    """All identifiers in a code object and the code nested in it, and the words of its strings."""
    words.update(code.co_names, code.co_freevars, code.co_varnames)
    pending = list(code.co_consts)
    while pending:
        constant = pending.pop()
        if isinstance(constant, types.CodeType):
            code_words(constant, words)
        elif isinstance(constant, str) and len(constant) <= _LONGEST_STRING:
            words.update(_WORD.findall(constant))
        elif isinstance(constant, (tuple, frozenset)):
            pending.extend(constant)


def reachable(code: Iterable[types.CodeType] | None, namespace: dict[str, Any], known: dict[str, "Reach"]) -> set[str]:
    """Names that running `code` may read or change. None: the code could not be compiled, so all of them."""
    if code is None:
        return set(namespace)
    words: set[str] = set()
    for part in code:
        code_words(part, words)
    found: set[str] = set()
    pending = [name for name in words if name in namespace]
    if words & _COMPUTED or ("get_ipython" in words and words & _MAGICS):
        return set(namespace)
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        inner: set[str] = set()
        for part in _code_of(namespace[name], namespace, known.get(name)):
            code_words(part, inner)
        if inner & _COMPUTED:
            return set(namespace)
        pending.extend(other for other in inner if other in namespace and other not in found)
    return found


def _code_of(value: Any, namespace: dict[str, Any], reach: "Reach | None") -> list[types.CodeType]:
    """Code that a call on this value may run and that sees the notebook's names: its own, and of functions inside it."""
    if reach is not None:
        return reach.code
    return [value.__code__] if type(value) is types.FunctionType and value.__globals__ is namespace else []


class Reach:
    """What one value can reach, from one finished walk. Ids are true as long as the value is unchanged."""

    __slots__ = ("ids", "buffers", "code", "streams", "definitions")

    def __init__(self, value: Any, walk: encode.Encoder, problem: str | None, namespace: dict[str, Any]) -> None:
        shared = _class_state(walk)
        ids = walk.reached.keys() if problem is None else walk.reached.keys() | _referents(value, namespace)
        self.ids = frozenset(key for key in ids if key not in shared)
        self.buffers = _merged(walk.buffers)
        functions = (value for _, value in walk.memo.values() if type(value) is types.FunctionType)
        self.code = [function.__code__ for function in functions if function.__globals__ is namespace]
        self.streams = walk.streams
        self.definitions = _definitions(value, walk, namespace)


def _definitions(value: Any, walk: encode.Encoder, namespace: dict[str, Any]) -> tuple[str, ...]:
    """Qualified names of the notebook's functions and classes that the value holds, itself left out."""
    found: set[str] = set()
    for _, part in walk.memo.values():
        if part is value:
            continue
        if type(part) is types.FunctionType and part.__globals__ is namespace:
            found.add(part.__qualname__)
        elif issubclass(type(part), type) and type.__dict__["__dict__"].__get__(part).get("__module__") == "__main__":
            found.add(type.__dict__["__qualname__"].__get__(part))
    return tuple(sorted(found))


def _referents(value: Any, namespace: dict[str, Any]) -> set[int]:
    """What a value without an encoding holds, as the garbage collector sees it: a generator holds the list that it reads."""
    found: dict[int, Any] = {}
    pending = [value]
    skipped = {id(namespace), id(vars(builtins))}
    while pending and len(found) < _MOST_REFERENTS:
        part = pending.pop()
        kind = type(part)
        if id(part) in found or id(part) in skipped or kind in _OPAQUE or issubclass(kind, (type, types.ModuleType)):
            continue
        if not gc.is_tracked(part) and part is not value:
            continue
        found[id(part)] = part
        pending.extend(gc.get_referents(part))
    return {key for key, part in found.items() if type(part) not in (tuple, frozenset)}


def _class_state(walk: encode.Encoder) -> set[int]:
    """Objects that belong to the user's classes: every instance reaches them, which does not make the instances one."""
    shared: set[int] = set()
    first = next(iter(walk.memo.values()), (0, None))[1]
    for _, value in walk.memo.values():
        if issubclass(type(value), type) and value is not first:
            try:
                shared.update(encode.encode(value).reached)
            except Exception:  # the walk of the whole value already reported what is wrong with it
                continue
    return shared


def _merged(buffers: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(set(buffers)):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def alias_groups(reaches: dict[str, Reach]) -> list[list[str]]:
    """Names that share a mutable object, directly or through others; each group sorted, groups by first name."""
    parent: dict[str, str] = {name: name for name in reaches}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    owner: dict[int, str] = {}
    for name, reach in reaches.items():
        for key in reach.ids:
            first = owner.setdefault(key, name)
            if first != name:
                parent[root(name)] = root(first)
    groups: dict[str, list[str]] = {}
    for name in reaches:
        groups.setdefault(root(name), []).append(name)
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def shared_buffers(reaches: dict[str, Reach]) -> dict[str, set[str]]:
    """Names whose memory overlaps."""
    spans = sorted((start, end, name) for name, reach in reaches.items() for start, end in reach.buffers)
    found: dict[str, set[str]] = {}
    active: list[tuple[int, str]] = []
    for start, end, name in spans:
        active = [(until, other) for until, other in active if until > start]
        for _, other in active:
            if other != name:
                found.setdefault(name, set()).add(other)
                found.setdefault(other, set()).add(name)
        active.append((end, name))
    return found


def walk_value(value: Any) -> tuple[encode.Encoder | None, str | None, int]:
    """(finished walk, problem, bytes encoded). Any failure of the value's own state code is a problem, not an error."""
    sink = CountingSink()
    encoder = encode.Encoder(sink)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 10_000))
    try:
        encoder.walk(value)
    except encode.Unencodable as error:
        return encoder, str(error)[:500], sink.size
    except RecursionError:
        return encoder, "nested too deeply", sink.size
    except BaseException as error:  # the value's own code may raise anything, SystemExit too
        return encoder, f"{type(error).__name__}: {_message(error)}"[:500], sink.size
    finally:
        sys.setrecursionlimit(limit)
    return encoder, None, sink.size


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an exception of the user's own with a broken text
        return "(no text)"


class CountingSink(encode.DigestSink):
    """A digest that also knows how many bytes the value's encoding has."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    def leaf(self, tag: bytes, payload: Any, value: Any = None) -> None:
        self.size += payload.nbytes if isinstance(payload, memoryview) else len(payload)
        super().leaf(tag, payload, value)

    def raw(self, frames: bytes) -> None:
        self.size += len(frames)
        super().raw(frames)
