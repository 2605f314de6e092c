"""Deliveries that wait: claimed by one worker at a time, tried again later, never forgotten.

A row is claimed for a while; a worker that is killed in between leaves a claim that runs out, and
another one delivers. So a delivery is made at least once, always under the same id.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.requests.store import Delivery, delivery_of
from portal.requests.tables import DELIVERIES

CLAIMED = timedelta(minutes=5)
"""How long a claim holds; longer than any attempt takes, also with a slow mail server."""
MOST_ATTEMPTS = 10
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=12)
FACTOR = 3
JITTER = 0.2


def pause_after(attempts: int, chance: Callable[[], float] = random.random) -> timedelta:
    """The pause after so many failed attempts: 10 s, then three times as long each, up to 12 h.

    A fifth more or less by chance, so that what failed together does not come back together.
    """
    pause: timedelta = min(FIRST_PAUSE * FACTOR ** (attempts - 1), LONGEST_PAUSE)
    return pause * (1 + JITTER * (2 * chance() - 1))


class Outbox:
    """The deliveries in the database. Every method raises SQLAlchemy's errors."""

    def __init__(self, engine: sa.Engine, chance: Callable[[], float] = random.random) -> None:
        self._engine = engine
        self._writing = engine.execution_options(sqlite_begin="IMMEDIATE")
        self._chance = chance

    def claim(self, now: datetime) -> Delivery | None:
        """The delivery that has been due for longest, ours until the claim runs out."""
        due = (
            DELIVERIES.c.state == "waiting",
            DELIVERIES.c.next_at <= now,
            sa.or_(DELIVERIES.c.claimed_until.is_(None), DELIVERIES.c.claimed_until <= now),
        )
        first = sa.select(DELIVERIES.c.id).where(*due).order_by(DELIVERIES.c.next_at).limit(1)
        with self._engine.connect() as connection:  # most often nothing is due: then nobody waits
            if connection.scalar(first) is None:
                return None
        with self._writing.begin() as connection:
            # PostgreSQL passes over rows that another worker is just claiming.
            found = connection.scalar(first.with_for_update(skip_locked=True))
            if found is None:
                return None
            connection.execute(
                sa.update(DELIVERIES)
                .where(DELIVERIES.c.id == found)
                .values(claimed_by=uuid.uuid4().hex, claimed_until=now + CLAIMED)
            )
            row = connection.execute(sa.select(DELIVERIES).where(DELIVERIES.c.id == found))
            return delivery_of(row.mappings().one())

    def delivered(self, delivery: Delivery, now: datetime) -> None:
        """It has arrived."""
        self._set(
            delivery, state="delivered", attempts=delivery.attempts + 1, delivered_at=now, error=""
        )

    def failed(
        self, delivery: Delivery, error: str, now: datetime, *, for_good: bool = False,
        after: timedelta | None = None,
    ) -> bool:  # fmt: skip
        """It has not; tried again after a pause, or `after` if that is longer.

        Gives whether it is dead now: after ten attempts, or at once `for_good`.
        """
        attempts = delivery.attempts + 1
        dead = for_good or attempts >= MOST_ATTEMPTS
        pause = max(pause_after(attempts, self._chance), min(after or timedelta(), LONGEST_PAUSE))
        self._set(
            delivery, state="dead" if dead else "waiting", attempts=attempts, error=error[:300],
            next_at=now + pause,
        )  # fmt: skip
        return dead

    def revive(self, request_id: str, now: datetime) -> int:
        """Try again now what is dead or waits; gives how many deliveries this is."""
        with self._writing.begin() as connection:
            return connection.execute(
                sa.update(DELIVERIES)
                .where(DELIVERIES.c.request_id == request_id, DELIVERIES.c.state != "delivered")
                .values(state="waiting", attempts=0, next_at=now, claimed_until=None)
            ).rowcount

    def dead(self) -> list[Delivery]:
        """What was given up, the latest first."""
        wanted = sa.select(DELIVERIES).where(DELIVERIES.c.state == "dead")
        with self._engine.connect() as connection:
            rows = connection.execute(wanted.order_by(DELIVERIES.c.next_at.desc())).mappings()
            return [delivery_of(row) for row in rows]

    def _set(self, delivery: Delivery, **values: object) -> None:
        with self._writing.begin() as connection:
            connection.execute(
                sa.update(DELIVERIES)
                .where(DELIVERIES.c.id == delivery.id, DELIVERIES.c.claimed_by == delivery.claim)
                .values(claimed_by=None, claimed_until=None, **values)
            )
