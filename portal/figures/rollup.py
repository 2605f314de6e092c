"""Keeps what every day that is over adds up to, so that pages need not read the log.

A day is final an hour after its end, and kept while nothing of it changes: writers of late events
say so (`portal.figures.late`), and `roll_up` finds out by the number of its rows whatever came
into or left the log by another way. Days that are not kept are counted from the log, so figures
are the same with and without this; only the time differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.figures.counts import ARTICLE_NAMES, NAMES, Day
from portal.figures.day import count_day
from portal.figures.definitions import FINAL_AFTER, VERSION
from portal.figures.facts import span_of
from portal.figures.tables import ARTICLES, DAYS, FIGURES, PARTS, QUESTIONS, TEXTS
from portal.tables import EVENTS, FORM_EVENTS, SUGGESTIONS, UtcTime
from portal.transactions import transaction

_COUNTED = (*EVENTS, FORM_EVENTS, SUGGESTIONS)
_AT_ONCE = 500  # rows

Progress = Callable[[int, int], None]
"""Hears how many of how many days are done."""


def last_final(now: datetime) -> date:
    """The youngest day that can be final."""
    return (now.astimezone(UTC) - FINAL_AFTER).date() - timedelta(days=1)


def roll_up(engine: sa.Engine, now: datetime, progress: Progress | None = None) -> int:
    """Count every day that is over and not kept, or no longer true; gives how many.

    One short transaction a day, so that visitors' events get in between, and several processes
    may do it at once. Raises `EventsUnavailable`.
    """
    last = last_final(now)
    with transaction(engine, "see which days to count") as connection:
        rows = {day: count for day, count in _rows_by_day(connection).items() if day <= last}
        kept = dict(connection.execute(
            sa.select(DAYS.c.day, DAYS.c.rows).where(DAYS.c.version == VERSION)
        ).all())  # fmt: skip
    known = {date.fromisoformat(day): count for day, count in kept.items()}
    changed = {day for day in {*rows, *known} if rows.get(day) != known.get(day)}
    # A click or vote may be of a search of the day before.
    stale = changed | {day - timedelta(days=1) for day in changed} & {*rows}
    for done, day in enumerate(sorted(stale), start=1):
        _keep(engine, day, now)
        if progress is not None:
            progress(done, len(stale))
    return len(stale)


def kept_days(connection: sa.Connection, first: date, last: date) -> set[date]:
    """Which days of a period are kept as they are now defined."""
    days = connection.scalars(
        sa.select(DAYS.c.day).where(
            DAYS.c.day.between(first.isoformat(), last.isoformat()), DAYS.c.version == VERSION
        )
    )
    return {date.fromisoformat(day) for day in days}


def text_id(normalised: str) -> int:
    """The number a question is kept under: 64 bits of its hash, signed as databases have them."""
    digest = hashlib.blake2b(normalised.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _keep(engine: sa.Engine, day: date, now: datetime) -> None:
    """Count a day and store it, unless something came while it was counted: next time then."""
    with transaction(engine, "count a day") as connection:
        rows = rows_of(connection, day)
        counted = count_day(connection, day, now)
    with transaction(engine, "keep what a day adds up to", writes=True) as connection:
        if rows_of(connection, day) == rows:
            _store(connection, counted, rows)


def _store(connection: sa.Connection, counted: Day, rows: int) -> None:
    day = counted.day.isoformat()
    for table in (DAYS, *PARTS):
        connection.execute(sa.delete(table).where(table.c.day == day))
    if not rows:
        return
    _insert(connection, FIGURES, (
        {"day": day, **group._asdict(), **{name: getattr(counts, name) for name in NAMES}}
        for group, counts in counted.groups.items()
    ))  # fmt: skip
    _insert(connection, ARTICLES, (
        {"day": day, "article_id": article, "locale": locale, "reasons": dict(counts.reasons),
         **{name: getattr(counts, name) for name in ARTICLE_NAMES}}
        for (article, locale), counts in counted.articles.items()
    ))  # fmt: skip
    ids = {text_id(normalised): normalised for normalised in counted.texts}
    known = set(_known(connection, ids))
    _insert(connection, TEXTS, (
        {"id": key, "normalised": normalised, "text": counted.texts[normalised]}
        for key, normalised in ids.items() if key not in known
    ))  # fmt: skip
    _insert(connection, QUESTIONS, (
        {"day": day, "text_id": text_id(normalised), **group._asdict(),
         "questions": asked.questions, "unresolved": asked.unresolved}
        for (normalised, group), asked in counted.questions.items()
    ))  # fmt: skip
    # Not `now`, which a caller may repeat: a day that is counted again is another one.
    kept = {"day": day, "version": VERSION, "rows": rows, "counted_at": datetime.now(UTC)}
    connection.execute(sa.insert(DAYS), kept)


def _known(connection: sa.Connection, ids: Mapping[int, str]) -> Iterable[int]:
    wanted = list(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        yield from connection.scalars(sa.select(TEXTS.c.id).where(TEXTS.c.id.in_(some)))


def _insert(connection: sa.Connection, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    if given := list(rows):
        connection.execute(sa.insert(table), given)


def _rows_by_day(connection: sa.Connection) -> dict[date, int]:
    """How many rows the log has of every day it knows.

    Asked one day after another, which reads an index in its order and sorts nothing.
    """
    found: dict[date, int] = {}
    first, last = first_day(connection), _last_day(connection)
    if first is None or last is None:
        return found
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if rows := rows_of(connection, day):
            found[day] = rows
    return found


def first_day(connection: sa.Connection) -> date | None:
    """The oldest day of the log; None while it is empty."""
    return min(_edges(connection, sa.func.min), default=None)


def _last_day(connection: sa.Connection) -> date | None:
    return max(_edges(connection, sa.func.max), default=None)


def _edges(connection: sa.Connection, which: Any) -> list[date]:
    """The first or the last day of every table of events that has any."""
    moments = (
        connection.scalar(sa.select(which(table.c.at, type_=UtcTime()))) for table in _COUNTED
    )
    return [moment.date() for moment in moments if moment is not None]


def rows_of(connection: sa.Connection, day: date) -> int:
    """How many rows the log has of a day."""
    start, end = span_of(day)
    counts = [
        sa.select(sa.func.count()).where(table.c.at >= start, table.c.at < end).scalar_subquery()
        for table in _COUNTED
    ]
    return sum(connection.execute(sa.select(*counts)).one())
