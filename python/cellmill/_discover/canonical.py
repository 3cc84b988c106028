"""The canonical text of a syntax tree: what of the code can change a result, and nothing else.

Comments, formatting, positions and docstrings are not in it; everything else is. It is written by ourselves rather than
by `ast.dump`, whose text differs between versions of Python.
"""

from __future__ import annotations

import ast
import hashlib

# `ctx` follows from where a node stands; the others say nothing that runs.
_SKIPPED = frozenset({"ctx", "type_comment", "kind", "type_ignores"})


def canonical(node: ast.AST) -> str:
    out: list[str] = []
    _write(node, out)
    return "".join(out)


def digest(*nodes: ast.AST) -> str:
    text = "\n".join(canonical(node) for node in nodes)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_text_statement(node: ast.AST) -> bool:
    """A string standing alone: a docstring, or one used as a comment."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _write(value: object, out: list[str]) -> None:
    if value is None:
        # An absent member of a list (`{**a}`), which is not the constant None.
        out.append("-")
    elif isinstance(value, ast.Constant):
        out.append(_constant(value.value))
    elif isinstance(value, ast.AST):
        out.append(type(value).__name__)
        out.append("(")
        for name, field in ast.iter_fields(value):
            # Fields that newer versions add are empty in older code, so that both give one text.
            if name in _SKIPPED or field is None or (isinstance(field, list) and not field):
                continue
            out.append(name)
            out.append("=")
            _write(field, out)
            out.append(",")
        out.append(")")
    elif isinstance(value, list):
        out.append("[")
        for item in value:
            if is_text_statement(item):
                continue
            _write(item, out)
            out.append(",")
        out.append("]")
    else:
        out.append(_constant(value))


def _constant(value: object) -> str:
    # `hex`, since decimal text of very long integers is refused by the interpreter.
    if type(value) is int:
        return f"int:{value:#x}"
    return f"{type(value).__name__}:{value!r}"
