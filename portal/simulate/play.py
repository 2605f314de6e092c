"""A simulation from its first day to the present."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import sqlalchemy as sa

from portal.simulate.engine import Engine
from portal.simulate.log import clear, write
from portal.simulate.pool import Topic, topics_of, unanswered_topics
from portal.simulate.visits import Crowd, Event, Season
from search.searcher import Searcher

_AT_ONCE = 5000
_HOURS = (2, 1, 1, 1, 1, 2, 3, 5, 8, 11, 13, 12, 11, 10, 10, 10, 9, 9, 9, 10, 12, 12, 9, 5)
"""How busy each hour of a day is, UTC."""
_WEEKDAYS = (1.1, 1.05, 1.0, 1.0, 0.95, 0.8, 0.85)
_SPIKE = timedelta(days=6)

Progress = Callable[[int, int], None]
"""Hears how many of how many events are written."""


@dataclass(frozen=True, slots=True)
class Played:
    """What a simulation left in the log."""

    events: int
    questions: int
    """Distinct texts that were asked of the searcher."""


def simulate(
    engine: sa.Engine,
    searcher: Searcher,
    *,
    now: datetime,
    days: int,
    events: int,
    seed: int,
    progress: Progress = lambda _done, _of: None,
) -> Played:
    """Play about `events` events over the `days` before `now`; an earlier simulation is removed.

    Raises `RealVisitors` before anything is changed, and `EventsUnavailable`.
    """
    clear(engine)
    asked = 0

    def count() -> None:
        nonlocal asked
        asked += 1

    written, waiting = 0, list[Event]()
    for visit in _visits(Engine(searcher, count), searcher, now, days, events, seed):
        waiting += visit
        if len(waiting) >= _AT_ONCE:
            write(engine, waiting)
            written += len(waiting)
            waiting = []
            progress(written, events)
    write(engine, waiting)
    written += len(waiting)
    progress(written, written)
    return Played(written, asked)


def _visits(
    engine: Engine, searcher: Searcher, now: datetime, days: int, events: int, seed: int
) -> Iterator[list[Event]]:
    rng = random.Random(seed)  # noqa: S311 (a play, repeatable)
    catalogue = searcher.generation.catalogue
    articles = topics_of(catalogue, rng)
    unanswered = unanswered_topics(rng)
    crowd = Crowd(engine, articles, rng, sorted(catalogue.taxonomy.platforms))
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    starts = [today - timedelta(days=number) for number in reversed(range(days))]
    busy = [_WEEKDAYS[start.weekday()] * (1 + 0.4 * place / days)
            for place, start in enumerate(starts)]  # fmt: skip
    passed = sum(_HOURS[: now.astimezone(UTC).hour]) / sum(_HOURS)
    busy[-1] *= passed
    for place, start in enumerate(starts):
        wanted = round(events * busy[place] / sum(busy))
        season = _season(unanswered, place / days, soon=now - start < _SPIKE)
        while wanted > 0:
            hour = rng.choices(range(24), _HOURS)[0]
            at = start + timedelta(hours=hour, seconds=rng.uniform(0, 3600))
            midnight = start + timedelta(days=1)
            visit = [one for one in crowd.visit(at, season) if one.at < min(now, midnight)]
            wanted -= len(visit)
            if visit:
                yield visit


def _season(unanswered: list[Topic], progress: float, *, soon: bool) -> Season:
    """One topic breaks out in the last week, another has been growing all along."""
    weights = [topic.weight for topic in unanswered]
    weights[-1] *= 14 if soon else 1
    weights[-2] *= 0.5 + 4 * progress
    return Season(unanswered, weights)
