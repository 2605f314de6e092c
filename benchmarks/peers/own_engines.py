"""This project's engines by themselves: compiled BM25 and FAISS over the same passages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from peers.base import About, Material, Query, fuse
from search.bm25 import FIELDS
from search.impacts import ImpactEngine
from search.text import grams
from search.types import KeywordEngine, VectorEngine
from search.vectors import build_engine, open_engine

ABOUT = About(
    name="this project, engines",
    distribution="kb-portal",
    modes=("keyword", "vector", "hybrid"),
    note="Compiled BM25 of words and of pairs of Han characters, one vector a passage, fused by "
    "rank as LanceDB does.",
)


class OwnEngines:
    def __init__(self, keyword: KeywordEngine, vectors: VectorEngine, *, pairs: bool) -> None:
        self._keyword = keyword
        self._vectors = vectors
        self._pairs = pairs

    def search(self, mode: str, query: Query, limit: int) -> Sequence[int]:
        if mode == "keyword":
            return self._by_words(query, limit)
        if mode == "vector":
            return self._by_vector(query, limit)
        return fuse([self._by_words(query, limit), self._by_vector(query, limit)], limit)

    def _by_words(self, query: Query, limit: int) -> list[int]:
        scores = self._keyword.scores("passage", dict.fromkeys(query.terms, 1.0))
        if self._pairs:
            pairs = dict.fromkeys(grams(query.text), 1.0)
            scores = scores + self._keyword.scores("passage_grams", pairs)
        if limit < len(scores):
            best = np.argpartition(-scores, limit)[:limit]
            best = best[np.argsort(-scores[best])]
        else:
            best = np.argsort(-scores)
        rows: list[int] = best[scores[best] > 0].tolist()
        return rows

    def _by_vector(self, query: Query, limit: int) -> list[int]:
        rows, _ = self._vectors.search(query.vector[None], limit=limit)
        found: list[int] = rows[0].tolist()
        return found


def build(material: Material, folder: Path, *, pairs: bool = True) -> None:
    nothing: dict[str, list[str]] = {name: [] for name in FIELDS}
    passages = [
        nothing | {"passage": terms, "passage_grams": grams(text) if pairs else []}
        for terms, text in zip(material.terms(), material.texts(), strict=True)
    ]
    ImpactEngine.build(folder / "impacts", passages=passages, articles=[nothing])
    build_engine(material.vectors()).save(folder / "vectors.faiss")


def open_index(material: Material, folder: Path, *, pairs: bool = True) -> OwnEngines:
    del material
    return OwnEngines(
        ImpactEngine(folder / "impacts"), open_engine(folder / "vectors.faiss"), pairs=pairs
    )
