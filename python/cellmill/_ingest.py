"""Names every class and function that a pickle refers to, without loading it.

Run as a script, `python -I -S _ingest.py`, it answers requests, one line of JSON each, from stdin to descriptor 3:
`{"id", "params": {"file"}}` with `{"id", "ok": true, "result": [[module, name], ..] | null}`. Null means that the pickle is
damaged or names something that only running it would tell; callers must then assume anything. Nothing is kept between two.
"""

import json
import pickletools
import sys

_STRINGS = frozenset(
    {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"}
)
_MARK = object()
_OTHER = object()


class _Unreadable(Exception):
    pass


def named_globals(stream):
    """Sorted `(module, name)` pairs, or None. The stream may hold several pickles after each other."""
    found = set()
    try:
        while True:
            _one_pickle(stream, found)
            position = stream.tell()
            if not stream.read(1):
                break
            stream.seek(position)
    except (_Unreadable, ValueError, IndexError, KeyError, UnicodeDecodeError, AttributeError, OverflowError, MemoryError):
        return None
    return sorted(found)


def _one_pickle(stream, found):
    """Runs the pickle machine over strings only: what else is on the stack is one opaque value."""
    stack, memo = [], {}
    for opcode, argument, _ in pickletools.genops(stream):
        name = opcode.name
        if name in _STRINGS:
            stack.append(argument)
        elif name in ("GLOBAL", "INST"):
            module, _, attribute = argument.partition(" ")
            found.add((module, attribute))
            if name == "INST":
                _pop_to_mark(stack)
            stack.append(_OTHER)
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            if not isinstance(module, str) or not isinstance(attribute, str):
                raise _Unreadable
            found.add((module, attribute))
            stack.append(_OTHER)
        elif name in ("EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"):
            raise _Unreadable
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[int(argument)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[int(argument)])
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "DUP":
            stack.append(stack[-1])
        elif name == "POP":
            stack.pop()
        elif name == "POP_MARK":
            _pop_to_mark(stack)
        else:
            _apply(opcode, stack)


def _apply(opcode, stack):
    """Any other opcode: takes what its description says, and leaves opaque values."""
    before = list(opcode.stack_before)
    if pickletools.markobject in before:
        _pop_to_mark(stack)
        before = before[: before.index(pickletools.markobject)]
    for _ in before:
        if stack.pop() is _MARK:
            raise _Unreadable
    stack.extend(_OTHER for _ in opcode.stack_after)


def _pop_to_mark(stack):
    while stack.pop() is not _MARK:
        pass


def globals_of(path):
    try:
        with open(path, "rb") as stream:
            return named_globals(stream)
    except OSError:
        return None


def serve(lines, answers):
    for line in lines:
        request = json.loads(line)
        if "cancel" not in request:
            answer = {"id": request["id"], "ok": True, "result": globals_of(request["params"]["file"])}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


if __name__ == "__main__":
    with open(3, "w", encoding="utf-8") as control:
        serve(sys.stdin, control)
