"""Embedders for benchmarks: one that never encodes a text twice, one that needs no model.

Measuring an index with them measures the index, not the model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from search.embed import encode_passages, open_embedder, unit
from search.types import Embedder, TitledPassage, Vectors

_SAVE_EVERY = 256  # texts, so that a long first run can be interrupted
_KEY = 16  # bytes of a text's hash
_NOISE = 0.35
"""Length of the noise beside a pool vector of 1: a cosine of about .94 to it, as two sentences
that say the same have."""
_NOISES = 4096
"""Different noises: with a pool of any size, hardly two texts get the same vector."""


class StoredEmbedder:
    """The bundled model's vectors, kept in a folder; what is missing is encoded once.

    Queries and documents are encoded alike by the bundled model, so they share the store.
    """

    def __init__(self, folder: Path, *, may_encode: bool) -> None:
        self._folder = folder
        self._may_encode = may_encode
        self._inner: Embedder = open_embedder()
        self._rows: dict[bytes, int] = {}
        self._stored = np.zeros((0, self.dimension), np.float32)
        folder.mkdir(parents=True, exist_ok=True)
        self._keys, self._vectors = folder / "keys", folder / "vectors"
        if self._keys.exists():
            self._open()

    @property
    def model_id(self) -> str:
        return self._inner.model_id

    @property
    def dimension(self) -> int:
        return self._inner.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def all(self) -> Vectors:
        """(n, d) every vector of the store."""
        return self._stored

    def encode_passages(self, passages: Sequence[TitledPassage]) -> list[Vectors]:
        """As the model reads them: a sentence's vector depends on the passage it stands in."""
        keys = [_passage_keys(passage) for passage in passages]
        missing = [
            (passage, own)
            for passage, own in zip(passages, keys, strict=True)
            if own[0] not in self._rows
        ]
        for start in range(0, len(missing), _SAVE_EVERY):
            batch = dict(missing[start : start + _SAVE_EVERY])
            self._check([passage.text for passage in batch])
            vectors = encode_passages(self._inner, list(batch))
            self._add([key for own in batch.values() for key in own], np.concatenate(vectors))
        return [self._find(own) for own in keys]

    def _encode(self, texts: Sequence[str]) -> Vectors:
        missing = [text for text in dict.fromkeys(texts) if _key(text) not in self._rows]
        for start in range(0, len(missing), _SAVE_EVERY):
            batch = missing[start : start + _SAVE_EVERY]
            self._check(batch)
            self._add([_key(text) for text in batch], self._inner.encode_documents(batch))
        return self._find([_key(text) for text in texts])

    def _check(self, texts: Sequence[str]) -> None:
        if not self._may_encode:
            raise LookupError(f"{len(texts)} texts have no vector, one is {texts[0]!r}")

    def _find(self, keys: Sequence[bytes]) -> Vectors:
        if not keys:
            return np.empty((0, self.dimension), np.float32)
        found: Vectors = np.asarray(self._stored[[self._rows[key] for key in keys]])
        return found

    def _add(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        # The keys come last: vectors without them, of a run that was killed, are cut off.
        with self._vectors.open("ab") as file:
            file.truncate(self._stored.nbytes)
            file.write(vectors.astype(np.float32).tobytes())
        with self._keys.open("ab") as file:
            file.write(b"".join(keys))
        self._open()

    def _open(self) -> None:
        keys = self._keys.read_bytes()
        count = len(keys) // _KEY
        for row in range(len(self._rows), count):
            self._rows[keys[row * _KEY : (row + 1) * _KEY]] = row
        self._stored = np.memmap(self._vectors, np.float32, "r", shape=(count, self.dimension))


class PooledEmbedder:
    """A vector for any text without a model: a real one, chosen by the text's hash, and noise.

    Equal texts get equal vectors. Neighbours of a text have nothing to do with what it says, so
    times and sizes can be measured with it, and relevance cannot. `queries` encodes questions,
    where they are to have their own vectors.
    """

    def __init__(self, pool: Vectors, *, queries: Embedder | None = None) -> None:
        self._pool = pool
        self._queries = queries
        random = np.random.default_rng(0)
        noise = random.standard_normal((_NOISES, self.dimension), np.float32)
        self._noise = np.float32(_NOISE) * unit(noise)

    @property
    def model_id(self) -> str:
        return f"perturbed-pool-{len(self._pool)}"

    @property
    def dimension(self) -> int:
        return int(self._pool.shape[1])

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._queries.encode_queries(texts) if self._queries else self._encode(texts)

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        numbers = np.array([int.from_bytes(_key(text)[:8]) for text in texts], np.uint64)
        rows, noises = numbers % len(self._pool), numbers // len(self._pool) % _NOISES
        return unit(self._pool[rows.astype(np.int64)] + self._noise[noises.astype(np.int64)])


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_KEY).digest()


def _passage_keys(passage: TitledPassage) -> list[bytes]:
    """A key for every vector of a passage: its sentences' and its own."""
    whole = "\0".join((passage.title, *passage.sentences))
    return [_key(f"{whole}\0{row}") for row in range(len(passage.sentences) + 1)]
