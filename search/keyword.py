"""Keyword search with Whoosh: the fields as an index that any Whoosh query can be asked of."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from search.advanced import Advanced
from search.bm25 import FIELDS, Terms
from search.errors import IndexDamaged
from search.keyword_documents import TABLES, WHOOSH_FIELDS
from search.keyword_files import Contents
from search.types import Rows, Scores

if TYPE_CHECKING:
    from search.whoosh_table import WhooshTable

__all__ = ["WHOOSH_FIELDS", "WhooshEngine"]


class WhooshEngine:
    """Two Whoosh indexes, of passages and of articles.

    Slow beside `ImpactEngine`, which is compiled from the same terms and gives the same scores;
    kept for what needs postings: phrases, prefixes, fields and exclusions. Opening it checks that
    all files are there in their sizes; their checksums are compared before the first query.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._contents = Contents.read(folder)
        missing = {*TABLES, *WHOOSH_FIELDS} - {
            *self._contents.documents, *self._contents.statistics,
        }  # fmt: skip
        if missing:
            raise IndexDamaged(
                f"{folder}: has no {', '.join(sorted(missing))}; run `kb index --rebuild`"
            )
        self._lock = threading.Lock()
        self._opened: Mapping[str, WhooshTable] = {}

    @classmethod
    def build(
        cls,
        folder: Path,
        *,
        passages: Sequence[Terms],
        articles: Sequence[Terms],
        passage_ids: Sequence[str] | None = None,
        article_ids: Sequence[str] | None = None,
    ) -> WhooshEngine:
        """Index documents given as terms by field, in row order.

        Their ids are what `update` knows them by; without, they are called by their rows.
        """
        from search.keyword_write import build_index

        folder.mkdir(parents=True, exist_ok=True)
        ids = {
            "passages": passage_ids or list(map(str, range(len(passages)))),
            "articles": article_ids or list(map(str, range(len(articles)))),
        }
        build_index(folder, ids, {"passages": passages, "articles": articles})
        return cls(folder)

    @classmethod
    def update(
        cls,
        folder: Path,
        *,
        previous: Path,
        passages: Mapping[str, Terms],
        articles: Mapping[str, Terms],
        passage_ids: Sequence[str],
        article_ids: Sequence[str],
    ) -> WhooshEngine:
        """Index the documents of the given ids, in row order, as a step from an earlier index.

        `passages` and `articles` are the terms of those that are new or have changed, by id. All
        others are as they were: their segments are linked, and `previous` stays as it is. Raises
        `IndexDamaged` if it cannot be built on, `ValueError` if an id is unknown.
        """
        from search.keyword_write import update_index

        folder.mkdir(parents=True, exist_ok=True)
        update_index(
            folder,
            previous,
            {"passages": passage_ids, "articles": article_ids},
            {"passages": passages, "articles": articles},
        )
        return cls(folder)

    def size(self, field: str) -> int:
        return self._contents.documents[FIELDS[field].table]

    def scores(self, field: str, terms: Mapping[str, float]) -> Scores:
        return self._table(field).scores(field, terms)

    def explain(self, field: str, terms: Mapping[str, float], row: int) -> dict[str, float]:
        return self._table(field).explain(field, terms, row)

    def document_frequency(self, field: str, term: str) -> int:
        return self._table(field).document_frequency(field, term)

    def matching(self, advanced: Advanced) -> tuple[Rows, Scores]:
        """Rows of the articles that a query with operators is about, ascending, and their scores.

        The scores are BM25 of the words asked for, 1 for each prefix or exclusion met.
        """
        return self._table("article").search(advanced.query)

    def rows_with(self, field: str, terms: Collection[str]) -> Rows:
        holders = [np.flatnonzero(self.scores(field, {term: 1.0})) for term in terms]
        return reduce(np.intersect1d, holders) if holders else np.empty(0, np.int64)

    def _table(self, field: str) -> WhooshTable:
        """The table of a field; Whoosh is imported, and the files read, for the first query."""
        if not self._opened:
            with self._lock:
                if not self._opened:
                    self._opened = self._open()
        return self._opened[FIELDS[field].table]

    def _open(self) -> Mapping[str, WhooshTable]:
        from search.whoosh_table import WhooshTable

        self._contents.verify(self._folder)
        known = self._contents.statistics
        return {table: WhooshTable(self._folder, table, known) for table in TABLES}
