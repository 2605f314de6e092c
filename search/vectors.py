"""Nearest sentences with FAISS, exact by inner product."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

from search.errors import IndexDamaged
from search.types import Rows, Scores, Vectors


class FaissEngine:
    """An exact inner-product index. Row i is vector i of the generation's own unit table.

    FAISS's positions are never taken for identifiers outside: the generation maps a row to its
    sentence, passage and article.
    """

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors) -> FaissEngine:
        """Index (n, d) unit vectors."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    def save(self, path: Path) -> None:
        faiss.write_index(self._index, str(path))

    @classmethod
    def open(cls, path: Path) -> FaissEngine:
        """Map a saved index into memory, so that all workers share its pages."""
        try:
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))
        except RuntimeError as error:
            raise IndexDamaged(f"{path}: FAISS cannot read it; run `kb index --rebuild`") from error

    @property
    def count(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def search(self, queries: Vectors, *, limit: int) -> tuple[Rows, Scores]:
        k = min(limit, self.count)
        if k == 0 or len(queries) == 0:
            return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
        similarities, rows = self._index.search(np.ascontiguousarray(queries, np.float32), k)
        # FAISS pads with -1 when it finds fewer than k; as an index that would be the last row.
        assert (rows >= 0).all()
        return rows, similarities

    def vectors(self, rows: Rows) -> Vectors:
        """(n, d) stored vectors of the given rows."""
        stored: Vectors = self._index.reconstruct_batch(np.ascontiguousarray(rows, np.int64))
        return stored
