"""Whoever changes days of the log that are over says so here, and they are counted anew.

`recount` is called by the stores of events inside the transaction that changes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa

from portal.figures.tables import DAYS, PARTS, QUESTIONS, TEXTS
from portal.tables import SEARCHES
from portal.transactions import transaction

_CHUNK = 500  # questions forgotten in one transaction, which keeps visitors' events waiting


def recount(
    connection: sa.Connection,
    moments: Iterable[datetime],
    now: datetime,
    *,
    search_id: str | None = None,
) -> None:
    """Let the days of `moments` be counted anew, and that of the search an event came from.

    Costs nothing for events of today that name no search.
    """
    today = now.astimezone(UTC).date().isoformat()
    days = {moment.astimezone(UTC).date().isoformat() for moment in moments} - {today}
    if search_id is not None:
        at = sa.select(SEARCHES.c.at).where(SEARCHES.c.id == search_id)
        if (asked := connection.scalar(at)) is not None and asked.date().isoformat() != today:
            days.add(asked.date().isoformat())
    if days:
        connection.execute(sa.delete(DAYS).where(DAYS.c.day.in_(sorted(days))))


def forget(engine: sa.Engine, before: datetime) -> None:
    """Forget the days that end before a moment, and let the one it is in be counted anew.

    For whoever purges the log: nothing a customer typed may stay here longer than there. In short
    transactions, which let visitors' events in between. Raises `EventsUnavailable`.
    """
    last = before.astimezone(UTC).date().isoformat()
    with transaction(engine, "see which days to forget") as connection:
        days = {
            day
            for table in (DAYS, *PARTS)
            for day in connection.scalars(
                sa.select(table.c.day).where(table.c.day <= last).distinct()
            )
        }
    for day in sorted(days):
        with transaction(engine, "forget a day", writes=True) as connection:
            for table in (DAYS, *PARTS):
                connection.execute(sa.delete(table).where(table.c.day == day))
    _forget_texts(engine)


def _forget_texts(engine: sa.Engine) -> None:
    """Remove the questions that no day has any more."""
    kept = sa.select(QUESTIONS.c.text_id)
    with transaction(engine, "find questions nobody asked") as connection:
        wanted = sa.select(TEXTS.c.id).where(TEXTS.c.id.not_in(kept))
        orphans = connection.scalars(wanted).all()
    for start in range(0, len(orphans), _CHUNK):
        chunk = orphans[start : start + _CHUNK]
        with transaction(engine, "forget questions nobody asked", writes=True) as connection:
            # Somebody may have asked one again since they were looked for.
            asked = set(connection.scalars(kept.where(QUESTIONS.c.text_id.in_(chunk))))
            gone = [key for key in chunk if key not in asked]
            connection.execute(sa.delete(TEXTS).where(TEXTS.c.id.in_(gone)))
