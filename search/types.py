"""What crosses the borders of the package, and the seams another engine plugs in at."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from search.text import join_sentences

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]

LOCALES = ("en", "zh-Hans")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement about law or an institution comes from, and when it was last verified."""

    title: str
    url: str
    verified_on: date


@dataclass(frozen=True, slots=True)
class PolicyClause:
    """One rule of an article, for machines: the prose it restates stands under `section`."""

    section: str
    platforms: tuple[str, ...]
    reasons: tuple[str, ...]
    window_days: int | None = None
    window_from: str | None = None
    return_shipping: str | None = None
    refund_days: int | None = None
    refund_from: str | None = None
    refund_method: str | None = None
    conditions: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    goods: tuple[str, ...] = ()
    """The kinds of goods it is only about; none: any."""
    regions: tuple[str, ...] = ()
    """Where the buyer must be for it to count; none: anywhere."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside an article; `level` is 2 or more, `anchor` its id in the page."""

    level: int
    anchor: str
    title: str


@dataclass(frozen=True, slots=True)
class Article:
    """A published article as the index knows it; `html` is sanitised."""

    id: str
    locale: str
    section: str
    slug: str
    title: str
    summary: str
    html: str
    headings: tuple[Heading, ...]
    updated: date
    verified_on: date
    review_by: date
    owner: str
    tags: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    policy: tuple[PolicyClause, ...] = ()
    sources: tuple[Source, ...] = ()
    redirect_from: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Where readers find it, from the root of the site."""
        return f"/{self.locale}/{self.section}/{self.slug}"


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one article under one heading, the unit that is retrieved.

    `id` is made of the article, locale, anchor and position, never of the text.
    """

    id: str
    article_id: str
    locale: str
    anchor: str
    headings: tuple[str, ...]
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        return join_sentences(self.sentences, self.locale)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader restricted the search to; empty means everything."""

    section: str | None = None
    platform: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a snippet; `hit` when it matches the question."""

    text: str
    hit: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a result stands where it stands: one line of the trace."""

    passage_id: str
    score: float
    keyword: float
    similarity: float
    terms: tuple[tuple[str, float], ...] = ()
    features: Mapping[str, float] = field(default_factory=dict)
    parts: Mapping[str, float] = field(default_factory=dict)
    """What adds up to the score: "words", "meaning" and what was "learned" from questions."""


@dataclass(frozen=True, slots=True)
class Result:
    """One article, represented by its best passage."""

    article: Article
    passage: Passage
    score: float
    snippet: tuple[Span, ...]
    translated: bool = False
    """True when the article is in another language than the reader's and has no translation."""
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The best sentence or two, word for word, with where they stand."""

    text: str
    article: Article
    anchor: str
    heading: str
    policy: PolicyClause | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of a sentence, folded, that was read as something else."""

    kind: Literal["spelling", "pinyin", "homophone"]
    start: int
    end: int
    found: str
    used: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What the searcher did with the question."""

    normalised: str
    sentences: tuple[str, ...]
    terms: tuple[str, ...]
    mode: str
    vector_weight: float
    features: dict[str, float] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    """What was read otherwise than it stands."""
    doubts: tuple[Change, ...] = ()
    """What may have been meant otherwise, but was not changed."""
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Phrases of the question and what was searched for besides them."""
    degraded: tuple[str, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """Everything the portal, the API and the command line show for one question."""

    query: str
    locale: str
    results: tuple[Result, ...]
    answer: Answer | None
    confidence: float
    resolved: bool
    trace: Trace
    generation: str
    forms: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What its readers made of it, by the name of the form; shared by all who get it from a cache,
    so that it is made once."""


class Embedder(Protocol):
    """Text to unit vectors. Queries and documents may need different prompts."""

    @property
    def model_id(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimension) float32 with rows of length 1."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """(n, dimension) float32 with rows of length 1."""
        ...


@dataclass(frozen=True, slots=True)
class TitledPassage:
    """A passage as it is encoded: under the title of its article, which may be empty."""

    title: str
    sentences: tuple[str, ...]
    """At least one."""
    locale: str

    @property
    def text(self) -> str:
        """The sentences as running text."""
        return join_sentences(self.sentences, self.locale)

    def composed(self) -> list[str]:
        """Every sentence with the title in front, then the whole passage with it."""
        opening = f"{self.title}. " if self.title else ""
        return [opening + text for text in (*self.sentences, self.text)]


@runtime_checkable
class PassageEmbedder(Embedder, Protocol):
    """An embedder that reads a passage once for all its vectors; see `encode_passages`."""

    def encode_passages(self, passages: Sequence[TitledPassage]) -> list[Vectors]:
        """(sentences + 1, dimension) unit vectors of each, in the order of `composed`."""
        ...


class KeywordEngine(Protocol):
    """Scores documents by the terms they share with a question; fields are those of `bm25`."""

    def size(self, field: str) -> int:
        """Number of documents in the field's table."""
        ...

    def scores(self, field: str, terms: Mapping[str, float]) -> Scores:
        """(size,) sum over terms of weight times BM25; 0 where nothing matches."""
        ...

    def explain(self, field: str, terms: Mapping[str, float], row: int) -> dict[str, float]:
        """What each term adds to one document's score; terms that add nothing are absent."""
        ...

    def document_frequency(self, field: str, term: str) -> int:
        """In how many documents the term stands."""
        ...

    def rows_with(self, field: str, terms: Collection[str]) -> Rows:
        """(m,) documents that have all of the terms, ascending; none without terms."""
        ...


class VectorEngine(Protocol):
    """Nearest sentences by inner product."""

    @property
    def count(self) -> int:
        """Number of vectors."""
        ...

    def search(self, queries: Vectors, *, limit: int) -> tuple[Rows, Scores]:
        """For (q, d) queries, (q, k) rows and similarities, best first, k = min(limit, count)."""
        ...

    def vectors(self, rows: Rows) -> Vectors:
        """(n, d) stored vectors of the given rows."""
        ...

    def similarities(self, rows: Rows, queries: Vectors) -> Scores:
        """(n, q) inner products of the given rows with (q, d) queries."""
        ...
