"""The questions that went worst, and why: what was wanted, what came, and the evidence of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.measure import Outcome
from search.searcher import Searcher
from search.types import Article, Explanation, Response, Result, Trace

_DEPTH = 1000  # as far down as the wanted articles are looked for
_SHOWN = 3
_RANKED_BY = "nDCG@10"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An article that answers, and where it came.

    `place` is None when it was not among the candidates, `title` when it is not in the index.
    """

    article: str
    grade: int
    title: str | None
    place: int | None
    explanation: Explanation | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that went wrong; `wanted` is empty when nothing answers it."""

    outcome: Outcome
    wanted: tuple[Wanted, ...]
    first: tuple[Result, ...]
    """What came instead, explained, the best three."""
    candidates: int
    trace: Trace


def worst(outcomes: Sequence[Outcome], count: int) -> list[Outcome]:
    """At most `count` outcomes, worst first: by nDCG@10, then by the confidence in a first result
    that is wrong.

    A question that nothing answers is among them, with 0, when it was answered all the same; what
    went perfectly is not.
    """
    scored = [(_worth(outcome), outcome) for outcome in outcomes]
    failed = [(worth, outcome) for worth, outcome in scored if worth < 1]
    failed.sort(key=lambda pair: (pair[0], -_false_confidence(pair[1]), pair[1].query.id))
    return [outcome for _, outcome in failed[:count]]


def _worth(outcome: Outcome) -> float:
    if outcome.query.answerable:
        return outcome.score(_RANKED_BY)
    return 0.0 if outcome.resolved else 1.0


def _false_confidence(outcome: Outcome) -> float:
    right = bool(outcome.ranking) and outcome.query.relevant.get(outcome.ranking[0], 0) > 0
    return 0.0 if right else outcome.confidence


def examine(searcher: Searcher, outcome: Outcome, *, mode: str) -> Failure:
    """Ask again, with the explanations and far enough down to find what was wanted."""
    found = searcher.search(
        outcome.query.text, locale=outcome.query.locale, limit=_DEPTH, mode=mode, explain=True
    )
    places = {result.article.id: place for place, result in enumerate(found.results)}
    grades = sorted(outcome.query.relevant.items(), key=lambda item: -item[1])
    return Failure(
        outcome,
        tuple(
            _wanted(searcher, found, article, grade, places.get(article))
            for article, grade in grades
            if grade > 0
        ),
        found.results[:_SHOWN],
        len(found.results),
        found.trace,
    )


def _wanted(
    searcher: Searcher, found: Response, name: str, grade: int, place: int | None
) -> Wanted:
    if place is None:
        article = _known(searcher, name)
        return Wanted(name, grade, article.title if article else None, None, None)
    result = found.results[place]
    return Wanted(name, grade, result.article.title, place + 1, result.explanation)


def _known(searcher: Searcher, name: str) -> Article | None:
    return next(iter(searcher.generation.catalogue.translations(name).values()), None)
