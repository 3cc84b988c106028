"""External state that a call reads or changes, as tokens: files, hosts, tables, generators, settings, figures.

Invariant: a resource whose name is not known is `KIND:?`, which is every resource of its kind.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cellmill._notebook.facts_effects import Effect, TokenEffect
from cellmill._notebook.facts_values import passes_seed

if TYPE_CHECKING:
    from cellmill._notebook.facts_names import Names

_URL = re.compile(r"^(https?|ftps?|s3|gs|gcs|wss?|abfss?|hdfs)://", re.IGNORECASE)
_DATABASE_URL = re.compile(r"^[\w+]+://")
_READ_TABLES = re.compile(r"\b(?:from|join)\s+([\w.\"`\[\]]+)", re.IGNORECASE)
_WRITE_TABLES = re.compile(
    r"\b(?:insert\s+(?:or\s+\w+\s+)?into|update|delete\s+from|truncate\s+table|truncate|merge\s+into|replace\s+into|"
    r"create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:table|view)(?:\s+if\s+not\s+exists)?|drop\s+(?:table|view)(?:\s+if\s+exists)?|alter\s+table)\s+([\w.\"`\[\]]+)",
    re.IGNORECASE,
)
_NOT_TABLES = {"select", "values", "table", "set", "where", "lateral", "unnest"}
_OUTSIDE = {"sqlite3.Connection", "sqlite3.Cursor", "dbapi.Connection", "dbapi.Cursor", "sqlalchemy.Engine"}
_MEMORY = {"sqlite3.MemoryConnection", "sqlite3.MemoryCursor", "sqlalchemy.MemoryEngine"}
_IN_MEMORY = {"io.StringIO", "io.BytesIO"}


def record_tokens(walker: Names, node: ast.Call, effect: Effect) -> None:
    for token in effect.tokens:
        if token.unless and passes_seed(node, token.unless):
            continue
        if token.kind == "listing" and walker.in_sorted:
            continue
        if token.when and not any(part.arg == token.when for part in node.keywords):
            continue
        _record(walker, node, token)


def _callee(walker: Names, node: ast.Call) -> str:
    dotted = walker.knowledge.dotted(node.func, walker.env)
    if dotted:
        return dotted
    if isinstance(node.func, ast.Attribute):
        return "." + node.func.attr
    return getattr(node.func, "id", "a call")


def _record(walker: Names, node: ast.Call, token: TokenEffect) -> None:
    callee = _callee(walker, node)
    span = walker.span(node)
    if token.kind in ("file", "net"):
        _record_place(walker, node, token)
    elif token.kind == "sql":
        _record_sql(walker, node, token)
    elif token.mode == "draw":
        name = f"{token.kind}:{token.value}"
        walker.record.token(name, "read", f"{callee} draws from the generator", span)
        walker.record.token(name, "write", f"{callee} draws from the generator", span)
    elif token.mode == "seed":
        walker.record.token(f"{token.kind}:{token.value}", "write", f"{callee} seeds the generator", span)
    elif token.kind == "table":
        name = walker.knowledge.constant(_argument(node, token), walker.env)
        walker.record.token(f"table:{name or '?'}", token.mode, callee, span)
    else:
        name = token.kind if token.value is None else f"{token.kind}:{token.value}"
        walker.record.token(name, token.mode, callee, span)


def _argument(node: ast.Call, token: TokenEffect) -> ast.expr | None:
    for part in node.keywords:
        if token.keyword is not None and part.arg == token.keyword:
            return part.value
    if token.position is not None and 0 <= token.position < len(node.args):
        argument = node.args[token.position]
        return argument.value if isinstance(argument, ast.Starred) else argument
    return None


def _record_place(walker: Names, node: ast.Call, token: TokenEffect) -> None:
    argument = _argument(node, token)
    if token.position == -1 and isinstance(node.func, ast.Attribute):
        # Methods of paths: the receiver names the file.
        argument = node.func.value
    if argument is None:
        if token.position is None and token.kind == "net":
            walker.record.token("net:?", "read", _callee(walker, node), walker.span(node))
        return
    types = walker.knowledge.types(argument, walker.env)
    if (types and set(types) <= _IN_MEMORY | {"file", "none", "pandas.Store", "pandas.ExcelWriter"}) or (isinstance(argument, ast.Constant) and argument.value is None):
        return
    text = walker.knowledge.constant(argument, walker.env)
    mode = token.mode
    modes = [mode] if mode != "open" else _open_modes(walker, node, token)
    name = place_token(text, token.kind)
    for one in modes:
        walker.record.token(name, one, _callee(walker, node), walker.span(node))


def place_token(text: str | None, kind: str = "file") -> str:
    if text is None:
        return f"{kind}:?"
    if _URL.match(text):
        try:
            host = urlsplit(text).hostname
        except ValueError:
            host = None
        return f"net:{host or '?'}"
    if kind == "net":
        return f"net:{text.split('/')[0] or '?'}"
    if _DATABASE_URL.match(text) and not text.startswith("file:"):
        return f"net:{text.partition('://')[0]}"
    return f"file:{text}"


def _open_modes(walker: Names, node: ast.Call, token: TokenEffect) -> list[str]:
    position = (token.position if token.position is not None else 0) + 1
    mode_node: ast.expr | None = node.args[position] if position < len(node.args) else None
    for part in node.keywords:
        if part.arg == "mode":
            mode_node = part.value
    if mode_node is None:
        return ["read"]
    mode = walker.knowledge.constant(mode_node, walker.env)
    if mode is None:
        return ["read", "write"]
    modes = []
    if "r" in mode or "+" in mode or "a" in mode:
        modes.append("read")
    if any(letter in mode for letter in "wax+"):
        modes.append("write")
    return modes or ["read"]


def sql_tables(text: str) -> tuple[list[str], list[str]]:
    """Tables that a statement reads and writes, found by their words."""
    plain = re.sub(r"'(?:[^']|'')*'", "''", re.sub(r"--[^\n]*", "", text))
    written = [_table(name) for name in _WRITE_TABLES.findall(plain)]
    read = [_table(name) for name in _READ_TABLES.findall(re.sub(r"(?i)\bdelete\s+from\b", "delete", plain))]
    common = {name.lower() for name in re.findall(r"(?i)(?:\bwith\s+(?:recursive\s+)?|,\s*)([\w]+)\s+as\s*\(", plain)}
    return (
        [name for name in dict.fromkeys(read) if name and name.lower() not in _NOT_TABLES | common],
        [name for name in dict.fromkeys(written) if name and name.lower() not in _NOT_TABLES],
    )


def _table(name: str) -> str:
    return re.sub(r"[\"`\[\]]", "", name).strip(".")


def _record_sql(walker: Names, node: ast.Call, token: TokenEffect) -> None:
    text = walker.knowledge.constant(_argument(node, token), walker.env)
    span, callee = walker.span(node), _callee(walker, node)
    if walker.knowledge.is_formatted(_argument(node, token), walker.env):
        walker.record.habit("formatted-sql", span)
    if text is None:
        walker.record.token("table:?", "read", callee, span)
        walker.record.token("table:?", "write", callee, span) if token.mode != "read" else None
        return
    if " " not in text.strip() and text.strip():
        walker.record.token(f"table:{text.strip()}", "read", callee, span)
        return
    read, written = sql_tables(text)
    for table in read:
        # A table that is a frame of the notebook: DuckDB reads variables by name.
        if token.value == "frames" and walker.env.get(table) is not None:
            walker.read_by_text(table, node)
        else:
            walker.record.token(f"table:{table}", "read", callee, span)
    for table in written:
        walker.record.token(f"table:{table}", "write", callee, span)
    if written and _is_outside(walker, node):
        walker.record.token("world", "write", "writes to a database", span)


def _is_outside(walker: Names, node: ast.Call) -> bool:
    """A connection to a database that outlives the process."""
    types = walker.knowledge.types(node.func.value, walker.env) if isinstance(node.func, ast.Attribute) else ()
    return bool(types) and all(name in _OUTSIDE for name in types)


def writes_in_memory(walker: Names, node: ast.Call) -> bool:
    """`to_sql` into a database that ends with the process."""
    given = [*node.args, *[keyword.value for keyword in node.keywords]]
    return any(set(walker.knowledge.types(part, walker.env)) & _MEMORY for part in given)
