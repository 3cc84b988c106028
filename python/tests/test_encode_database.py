"""Connections to SQLite: one digest exactly when a later query could find no difference; reading changes nothing."""

import sqlite3

import pytest
from cellmill._notebook.encode import Unencodable, digest


def made(*statements: str, **options: object) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", **options)  # type: ignore[call-overload]
    for statement in ("create table t (a integer, b text)", "insert into t values (1, 'x'), (2, null)", *statements):
        connection.execute(statement)
    return connection


def test_equal_content_is_equal() -> None:
    assert digest(made()) == digest(made())


@pytest.mark.parametrize(
    "statement",
    [
        "insert into t values (3, 'y')",
        "update t set a = 9 where b is null",
        "update t set a = '1' || b where a = 1",
        "create index i on t (a)",
        "create view v as select a from t",
        "create temp table u as select 1 as c",
        "create table w (a)",
        "drop table t",
        "pragma foreign_keys = on",
        "pragma user_version = 3",
    ],
)
def test_what_a_query_could_find_counts(statement: str) -> None:
    before = made()
    before.commit()
    after = made()
    after.commit()
    after.execute(statement)
    after.commit()
    assert digest(before) != digest(after)


def test_an_open_transaction_factories_and_a_closed_connection_count() -> None:
    committed = made()
    committed.commit()
    rows = made()
    rows.row_factory = sqlite3.Row
    closed = made()
    closed.close()
    assert len({digest(made()), digest(committed), digest(rows), digest(closed), digest(made(isolation_level=None))}) == 5


def test_values_keep_their_types() -> None:
    one, other = made("create table n as select 1 as a"), made("create table n as select 1.0 as a")
    assert digest(one) != digest(other)


def test_reading_takes_nothing_from_a_cursor_and_ends_no_transaction() -> None:
    connection = made()
    connection.row_factory = sqlite3.Row
    cursor = connection.execute("select a from t order by a")
    assert tuple(cursor.fetchone()) == (1,)
    changes = connection.total_changes
    digest(connection)
    assert tuple(cursor.fetchone()) == (2,)
    assert connection.in_transaction and connection.total_changes == changes


def test_what_cannot_be_listed_is_refused() -> None:
    connection = made()
    connection.create_function("twice", 1, lambda value: 2 * value)
    with pytest.raises(Unencodable, match="functions"):
        digest(connection)
    connection = made()
    connection.commit()
    connection.execute("attach ':memory:' as other")
    with pytest.raises(Unencodable, match="attached"):
        digest(connection)
