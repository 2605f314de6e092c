"""Keyword search with Whoosh: the fields as an index that any Whoosh query can be asked of."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import analysis, fields, index, query, scoring
from whoosh.reading import TermNotFound

from search.bm25 import FIELDS, Field, FieldStatistics, Terms, idf, parts, statistics
from search.errors import IndexDamaged
from search.types import Scores

WHOOSH_FIELDS = tuple(name for name, field in FIELDS.items() if not field.compiled_only)
_TABLES = tuple(dict.fromkeys(field.table for field in FIELDS.values()))


class WhooshEngine:
    """Two Whoosh indexes, of passages and of articles; `row` is a document's number in its table.

    Slow beside `ImpactEngine`, which is compiled from the same terms and gives the same scores;
    kept for what needs postings: phrases, wildcards, spelling.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._indexes = {
                table: index.open_dir(str(folder), indexname=table, readonly=True)
                for table in _TABLES
            }
            stored = json.loads((folder / "statistics.json").read_text("utf-8"))
            self._statistics = {name: FieldStatistics(**stored[name]) for name in WHOOSH_FIELDS}
        except (
            index.IndexError, OSError, pickle.UnpicklingError, EOFError, ValueError, KeyError,
            TypeError, AttributeError,
        ) as error:  # fmt: skip
            raise IndexDamaged(
                f"{folder}: Whoosh cannot read it ({type(error).__name__}); "
                "run `kb index --rebuild`"
            ) from error
        self._local = threading.local()

    @classmethod
    def build(
        cls, folder: Path, *, passages: Sequence[Terms], articles: Sequence[Terms]
    ) -> WhooshEngine:
        """Index documents given as terms by field, in row order."""
        folder.mkdir(parents=True, exist_ok=True)
        stored = {}
        for table, documents in (("passages", passages), ("articles", articles)):
            names = [name for name in WHOOSH_FIELDS if FIELDS[name].table == table]
            _write_index(folder, table, names, documents)
            for name in names:
                stored[name] = asdict(statistics([len(terms[name]) for terms in documents]))
        (folder / "statistics.json").write_text(json.dumps(stored), "utf-8")
        return cls(folder)

    def _searcher(self, table: str) -> Any:
        """One searcher a thread: Whoosh's readers keep file positions."""
        searchers = self._local.__dict__
        if table not in searchers:
            weighting = _Weighting(self._statistics)
            searchers[table] = self._indexes[table].searcher(weighting=weighting)
        return searchers[table]

    def size(self, field: str) -> int:
        return int(self._indexes[FIELDS[field].table].doc_count())

    def scores(self, field: str, terms: Mapping[str, float]) -> Scores:
        scores = np.zeros(self.size(field), np.float32)
        clauses = [query.Term(field, term, boost=weight) for term, weight in terms.items()]
        if clauses:
            for hit in self._searcher(FIELDS[field].table).search(query.Or(clauses), limit=None):
                scores[hit["row"]] = hit.score
        return scores

    def explain(self, field: str, terms: Mapping[str, float], row: int) -> dict[str, float]:
        searcher = self._searcher(FIELDS[field].table)
        document = searcher.document_number(row=row)
        found: dict[str, float] = {}
        for term, weight in terms.items():
            try:
                matcher = searcher.postings(field, term)
            except TermNotFound:
                continue
            matcher.skip_to(document)
            if matcher.is_active() and matcher.id() == document:
                found[term] = weight * matcher.score()
        return found

    def document_frequency(self, field: str, term: str) -> int:
        return int(self._searcher(FIELDS[field].table).reader().doc_frequency(field, term))


def _write_index(
    folder: Path, table: str, names: Sequence[str], documents: Iterable[Terms]
) -> None:
    # The terms come ready from the one tokeniser; Whoosh must neither cut nor fold them again.
    text = fields.TEXT(analyzer=analysis.SpaceSeparatedTokenizer(), phrase=True)
    schema = fields.Schema(row=fields.NUMERIC(int, stored=True), **dict.fromkeys(names, text))
    writer = index.create_in(str(folder), schema, indexname=table).writer(limitmb=256)
    for row, terms in enumerate(documents):
        present: dict[str, Any] = {name: list(terms[name]) for name in names if terms[name]}
        writer.add_document(row=row, **present)
    writer.commit(optimize=True)


class _Weighting(scoring.WeightingModel):  # type: ignore[misc]
    """Our BM25 for Whoosh's own searcher."""

    def __init__(self, known: Mapping[str, FieldStatistics]) -> None:
        self._known = known

    def scorer(self, searcher: Any, fieldname: str, text: Any, qf: float = 1) -> Any:
        field = FIELDS.get(fieldname)
        if field is None or not searcher.schema[fieldname].scorable:
            return scoring.WeightScorer.for_(searcher, fieldname, text)
        return _Scorer(searcher, field, text, self._known[fieldname], qf)


class _Scorer(scoring.WeightLengthScorer):  # type: ignore[misc]
    def __init__(
        self, searcher: Any, field: Field, text: Any, known: FieldStatistics, qf: float
    ) -> None:
        frequency = searcher.get_parent().doc_frequency(field.name, text)
        self._field, self._known, self._qf = field, known, qf
        self._idf = idf(known.documents, frequency)
        self.setup(searcher, field.name, text)

    def _score(self, weight: float, length: int) -> float:
        value = parts(
            np.array([weight], np.float64), np.array([length], np.float64),
            self._idf, self._field, self._known.mean_length,
        )  # fmt: skip
        return float(value[0])
