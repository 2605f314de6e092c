"""Who is signed in, on which devices, and until when: on the server, so that it can be ended."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.accounts.secrets import key_of, new_secret
from portal.accounts.tables import SESSIONS, USERS
from portal.accounts.types import Session
from portal.event_types import Clock, EventsUnavailable
from portal.transactions import transaction

_SEEN_EVERY = timedelta(minutes=1)
"""How exactly `seen_at` is kept; a page needs no write of its own."""
_LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was found, and the number of its account."""

    session: Session
    user_id: int


class Sessions:
    """Sessions of editors. Everything here raises `EventsUnavailable`.

    One ends `idle` after it was last used and `longest` after it began, whichever is first.
    """

    def __init__(
        self, engine: sa.Engine, clock: Clock, *, idle: timedelta, longest: timedelta
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._idle = idle
        self._longest = longest

    def begin(self, user_id: int, *, way: str, agent: str, instead_of: str = "") -> str:
        """The token of a new session, which only its cookie has.

        `instead_of` is the token that the browser came with; whoever knew it knows nothing now.
        Sessions that are over are removed on the way.
        """
        token, now = new_secret(), self._clock()
        values = {
            "key": key_of(token), "user_id": user_id, "made_at": now, "seen_at": now,
            "expires_at": now + self._longest, "way": way,
            "agent": "".join(filter(str.isprintable, agent))[:_LONGEST_AGENT],
        }  # fmt: skip
        over = (SESSIONS.c.expires_at <= now) | (SESSIONS.c.seen_at <= now - self._idle)
        if instead_of:
            over |= SESSIONS.c.key == key_of(instead_of)
        with transaction(self._engine, "begin a session", writes=True) as connection:
            connection.execute(sa.delete(SESSIONS).where(over))
            connection.execute(sa.insert(SESSIONS).values(values))
            signed_in = sa.update(USERS).where(USERS.c.id == user_id).values(signed_in_at=now)
            connection.execute(signed_in)
        return token

    def find(self, token: str) -> SignedIn | None:
        """The session of a token, unless it is over or its account disabled."""
        now = self._clock()
        wanted = (
            sa.select(SESSIONS)
            .join(USERS, USERS.c.id == SESSIONS.c.user_id)
            .where(SESSIONS.c.key == key_of(token), USERS.c.disabled_at.is_(None))
            .where(SESSIONS.c.expires_at > now, SESSIONS.c.seen_at > now - self._idle)
        )
        with transaction(self._engine, "read a session") as connection:
            row = connection.execute(wanted).first()
        if row is None:
            return None
        if now - row.seen_at >= _SEEN_EVERY:
            seen = sa.update(SESSIONS).where(SESSIONS.c.key == row.key).values(seen_at=now)
            # While somebody else writes the next page will do; nobody is signed out by it.
            with (
                contextlib.suppress(EventsUnavailable),
                transaction(self._engine, "keep a session") as connection,
            ):
                connection.execute(seen)
        return SignedIn(_session(row), row.user_id)

    def of(self, user_id: int) -> list[Session]:
        """The sessions of an account that are not over, the one used last first."""
        return [one for one in self._current() if one.user_id == user_id]

    def count(self) -> dict[int, int]:
        """How many sessions each account has that are not over."""
        counts: dict[int, int] = {}
        for one in self._current():
            counts[one.user_id] = counts.get(one.user_id, 0) + 1
        return counts

    def end(self, token: str) -> None:
        """End the session of a token."""
        self._delete(SESSIONS.c.key == key_of(token))

    def end_one(self, user_id: int, key: str) -> bool:
        """End one session of an account; whether there was one."""
        return bool(self._delete((SESSIONS.c.user_id == user_id) & (SESSIONS.c.key == key)))

    def end_all(self, user_id: int) -> int:
        """End every session of an account; gives how many."""
        return self._delete(SESSIONS.c.user_id == user_id)

    def _current(self) -> list[Session]:
        now = self._clock()
        wanted = (
            sa.select(SESSIONS)
            .where(SESSIONS.c.expires_at > now, SESSIONS.c.seen_at > now - self._idle)
            .order_by(SESSIONS.c.seen_at.desc(), SESSIONS.c.key)
        )
        with transaction(self._engine, "read sessions") as connection:
            return [_session(row) for row in connection.execute(wanted)]

    def _delete(self, which: sa.ColumnElement[bool]) -> int:
        with transaction(self._engine, "end sessions") as connection:
            return connection.execute(sa.delete(SESSIONS).where(which)).rowcount


def _session(row: Any) -> Session:
    seen_at: datetime = row.seen_at
    return Session(row.key, row.user_id, row.made_at, seen_at, row.expires_at, row.way, row.agent)
