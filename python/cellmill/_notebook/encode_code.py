"""Canonical encoding of functions, methods, classes and code objects.

Library code is known by its name (its version is in the packages' lock); code of the user is known by what it does:
instructions, constants, defaults, closure. Where it was defined does not count, so `__main__.f` equals `module.f`.
"""

from __future__ import annotations

import enum
import functools
import sys
import sysconfig
import types
from typing import TYPE_CHECKING, Any

from . import encode_bytecode

if TYPE_CHECKING:
    from .encode import Encoder, Handler

_LIBRARY_FOLDERS = tuple(
    {
        folder.rstrip("/") + "/"
        for folder in (sysconfig.get_paths().get(key) for key in ("stdlib", "platstdlib", "purelib", "platlib"))
        if folder
    }
)
_LOCATION = {
    "__dict__", "__weakref__", "__module__", "__doc__", "__qualname__", "__firstlineno__", "__static_attributes__",
    "__abstractmethods__", "_abc_impl", "__annotations__", "__annotate__", "__annotate_func__",
    "__annotations_cache__", "__orig_bases__", "__parameters__", "__slotnames__",
}  # fmt: skip


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


@functools.lru_cache(maxsize=4096)
def is_library(module: str | None) -> bool:
    """Whether a module's code is fixed by the interpreter or the packages' lock."""
    if module is None or module == "__main__":
        return False
    loaded = sys.modules.get(module) or sys.modules.get(module.partition(".")[0])
    if loaded is None:
        return False
    file = getattr(loaded, "__file__", None)
    if file is None:
        # Namespace packages have no file; modules without any path are built into the interpreter.
        paths = list(getattr(loaded, "__path__", ()))
        return not paths or any("-packages/" in path + "/" for path in paths)
    return "/site-packages/" in file or "/dist-packages/" in file or file.startswith(_LIBRARY_FOLDERS)


def encode_class(e: Encoder, kind: type) -> None:
    module = kind.__module__
    if is_library(module):
        e.leaf(b"class", _text(f"{module}.{kind.__qualname__}"), kind)
        return
    if not e.once(kind, mutable=False):
        return
    e.sink.open(b"user-class", kind)
    e.leaf(b"name", _text(kind.__name__))
    for base in kind.__bases__:
        encode_class(e, base)
    if type(kind) is not type:
        encode_class(e, type(kind))
    if issubclass(kind, enum.Enum):
        for member in kind.__members__.values():
            e.leaf(b"member", _text(member._name_))
            e.walk(member._value_)
    hidden = _LOCATION | (set(kind.__members__) | set(_ENUM_PARTS) if issubclass(kind, enum.Enum) else set())
    e.attributes({name: part for name, part in kind.__dict__.items() if name not in hidden})
    e.sink.close()


_ENUM_PARTS = (
    "_member_names_", "_member_map_", "_value2member_map_", "_member_type_", "_value_repr_", "_unhashable_values_",
    "_use_args_", "_new_member_", "_generate_next_value_", "__new__", "__reduce_ex__",
)  # fmt: skip


def _function(e: Encoder, value: types.FunctionType) -> None:
    if is_library(value.__module__) and "<locals>" not in value.__qualname__ and value.__name__ != "<lambda>":
        e.leaf(b"function", _text(f"{value.__module__}.{value.__qualname__}"), value)
        return
    if not e.once(value, mutable=bool(value.__dict__)):
        return
    e.sink.open(b"user-function", value)
    e.labelled("code", value.__code__)
    e.labelled("defaults", value.__defaults__)
    e.labelled("keyword defaults", value.__kwdefaults__)
    _closure(e, value)
    e.attributes(value.__dict__)
    e.sink.close()


#: For code inside a step's function, by id: names of the step, which the notebook has as globals.
_step_names: dict[int, frozenset[str]] = {}


def inside_step(code: types.CodeType) -> None:
    """From now on, functions defined in the function `code` are encoded as if its variables were globals."""
    _step_names.update(encode_bytecode.outer_names(code))


def names_of_step(code: types.CodeType) -> frozenset[str]:
    return _step_names.get(id(code), frozenset())


def _closure(e: Encoder, value: types.FunctionType) -> None:
    """Cells by name. A global that a function reads is not part of it, in whichever way it is reached."""
    names = value.__code__.co_freevars
    outside = names_of_step(value.__code__)
    cells = sorted((name, cell) for name, cell in zip(names, value.__closure__ or (), strict=True) if name not in outside)
    for name, cell in cells:
        e.leaf(b"free", _text(name))
        e.labelled(f"closure {name}", cell)


def _code(e: Encoder, value: types.CodeType) -> None:
    e.sink.open(b"code", value)
    encode_bytecode.encode_instructions(e, value)
    e.sink.close()


def _builtin(e: Encoder, value: Any) -> None:
    owner = getattr(value, "__self__", None)
    if owner is None or isinstance(owner, types.ModuleType):
        e.leaf(b"function", _text(f"{value.__module__}.{value.__qualname__}"), value)
        return
    e.sink.open(b"builtin-method", value)
    e.leaf(b"name", _text(value.__name__))
    e.walk(owner)
    e.sink.close()


def _method(e: Encoder, value: types.MethodType) -> None:
    e.sink.open(b"method", value)
    e.walk(value.__func__)
    e.walk(value.__self__)
    e.sink.close()


def _descriptor(e: Encoder, value: Any) -> None:
    e.leaf(b"descriptor", _text(f"{type(value).__name__}.{value.__name__}"), value)


def _wrapper(*names: str) -> Handler:
    def handler(e: Encoder, value: Any) -> None:
        e.sink.open(type(value).__name__.encode(), value)
        for name in names:
            e.labelled(f".{name}", getattr(value, name))
        e.sink.close()

    return handler


def _cached(e: Encoder, value: Any) -> None:
    e.sink.open(b"lru_cache", value)
    e.walk(value.__wrapped__)
    e.walk(value.cache_parameters() if hasattr(value, "cache_parameters") else None)
    e.sink.close()


def _partial(e: Encoder, value: functools.partial) -> None:
    if e.once(value):
        e.sink.open(b"partial", value)
        e.items((value.func, value.args))
        e.walk(dict(value.keywords))
        e.sink.close()


_EXACT: dict[type, Any] = {
    types.FunctionType: _function,
    types.CodeType: _code,
    types.BuiltinFunctionType: _builtin,
    types.MethodType: _method,
    types.MemberDescriptorType: _descriptor,
    types.GetSetDescriptorType: _descriptor,
    types.MethodDescriptorType: _descriptor,
    types.WrapperDescriptorType: _descriptor,
    types.ClassMethodDescriptorType: _descriptor,
    property: _wrapper("fget", "fset", "fdel"),
    staticmethod: _wrapper("__func__"),
    classmethod: _wrapper("__func__"),
    functools.partial: _partial,
    functools._lru_cache_wrapper: _cached,
}


def handler_for(kind: type) -> Handler | None:
    exact = _EXACT.get(kind)
    if exact is not None:
        return exact
    if issubclass(kind, type):
        return encode_class
    if kind.__module__ == "numpy" and kind.__name__ == "ufunc":
        return lambda e, value: e.leaf(b"ufunc", _text(value.__name__), value)
    if kind.__module__ == "logging" and kind.__name__ in ("Logger", "RootLogger"):
        return lambda e, value: e.leaf(b"logger", _text(value.name), value)
    return None
