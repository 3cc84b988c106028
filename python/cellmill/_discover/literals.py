"""Values that stand literally in the code: options, defaults of parameters. Nothing is evaluated that could run code."""

from __future__ import annotations

import ast
import datetime
import math

from .names import Aliases

_SAFE_INTEGER = 2**53 - 1
_NAMED_TYPES = {
    "int": "int",
    "float": "float",
    "bool": "bool",
    "str": "str",
    "datetime.date": "date",
    "datetime.datetime": "datetime",
    "pandas.Timestamp": "datetime",
    "list": "json",
    "dict": "json",
    "tuple": "json",
}


class NotLiteral(Exception):
    """The expression is not a literal, or not one that JSON can carry; the text says which."""


def literal(node: ast.AST) -> object:
    """The JSON value of a literal. Tuples and sets become lists; sets are sorted by their text."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise NotLiteral("it is not a literal") from error
    return _json(value)


def parameter(default: ast.AST | None, annotation: ast.AST | None, aliases: Aliases) -> tuple[str, object]:
    """(type, default as JSON). Raises NotLiteral when the default cannot be a parameter's."""
    declared = None if annotation is None else _declared(annotation, aliases)
    if default is None:
        return declared or "str", None
    kind, value = _typed(default, aliases)
    if declared is None or declared == kind:
        return kind, value
    if declared == "float" and kind == "int":
        return "float", value
    if declared in ("date", "datetime") and kind == "str":
        _check_instant(declared, str(value))
        return declared, value
    if kind == "null" or declared == "json":
        return "json", value
    raise NotLiteral(f"its default is of type {kind}, and its annotation says {declared}")


def _declared(annotation: ast.AST, aliases: Aliases) -> str | None:
    text = aliases.text(annotation)
    if text in _NAMED_TYPES:
        return _NAMED_TYPES[text]
    return "json" if "|" in text or "[" in text else None


def _typed(node: ast.AST, aliases: Aliases) -> tuple[str, object]:
    if isinstance(node, ast.Call):
        return _instant(node, aliases)
    value = literal(node)
    for python, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "str")):
        if isinstance(value, python):
            return name, value
    return ("null" if value is None else "json"), value


def _instant(node: ast.Call, aliases: Aliases) -> tuple[str, object]:
    dotted = aliases.dotted(node.func)
    makers = {"datetime.date": datetime.date, "datetime.datetime": datetime.datetime}
    if dotted not in makers:
        raise NotLiteral("it is not a literal")
    try:
        arguments = [ast.literal_eval(argument) for argument in node.args]
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords}
        value = makers[dotted](*arguments, **named)
    except (ValueError, TypeError, SyntaxError, OverflowError) as error:
        raise NotLiteral("it is not a literal") from error
    return ("date" if dotted == "datetime.date" else "datetime"), value.isoformat()


def _check_instant(kind: str, text: str) -> None:
    try:
        (datetime.date if kind == "date" else datetime.datetime).fromisoformat(text)
    except ValueError as error:
        raise NotLiteral(f"{text!r} is not a {kind}") from error


def _json(value: object) -> object:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        if abs(value) > _SAFE_INTEGER:
            raise NotLiteral("whole numbers beyond 2**53 cannot be kept exactly")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotLiteral("it is not a finite number")
        return value
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_json(item) for item in value), key=repr)
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise NotLiteral("keys must be text")
        return {key: _json(item) for key, item in value.items()}
    raise NotLiteral(f"a value of type {type(value).__name__} is not possible here")
