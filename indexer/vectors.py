"""Encodes what has changed: vectors are cached by model and text."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from search.errors import KnowledgeBaseError
from search.types import Embedder, Vectors

_BATCH = 256
_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    model TEXT NOT NULL, text_hash BLOB NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (model, text_hash)
) WITHOUT ROWID
"""


class VectorCache:
    """Vectors on disk by (model id, SHA-256 of the text); safe to delete at any time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._connection = sqlite3.connect(path, timeout=10)
        try:
            self._prepare()
        except sqlite3.OperationalError as error:  # locked or read-only, not damaged
            raise KnowledgeBaseError(
                f"{path}: cannot be used ({error}); wait for the other run, or make it writable"
            ) from error
        except sqlite3.DatabaseError:
            self._start_again()

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(_SCHEMA)

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
        texts: Sequence[str],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[Vectors, int]:
        """(n, d) unit vectors of the texts in order, and how many had to be encoded.

        Each batch is committed as it is done, so an interrupted run resumes where it stopped.
        """
        hashes = [hashlib.sha256(text.encode()).digest() for text in texts]
        wanted = dict(zip(hashes, texts, strict=True))
        known = self._read(embedder, wanted)
        missing = [key for key in wanted if key not in known]
        if progress:
            progress(len(known), len(wanted))
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            vectors = embedder.encode_documents([wanted[key] for key in batch])
            self._write(embedder, batch, vectors)
            known.update(zip(batch, vectors, strict=True))
            if progress:
                progress(len(known), len(wanted))
        if not hashes:
            return np.empty((0, embedder.dimension), np.float32), 0
        return np.stack([known[key] for key in hashes]), len(missing)

    def _read(self, embedder: Embedder, wanted: dict[bytes, str]) -> dict[bytes, Vectors]:
        size = embedder.dimension * 4
        try:
            rows = self._connection.execute(
                "SELECT text_hash, vector FROM vectors WHERE model = ?", (embedder.model_id,)
            )
            return {
                key: np.frombuffer(vector, np.float32)
                for key, vector in rows
                if key in wanted and len(vector) == size
            }
        except sqlite3.DatabaseError:
            self._start_again()
            return {}

    def _write(self, embedder: Embedder, keys: Sequence[bytes], vectors: Vectors) -> None:
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                [
                    (embedder.model_id, key, vector.astype(np.float32).tobytes())
                    for key, vector in zip(keys, vectors, strict=True)
                ],
            )
