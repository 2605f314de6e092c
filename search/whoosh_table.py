"""A table of the Whoosh index, open for queries; its scores are our BM25."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from whoosh import index, query, scoring, searching
from whoosh.reading import TermNotFound

from search.bm25 import FIELDS, Field, FieldStatistics, idf, parts
from search.errors import IndexDamaged
from search.keyword_documents import Documents
from search.segments import open_table
from search.types import Rows, Scores

_FREQUENCIES = 10_000  # terms whose document frequency a searcher remembers


class WhooshTable:
    """One table; raises `IndexDamaged` where Whoosh cannot read it."""

    def __init__(self, folder: Path, table: str, known: Mapping[str, FieldStatistics]) -> None:
        self._folder = folder
        self._known = known
        documents = Documents.read(folder, table)
        self._rows = documents.rows.astype(np.int64)
        self._numbers = documents.numbers()
        with self._damage_told():
            self._index = open_table(folder, table)
        self._local = threading.local()

    def search(self, wanted: query.Query) -> tuple[Rows, Scores]:
        """Rows of the documents that match, ascending, and their scores."""
        hits = list(self._searcher().search(wanted, limit=None).items())
        rows = self._rows[np.array([number for number, _ in hits], np.int64)]
        order = np.argsort(rows)
        return rows[order], np.array([score for _, score in hits], np.float32)[order]

    def scores(self, field: str, terms: Mapping[str, float]) -> Scores:
        """(rows,) as `KeywordEngine.scores`."""
        scores = np.zeros(len(self._numbers), np.float32)
        clauses = [query.Term(field, term, boost=weight) for term, weight in terms.items()]
        if clauses:
            rows, found = self.search(query.Or(clauses))
            scores[rows] = found
        return scores

    def explain(self, field: str, terms: Mapping[str, float], row: int) -> dict[str, float]:
        """As `KeywordEngine.explain`."""
        found: dict[str, float] = {}
        if field not in self._known:
            return found
        number = int(self._numbers[row])
        for term, weight in terms.items():
            try:
                matcher = self._searcher().postings(field, term)
            except (TermNotFound, UnicodeEncodeError):
                continue
            if matcher.is_active():
                matcher.skip_to(number)
            if matcher.is_active() and matcher.id() == number:
                found[term] = weight * matcher.score()
        return found

    def document_frequency(self, field: str, term: str) -> int:
        """As `KeywordEngine.document_frequency`."""
        try:
            return _document_frequency(self._searcher().reader(), field, term)
        except (TermNotFound, UnicodeEncodeError):
            return 0

    def _searcher(self) -> Any:
        """One searcher a thread: Whoosh's readers keep file positions."""
        if not hasattr(self._local, "searcher"):
            with self._damage_told():
                reader = self._index.reader()
            weighting = _Weighting(self._known, reader)
            self._local.searcher = searching.Searcher(reader, weighting=weighting)
        return self._local.searcher

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except (
            index.IndexError, OSError, pickle.UnpicklingError, EOFError, ValueError, KeyError,
            TypeError, AttributeError,
        ) as error:  # fmt: skip
            raise IndexDamaged(
                f"{self._folder}: Whoosh cannot read it ({error!r}); run `kb index --rebuild`"
            ) from error


def _document_frequency(reader: Any, field: str, term: str | bytes) -> int:
    """Over living documents; what a segment knows of itself counts the deleted ones too."""
    total = 0
    for segment, _ in reader.leaf_readers():
        if not segment.has_deletions():
            total += segment.doc_frequency(field, term)
        elif (field, term) in segment:
            total += sum(1 for _ in segment.postings(field, term).all_ids())
    return total


class _Weighting(scoring.WeightingModel):  # type: ignore[misc]
    """Our BM25 for Whoosh's own searcher."""

    def __init__(self, known: Mapping[str, FieldStatistics], reader: Any) -> None:
        self._known = known
        self._frequency = lru_cache(maxsize=_FREQUENCIES)(partial(_document_frequency, reader))

    def scorer(self, searcher: Any, fieldname: str, text: bytes, **_options: Any) -> _Scorer:
        known = self._known[fieldname]
        inverse = idf(known.documents, self._frequency(fieldname, text))
        return _Scorer(searcher, FIELDS[fieldname], text, inverse, known.mean_length)


class _Scorer(scoring.WeightLengthScorer):  # type: ignore[misc]
    def __init__(
        self, searcher: Any, field: Field, text: bytes, inverse: float, mean_length: float
    ) -> None:
        self._field, self._idf, self._mean_length = field, inverse, mean_length
        self.setup(searcher, field.name, text)

    def _score(self, weight: float, length: int) -> float:
        # The formula is the same for a number as for an array of them, and much faster.
        value: Any = parts(
            cast("Any", weight), cast("Any", length), self._idf, self._field, self._mean_length
        )
        return float(value)
