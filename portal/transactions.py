"""Transactions on the database of the log, whose failures repeat nothing that visitors wrote."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from portal.event_types import EventsUnavailable

_PURGE_CHUNK = 1000


@contextlib.contextmanager
def transaction(
    engine: sa.Engine, purpose: str, *, writes: bool = False
) -> Iterator[sa.Connection]:
    """A connection in a transaction; `purpose` says in the error what could not be done.

    One that reads before it writes must be a writer from its start: SQLite refuses to make it one
    after another has written. Raises `EventsUnavailable`.
    """
    mode = "IMMEDIATE" if writes else "DEFERRED"
    try:
        with engine.execution_options(sqlite_begin=mode).begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        # The statement's parameters hold what the visitor wrote; only the cause is repeated.
        cause = getattr(error, "orig", None) or type(error).__name__
        raise EventsUnavailable(
            f"event log at {engine.url.render_as_string()}: cannot {purpose} ({cause}); "
            "see that the database is there, may be written and is not locked"
        ) from None


def purge(engine: sa.Engine, table: sa.Table, moment: str, before: datetime) -> int:
    """Remove a table's rows whose `moment` is older; gives how many. Raises `EventsUnavailable`.

    In short transactions, which let visitors' events in between.
    """
    key = sa.tuple_(*table.primary_key.columns)
    old = sa.select(*table.primary_key.columns).where(table.c[moment] < before).limit(_PURGE_CHUNK)
    removed = 0
    while True:
        with transaction(engine, f"purge {table.name}") as connection:
            rows = connection.execute(sa.delete(table).where(key.in_(old))).rowcount
        removed += rows
        if rows < _PURGE_CHUNK:
            return removed


def empty_journal(engine: sa.Engine) -> None:
    """What was deleted is also gone from SQLite's write-ahead log, unless somebody reads it now."""
    if engine.dialect.name != "sqlite":
        return
    with contextlib.suppress(SQLAlchemyError), engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
