"""Encodes what has changed: vectors are kept by model and by what was encoded."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from indexer.encoding import Item, encoders, rows_of
from search.errors import KnowledgeBaseError
from search.text import NORMALISER_VERSION
from search.types import Embedder, Vectors

_VERSION = 2  # changes with the table, and with what is encoded for an item
_BATCH = 256  # vectors committed at once
_LOOKED_UP = 500  # keys in one statement
_PAGE = 65536  # bytes; with SQLite's 4 KB, writing takes three times as long
_SPARE = 3
_LEAST = 1 << 28  # bytes
_SCHEMA = """
CREATE TABLE encoded (number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, vectors BLOB NOT NULL)
"""


class VectorCache:
    """Vectors on disk by model and text; safe to delete at any time.

    They are kept as the model gives them, in 32 bits, so that an index is the same to the last bit
    whether its vectors were encoded or known: 16 bits would halve the file, and reading is no
    faster, because they have to be widened. What the last publishes did not ask for is given up,
    oldest first, once the file is `_SPARE` times what this one asks for.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._asked: set[bytes] = set()
        self._asked_bytes = 0
        self._connection = sqlite3.connect(path, timeout=10)
        try:
            self._prepare()
        except sqlite3.OperationalError as error:  # locked or read-only, not damaged
            raise KnowledgeBaseError(
                f"{path}: cannot be used ({error}); wait for the other run, or make it writable"
            ) from error
        except sqlite3.DatabaseError:
            self._start_again()

    def __enter__(self) -> VectorCache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self) -> None:
        connection = self._connection
        connection.execute(f"PRAGMA page_size={_PAGE}")
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
            if version == 0 and not tables:
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA user_version={_VERSION}")
            elif version != _VERSION:
                raise sqlite3.DatabaseError("written by another version")

    def _start_again(self) -> None:
        """A cache that cannot be read is only time lost."""
        self._connection.close()
        self._path.unlink(missing_ok=True)  # SQLite drops the log of a database that is gone
        self._connection = sqlite3.connect(self._path, timeout=10)
        self._prepare()

    def close(self) -> None:
        self._connection.close()

    def encode(
        self,
        embedder: Embedder,
        items: Sequence[Item],
        *,
        workers: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[Vectors, int]:
        """(rows, d) unit vectors of the items in order, and how many had to be encoded.

        A text has one row, a passage one for each of its sentences and one for the whole of it.
        Each batch is committed as it is done, so an interrupted run resumes where it stopped.
        """
        dimension = embedder.dimension
        sizes = [rows_of(item) for item in items]
        ends = np.cumsum(sizes, dtype=np.int64).tolist()
        vectors = np.empty((ends[-1] if ends else 0, dimension), np.float32)
        places: defaultdict[bytes, list[int]] = defaultdict(list)
        model = embedder.model_id
        for place, item in enumerate(items):
            places[_key(model, item)].append(place)
        total = sum(sizes[own[0]] for own in places.values())
        missing = dict.fromkeys(places)
        done = 0

        def put(key: bytes, found: Vectors) -> None:
            nonlocal done
            for place in places[key]:
                vectors[ends[place] - sizes[place] : ends[place]] = found
            del missing[key]
            done += len(found)

        for key, blob in self._read(list(places)):
            if len(blob) == 4 * dimension * sizes[places[key][0]]:
                put(key, np.frombuffer(blob, np.float32).reshape(-1, dimension))
        self._asked.update(places)
        self._asked_bytes += 4 * dimension * total
        known = done
        if progress:
            progress(done, total)
        batches = _batches([(key, items[places[key][0]]) for key in missing])
        with encoders(embedder, workers=workers, rows=total - done) as encode:
            work = [[item for _, item in batch] for batch in batches]
            for batch, made in zip(batches, encode(work), strict=True):
                keys = [key for key, _ in batch]
                self._write(keys, made)
                for key, found in zip(keys, made, strict=True):
                    put(key, found)
                if progress:
                    progress(done, total)
        return vectors, done - known

    def trim(self) -> None:
        """Give up what was not asked for since the cache was opened, if it is far too much.

        Other models and earlier articles stay known until then.
        """
        excess = self._size() - max(_LEAST, _SPARE * self._asked_bytes)
        if excess <= 0:
            return
        doomed = []
        rows = self._connection.execute(
            "SELECT number, key, length(vectors) FROM encoded ORDER BY number"
        )
        for number, key, size in rows:
            if excess <= 0:
                break
            if key not in self._asked:
                doomed.append((number,))
                excess -= size
        with self._connection:
            self._connection.executemany("DELETE FROM encoded WHERE number = ?", doomed)
        # `execute` takes one step of a statement that gives no rows: that frees one page.
        self._connection.executescript("PRAGMA incremental_vacuum")

    def _size(self) -> int:
        """Bytes in use."""
        pages, free = (
            int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count")
        )
        (size,) = self._connection.execute("PRAGMA page_size").fetchone()
        return (pages - free) * int(size)

    def _read(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        for start in range(0, len(keys), _LOOKED_UP):
            chunk = keys[start : start + _LOOKED_UP]
            marks = ",".join("?" * len(chunk))
            query = f"SELECT key, vectors FROM encoded WHERE key IN ({marks})"  # noqa: S608 (marks)
            try:
                yield from self._connection.execute(query, chunk).fetchall()
            except sqlite3.DatabaseError:
                self._start_again()
                return

    def _write(self, keys: Sequence[bytes], made: Sequence[Vectors]) -> None:
        rows = [
            (key, np.ascontiguousarray(vectors, np.float32).tobytes())
            for key, vectors in zip(keys, made, strict=True)
        ]
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO encoded (key, vectors) VALUES (?, ?)", rows
            )


def _key(model: str, item: Item) -> bytes:
    """A digest of all that decides an item's vectors."""
    parts = [item] if isinstance(item, str) else [item.locale, item.title, *item.sentences]
    kind = "text" if isinstance(item, str) else "passage"
    digest = hashlib.blake2b(digest_size=20)
    for part in (NORMALISER_VERSION, model, kind, *parts):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8) + encoded)
    return digest.digest()


def _batches(items: Sequence[tuple[bytes, Item]]) -> list[list[tuple[bytes, Item]]]:
    """Texts and passages apart, in batches of at most `_BATCH` vectors, or of one passage."""
    batches: list[list[tuple[bytes, Item]]] = []
    for own in (
        [pair for pair in items if isinstance(pair[1], str)],
        [pair for pair in items if not isinstance(pair[1], str)],
    ):
        filled = _BATCH
        for pair in own:
            rows = rows_of(pair[1])
            if filled + rows > _BATCH:
                batches.append([])
                filled = 0
            batches[-1].append(pair)
            filled += rows
    return batches
