"""Opening the database: what the threads of one process may do to each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import sqlalchemy as sa

from portal.database import open_engine


def test_a_database_in_memory_is_one_for_all_threads_and_lent_to_one_at_a_time() -> None:
    engine = open_engine("sqlite://")
    asked, written = Event(), Event()

    def rows() -> tuple[int | None, bool]:
        asked.set()
        with engine.connect() as connection:
            return connection.scalar(sa.text("SELECT count(*) FROM t")), written.is_set()

    with ThreadPoolExecutor(1) as other:
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE t (a)"))
            found = other.submit(rows)
            assert asked.wait(10)
            with pytest.raises(TimeoutError):
                found.result(0.2)
            connection.execute(sa.text("INSERT INTO t VALUES (1)"))
            written.set()
        assert found.result(10) == (1, True)
    engine.dispose()


def test_closing_a_database_in_memory_leaves_a_statement_under_way_its_connection() -> None:
    # SQLite crashes when a connection is closed under another thread's statement.
    engine = open_engine("sqlite://")
    with engine.connect() as connection:
        engine.dispose()
        assert connection.scalar(sa.text("SELECT 1")) == 1
