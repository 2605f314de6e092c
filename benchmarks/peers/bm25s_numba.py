"""bm25s with its compiled backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bm25s

from peers.base import About, Material, Query

ABOUT = About(
    name="bm25s",
    distribution="bm25s",
    modes=("keyword",),
    note='`backend="numba"`, k1 = 1.5, b = 0.75, method lucene, loaded into memory.',
)


class Bm25s:
    def __init__(self, folder: Path) -> None:
        self._retriever = bm25s.BM25.load(str(folder))

    def search(self, mode: str, query: Query, limit: int) -> Sequence[int]:
        del mode
        size = int(self._retriever.scores["num_docs"])
        found = self._retriever.retrieve(
            [list(query.terms)], k=min(limit, size), show_progress=False, return_as="documents"
        )
        rows: Sequence[int] = found[0].tolist()
        return rows


def build(material: Material, folder: Path) -> None:
    retriever = bm25s.BM25(backend="numba")
    retriever.index(list(material.terms()), show_progress=False)
    retriever.save(str(folder))


def open_index(material: Material, folder: Path) -> Bm25s:
    del material
    return Bm25s(folder)
