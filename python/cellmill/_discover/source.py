"""The text of one module, and places in it as people count them: lines and columns from 1, columns in characters."""

from __future__ import annotations

import ast
import io
import re
import tokenize

Place = dict[str, object]

_MAX_LINE_TEXT = 500


class Source:
    def __init__(self, content: bytes) -> None:
        self.content = content
        # Only where the parser ends lines: `splitlines` also knows form feeds and Unicode's own separators.
        self.lines = re.split(r"\r\n|\r|\n", decode(content))

    def place(self, node: ast.AST) -> Place:
        line = getattr(node, "lineno", 1)
        column = self._column(line, getattr(node, "col_offset", 0))
        end_line = getattr(node, "end_lineno", line) or line
        text = self.line(line)
        if end_line == line:
            end = self._column(line, getattr(node, "end_col_offset", 0) or 0)
        else:
            end = len(text)
        return self.at(line, column + 1, end - column)

    def at(self, line: int, column: int, length: int) -> Place:
        text = self.line(line)[:_MAX_LINE_TEXT]
        column = max(1, column)
        return {"line": max(1, line), "column": column, "length": max(1, length), "lineText": text}

    def line(self, number: int) -> str:
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def _column(self, line: int, offset: int) -> int:
        """From bytes of UTF-8, as the parser counts, to characters."""
        return len(self.line(line).encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore"))


def decode(content: bytes) -> str:
    """As the interpreter would; for showing lines only, so that wrong bytes are replaced."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except (SyntaxError, UnicodeError):
        encoding = "utf-8"
    return content.decode(encoding, "replace")
