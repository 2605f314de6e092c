"""This project's whole search, as the portal calls it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from indexer.beir import open_corpus
from indexer.build import build_and_publish
from peers.base import About, Material, Query
from search.evaluate import read_beir
from search.library import open_searcher, tuned
from search.searcher import Searcher

_LIMIT = 10  # results of a page

ABOUT = About(
    name="this project, whole search",
    distribution="kb-portal",
    modes=("keyword", "vector", "hybrid"),
    note="`Searcher.search` as the portal calls it: the question is cut, misspelt words read, all "
    "fields and a vector for every sentence searched, ranked by the fitted model, with answer, "
    "confidence and snippets of ten articles.",
    finds="documents",
)


class OwnProduct:
    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def search(self, mode: str, query: Query, limit: int) -> Sequence[str]:
        found = self._searcher.search(
            query.text, locale=query.locale, mode=mode, limit=min(limit, _LIMIT)
        )
        if found.trace.degraded:
            raise RuntimeError(f"degraded: {found.trace.degraded[0]}")
        return [result.article.id for result in found.results]


def build(material: Material, folder: Path) -> None:
    embedder = material.embedder()
    if material.is_corpus:
        build_and_publish(material.source, folder, embedder, today=date.today())
    else:
        documents, _ = read_beir(material.source)
        open_corpus(documents, embedder, data=folder)


def open_index(material: Material, folder: Path) -> OwnProduct:
    embedder = material.embedder()
    if material.is_corpus:
        return OwnProduct(open_searcher(folder, embedder))
    documents, _ = read_beir(material.source)
    return OwnProduct(tuned(folder, open_corpus(documents, embedder, data=folder), embedder))
