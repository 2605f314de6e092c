"""A simulation from its first day to the present."""

from __future__ import annotations

import random
import time as clocks
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import sqlalchemy as sa

from portal.gaps.claim import Claim
from portal.simulate.editors import LEAST_DAYS, MEETINGS, WRITTEN, Editors, plan
from portal.simulate.engine import Engine
from portal.simulate.log import clear, write
from portal.simulate.past import Past, asked_often, missed
from portal.simulate.pool import Topic, topics_of, unanswered_topics
from portal.simulate.visits import Crowd, Event, Season
from search.errors import KnowledgeBaseError
from search.searcher import Searcher

_AT_ONCE = 5000
_HOURS = (2, 1, 1, 1, 1, 2, 3, 5, 8, 11, 13, 12, 11, 10, 10, 10, 9, 9, 9, 10, 12, 12, 9, 5)
"""How busy each hour of a day is, UTC."""
_WEEKDAYS = (1.1, 1.05, 1.0, 1.0, 0.95, 0.8, 0.85)
_SPIKE = timedelta(days=6)
_OFTEN = 1  # place by how often it is asked of what nobody had written yet

Progress = Callable[[int, int], None]
"""Hears how many of how many events are written."""


class Refreshing(KnowledgeBaseError):
    """A portal refreshes the gaps of this log just now."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Played:
    """What a simulation left in the log."""

    events: int
    questions: int
    """Distinct texts that were asked of the searcher."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """Who asks what, who writes what, and when."""

    crowd: Crowd
    unanswered: list[Topic]
    editors: Editors | None
    starts: list[datetime]
    rng: random.Random


def simulate(
    engine: sa.Engine,
    searcher: Searcher,
    *,
    now: datetime,
    days: int,
    events: int,
    seed: int,
    progress: Progress = lambda _done, _of: None,
    cache: Path | None = None,
) -> Played:
    """Play about `events` events over the `days` before `now`; an earlier simulation is removed.

    From `LEAST_DAYS` on editors are played too, and the report is refreshed as they meet and in
    the end. `cache` keeps the vectors of questions. Raises `RealVisitors` and `Refreshing` before
    anything is changed, and `EventsUnavailable`.
    """
    began = clocks.monotonic()
    claim = Claim(engine)
    if not claim.take(now):
        raise Refreshing("a portal refreshes the gaps of this log; stop it, or wait and try again")

    def keep(done: int, of: int) -> None:
        progress(done, of)
        claim.keep(now + timedelta(seconds=clocks.monotonic() - began), "read", done, of)

    try:
        clear(engine)
        return _play(engine, searcher, now, days, events, seed, keep, cache)
    finally:
        claim.release()


def _play(
    engine: sa.Engine, searcher: Searcher, now: datetime, days: int, events: int, seed: int,
    progress: Progress, cache: Path | None,
) -> Played:  # fmt: skip
    asked = written = 0

    def count() -> None:
        nonlocal asked
        asked += 1

    waiting = list[Event]()

    def flush() -> None:
        nonlocal written, waiting
        write(engine, waiting)
        written += len(waiting)
        waiting = []
        progress(written, max(written, events))

    stage = _set(engine, searcher, Engine(searcher, count), now, days, seed, cache)
    busy = _busy(stage.starts, now)
    for place, start in enumerate(stage.starts):
        weeks, rest = divmod((stage.starts[-1] - start).days, 7)
        if stage.editors is not None and rest == 0 and 0 < weeks <= MEETINGS:
            flush()
            stage.editors.meet(weeks)
        wanted = round(events * busy[place] / sum(busy))
        for visit in _day(stage, place, wanted, now):
            waiting += visit
            if len(waiting) >= _AT_ONCE:
                flush()
    flush()
    if stage.editors is not None:
        stage.editors.refresh(now)
    progress(written, written)
    return Played(written, asked)


def _set(
    engine: sa.Engine, searcher: Searcher, asked: Engine, now: datetime, days: int, seed: int,
    cache: Path | None,
) -> _Stage:  # fmt: skip
    rng = random.Random(seed)  # noqa: S311 (a play, repeatable)
    catalogue = searcher.generation.catalogue
    articles = topics_of(catalogue, rng)
    unanswered = unanswered_topics(rng)
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    starts = [today - timedelta(days=number) for number in reversed(range(days))]
    past, editors = Past(), None
    if days >= LEAST_DAYS:
        topics = missed(articles, asked, catalogue, WRITTEN)
        articles = asked_often(articles, topics, _OFTEN)
        writings, past = plan(topics, today, now)
        editors = Editors(engine, searcher, writings, unanswered, past, today, cache=cache)
    crowd = Crowd(asked, articles, rng, sorted(catalogue.taxonomy.platforms), past)
    return _Stage(crowd, unanswered, editors, starts, rng)


def _busy(starts: list[datetime], now: datetime) -> list[float]:
    """How much of everything falls on each day; today is not over."""
    busy = [_WEEKDAYS[start.weekday()] * (1 + 0.4 * place / len(starts))
            for place, start in enumerate(starts)]  # fmt: skip
    busy[-1] *= sum(_HOURS[: now.astimezone(UTC).hour]) / sum(_HOURS)
    return busy


def _day(stage: _Stage, place: int, wanted: int, now: datetime) -> Iterator[list[Event]]:
    """The visits of a day."""
    start, rng = stage.starts[place], stage.rng
    soon = now - start < _SPIKE
    season = _season(stage.unanswered, place / len(stage.starts), soon=soon)
    while wanted > 0:
        hour = rng.choices(range(24), _HOURS)[0]
        at = start + timedelta(hours=hour, seconds=rng.uniform(0, 3600))
        midnight = start + timedelta(days=1)
        visit = [one for one in stage.crowd.visit(at, season) if one.at < min(now, midnight)]
        wanted -= len(visit)
        if visit:
            yield visit


def _season(unanswered: list[Topic], progress: float, *, soon: bool) -> Season:
    """One topic breaks out in the last week, another has been growing all along."""
    weights = [topic.weight for topic in unanswered]
    weights[-1] *= 14 if soon else 1
    weights[-2] *= 0.5 + 4 * progress
    return Season(unanswered, weights)
