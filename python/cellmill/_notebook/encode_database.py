"""Canonical encoding of SQLite connections: what a later query could find through them, read with cursors of our own.

Nothing is changed: only SELECT and reading pragmas are sent, and the connection's own cursors, factories and transaction are
left alone. What later code could tell apart but cannot be listed (functions written in Python, attached files) is refused.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .encode_leaves import Unencodable

if TYPE_CHECKING:
    import sqlite3

    from .encode import Encoder, Handler


#: Functions that SQLite's own extensions bring, which it does not count as built in.
_OWN = frozenset({"match", "snippet", "offsets", "matchinfo", "optimize", "highlight", "bm25"})
_OWN_PREFIXES = ("fts", "rtree", "geopoly_")


def handler_for(kind: type) -> Handler | None:
    # None where the module was never imported: then nothing is one.
    module = sys.modules.get("sqlite3")
    return _connection if module is not None and kind is module.Connection else None


def _connection(e: Encoder, value: sqlite3.Connection) -> None:
    # Like an open file it is compared where it is, and kept nowhere.
    e.streams = True
    if not e.once(value):
        return
    e.sink.open(b"sqlite3.Connection", value)
    try:
        if _is_closed(value):
            e.leaf(b"closed", b"")
        else:
            _content(e, value)
    except sys.modules["sqlite3"].Error as error:
        raise Unencodable(f"sqlite3.Connection: {error}") from error
    e.sink.close()


def _is_closed(connection: sqlite3.Connection) -> bool:
    try:
        return connection.total_changes < 0
    except sys.modules["sqlite3"].ProgrammingError as error:
        if "closed" in str(error):
            return True
        raise


def _content(e: Encoder, connection: sqlite3.Connection) -> None:
    cursor = connection.cursor()
    cursor.row_factory = None
    databases = [name for _, name, _ in _rows(cursor, "PRAGMA database_list")]
    if any(name not in ("main", "temp") for name in databases):
        raise Unencodable("sqlite3.Connection: other databases are attached to it")
    added = [name for (name,) in _rows(cursor, "SELECT name FROM pragma_function_list WHERE NOT builtin")]
    if not all(name in _OWN or name.startswith(_OWN_PREFIXES) for name in added):
        raise Unencodable("sqlite3.Connection: it has functions written in Python")
    e.items([connection.isolation_level, connection.in_transaction])
    e.walk(connection.row_factory)
    e.walk(connection.text_factory)
    for name in ("foreign_keys", "recursive_triggers", "user_version"):
        e.items(_rows(cursor, f"PRAGMA {name}"))
    for catalog in ("sqlite_master", "sqlite_temp_master"):
        for kind, name, sql in _rows(cursor, f"SELECT type, name, sql FROM {catalog} ORDER BY type, name"):
            e.items([kind, name, sql])
            if kind != "table":
                continue
            if str(sql).upper().startswith("CREATE VIRTUAL"):
                raise Unencodable(f"sqlite3.Connection: {name} is a virtual table")
            schema = "temp" if catalog == "sqlite_temp_master" else "main"
            quoted = str(name).replace('"', '""')
            # In the order in which a query without one finds them.
            e.items(e.temporary(_rows(cursor, f'SELECT * FROM {schema}."{quoted}"')))


def _rows(cursor: sqlite3.Cursor, sql: str) -> list[tuple[Any, ...]]:
    return cursor.execute(sql).fetchall()
