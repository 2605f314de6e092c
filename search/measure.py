"""Runs labelled questions through a searcher and sums up what came back."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from search.evaluate import METRICS, LabelledQuery, auroc, caught_at, mean
from search.searcher import MODES, Searcher


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question under one mode: the ranking and what was claimed of it."""

    query: LabelledQuery
    ranking: tuple[str, ...]
    confidence: float
    resolved: bool
    answered_by: str | None
    milliseconds: float
    features: Mapping[str, float]

    def score(self, metric: str) -> float:
        """The value of a metric of `METRICS` for this question."""
        return METRICS[metric](self.ranking, self.query.relevant)


@dataclass(frozen=True, slots=True)
class Summary:
    """Means over the answerable questions of one mode; refusal figures where they apply."""

    mode: str
    questions: int
    metrics: dict[str, float]
    latency_ms: dict[str, float]
    auroc: float | None = None
    caught_at_5: float | None = None
    refused_answerable: float | None = None
    refused_unanswerable: float | None = None
    wrong_answers: int | None = None


def run(
    searcher: Searcher,
    queries: Sequence[LabelledQuery],
    *,
    mode: str = "hybrid",
    depth: int = 10,
    hide_relevant: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Ask every question once, in order, one at a time.

    With `hide_relevant` nothing that answers a question is there to be found: the outcomes show
    what a question looks like that no article answers.
    """
    outcomes = []
    for number, asked in enumerate(queries):
        query, hidden = asked, tuple(asked.relevant)
        if hide_relevant:
            query = dataclasses.replace(asked, relevant={}, answerable=False)
        started = time.perf_counter()
        found = searcher.search(
            query.text, locale=query.locale, limit=depth, mode=mode,
            hidden=hidden if hide_relevant else (),
        )  # fmt: skip
        milliseconds = (time.perf_counter() - started) * 1000
        outcomes.append(
            Outcome(
                query,
                tuple(result.article.id for result in found.results),
                found.confidence,
                found.resolved,
                found.answer.article.id if found.answer else None,
                milliseconds,
                found.trace.features,
            )
        )
        if progress:
            progress(number + 1, len(queries))
    return outcomes


def summarise(mode: str, outcomes: Sequence[Outcome]) -> Summary:
    """Means, percentiles and, with unanswerable questions, how well they were told apart."""
    if mode not in MODES:
        raise ValueError(mode)
    good = [outcome for outcome in outcomes if outcome.query.answerable]
    bad = [outcome for outcome in outcomes if not outcome.query.answerable]
    sure = [outcome.confidence for outcome in good]
    unsure = [outcome.confidence for outcome in bad]
    times = np.array([outcome.milliseconds for outcome in outcomes])
    return Summary(
        mode=mode,
        questions=len(outcomes),
        metrics={name: mean([outcome.score(name) for outcome in good]) for name in METRICS},
        latency_ms={f"p{p}": float(np.percentile(times, p)) for p in (50, 95, 99)},
        auroc=auroc(sure, unsure) if bad else None,
        caught_at_5=caught_at(sure, unsure) if bad else None,
        refused_answerable=mean([not outcome.resolved for outcome in good]) if bad else None,
        refused_unanswerable=mean([not outcome.resolved for outcome in bad]) if bad else None,
        wrong_answers=sum(
            outcome.answered_by is not None and outcome.answered_by not in outcome.query.relevant
            for outcome in outcomes
        )
        if bad
        else None,
    )


def breakdown(mode: str, outcomes: Sequence[Outcome]) -> dict[str, dict[str, Summary]]:
    """Summaries by language, part and kind: {tag: {value: summary}}, tags with one value left out.

    Golden sets have these tags; most BEIR sets have none.
    """
    found: dict[str, dict[str, Summary]] = {}
    for tag in ("locale", "part", "kind"):
        groups: dict[str, list[Outcome]] = {}
        for outcome in outcomes:
            value = outcome.query.locale if tag == "locale" else outcome.query.tags.get(tag)
            if isinstance(value, str) and value:
                groups.setdefault(value, []).append(outcome)
        if len(groups) > 1:
            found[tag] = {value: summarise(mode, group) for value, group in sorted(groups.items())}
    return found
