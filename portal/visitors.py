"""Tells visitors apart for a day without knowing who they are."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import time
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from portal.event_types import Clock
from portal.tables import VISITOR_SALTS

KEPT = timedelta(hours=48)
"""Age at which a day's salt is deleted; its keys cannot be traced to an address from then on."""

_FORGET_EVERY = timedelta(hours=1)
_RETRY_SECONDS = 60.0
_CRAWLERS = (
    "bot", "crawl", "spider", "slurp", "headless", "phantomjs", "lighthouse", "pingdom", "uptime",
    "monitor", "preview", "facebookexternalhit",
)  # fmt: skip
_LIBRARIES = (
    "curl", "wget", "python-requests", "python-urllib", "python-httpx", "aiohttp", "scrapy",
    "go-http-client", "java/", "okhttp", "libwww", "axios/", "node-fetch", "postmanruntime",
)  # fmt: skip


def is_bot(user_agent: str | None, *, api: bool = False) -> bool:
    """Whether a browser admits to being a program, or says nothing at all.

    The API is there for programs, which ask on a person's behalf: only crawlers are bots there.
    Programs that pretend to be people are not detected; nothing here claims to.
    """
    agent = (user_agent or "").strip().lower()
    if any(word in agent for word in _CRAWLERS):
        return True
    return not api and (not agent or any(word in agent for word in _LIBRARIES))


class VisitorKeys:
    """Pseudonymous keys: HMAC of address and user agent with a salt that changes every UTC day.

    All processes share the salt through the database. While that fails a salt of this process
    alone takes its place, and the database is left in peace for a minute.
    """

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._salt: tuple[str, bytes] = ("", b"")
        self._own_salt: tuple[str, bytes] = ("", b"")
        self._retry_at = 0.0
        self._forget_at = clock()

    def key(self, address: str, user_agent: str, at: datetime | None = None) -> str:
        """16 hexadecimal digits, the same for the same visitor until midnight UTC.

        `at` is the moment of the event, where the caller has already asked the clock.
        """
        message = f"{address}\0{user_agent}".encode(errors="replace")
        salt = self._salt_of(at or self._clock())
        return hmac.new(salt, message, hashlib.sha256).hexdigest()[:16]

    def forget_old(self) -> int:
        """Delete salts older than `KEPT`; gives how many. Raises SQLAlchemy's errors."""
        with self._engine.begin() as connection:
            return self._forget_old(connection, self._clock().astimezone(UTC))

    def _salt_of(self, at: datetime) -> bytes:
        now = at.astimezone(UTC)
        day = now.date().isoformat()
        known_day, salt = self._salt
        if known_day == day:
            if now >= self._forget_at:
                self._forget_at = now + _FORGET_EVERY
                with contextlib.suppress(SQLAlchemyError):  # tried again in an hour
                    self.forget_old()
            return salt
        if time.monotonic() >= self._retry_at:
            try:
                salt = self._shared_salt(day, now)
            except SQLAlchemyError:
                self._retry_at = time.monotonic() + _RETRY_SECONDS
            else:
                self._salt = (day, salt)
                self._forget_at = now + _FORGET_EVERY
                return salt
        own_day, own = self._own_salt
        if own_day != day:
            own = secrets.token_bytes(32)
            self._own_salt = (day, own)
        return own

    def _shared_salt(self, day: str, now: datetime) -> bytes:
        wanted = sa.select(VISITOR_SALTS.c.salt).where(VISITOR_SALTS.c.day == day)
        made = sa.insert(VISITOR_SALTS).values(day=day, salt=secrets.token_bytes(32), made_at=now)
        try:
            engine = self._engine.execution_options(sqlite_begin="IMMEDIATE")
            with engine.begin() as connection:
                self._forget_old(connection, now)
                found = connection.scalar(wanted)
                if found is None:
                    connection.execute(made)
                    found = connection.scalar(wanted)
        except IntegrityError:  # another process was first
            with self._engine.connect() as connection:
                found = connection.scalar(wanted)
        if found is None:
            raise SQLAlchemyError("the salt of the day vanished while it was being made")
        return bytes(found)

    @staticmethod
    def _forget_old(connection: sa.Connection, now: datetime) -> int:
        old = sa.delete(VISITOR_SALTS).where(VISITOR_SALTS.c.made_at < now - KEPT)
        return connection.execute(old).rowcount
