"""The questions behind the figures, the latest first, a page at a time.

Days are walked backwards, each by what `portal.figures.facts` says of it, so that the rows behind
a figure are as many as the figure says. Days that are kept and cannot have a row are skipped, and
whatever is left takes no longer than the caller allows: a page may end early and say how far back
it has looked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.figures.counts import REASONS
from portal.figures.facts import Fact, facts_of, span_of, within
from portal.figures.read import Selection, chosen_groups
from portal.figures.rollup import first_day, kept_days
from portal.figures.tables import FIGURES, QUESTIONS, TEXTS
from portal.tables import SEARCH_RESULTS, SEARCHES
from search.text import normalise

LOG = "log"
STATES: Mapping[str, Callable[[Fact], bool]] = {
    "question": lambda _fact: True,
    "answered": lambda fact: fact.resolved,
    "unresolved": lambda fact: bool(fact.reasons),
    "clicked": lambda fact: fact.tracked and fact.clicked,
    "exit": lambda fact: fact.exited,
    "refined": lambda fact: fact.refined,
}
"""What may be asked for of questions; `LOG` asks for every row of the log instead."""
_COLUMNS = {
    "answered": ("answered",), "unresolved": ("unresolved",), "clicked": ("clicked",),
    "exit": ("exits",), "refined": ("refined",), "question": ("questions", "elsewhere"),
}  # fmt: skip
_REASONS = {reason.value for reason in REASONS}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to list; empty texts ask for everything. `article` is an id among the results."""

    selection: Selection
    state: str = "question"
    reason: str = ""
    text: str = ""
    article: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Just after a row in the list: rows come on from what is older than it."""

    at: datetime
    id: str = ""

    @classmethod
    def read(cls, text: str) -> Place | None:
        """What `str` has written; None for anything else."""
        at, tilde, row = text.partition("~")
        try:
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC)
        except (ValueError, OverflowError):  # the first and last days there are have no UTC
            return None
        return cls(moment, row) if tilde and moment.tzinfo is not None else None

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC).isoformat()}~{self.id}"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, the latest first. `following` is where the next page begins, None at the end;
    `reached` the day at which time ran out."""

    rows: tuple[Fact, ...]
    following: Place | None = None
    reached: date | None = None


def explore(
    connection: sa.Connection,
    wanted: Wanted,
    now: datetime,
    *,
    after: Place | None = None,
    limit: int,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Page:
    """At most `limit` rows from `after` on, found in about `seconds` or in one day's."""
    began = clock()
    rows: list[Fact] = []
    for number, day in enumerate(_days(connection, wanted, now, after)):
        if number and clock() - began > seconds:
            return Page(tuple(rows), Place(span_of(day)[1]), day)
        read = _logged if wanted.state == LOG else _questions
        for fact in read(connection, wanted, day, now, after, limit + 1 - len(rows)):
            if len(rows) == limit:
                return Page(tuple(rows), Place(rows[-1].at, rows[-1].id))
            rows.append(fact)
    return Page(tuple(rows))


def _days(
    connection: sa.Connection, wanted: Wanted, now: datetime, after: Place | None
) -> Iterator[date]:
    """Days of the period that may have a row, the latest first."""
    oldest = first_day(connection)
    if oldest is None:
        return
    first = max(wanted.selection.first, oldest)
    last = min(wanted.selection.last, now.astimezone(UTC).date())
    if after is not None:
        # Without an id it is a midnight, and the day before it comes next.
        moment = after.at if after.id else after.at - timedelta(microseconds=1)
        last = min(last, moment.astimezone(UTC).date())
    empty = set()
    if wanted.state != LOG:
        empty = kept_days(connection, first, last) - _possible(connection, wanted, first, last)
    for number in range((last - first).days + 1):
        day = last - timedelta(days=number)
        if day not in empty:
            yield day


def _possible(connection: sa.Connection, wanted: Wanted, first: date, last: date) -> set[date]:
    """Kept days whose figures say that there is something."""
    between = (first.isoformat(), last.isoformat())
    names = (wanted.reason,) if wanted.reason in _REASONS else _COLUMNS[wanted.state]
    some = sa.or_(*(FIGURES.c[name] > 0 for name in names))
    query = (
        sa.select(FIGURES.c.day)
        .distinct()
        .where(FIGURES.c.day.between(*between), some, *chosen_groups(FIGURES, wanted.selection))
    )
    days = set(connection.scalars(query))
    if text := normalise(wanted.text):
        like = TEXTS.c.normalised.contains(text, autoescape=True)
        asked = (
            sa.select(QUESTIONS.c.day)
            .distinct()
            .where(
                QUESTIONS.c.day.between(*between),
                QUESTIONS.c.text_id.in_(sa.select(TEXTS.c.id).where(like)),
            )
        )
        days &= set(connection.scalars(asked))
    return {date.fromisoformat(day) for day in days}


def _questions(
    connection: sa.Connection, wanted: Wanted, day: date, now: datetime,
    after: Place | None, limit: int,
) -> Iterator[Fact]:  # fmt: skip
    text, holds = normalise(wanted.text), STATES[wanted.state]
    found = [
        fact
        for fact in facts_of(connection, day, now)
        if holds(fact)
        and wanted.selection.has(fact.group)
        and (not wanted.reason or wanted.reason in [one.value for one in fact.reasons])
        and (not text or text in fact.normalised)
        and (after is None or (fact.at, fact.id) < (after.at, after.id))
    ]
    if wanted.article and found:
        shown = set(connection.scalars(_showing(wanted.article, day)))
        found = [fact for fact in found if fact.id in shown]
    yield from sorted(found, key=lambda fact: (fact.at, fact.id), reverse=True)[:limit]


def _logged(
    connection: sa.Connection, wanted: Wanted, day: date, _now: datetime,
    after: Place | None, limit: int,
) -> Iterator[Fact]:  # fmt: skip
    """Every row of the log, keystrokes and programs among them."""
    s = SEARCHES.c
    conditions = [*within(s.at, span_of(day))]
    selection = wanted.selection
    if selection.locale is not None:
        conditions.append(s.locale == selection.locale)
    if selection.channel is not None:
        conditions.append(s.channel == selection.channel)
    if selection.platform is not None:
        conditions.append(sa.func.coalesce(s.platform, "") == selection.platform)
    if text := normalise(wanted.text):
        conditions.append(s.normalised.contains(text, autoescape=True))
    if wanted.article:
        conditions.append(s.id.in_(_showing(wanted.article, day)))
    if after is not None:
        conditions.append(sa.or_(s.at < after.at, sa.and_(s.at == after.at, s.id < after.id)))
    query = sa.select(SEARCHES).where(*conditions).order_by(s.at.desc(), s.id.desc()).limit(limit)
    for row in connection.execute(query):
        yield Fact(
            "search", row.id, row.at, row.visitor, row.locale, row.platform or "", row.channel,
            row.query, row.normalised, row.resolved, row.answer_article is not None, bot=row.bot,
        )  # fmt: skip


def _showing(article: str, day: date) -> sa.Select[Any]:
    """Searches of a day that had an article among their results."""
    return (
        sa.select(SEARCH_RESULTS.c.search_id)
        .join(SEARCHES, SEARCHES.c.id == SEARCH_RESULTS.c.search_id)
        .where(*within(SEARCHES.c.at, span_of(day)), SEARCH_RESULTS.c.article_id == article)
    )
