"""Says whether a log has visitors who never were, wherever its figures are shown."""

from __future__ import annotations

import sqlalchemy as sa

from portal.gaps.tables import GAP_HISTORY
from portal.simulate import EDITORS, PREFIX
from portal.tables import EVENTS, FORM_EVENTS, SUGGESTIONS
from portal.transactions import transaction


def is_simulated(engine: sa.Engine) -> bool:
    """Whether anything in the log, or what was done about it, was played.

    Nothing is played beside real visitors, so what was played is the oldest: the first row of
    every table says it, which an index finds. What invented editors did outlasts the events.
    Raises `EventsUnavailable`.
    """
    with transaction(engine, "see whether the log was played") as connection:
        for table in (*EVENTS, SUGGESTIONS, FORM_EVENTS):
            oldest = sa.select(table.c.visitor).order_by(table.c.at).limit(1)
            if (connection.scalar(oldest) or "").startswith(PREFIX):
                return True
        done = sa.select(GAP_HISTORY.c.id).where(GAP_HISTORY.c.by.in_(EDITORS)).limit(1)
        return connection.scalar(done) is not None
