"""Opens the database of the event log and brings its tables up to date."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from portal.event_types import EventsUnavailable

BUSY_SECONDS = 0.25
"""How long a request waits for another writer before it goes on without its event."""

_MIGRATION_BUSY_SECONDS = 30
_POSTGRES_LOCK = 0x6B62706F7274616C  # "kbportal"
_MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str) -> sa.Engine:
    """An engine for `url`; nothing is connected yet.

    SQLite gets write-ahead logging, foreign keys, overwriting of deleted rows and a short busy
    timeout; `sqlite://` is one database in memory, which the threads of the process take turns at.
    """
    try:
        address = make_url(url)
        address.get_dialect()
    except (SQLAlchemyError, ImportError) as error:
        raise EventsUnavailable(
            f"KB_DATABASE_URL: cannot be used ({error}); write it as sqlite:////path/portal.db or "
            "postgresql+psycopg://user@host/name, with its driver installed"
        ) from None
    if address.get_backend_name() != "sqlite":
        return sa.create_engine(address, pool_pre_ping=True)
    in_memory = address.database in (None, "", ":memory:")
    if address.database and not in_memory and not address.database.startswith("file:"):
        # A folder that cannot be made is reported by the first connection, where it can be handled.
        with contextlib.suppress(OSError):
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    # One connection, lent to one thread at a time. Were it shared (StaticPool), a thread that
    # closes the engine would close it under another's statement, and SQLite would crash.
    turns: dict[str, Any] = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
    engine = sa.create_engine(
        address,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        **(turns if in_memory else {}),
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # sqlite3 would begin transactions only before some statements, and never before DDL.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA synchronous=NORMAL")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        # Another process is just switching it over, or nothing may be written here at all.
        if "locked" not in str(error) and "readonly" not in str(error):
            raise


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    busy = int(options.get("sqlite_busy_seconds", BUSY_SECONDS) * 1000)
    connection.exec_driver_sql(f"PRAGMA busy_timeout={busy}")
    connection.exec_driver_sql(f"BEGIN {options.get('sqlite_begin', 'DEFERRED')}")


def migrate(engine: sa.Engine) -> None:
    """Bring the tables up to date, all steps or none; processes that start together queue up.

    Raises `EventsUnavailable` when the database cannot be reached, or is newer than this program.
    """
    if _is_current(engine):
        return
    # A third of a second, which a start can do without when nothing is to be done.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.connect() as connection, _locked(connection) as locked:
            config.attributes["connection"] = locked
            command.upgrade(config, "head")
    except CommandError as error:
        raise EventsUnavailable(
            f"event log: its tables are not known to this version ({error}); update kb-portal"
        ) from error
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        raise EventsUnavailable(
            f"event log at {engine.url.render_as_string()}: cannot be prepared ({cause}); "
            "check that the folder exists and can be written, or set KB_DATABASE_URL"
        ) from error


def _is_current(engine: sa.Engine) -> bool:
    """Whether the tables say they are those of the newest migration."""
    newest = max(path.name for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))
    version = sa.table("alembic_version", sa.column("version_num"))
    with contextlib.suppress(SQLAlchemyError, OSError), engine.connect() as connection:
        found = connection.scalars(sa.select(version.c.version_num)).all()
        return found == [newest.partition("_")[0]]
    return False


@contextlib.contextmanager
def _locked(connection: sa.Connection) -> Any:
    """The connection in a transaction no second process can be in."""
    if connection.dialect.name != "sqlite":
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
            yield connection
        return
    connection = connection.execution_options(
        sqlite_begin="IMMEDIATE", sqlite_busy_seconds=_MIGRATION_BUSY_SECONDS
    )
    with connection.begin():
        yield connection
