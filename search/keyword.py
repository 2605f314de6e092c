"""Keyword retrieval with Whoosh: BM25 in each field, summed with a weight per field."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import analysis, fields, index, query, scoring
from whoosh.reading import TermNotFound

from search.errors import IndexDamaged
from search.text import Tokeniser, grams
from search.types import Article, Passage, Rows, Scores

# What a match in each field is worth beside one in the body. `grams` are pairs of Han characters,
# several for one word, and only back the words up.
FIELD_WEIGHTS: Mapping[str, float] = {
    "title": 1.2,
    "questions": 1.0,
    "headings": 0.8,
    "tags": 0.5,
    "body": 1.0,
    "grams": 0.35,
}
_WEIGHTING = scoring.BM25F(B=0.5, K1=1.2)


def passage_fields(
    tokeniser: Tokeniser, article: Article, passage: Passage, *, opening: bool
) -> dict[str, list[str]]:
    """The terms of one passage by field; an article's questions belong to its opening passage."""
    questions = " \n ".join(article.questions) if opening else ""
    tags = " \n ".join(article.tags)
    headings = " \n ".join(passage.headings[1:])
    everything = " \n ".join((article.title, questions, headings, tags, passage.text))
    return {
        "title": tokeniser.terms(article.title),
        "questions": tokeniser.terms(questions),
        "headings": tokeniser.terms(headings),
        "tags": tokeniser.terms(tags),
        "body": tokeniser.terms(passage.text),
        "grams": grams(everything),
    }


class WhooshEngine:
    """A Whoosh index of passages. The stored `row` is the passage's number in the generation."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._index = index.open_dir(str(folder), readonly=True)
        except (index.IndexError, OSError, pickle.UnpicklingError, EOFError, ValueError) as error:
            raise IndexDamaged(
                f"{folder}: Whoosh cannot read it ({type(error).__name__}); "
                "run `kb index --rebuild`"
            ) from error
        self._local = threading.local()

    @classmethod
    def build(cls, folder: Path, passages: Iterable[Mapping[str, list[str]]]) -> WhooshEngine:
        """Index the passages, given by field and in row order."""
        folder.mkdir(parents=True, exist_ok=True)
        # The terms come ready from the one tokeniser; Whoosh must neither cut nor fold them again.
        text = fields.TEXT(analyzer=analysis.SpaceSeparatedTokenizer(), phrase=True)
        schema = fields.Schema(
            row=fields.NUMERIC(int, stored=True), **dict.fromkeys(FIELD_WEIGHTS, text)
        )
        writer = index.create_in(str(folder), schema).writer(limitmb=256)
        for row, terms in enumerate(passages):
            present: dict[str, Any] = {name: list(found) for name, found in terms.items() if found}
            writer.add_document(row=row, **present)
        writer.commit(optimize=True)
        return cls(folder)

    def _searcher(self) -> Any:
        """One searcher a thread: Whoosh's readers keep file positions."""
        searcher = getattr(self._local, "searcher", None)
        if searcher is None:
            searcher = self._local.searcher = self._index.searcher(weighting=_WEIGHTING)
        return searcher

    @property
    def count(self) -> int:
        return int(self._index.doc_count())

    def search(self, terms: Sequence[str], *, limit: int) -> tuple[Rows, Scores]:
        if not terms:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        clauses = [
            query.Term(name, term, boost=weight)
            for term in dict.fromkeys(terms)
            for name, weight in FIELD_WEIGHTS.items()
        ]
        hits = self._searcher().search(query.Or(clauses), limit=limit, scored=True)
        rows = np.fromiter((hit["row"] for hit in hits), np.int64)
        scores = np.fromiter((hit.score for hit in hits), np.float32)
        return rows, scores

    def explain(self, terms: Sequence[str], row: int) -> dict[str, float]:
        searcher = self._searcher()
        document = searcher.document_number(row=row)
        parts: dict[str, float] = {}
        for term in dict.fromkeys(terms):
            total = 0.0
            for name, weight in FIELD_WEIGHTS.items():
                try:
                    matcher = searcher.postings(name, term)
                except TermNotFound:
                    continue
                matcher.skip_to(document)
                if matcher.is_active() and matcher.id() == document:
                    total += weight * matcher.score()
            if total:
                parts[term] = total
        return parts

    def document_frequency(self, term: str) -> int:
        reader = self._searcher().reader()
        return max(int(reader.doc_frequency(name, term)) for name in FIELD_WEIGHTS)
