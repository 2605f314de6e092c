"""Asks the questions of a gap, and all others, of the published index and the candidate."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from portal.drafts.paths import ArticlePath
from portal.proof.candidate import candidate
from portal.proof.types import Asked, NothingToProve, Outcome, Part, Proof, Seen
from search.cache import Cache, RememberingEmbedder
from search.errors import QueryRejected
from search.evaluate import read_golden
from search.library import open_searcher
from search.searcher import Searcher
from search.text import normalise
from search.types import Article, Embedder

if TYPE_CHECKING:
    from indexer.content import Progress

MOST_LISTED = 600
"""Questions of other articles that are asked where there are no golden ones."""
_DEPTH = 10
_REMEMBERED = 2000  # texts
_UNSEEN = "test"


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the gap; `held_out` when it was kept from whoever drafts.

    One that stands in the article's title or questions counts as used, held out or not, and no
    other does.
    """

    text: str
    locale: str
    held_out: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything lies: the articles, the data folder, and golden questions if there are."""

    articles: Path
    data: Path
    golden: Path | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an index said: `top` is (locale, id, title) of the answer, or of what stood first."""

    resolved: bool
    confidence: float
    top: tuple[str, str, str] | None
    ids: tuple[str, ...]


_PUBLISHED: Cache[tuple[str, str, str], _Answer] = Cache(_REMEMBERED)
"""By generation, text and locale."""


def prove(
    questions: Sequence[Question],
    path: ArticlePath,
    place: Place,
    embedder: Embedder,
    *,
    today: date,
    progress: Progress,
) -> Proof:
    """What publishing the article at `path` would change.

    Raises `ArticlesInvalid` when it cannot be published, `IndexMissing` before the first publish,
    `DatasetInvalid` for golden questions that cannot be read, `NothingToProve` without questions.
    """
    started = time.perf_counter()
    if not questions:
        raise NothingToProve("The gap has no question to ask.")
    # Both indexes ask for the vectors of the same sentences; they are made once.
    embedder = RememberingEmbedder(embedder, Cache(_REMEMBERED))
    before = open_searcher(place.data, embedder)
    with candidate(
        place.articles, path, place.data, embedder,
        present=before.generation, today=today, progress=progress,
    ) as made:  # fmt: skip
        written = _written(made.generation.catalogue.get(path.locale, made.article))
        asked = [
            Asked(_part(one, written), one.text, one.locale, (made.article,))
            for one in questions
        ]  # fmt: skip
        if place.golden is not None:
            source, compared = "golden", _golden(place.golden)
        else:
            source, compared = "listed", _listed(before, made.article)
        outcomes = []
        everything = [*asked, *compared]
        for done, one in enumerate(everything):
            if done % 10 == 0:
                progress("asking questions", done, len(everything))
            if outcome := _outcome(one, made.article, before, made.searcher):
                outcomes.append(outcome)
        progress("asking questions", len(everything), len(everything))
    return Proof(
        tuple(outcomes), made.others, source, time.perf_counter() - started, before.generation.name
    )


def _written(article: Article | None) -> set[str]:
    """What the article says of itself word for word: of that it cannot be asked as held out."""
    return {_words(text) for text in (article.title, *article.questions)} if article else set()


def _part(question: Question, written: set[str]) -> Part:
    if _words(question.text) in written:
        return Part.USED
    return Part.HELD_OUT if question.held_out else Part.UNUSED


def _words(text: str) -> str:
    """A question as it is compared, without the marks it ends in."""
    return normalise(text).rstrip(" .?!…。？！")


def _golden(folder: Path) -> list[Asked]:
    """All but the part `test`, which whoever writes articles must not see."""
    return [
        Asked(Part.GOLDEN, one.text, one.locale or "en",
              tuple(sorted(one.relevant, key=lambda name: -one.relevant[name])))
        for one in read_golden(folder)
        if one.tags.get("part") != _UNSEEN
    ]  # fmt: skip


def _listed(searcher: Searcher, but: str) -> list[Asked]:
    """Questions that other articles list, a sample that is the same each time."""
    catalogue = searcher.generation.catalogue
    articles = [catalogue.at(row) for row in range(len(catalogue))]
    found = [
        Asked(Part.GOLDEN, question, article.locale, (article.id,))
        for article in articles
        if article.id != but
        for question in article.questions
    ]
    found.sort(key=lambda one: hashlib.blake2b(f"{one.wanted}{one.text}".encode()).digest())
    return found[:MOST_LISTED]


def _outcome(asked: Asked, article: str, before: Searcher, after: Searcher) -> Outcome | None:
    """What comes of a question, and where an article stands in it; None for a question that no
    index takes, such as one that is too long."""
    try:
        found = (_answer_of_published(before, asked), _answer(after, asked))
    except QueryRejected:
        return None
    seen = (_judge(one, asked.wanted, article) for one in found)
    return Outcome(asked.part, asked.text, asked.locale, asked.wanted, *seen)


def _answer_of_published(searcher: Searcher, asked: Asked) -> _Answer:
    """What is served is asked the same golden questions by every proof until the next publish."""
    key = (searcher.generation.name, asked.text, asked.locale)
    known = _PUBLISHED.get(key)
    if known is None:
        known = _answer(searcher, asked)
        _PUBLISHED.put(key, known)
    return known


def _answer(searcher: Searcher, asked: Asked) -> _Answer:
    found = searcher.search(asked.text, locale=asked.locale, limit=_DEPTH)
    top = found.answer.article if found.answer else None
    if top is None and found.results:
        top = found.results[0].article
    ids = tuple(result.article.id for result in found.results)
    of = (top.locale, top.id, top.title) if top else None
    return _Answer(found.resolved, found.confidence, of, ids)


def _judge(found: _Answer, wanted: Sequence[str], drafted: str) -> Seen:
    locale, article, title = found.top or ("", "", "")
    return Seen(
        resolved=found.resolved,
        right=found.resolved and found.top is not None and article in wanted,
        article=f"{locale}:{article}" if found.top else None,
        title=title,
        rank=_first(found.ids, wanted),
        confidence=round(found.confidence, 4),
        drafted=_first(found.ids, (drafted,)),
    )


def _first(ids: Sequence[str], wanted: Iterable[str]) -> int | None:
    places = [ids.index(one) + 1 for one in wanted if one in ids]
    return min(places, default=None)
