"""BM25 as every keyword engine here scores it, and the terms that are scored.

One term's share of a score depends on nothing but the term and the document, so a query's score is
a plain sum that can be computed while publishing. Source of the formula: Robertson and Zaragoza,
The Probabilistic Relevance Framework (2009), with Lucene's non-negative IDF.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from search.text import Tokeniser, grams, pieces
from search.types import Article, Passage

Terms = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Field:
    """A way of reading the documents of a table; its name is what engines are asked for."""

    name: str
    table: str
    k1: float
    b: float
    compiled_only: bool = False
    """Left out of the Whoosh index: terms nobody would write a query of."""
    vocabulary: str = "words"
    """The kind of its terms: fields of one kind share a dictionary."""
    like: str | None = None
    """The field that has the same terms in every document, where there is one."""


# Two tables of documents: passages, and whole articles. Each is read by words, by pairs of Han
# characters, which find what segmentation cuts differently, and by pieces of Latin words, which
# find what is misspelt.
FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("passage", "passages", 1.5, 0.75),
        Field("passage_grams", "passages", 1.5, 0.75, vocabulary="grams"),
        Field("passage_pieces", "passages", 1.5, 0.75, compiled_only=True, vocabulary="pieces"),
        Field("article", "articles", 1.5, 0.75),
        Field("article_grams", "articles", 1.5, 0.75, vocabulary="grams"),
        Field("questions", "articles", 1.5, 0.75),
        Field("questions_grams", "articles", 1.5, 0.75, vocabulary="grams"),
        Field("title", "articles", 1.0, 0.75),
        Field("title_grams", "articles", 1.0, 0.75, vocabulary="grams"),
        Field("title_pieces", "articles", 1.0, 0.75, compiled_only=True, vocabulary="pieces"),
        # With k1 = 0 BM25 is the plain sum of the IDF of the words that match.
        Field("title_match", "articles", 0, 0, like="title"),
    )
}


TABLES = tuple(dict.fromkeys(field.table for field in FIELDS.values()))
VOCABULARIES = tuple(dict.fromkeys(field.vocabulary for field in FIELDS.values()))
OWN_FIELDS = tuple(name for name, field in FIELDS.items() if field.like is None)
"""Fields with terms of their own."""


@dataclass(frozen=True, slots=True)
class FieldStatistics:
    """How many documents a table has, and the mean length of those that have the field at all."""

    documents: int
    mean_length: float


def statistics(lengths: Sequence[int]) -> FieldStatistics:
    present = [length for length in lengths if length]
    return FieldStatistics(len(lengths), sum(present) / len(present) if present else 1.0)


def idf(documents: int, frequency: int) -> float:
    """Inverse document frequency, never negative."""
    return math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5))


def idfs(documents: int, frequencies: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """`idf` of many terms at once."""
    counts = frequencies.astype(np.float64)
    result: npt.NDArray[np.float64] = np.log(1 + (documents - counts + 0.5) / (counts + 0.5))
    return result


def parts(
    frequencies: npt.NDArray[np.float64],
    lengths: npt.NDArray[np.float64],
    idfs: npt.NDArray[np.float64] | float,
    field: Field,
    mean_length: float,
) -> npt.NDArray[np.float64]:
    """What a term adds to a document's score; all arrays are (postings,)."""
    norm = field.k1 * (1 - field.b + field.b * lengths / mean_length)
    result: npt.NDArray[np.float64] = idfs * frequencies * (field.k1 + 1) / (frequencies + norm)
    return result


@lru_cache(maxsize=10_000)
def stored_length(length: int) -> int:
    """The length as Whoosh keeps it, in one byte; engines that must agree with it use this."""
    from whoosh.util.numeric import byte_to_length, length_to_byte  # nothing a search needs

    return int(byte_to_length(length_to_byte(length)))


class TermCounter:
    """Cuts texts into terms part by part, each part once however many documents it stands in.

    Parts are set apart by line breaks, over which no term reaches. Not safe between threads.
    """

    def __init__(self, tokeniser: Tokeniser) -> None:
        self._tokeniser = tokeniser
        self._cut: dict[str, tuple[list[str], list[str], list[str]]] = {}
        self._known: dict[str, str] = {}

    def read(self, parts: Iterable[str]) -> None:
        """Cut parts before they are asked for."""
        for part in parts:
            self._of(part)

    def content(self, parts: Iterable[str]) -> list[str]:
        """`Tokeniser.content_terms` of all parts together."""
        terms = [term for part in parts for term in self._of(part)[0]]
        return self._tokeniser.informative(terms)

    def grams(self, parts: Iterable[str]) -> list[str]:
        """`search.text.grams` of all parts together."""
        return [gram for part in parts for gram in self._of(part)[1]]

    def pieces(self, parts: Iterable[str]) -> list[str]:
        """`search.text.pieces` of all parts together."""
        return [piece for part in parts for piece in self._of(part)[2]]

    def _of(self, part: str) -> tuple[list[str], list[str], list[str]]:
        found = self._cut.get(part)
        if found is None:
            same = self._same
            found = same(self._tokeniser.terms(part)), same(grams(part)), same(pieces(part))
            self._cut[part] = found
        return found

    def _same(self, terms: list[str]) -> list[str]:
        # The same few terms stand everywhere, and one string for each of them will do.
        known = self._known
        return [known.setdefault(term, term) for term in terms]


def passage_terms(counter: TermCounter, passage: Passage, extra: Sequence[str]) -> Terms:
    """The terms of a passage by field; `extra` are the questions it answers and its tags."""
    parts = (*passage.headings[1:], *extra, passage.text)
    return {
        "passage": counter.content(parts),
        "passage_grams": counter.grams(parts),
        "passage_pieces": counter.pieces(parts),
    }


def article_terms(counter: TermCounter, article: Article, passages: Sequence[Passage]) -> Terms:
    """The terms of a whole article by field."""
    headings = dict.fromkeys(heading for passage in passages for heading in passage.headings[1:])
    asked = article.questions
    parts = (*headings, *asked, *article.tags, *(passage.text for passage in passages))
    title = (article.title,)
    return {
        "article": counter.content(parts),
        "article_grams": counter.grams(parts),
        "questions": counter.content(asked),
        "questions_grams": counter.grams(asked),
        "title": counter.content(title),
        "title_grams": counter.grams(title),
        "title_pieces": counter.pieces(title),
        "title_match": counter.content(title),
    }
