"""The figures of a period: kept days added up, and the days that are not kept counted anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from heapq import nsmallest
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from portal.figures.counts import (
    ARTICLE_NAMES,
    NAMES,
    ArticleCounts,
    Counts,
    Day,
    Group,
    total,
)
from portal.figures.day import count_day
from portal.figures.rollup import first_day, kept_days, rows_of, text_id
from portal.figures.tables import ARTICLES, DAYS, FIGURES, QUESTIONS, TEXTS
from search.cache import Cache
from search.errors import KnowledgeBaseError

TOP = 20
"""Questions in each list."""
RISING_LEAST = 4
"""Visitors who must have asked a question before it can be called rising."""
RISING_TIMES = 2
"""How many times the visitors of the period before."""
_MOST_REMEMBERED = 4  # selections of each database
_Sums = Mapping[int, tuple[int, int, int]]
_REMEMBERED: WeakKeyDictionary[sa.Pool, Cache[Hashable, _Sums]] = WeakKeyDictionary()
_NEVER_KEPT = 2  # days: today, and yesterday until it is final
_MOST_COUNTED = 4  # days of each database
_COUNTED: WeakKeyDictionary[sa.Pool, Cache[Hashable, Day]] = WeakKeyDictionary()


class DaysNotKept(KnowledgeBaseError):
    """Counting what is not kept of a period takes longer than somebody can be let wait."""

    status = 503


@dataclass(frozen=True, slots=True)
class Selection:
    """Days from `first` to `last`, both counted, of one locale, platform, channel, or of all."""

    first: date
    last: date
    locale: str | None = None
    platform: str | None = None
    channel: str | None = None

    @property
    def before(self) -> Selection:
        """The same of as many days just before."""
        length = self.last - self.first + timedelta(days=1)
        return replace(self, first=self.first - length, last=self.first - timedelta(days=1))

    def has(self, group: Group) -> bool:
        """Whether a group is in it."""
        wanted = (self.locale, self.platform, self.channel)
        return all(one is None or one == own for one, own in zip(wanted, group, strict=True))


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """How many visitors asked a question in a period, in how many it is unresolved, and before."""

    text: str
    questions: int
    unresolved: int
    before: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything the overview shows. `days` has every day of the period, also the empty ones.

    `by` has the counts of each locale, platform and channel; `raw` are the days that were counted
    from the log just now; `log_begins` is the oldest day of the log, None while it is empty.
    """

    selection: Selection
    now: datetime
    total: Counts
    before: Counts
    days: tuple[tuple[date, Counts], ...]
    by: dict[str, dict[str, Counts]]
    top: tuple[AskedQuestion, ...]
    rising: tuple[AskedQuestion, ...]
    raw: tuple[date, ...]
    log_begins: date | None = None

    @property
    def before_days(self) -> int:
        """How many days of the period before the log has; fewer make a comparison uneven."""
        before = self.selection.before
        if self.log_begins is None:
            return 0
        return max(0, (before.last - max(before.first, self.log_begins)).days + 1)

    @property
    def is_even(self) -> bool:
        """Whether both periods are in the log from their first day."""
        before = self.selection.before
        return self.before_days == (before.last - before.first).days + 1


def figures(
    connection: sa.Connection, selection: Selection, now: datetime, *, most: int | None = None
) -> Figures:
    """The figures of a period and of the one before it. Raises `DaysNotKept`."""
    before = selection.before
    raw = count_missing(connection, before.first, selection.last, now, most=most)
    days: dict[date, Counts] = defaultdict(Counts)
    by: dict[str, dict[str, Counts]] = {name: defaultdict(Counts) for name in Group._fields}
    earlier = Counts()
    for day, group, counts in _groups(connection, selection, raw):
        if day < selection.first:
            earlier.add(counts)
            continue
        days[day].add(counts)
        for name, value in zip(Group._fields, group, strict=True):
            by[name][value].add(counts)
    every = [selection.first + timedelta(days=number)
             for number in range((selection.last - selection.first).days + 1)]  # fmt: skip
    top, rising = _questions(connection, selection, raw)
    return Figures(
        selection, now, total(days.values()), earlier,
        tuple((day, days[day]) for day in every),
        {name: dict(sorted(own.items())) for name, own in by.items()},
        top, rising, tuple(day.day for day in raw), first_day(connection),
    )  # fmt: skip


def count_missing(
    connection: sa.Connection, first: date, last: date, now: datetime, *, most: int | None = None
) -> list[Day]:
    """The days of a period that have begun, are in the log and are not kept, from the log.

    Raises `DaysNotKept` when they have more than `most` rows and are more than two, which are
    those that cannot be final yet.
    """
    oldest = first_day(connection)
    if oldest is None:
        return []
    first, last = max(first, oldest), min(last, now.astimezone(UTC).date())
    kept = kept_days(connection, first, last)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    missing = [day for day in days if day not in kept]
    if most is not None and len(missing) > _NEVER_KEPT:
        rows = sum(rows_of(connection, day) for day in missing)
        if rows > most:
            raise DaysNotKept(
                f"{len(missing)} days with {rows} events are not added up yet; "
                "the next refresh of gaps does it"
            )
    return [_count(connection, day, now) for day in missing]


def _count(connection: sa.Connection, day: date, now: datetime) -> Day:
    """A day from the log, once a minute unless something came or went.

    What was asked on a day may be clicked on and voted on the day after.
    """
    minute = now.replace(second=0, microsecond=0)
    rows = (rows_of(connection, day), rows_of(connection, day + timedelta(days=1)))
    key = (day, minute, rows)
    counted = _COUNTED.setdefault(connection.engine.pool, Cache(_MOST_COUNTED))
    known = counted.get(key)
    if known is None:
        known = count_day(connection, day, now)
        counted.put(key, known)
    return known


def articles(
    connection: sa.Connection, first: date, last: date, now: datetime, *, most: int | None = None
) -> dict[tuple[str, str], ArticleCounts]:
    """What happened to each article in each language, by id and locale. Raises `DaysNotKept`."""
    raw = count_missing(connection, first, last, now, most=most)
    found: dict[tuple[str, str], ArticleCounts] = defaultdict(ArticleCounts)
    a, kept = ARTICLES.c, _kept(ARTICLES, first, last, raw)
    sums = [sa.func.sum(a[name]) for name in ARTICLE_NAMES]
    query = sa.select(a.article_id, a.locale, *sums).where(*kept)
    for article, locale, *numbers in connection.execute(query.group_by(a.article_id, a.locale)):
        found[article, locale].add(ArticleCounts(*numbers))
    why = sa.select(a.article_id, a.locale, a.reasons).where(*kept, a.unhelpful > 0)
    for article, locale, reasons in connection.execute(why):
        found[article, locale].reasons.update(reasons)
    for day in raw:
        for key, own in day.articles.items():
            found[key].add(own)
    return dict(found)


def _groups(
    connection: sa.Connection, selection: Selection, raw: list[Day]
) -> Iterable[tuple[date, Group, Counts]]:
    kept = _kept(FIGURES, selection.before.first, selection.last, raw)
    columns = [FIGURES.c[name] for name in ("day", *Group._fields, *NAMES)]
    query = sa.select(*columns).where(*kept, *chosen_groups(FIGURES, selection))
    for day, locale, platform, channel, *numbers in connection.execute(query):
        yield date.fromisoformat(day), Group(locale, platform, channel), Counts(*numbers)
    for own in raw:
        for group, counts in own.groups.items():
            if selection.has(group):
                yield own.day, group, counts


def _questions(
    connection: sa.Connection, selection: Selection, raw: list[Day]
) -> tuple[tuple[AskedQuestion, ...], tuple[AskedQuestion, ...]]:
    """What most visitors asked, and what many more ask than before."""
    found = dict(_sums(connection, selection, raw))
    texts: dict[int, str] = {}
    for own in raw:
        for (normalised, group), one in own.questions.items():
            if not selection.has(group):
                continue
            key = text_id(normalised)
            texts[key] = own.texts[normalised]
            asked, unresolved, before = found.get(key, (0, 0, 0))
            if own.day < selection.first:
                found[key] = (asked, unresolved, before + one.questions)
            else:
                found[key] = (asked + one.questions, unresolved + one.unresolved, before)
    asked_now = (item for item in found.items() if item[1][0])
    top = nsmallest(TOP, asked_now, key=lambda item: (-item[1][0], item[0]))
    more = (
        item
        for item in found.items()
        if item[1][0] >= RISING_LEAST and item[1][0] >= RISING_TIMES * item[1][2]
    )
    rising = nsmallest(TOP, more, key=lambda item: (item[1][2] - item[1][0], item[0]))
    wanted = {key for key, _ in (*top, *rising)} - {*texts}
    stored = sa.select(TEXTS.c.id, TEXTS.c.text).where(TEXTS.c.id.in_(wanted))
    texts |= dict(connection.execute(stored).all())
    return tuple(_asked(top, texts)), tuple(_asked(rising, texts))


def _sums(connection: sa.Connection, selection: Selection, raw: list[Day]) -> _Sums:
    """Visitors of each question on kept days: now, unresolved and before, by the text's number.

    Remembered as long as the days are kept as they are, since there may be very many of them.
    """
    before, last = selection.before.first, selection.last
    days = sa.select(
        sa.func.count(), sa.func.sum(DAYS.c.rows), sa.func.max(DAYS.c.counted_at)
    ).where(*_kept(DAYS, before, last, raw))
    key = (selection, *connection.execute(days).one(), *(day.day for day in raw))
    remembered = _REMEMBERED.setdefault(connection.engine.pool, Cache(_MOST_REMEMBERED))
    if (known := remembered.get(key)) is not None:
        return known
    q = QUESTIONS.c
    here = q.day >= selection.first.isoformat()
    query = (
        sa.select(
            q.text_id,
            sa.func.sum(sa.case((here, q.questions), else_=0)),
            sa.func.sum(sa.case((here, q.unresolved), else_=0)),
            sa.func.sum(sa.case((here, 0), else_=q.questions)),
        )
        .where(*_kept(QUESTIONS, before, last, raw))
        .where(*chosen_groups(QUESTIONS, selection))
        .group_by(q.text_id)
    )
    sums = {
        text: (asked, unresolved, earlier)
        for text, asked, unresolved, earlier in connection.execute(query)
    }
    remembered.put(key, sums)
    return sums


def _asked(
    items: Iterable[tuple[int, tuple[int, int, int]]], texts: dict[int, str]
) -> Iterable[AskedQuestion]:
    return (AskedQuestion(texts[key], *counts) for key, counts in items)


def _kept(
    table: sa.Table, first: date, last: date, raw: list[Day]
) -> tuple[sa.ColumnElement[bool], ...]:
    """Rows of a period; none of a day that was counted anew, whose rows may be old."""
    day = table.c.day
    return (
        day.between(first.isoformat(), last.isoformat()),
        day.not_in([own.day.isoformat() for own in raw]),
    )


def chosen_groups(table: sa.Table, selection: Selection) -> list[sa.ColumnElement[bool]]:
    """Rows of the groups a selection has."""
    wanted: dict[str, Any] = {name: getattr(selection, name) for name in Group._fields}
    return [table.c[name] == value for name, value in wanted.items() if value is not None]
