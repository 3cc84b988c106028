"""Places, literals and words: how pieces of a cell's text are named in the facts.

Invariant: columns count UTF-16 units in the cell as it was written, since the readers of the facts edit JavaScript
strings; `ast` counts UTF-8 bytes in text from which indents and prompts were removed.
"""

from __future__ import annotations

import ast
import re

MAX_LITERAL = 4_000
WORD = re.compile(r"[^\W\d]\w*")


class Places:
    """Turns positions in the plain text of one cell into spans of its source."""

    def __init__(self, lines: list[str], shifts: list[int], line_offset: int = 0, column_offset: int = 0) -> None:
        self.lines = lines
        self.shifts = shifts
        # A magic's argument is parsed on its own: where it stands in the cell.
        self.line_offset = line_offset
        self.column_offset = column_offset

    def column(self, line: int, byte_column: int) -> int:
        row = line - 1
        if not 0 <= row < len(self.lines):
            return byte_column
        text = self.lines[row]
        extra = self.column_offset if line == 1 else 0
        if not text.isascii():
            before = text.encode("utf-8", "surrogatepass")[:byte_column].decode("utf-8", "ignore")
            byte_column = len(before.encode("utf-16-le", "surrogatepass")) // 2
        return byte_column + self.shifts[row] + extra

    def span(self, node: ast.AST) -> dict:
        line = node.lineno
        end = node.end_lineno or line
        return {
            "line": line + self.line_offset,
            "column": self.column(line, node.col_offset),
            "endLine": end + self.line_offset,
            "endColumn": self.column(end, node.end_col_offset or 0),
        }


def literal_of(node: ast.Constant | ast.JoinedStr, span: dict) -> dict | None:
    if isinstance(node, ast.JoinedStr):
        return {"value": fstring_text(node)[:MAX_LITERAL], "span": span, "type": "fstring"}
    value = node.value
    if isinstance(value, str):
        return {"value": value[:MAX_LITERAL], "span": span, "type": "str"}
    if isinstance(value, bytes):
        return {"value": repr(value[:MAX_LITERAL]), "span": span, "type": "bytes"}
    if value is None:
        return {"value": "None", "span": span, "type": "none"}
    if isinstance(value, bool):
        return {"value": repr(value), "span": span, "type": "bool"}
    if isinstance(value, int):
        return {"value": int_text(value), "span": span, "type": "int"}
    if isinstance(value, float):
        return {"value": repr(value), "span": span, "type": "float"}
    return None


def int_text(value: int) -> str:
    """`str` refuses integers of more than 4,300 digits."""
    return hex(value)[:MAX_LITERAL] if value.bit_length() > 10_000 else repr(value)


def fstring_text(node: ast.JoinedStr) -> str:
    parts = []
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value))
        else:
            parts.append("{…}")
    return "".join(parts)


def words_of(text: str) -> set[str]:
    return set(WORD.findall(text[:200_000]))


def source_of(node: ast.AST) -> str:
    try:
        return ast.unparse(node)[:MAX_LITERAL]
    except (RecursionError, ValueError):
        return ""


def is_literal(node: ast.expr) -> bool:
    """Literals as arguments: constants, signed numbers, and displays of those."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        return isinstance(node.operand, ast.Constant)
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return len(node.elts) <= 200 and all(is_literal(item) for item in node.elts)
    if isinstance(node, ast.Dict):
        pairs = [*node.keys, *node.values]
        return len(pairs) <= 200 and all(item is not None and is_literal(item) for item in pairs)
    return isinstance(node, ast.JoinedStr) and all(isinstance(value, ast.Constant) for value in node.values)
