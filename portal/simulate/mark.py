"""Says whether a log has visitors who never were, wherever its figures are shown."""

from __future__ import annotations

import sqlalchemy as sa

from portal.simulate import PREFIX
from portal.tables import EVENTS, FORM_EVENTS, SUGGESTIONS
from portal.transactions import transaction


def is_simulated(engine: sa.Engine) -> bool:
    """Whether anything in the log was played. Raises `EventsUnavailable`.

    Nothing is played beside real visitors, so what was played is the oldest: the first row of
    every table says it, which an index finds.
    """
    with transaction(engine, "see whether the log was played") as connection:
        for table in (*EVENTS, SUGGESTIONS, FORM_EVENTS):
            oldest = sa.select(table.c.visitor).order_by(table.c.at).limit(1)
            if (connection.scalar(oldest) or "").startswith(PREFIX):
                return True
    return False
