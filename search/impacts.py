"""The keyword index compiled: every term's share of every score, computed while publishing.

A question is then scored by adding up a few array slices. The arrays are memory-mapped, so workers
share them. Idea: Lucene's impacts, and bm25s (Lù, 2024), which scores all documents eagerly.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from search.array_file import map_arrays, write_arrays
from search.bm25 import (
    FIELDS,
    OWN_FIELDS,
    TABLES,
    VOCABULARIES,
    Field,
    Terms,
    idf,
    idfs,
    parts,
    statistics,
    stored_length,
)
from search.dictionary import Dictionary, dictionary_path
from search.errors import IndexDamaged
from search.types import Rows, Scores

if TYPE_CHECKING:
    from search.postings import Postings


class ImpactEngine:
    """A table of impacts for each field."""

    def __init__(self, folder: Path) -> None:
        dictionaries = {name: Dictionary(dictionary_path(folder, name)) for name in VOCABULARIES}
        self._tables: dict[str, _Table] = {
            name: _Table(folder / f"{name}.impacts", dictionaries[FIELDS[name].vocabulary])
            for name in OWN_FIELDS
        }
        for name, field in FIELDS.items():
            if field.like is not None:
                self._tables[name] = _Matches(self._tables[field.like], field)

    @classmethod
    def build(
        cls, folder: Path, *, passages: Sequence[Terms], articles: Sequence[Terms]
    ) -> ImpactEngine:
        """Compile documents given as terms by field, in row order."""
        from search.postings import Postings  # SciPy, which no search needs

        documents = {"passages": passages, "articles": articles}
        orders = {table: np.arange(len(documents[table])) for table in TABLES}
        return cls.compile(folder, Postings.empty().changed(orders, documents))

    @classmethod
    def compile(cls, folder: Path, postings: Postings) -> ImpactEngine:
        """Write what the postings come to."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, vocabulary in postings.vocabularies.items():
            vocabulary.save(dictionary_path(folder, name))
        for name in OWN_FIELDS:
            _compile(folder / f"{name}.impacts", postings, name)
        return cls(folder)

    def size(self, field: str) -> int:
        return self._tables[field].size

    def scores(self, field: str, terms: Mapping[str, float]) -> Scores:
        return self._tables[field].scores(terms)

    def rows_with(self, field: str, terms: Collection[str]) -> Rows:
        table = self._tables[field]
        if not terms:
            return np.empty(0, np.int64)
        rarest, *others = sorted(terms, key=table.frequency)
        found = table.rows(*table.bounds(rarest)).astype(np.int64)
        for term in others:
            if not len(found):
                break
            rows = table.rows(*table.bounds(term))
            found = found[rows.take(rows.searchsorted(found), mode="clip") == found]
        return found

    def explain(self, field: str, terms: Mapping[str, float], row: int) -> dict[str, float]:
        table = self._tables[field]
        found: dict[str, float] = {}
        for term, weight in terms.items():
            if value := table.value(term, row):
                found[term] = weight * value
        return found

    def document_frequency(self, field: str, term: str) -> int:
        return self._tables[field].frequency(term)


class _Table:
    """Postings of one field: term number -> rows in order, and what the term adds to each."""

    def __init__(self, path: Path, dictionary: Dictionary) -> None:
        arrays = map_arrays(path)
        try:
            self._starts, self._rows = arrays["starts"], arrays["rows"]
            self._values, self.size = arrays["values"], int(arrays["size"][0])
        except (KeyError, IndexError) as error:
            raise IndexDamaged(f"{path}: has no {error}; run `kb index --rebuild`") from error
        if len(self._starts) != len(dictionary) + 1 or not (
            int(self._starts[-1]) == len(self._rows) == len(self._values)
        ):
            raise IndexDamaged(f"{path}: its parts do not fit; run `kb index --rebuild`")
        self._find = dictionary.find
        self._bounds = memoryview(self._starts.data)  # three times as fast as the array, one by one

    def bounds(self, term: str) -> tuple[int, int]:
        """Where the postings of a term begin and end; equal where it has none."""
        number = self._find(term)
        if number < 0:
            return 0, 0
        return self._bounds[number], self._bounds[number + 1]

    def frequency(self, term: str) -> int:
        low, high = self.bounds(term)
        return high - low

    def rows(self, low: int, high: int) -> npt.NDArray[np.int32]:
        return self._rows[low:high]

    def values(self, _term: str, low: int, high: int) -> Scores:
        """What the term adds to the documents of its postings."""
        return self._values[low:high]

    def scores(self, terms: Mapping[str, float]) -> Scores:
        """(size,) the sums of what the terms add."""
        scores = np.zeros(self.size, np.float32)
        rows, values = [], []
        for term, weight in terms.items():
            low, high = self.bounds(term)
            if low < high:
                rows.append(self.rows(low, high))
                share = self.values(term, low, high)
                values.append(share if weight == 1 else np.float32(weight) * share)
        if rows:
            # Twice as fast as `scores[rows] += …` term by term, which goes by way of a copy.
            np.add.at(scores, np.concatenate(rows), np.concatenate(values))
        return scores

    def value(self, term: str, row: int) -> float:
        """What the term adds to one document."""
        place = self.place(term, row)
        return float(self._values[place]) if place >= 0 else 0.0

    def place(self, term: str, row: int) -> int:
        """Where the posting of a term in a document is, or -1."""
        low, high = self.bounds(term)
        place = low + int(np.searchsorted(self._rows[low:high], row))
        return place if place < high and self._rows[place] == row else -1


class _Matches(_Table):
    """A field of BM25 with k1 = 0 over another's postings: a term adds its IDF wherever it is."""

    def __init__(self, table: _Table, field: Field) -> None:
        if field.k1:
            raise ValueError(f"{field.name}: only what has k1 = 0 can share postings")
        self._table = table
        self.size = table.size

    def bounds(self, term: str) -> tuple[int, int]:
        return self._table.bounds(term)

    def rows(self, low: int, high: int) -> npt.NDArray[np.int32]:
        return self._table.rows(low, high)

    def values(self, _term: str, low: int, high: int) -> Scores:
        return np.full(high - low, self._idf(_term), np.float32)

    def value(self, term: str, row: int) -> float:
        return self._idf(term) if self._table.place(term, row) >= 0 else 0.0

    def _idf(self, term: str) -> float:
        return idf(self.size, self.frequency(term))


def _compile(path: Path, postings: Postings, name: str) -> None:
    documents = postings.fields[name]
    lengths = np.asarray(documents.sum(axis=1)).ravel()
    known = statistics(lengths.tolist())
    by_term = documents.tocsc()
    frequencies = np.diff(by_term.indptr)
    rounded = np.array([stored_length(length) for length in lengths.tolist()], np.float64)
    values = parts(
        by_term.data.astype(np.float64), rounded[by_term.indices],
        np.repeat(idfs(known.documents, frequencies), frequencies), FIELDS[name],
        known.mean_length,
    )  # fmt: skip
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "starts": by_term.indptr.astype(np.int64),
        "rows": by_term.indices.astype(np.int32),
        "values": values.astype(np.float32),
        "size": np.array([documents.shape[0]], np.int64),
    }
    write_arrays(path, arrays)
