"""Wrong passwords, counted for all workers together, so that nobody can try them for ever."""

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
    """Failed attempts by address and by name. Everything here raises `EventsUnavailable`.

    Only keyed hashes are kept, and those for the window alone.
    """

    def __init__(self, engine: sa.Engine, clock: Clock, secret: str) -> None:
        self._engine = engine
        self._clock = clock
        self._secret = secret.encode()

    def wait(self, address: str, name: str) -> int:
        """Seconds until the next attempt is taken; 0 now."""
        now = self._clock()
        seconds = 0.0
        with transaction(self._engine, "read failed attempts") as connection:
            for key, most in self._keys(address, name):
                wanted = (
                    sa.select(FAILURES.c.at)
                    .where(FAILURES.c.key == key, FAILURES.c.at > now - WINDOW)
                    .order_by(FAILURES.c.at.desc())
                    .offset(most - 1)
                    .limit(1)
                )
                oldest: datetime | None = connection.scalar(wanted)
                if oldest is not None:
                    seconds = max(seconds, (oldest + WINDOW - now).total_seconds())
        return math.ceil(seconds)

    def add(self, address: str, name: str) -> None:
        """Count an attempt, and forget those before the window."""
        now = self._clock()
        rows = [{"at": now, "key": key} for key, _ in self._keys(address, name)]
        with transaction(self._engine, "count a failed attempt", writes=True) as connection:
            connection.execute(sa.delete(FAILURES).where(FAILURES.c.at <= now - WINDOW))
            connection.execute(sa.insert(FAILURES), rows)

    def forget(self, name: str) -> None:
        """What was tried for a name before its right password does not count against it."""
        key = self._key("name", login_of(name))
        with transaction(self._engine, "forget failed attempts") as connection:
            connection.execute(sa.delete(FAILURES).where(FAILURES.c.key == key))

    def _keys(self, address: str, name: str) -> tuple[tuple[str, int], tuple[str, int]]:
        return (
            (self._key("address", address), FROM_ADDRESS),
            (self._key("name", login_of(name)), FOR_ACCOUNT),
        )

    def _key(self, kind: str, value: str) -> str:
        message = f"{kind}\0{value}".encode(errors="replace")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()
