"""What a code object does, written so that it does not matter where it was defined.

The same function at the top of a notebook, in a module or inside a step differs in how it reaches the names around it
(globals, or cells of the enclosing function) and in nothing else. Free names are therefore encoded by name; everything
else of the instructions counts: operations, constants, own variables, jumps, handlers.
"""

from __future__ import annotations

import dis
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .encode import Encoder

_NESTED = 0x10
_SILENT = {"RESUME", "NOP", "CACHE", "EXTENDED_ARG", "PUSH_NULL", "COPY_FREE_VARS", "MAKE_CELL"}
_FREE_LOADS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_GLOBALS", "LOAD_FROM_DICT_OR_DEREF"}
_FREE_STORES = {"STORE_GLOBAL": "set", "STORE_DEREF": "set", "DELETE_GLOBAL": "unset", "DELETE_DEREF": "unset"}
_CLOSURES = {"LOAD_CLOSURE", "LOAD_FAST"}
_HAS_CLOSURE = 0x08


def encode_instructions(e: Encoder, code: types.CodeType) -> None:
    e.items(
        (
            code.co_name,
            code.co_argcount,
            code.co_posonlyargcount,
            code.co_kwonlyargcount,
            code.co_flags & ~_NESTED,
            code.co_varnames,
            code.co_cellvars,
        )
    )
    instructions = list(dis.get_instructions(code))
    kept = _kept(code, instructions)
    numbers = _numbers(instructions, kept)
    for instruction in kept:
        e.items(_plain(code, instruction, numbers))
        if instruction.opcode in dis.hasconst:
            e.walk(instruction.argval)
    e.items(_handlers(code, numbers))
    documentation = code.co_consts[0] if code.co_consts else None
    e.walk(documentation if isinstance(documentation, str) else None)


def outer_names(code: types.CodeType, own: frozenset[str] | None = None) -> dict[int, frozenset[str]]:
    """For each code object inside the function `code`, by id: free names that are variables of that very function."""
    names = frozenset(code.co_cellvars) if own is None else own
    found: dict[int, frozenset[str]] = {}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            inner = names & frozenset(constant.co_freevars)
            found[id(constant)] = inner
            found.update(outer_names(constant, inner - frozenset(constant.co_cellvars)))
    return found


def place_of(code: types.CodeType, offset: int) -> int:
    """The number, among the instructions that count, of the one at `offset`."""
    instructions = list(dis.get_instructions(code))
    numbers = _numbers(instructions, _kept(code, instructions))
    return numbers.get(offset, -1)


def _is_handed_on(code: types.CodeType, instruction: Any) -> bool:
    return instruction.opname in _CLOSURES and instruction.argval in code.co_freevars


def _kept(code: types.CodeType, instructions: list[Any]) -> list[Any]:
    """Without what only carries free names into an inner function."""
    kept: list[Any] = []
    closures = 0
    for instruction in instructions:
        name = instruction.opname
        if name in _SILENT:
            continue
        is_closure = name == "LOAD_CLOSURE" or _is_handed_on(code, instruction)
        if name == "BUILD_TUPLE" and closures and closures == instruction.arg:
            closures = 0
            continue
        closures = closures + 1 if is_closure else 0
        if is_closure and _is_handed_on(code, instruction):
            continue
        if name == "SET_FUNCTION_ATTRIBUTE" and instruction.arg == _HAS_CLOSURE:
            continue
        kept.append(instruction)
    return kept


def _numbers(instructions: list[Any], kept: list[Any]) -> dict[int, int]:
    """Offset to the number of the kept instruction that runs next from there."""
    numbers: dict[int, int] = {}
    positions = {instruction.offset: number for number, instruction in enumerate(kept)}
    following = len(kept)
    for instruction in reversed(instructions):
        following = positions.get(instruction.offset, following)
        numbers[instruction.offset] = following
    return numbers


def _plain(code: types.CodeType, instruction: Any, numbers: dict[int, int]) -> tuple[Any, ...]:
    name = instruction.opname
    if name in _FREE_LOADS and instruction.argval not in code.co_cellvars:
        return ("free", instruction.argval)
    if name in _FREE_STORES and instruction.argval not in code.co_cellvars:
        return ("free", _FREE_STORES[name], instruction.argval)
    if instruction.opcode in dis.hasconst:
        return (name,)
    if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
        return (name, numbers.get(instruction.argval, -1))
    if name == "MAKE_FUNCTION":
        return (name, (instruction.arg or 0) & ~_HAS_CLOSURE)
    if name == "LOAD_METHOD":  # which of the two is chosen depends on the imports of the whole file
        return ("LOAD_ATTR", instruction.argval)
    if instruction.opcode in dis.hasname or instruction.opcode in dis.haslocal or instruction.opcode in dis.hasfree:
        return (name, str(instruction.argval))
    return (name, instruction.arg)


def _handlers(code: types.CodeType, numbers: dict[int, int]) -> tuple[Any, ...]:
    parse = getattr(dis, "_parse_exception_table", None)
    if parse is None:
        return (getattr(code, "co_exceptiontable", b""),)
    end = len(set(numbers.values()))
    ranges = [
        (numbers.get(one.start, end), numbers.get(one.end, end), numbers.get(one.target, end), one.depth, one.lasti)
        for one in parse(code)
    ]
    return tuple(part for one in ranges for part in one)
