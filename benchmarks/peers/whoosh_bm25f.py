"""Whoosh by itself: its own BM25F and its own searcher."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from whoosh import analysis, fields, index
from whoosh.query import Or, Term

from peers.base import About, Material, Query

ABOUT = About(
    name="Whoosh",
    distribution="Whoosh-Reloaded",
    modes=("keyword",),
    note="BM25F as it comes, one optimised segment, `Or` of terms.",
)


class Whoosh:
    def __init__(self, folder: Path) -> None:
        self._searcher = index.open_dir(str(folder), readonly=True).searcher()

    def search(self, mode: str, query: Query, limit: int) -> Sequence[int]:
        del mode
        clauses = Or([Term("text", term) for term in query.terms])
        return [hit.docnum for hit in self._searcher.search(clauses, limit=limit)]


def build(material: Material, folder: Path) -> None:
    # The terms come ready; one segment numbers the passages in the order they are added.
    text = fields.TEXT(analyzer=analysis.SpaceSeparatedTokenizer(), phrase=False)
    writer = index.create_in(str(folder), fields.Schema(text=text)).writer(limitmb=256)
    for terms in material.terms():
        writer.add_document(text=terms)
    writer.commit(optimize=True)


def open_index(material: Material, folder: Path) -> Whoosh:
    del material
    return Whoosh(folder)
