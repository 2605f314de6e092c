"""Small real implementations of the seams, for tests that need speed more than meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from search.embed import unit
from search.text import grams, normalise
from search.types import Rows, Scores, Vectors


class HashingEmbedder:
    """Words and character pairs hashed into a vector: texts that share words are near."""

    def __init__(self, dimension: int = 64, model_id: str = "hashing") -> None:
        self._dimension = dimension
        self._model_id = model_id
        self.encoded: list[str] = []

    @property
    def model_id(self) -> str:
        return self._model_id

    @property
    def dimension(self) -> int:
        return self._dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        self.encoded.extend(texts)
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for row, text in enumerate(texts):
            for piece in [*normalise(text).split(), *grams(text)]:
                digest = hashlib.blake2b(piece.encode(), digest_size=8).digest()
                number = int.from_bytes(digest, "big")
                vectors[row, number % self._dimension] += 1 if number >> 63 else -1
        return unit(vectors)


class NumpyVectorEngine:
    """The exact definition of nearest, in one matrix product."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    @property
    def count(self) -> int:
        return len(self._vectors)

    def search(self, queries: Vectors, *, limit: int) -> tuple[Rows, Scores]:
        similarities = queries @ self._vectors.T
        rows = np.argsort(-similarities, axis=1, kind="stable")[:, :limit]
        return rows, np.take_along_axis(similarities, rows, axis=1)

    def vectors(self, rows: Rows) -> Vectors:
        return self._vectors[rows]

    def similarities(self, rows: Rows, queries: Vectors) -> Scores:
        return self._vectors[rows] @ queries.T


class FailingVectorEngine(NumpyVectorEngine):
    """An engine whose every search breaks."""

    def __init__(self) -> None:
        super().__init__(np.zeros((1, 1), np.float32))

    def search(self, queries: Vectors, *, limit: int) -> tuple[Rows, Scores]:
        raise RuntimeError("the vector engine is broken on purpose")
