"""Nearest sentences with FAISS: exact while there are few, by sketches and then exactly when many.

Measured on whitened sentence vectors, where inverted lists and graphs find too little (nothing is
near anything): scanning a short sketch of every vector and comparing the best few hundred in full
finds more in less time, is made in seconds, and a vector more or less changes no other. See
benchmarks/experiments.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
import numpy.typing as npt

from search.array_file import map_arrays, write_arrays
from search.errors import IndexDamaged
from search.splice import splice
from search.types import Rows, Scores, Vectors

EXACT_BELOW = 4000
"""Vectors; from there on a sketch is faster (benchmarks/vectors.py)."""
_NUMBERS_A_CODE = 4  # of a vector, sketched as one of 16 centroids
_CENTROIDS = 16
_TRAINING = 20_000  # vectors
_ROUNDS = 8  # of training; more make no better sketches
_REFINED = 200  # vectors compared in full, at least, and
_ONE_IN = 400  # of all
_REFINED_SHARE = 2.0  # times as many as are asked for
_BLOCK = 20_000  # vectors quantised at once
_LIMIT = 127


class FaissEngine:
    """An exact inner-product index. Row i is vector i of the generation's own unit table.

    FAISS's positions are never taken for identifiers outside: the generation maps a row to its
    sentence, passage and article.
    """

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors) -> Self:
        """Index (n, d) unit vectors."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    def save(self, path: Path) -> None:
        """Write it to `path`."""
        faiss.write_index(self._index, str(path))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Map a saved index into memory, so that all workers share its pages."""
        return cls(_read(path))

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
        stored: Vectors = self._index.reconstruct_batch(np.ascontiguousarray(rows, np.int64))
        return stored

    def similarities(self, rows: Rows, queries: Vectors) -> Scores:
        return products(self.vectors(rows), queries)


class SketchEngine:
    """Sketches of all vectors (product quantisation, scanned in registers) and 8-bit vectors.

    A sketch is an eighth of a byte a number; what it finds is compared anew with vectors of one
    byte a number and a scale each. Sources: Jégou et al. (2011); André et al., Quicker ADC (2021);
    `faiss.IndexPQFastScan`.
    """

    def __init__(self, index: Any, codes: Codes, sketches: Sketches) -> None:
        self._index = index
        self._codes = codes
        self._sketches = sketches

    @classmethod
    def build(cls, vectors: Vectors) -> Self:
        """Index (n, d) unit vectors."""
        quantiser = faiss.IndexPQ(
            vectors.shape[1], _codes_of(vectors.shape[1]), int(np.log2(_CENTROIDS)),
            faiss.METRIC_INNER_PRODUCT,
        )  # fmt: skip
        quantiser.pq.cp.niter = _ROUNDS
        quantiser.train(vectors[:: max(1, len(vectors) // _TRAINING)])
        return cls._over(quantiser, Codes.of(vectors), quantiser.sa_encode(vectors))

    def changed(self, order: Rows, added: Vectors) -> Self:
        """The engine after vectors came and went, with the same centroids.

        `order` has, for every row of the new one, the row here or, counted on from the end, that
        of `added`.
        """
        plain = faiss.IndexPQ(
            self.dimension, self._index.pq.M, self._index.pq.nbits, faiss.METRIC_INNER_PRODUCT
        )
        plain.pq, plain.is_trained = self._index.pq, True
        made = plain.sa_encode(added) if len(added) else self._sketches[:0]
        codes = self._codes.changed(order, Codes.of(added))
        return self._over(plain, codes, splice(self._sketches, made, order))

    @classmethod
    def _over(cls, quantiser: faiss.IndexPQ, codes: Codes, sketches: Sketches) -> Self:
        faiss.copy_array_to_vector(np.ascontiguousarray(sketches).ravel(), quantiser.codes)
        quantiser.ntotal = len(sketches)
        packed: Any = faiss.IndexPQFastScan
        return cls(packed(quantiser), codes, sketches)

    def save(self, path: Path) -> None:
        """Write it to `path` and, beside it, the vectors."""
        faiss.write_index(self._index, str(path))
        write_arrays(
            path.with_suffix(".codes"),
            {"codes": self._codes.codes, "scales": self._codes.scales, "sketches": self._sketches},
        )

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the sketches and map the vectors."""
        index: Any = _read(path)
        beside = path.with_suffix(".codes")
        arrays = map_arrays(beside)
        try:
            engine = cls(index, Codes(arrays["codes"], arrays["scales"]), arrays["sketches"])
        except KeyError as error:
            raise IndexDamaged(f"{beside}: has no {error}; run `kb index --rebuild`") from error
        if not engine.count == len(engine._codes.codes) == len(engine._sketches):
            raise IndexDamaged(f"{beside}: does not fit {path.name}; run `kb index --rebuild`")
        return engine

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
        refined = max(_REFINED, int(_REFINED_SHARE * k), self.count // _ONE_IN)
        wanted = min(self.count, refined)
        _, found = self._index.search(np.ascontiguousarray(queries, np.float32), wanted)
        rows = np.empty((len(queries), k), np.int64)
        similarities = np.empty((len(queries), k), np.float32)
        for number, (likely, query) in enumerate(zip(found, queries, strict=True)):
            likely = likely[likely >= 0]  # padding
            if len(likely) < k:  # a question of no direction: nothing is nearer than anything
                likely = np.arange(k)
            near = self.similarities(likely, query[None])[:, 0]
            best = np.argsort(-near, kind="stable")[:k]
            rows[number], similarities[number] = likely[best], near[best]
        return rows, similarities

    def vectors(self, rows: Rows) -> Vectors:
        return self._codes.at(rows).vectors()

    def similarities(self, rows: Rows, queries: Vectors) -> Scores:
        return self._codes.at(rows).products(queries)


Sketches = npt.NDArray[np.uint8]


class Codes:
    """Vectors of one byte a number, each with a scale of its own."""

    def __init__(self, codes: npt.NDArray[np.int8], scales: Scores) -> None:
        """(n, d) and (n,); a vector is its codes times its scale."""
        self.codes = codes
        self.scales = scales

    @classmethod
    def of(cls, vectors: Vectors) -> Codes:
        """Quantise (n, d) vectors; what was quantised before comes to the same codes."""
        codes = np.empty(vectors.shape, np.int8)
        scales = np.empty(len(vectors), np.float32)
        for low in range(0, len(vectors), _BLOCK):
            block = vectors[low : low + _BLOCK]
            most = np.abs(block).max(axis=1)
            scale = np.where(most > 0, most / _LIMIT, np.float32(1)).astype(np.float32)
            codes[low : low + _BLOCK] = np.rint(block / scale[:, None])
            scales[low : low + _BLOCK] = scale
        return cls(codes, scales)

    def at(self, rows: Rows) -> Codes:
        return Codes(self.codes[rows], self.scales[rows])

    def changed(self, order: Rows, added: Codes) -> Codes:
        return Codes(
            splice(self.codes, added.codes, order), splice(self.scales, added.scales, order)
        )

    def vectors(self) -> Vectors:
        found: Vectors = self.codes.astype(np.float32) * self.scales[:, None]
        return found

    def products(self, queries: Vectors) -> Scores:
        """(n, q) inner products with (q, d) vectors."""
        found: Scores = products(self.codes.astype(np.float32), queries) * self.scales[:, None]
        return found


AnyEngine = FaissEngine | SketchEngine


def build_engine(vectors: Vectors) -> AnyEngine:
    """The engine that suits the number of vectors."""
    return (FaissEngine if len(vectors) < EXACT_BELOW else SketchEngine).build(vectors)


def open_engine(path: Path) -> AnyEngine:
    """Open what either engine saved. Raises `IndexDamaged`."""
    sketched = path.with_suffix(".codes").exists()
    return SketchEngine.open(path) if sketched else FaissEngine.open(path)


def products(vectors: Vectors, queries: Vectors) -> Scores:
    """(n, q) inner products of (n, d) and (q, d) vectors."""
    if len(queries) == 1:  # a product with one vector is faster than with a matrix of one row
        single: Scores = vectors @ queries[0]
        return single[:, None]
    found: Scores = vectors @ queries.T
    return found


def _codes_of(dimension: int) -> int:
    """Codes a sketch has: as many as divide the dimension, at `_NUMBERS_A_CODE` numbers each."""
    wanted = max(1, dimension // _NUMBERS_A_CODE)
    return next(count for count in range(wanted, 0, -1) if dimension % count == 0)


def _read(path: Path) -> faiss.Index:
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise IndexDamaged(f"{path}: FAISS cannot read it; run `kb index --rebuild`") from error
