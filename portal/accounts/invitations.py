"""Links that are good once: to choose the first password of an account, or another one."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from portal.accounts.secrets import key_of, new_secret
from portal.accounts.tables import INVITATIONS, USERS
from portal.event_types import Clock
from portal.transactions import transaction

VALID = timedelta(days=3)


class Invitations:
    """One link for each account at most. Everything here raises `EventsUnavailable`."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def make(self, user_id: int) -> str:
        """The secret of a new link; an older one leads nowhere any more."""
        secret = new_secret()
        values = {"key": key_of(secret), "user_id": user_id, "expires_at": self._clock() + VALID}
        with transaction(self._engine, "make an invitation", writes=True) as connection:
            connection.execute(sa.delete(INVITATIONS).where(INVITATIONS.c.user_id == user_id))
            connection.execute(sa.insert(INVITATIONS).values(values))
        return secret

    def find(self, secret: str) -> int | None:
        """The number of the account a link is for, unless it is too old or was used.

        It is used up by the password it leads to: `Users.set_password` removes it.
        """
        wanted = (
            sa.select(INVITATIONS.c.user_id)
            .join(USERS, USERS.c.id == INVITATIONS.c.user_id)
            .where(INVITATIONS.c.key == key_of(secret), USERS.c.disabled_at.is_(None))
            .where(INVITATIONS.c.expires_at > self._clock())
        )
        with transaction(self._engine, "read an invitation") as connection:
            number = connection.scalar(wanted)
        return None if number is None else int(number)

    def pending(self) -> frozenset[int]:
        """Numbers of the accounts whose link is still good."""
        wanted = sa.select(INVITATIONS.c.user_id).where(INVITATIONS.c.expires_at > self._clock())
        with transaction(self._engine, "read invitations") as connection:
            return frozenset(connection.scalars(wanted))
