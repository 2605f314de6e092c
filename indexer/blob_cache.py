"""What is costly to work out, kept on disk by key; a file of it may be deleted at any time."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from search.errors import KnowledgeBaseError

_CHECKED = 4  # bytes of the checksum before every value
_DAMAGED = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,  # other tables than ours
}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (version TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS blobs (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL);
"""


class BlobCache:
    """One SQLite file of values that all belong to one version of what works them out.

    A file of another version starts empty, and so does one that is damaged; a value that is, is
    forgotten. Meant to be read whole: what is asked for is nearly all of it.
    """

    def __init__(self, path: Path, *, version: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._version = path, version
        self._connection = self._connect()
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._start_again(error)

    def __enter__(self) -> BlobCache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def load(self) -> dict[bytes, bytes]:
        """Every value by its key."""
        try:
            rows = self._connection.execute("SELECT key, value FROM blobs").fetchall()
        except sqlite3.DatabaseError as error:
            self._start_again(error)
            return {}
        return {
            key: value[_CHECKED:]
            for key, value in rows
            if value[:_CHECKED] == _checksum(value[_CHECKED:])
        }

    def update(self, new: Mapping[bytes, bytes], stale: Iterable[bytes] = ()) -> None:
        """Keep the new values and drop the stale keys, all or nothing; writes only if need be."""
        rows = [(key, _checksum(value) + value) for key, value in new.items()]
        keys = [(key,) for key in stale]
        if not rows and not keys:
            return
        try:
            with self._connection:
                self._connection.executemany("DELETE FROM blobs WHERE key = ?", keys)
                self._connection.executemany("INSERT OR REPLACE INTO blobs VALUES (?, ?)", rows)
        except sqlite3.DatabaseError as error:
            self._start_again(error)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=10)

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA page_size=65536")  # of a new file; half the time of 4096
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        if self._connection.execute("SELECT version FROM about").fetchall() != [(self._version,)]:
            with self._connection:
                self._connection.execute("DELETE FROM blobs")
                self._connection.execute("DELETE FROM about")
                self._connection.execute("INSERT INTO about VALUES (?)", (self._version,))

    def _start_again(self, error: sqlite3.DatabaseError) -> None:
        """A cache that is damaged is only time lost; one that is locked or read-only is told."""
        self.close()
        if error.sqlite_errorcode & 0xFF not in _DAMAGED:
            raise KnowledgeBaseError(
                f"{self._path}: cannot be used ({error}); wait for the other run, or make it "
                "writable"
            ) from error
        self._path.unlink(missing_ok=True)  # SQLite drops the log of a database that is gone
        self._connection = self._connect()
        self._prepare()


def _checksum(value: bytes) -> bytes:
    return zlib.crc32(value).to_bytes(_CHECKED, "little")
