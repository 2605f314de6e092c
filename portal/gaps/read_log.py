"""Brings the table of unresolved questions up to date with the log, a day at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from portal.gaps import changes
from portal.gaps.definitions import FOLLOWED_FOR, PERIOD
from portal.gaps.encoding import bits_of, key_of
from portal.gaps.rank import reach
from portal.gaps.reasons import unresolved_questions
from portal.gaps.tables import GAP_HISTORY, GAP_QUESTIONS, GAPS, UNRESOLVED
from portal.gaps.types import State, UnresolvedQuestion
from portal.tables import EVENTS, FORM_SESSIONS
from portal.transactions import purge, transaction

_DAY = timedelta(days=1)


def read_log(
    engine: sa.Engine,
    *,
    since: datetime,
    now: datetime,
    last: datetime | None,
    progress: Callable[[int, int], None],
) -> None:
    """Write what is unresolved from the day of `since` to `now`, and forget what is older.

    Days that were over, and could not change any more, when the log was `last` read stay as they
    are: what happens to a question within `FOLLOWED_FOR` after its day is known by then. A day is
    replaced in one short transaction. Raises `EventsUnavailable`.
    """
    first = _midnight(since)
    begin = first if last is None else max(first, _midnight(last) - FOLLOWED_FOR - _DAY)
    with transaction(engine, "find the first event") as connection:
        oldest = _oldest(connection)
    begin = max(begin, _midnight(oldest)) if oldest else now
    days = list(_days(begin, now))
    with transaction(engine, "forget old questions", writes=True) as connection:
        connection.execute(sa.delete(UNRESOLVED).where(UNRESOLVED.c.at < first))
    for done, day in enumerate(days):
        progress(done, len(days))
        with transaction(engine, "read a day of the log") as connection:
            found = unresolved_questions(connection, since=day, until=day + _DAY, now=now)
        rows = {row["event"] + row["source"] + row["question"]: row for row in map(_row, found)}
        here = (UNRESOLVED.c.at >= day, UNRESOLVED.c.at < day + _DAY)
        with transaction(engine, "write a day's questions", writes=True) as connection:
            connection.execute(sa.delete(UNRESOLVED).where(*here))
            if rows:
                connection.execute(sa.insert(UNRESOLVED), list(rows.values()))
    progress(len(days), len(days))


def forget(engine: sa.Engine, before: datetime) -> int:
    """Remove what was asked before, with questions that nobody asked since; gives how many rows.

    For `kb events purge`: what the log has forgotten the report may not keep. A gap that loses
    questions is named after those that are left, since names are customers' words; without any it
    loses its name; one that no editor has worked on is then removed, and its number is never given
    again.
    """
    old = sa.select(GAP_QUESTIONS.c.gap).where(GAP_QUESTIONS.c.last_seen < before).distinct()
    with transaction(engine, "see which gaps lose questions") as connection:
        losing = connection.scalars(old).all()
    removed = purge(engine, UNRESOLVED, "at", before)
    removed += purge(engine, GAP_QUESTIONS, "last_seen", before)
    for number in losing:
        with transaction(engine, "name a gap anew", writes=True) as connection:
            changes.name_after_questions(connection, number)
            here = sa.update(GAPS).where(GAPS.c.number == number)
            connection.execute(here.values(evidence=[], looked=""))  # it quotes questions
    g, h = GAPS.c, GAP_HISTORY.c
    worked_on = sa.select(h.gap).where(h.by != "")
    with transaction(engine, "forget gaps", writes=True) as connection:
        empty = g.number.not_in(sa.select(GAP_QUESTIONS.c.gap))
        emptied = sa.update(GAPS).where(empty, g.name != "")
        connection.execute(emptied.values(name="", typical=[], evidence=[], looked=""))
        plain = (g.state == State.OPEN, g.merged_into.is_(None), g.number.not_in(worked_on))
        into = sa.select(g.merged_into).where(g.merged_into.is_not(None))
        gone = sa.delete(GAPS).where(empty, *plain, g.number.not_in(into))
        connection.execute(gone)
        connection.execute(sa.delete(GAP_HISTORY).where(h.gap.not_in(sa.select(g.number))))
    return removed


def kept_since(now: datetime) -> datetime:
    """The first moment that a refresh at `now` keeps unresolved questions of."""
    return _midnight(now - reach(PERIOD.days))


def _row(question: UnresolvedQuestion) -> dict[str, Any]:
    top = f"{question.top_locale}:{question.top_article}" if question.top_article else None
    return {
        "question": key_of(question.normalised),
        "visitor": question.visitor,
        "source": question.source,
        "event": question.id,
        "at": question.at,
        "locale": question.locale,
        "platform": question.platform,
        "channel": question.channel,
        "reasons": bits_of(question.reasons),
        "searches": question.searches,
        "confidence": question.confidence,
        "top_article": top,
        "text": question.text,
        "normalised": question.normalised,
    }


def _oldest(connection: sa.Connection) -> datetime | None:
    moments = [connection.scalar(sa.select(sa.func.min(table.c.at))) for table in EVENTS]
    moments.append(connection.scalar(sa.select(sa.func.min(FORM_SESSIONS.c.started_at))))
    return min((moment for moment in moments if moment is not None), default=None)


def _days(begin: datetime, end: datetime) -> Iterator[datetime]:
    while begin <= end:
        yield begin
        begin += _DAY


def _midnight(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)
