"""Whoever changes days of the log that are over says so here, and they are counted anew.

Called by the stores of events inside the transaction that changes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa

from portal.figures.tables import DAYS, PARTS, QUESTIONS, TEXTS
from portal.tables import SEARCHES


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


def forget(connection: sa.Connection, before: datetime) -> None:
    """Forget the days that end before a moment, and let the one it is in be counted anew.

    For whoever purges the log: nothing a customer typed may stay here longer than there.
    """
    day = before.astimezone(UTC).date().isoformat()
    connection.execute(sa.delete(DAYS).where(DAYS.c.day <= day))
    for table in PARTS:
        connection.execute(sa.delete(table).where(table.c.day <= day))
    asked = sa.select(QUESTIONS.c.text_id)
    connection.execute(sa.delete(TEXTS).where(TEXTS.c.id.not_in(asked)))
