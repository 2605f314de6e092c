"""Attempts at passwords, counted for all workers together, so that none are tried for ever."""

from __future__ import annotations

import hashlib
import hmac
import math
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.accounts.tables import FAILURES
from portal.accounts.users import login_of
from portal.event_types import Clock
from portal.transactions import transaction

WINDOW = timedelta(minutes=15)
FROM_ADDRESS = 10
"""Wrong passwords from one address in the window."""
FOR_ACCOUNT = 20
"""Wrong passwords for one name in the window, from anywhere; whether there is such an account or
not, or the limit would tell."""


class Failures:
    """Attempts that failed, or are being made, by address and by name.

    Everything here raises `EventsUnavailable`. Only keyed hashes are kept, and those for the window
    alone.
    """

    def __init__(self, engine: sa.Engine, clock: Clock, secret: str) -> None:
        self._engine = engine
        self._clock = clock
        self._secret = secret.encode()

    def attempt(self, address: str, name: str) -> int:
        """Count an attempt before it is made: 0 if it may be, else seconds until the next one may.

        Looked up and counted in one transaction, so that many at once are no way around the limit.
        Those before the window are forgotten on the way.
        """
        now = self._clock()
        seconds = 0.0
        with transaction(self._engine, "count an attempt", writes=True) as connection:
            connection.execute(sa.delete(FAILURES).where(FAILURES.c.at <= now - WINDOW))
            for key, most in self._keys(address, name):
                wanted = (
                    sa.select(FAILURES.c.at)
                    .where(FAILURES.c.key == key)
                    .order_by(FAILURES.c.at.desc())
                    .offset(most - 1)
                    .limit(1)
                )
                oldest: datetime | None = connection.scalar(wanted)
                if oldest is not None:
                    seconds = max(seconds, (oldest + WINDOW - now).total_seconds())
            if not seconds:
                rows = [{"at": now, "key": key} for key, _ in self._keys(address, name)]
                connection.execute(sa.insert(FAILURES), rows)
        return math.ceil(seconds)

    def succeeded(self, address: str, name: str) -> None:
        """The last attempt was right: it does not count, nor do the earlier ones for the name.

        The address keeps those it made for other names.
        """
        (own, _), (named, _) = self._keys(address, name)
        last = sa.select(sa.func.max(FAILURES.c.id)).where(FAILURES.c.key == own)
        with transaction(self._engine, "forget attempts", writes=True) as connection:
            connection.execute(sa.delete(FAILURES).where(FAILURES.c.key == named))
            connection.execute(sa.delete(FAILURES).where(FAILURES.c.id == last.scalar_subquery()))

    def _keys(self, address: str, name: str) -> tuple[tuple[str, int], tuple[str, int]]:
        return (
            (self._key("address", address), FROM_ADDRESS),
            (self._key("name", login_of(name)), FOR_ACCOUNT),
        )

    def _key(self, kind: str, value: str) -> str:
        message = f"{kind}\0{value}".encode(errors="replace")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()
