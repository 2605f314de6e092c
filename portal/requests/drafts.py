"""A request while it is being filled in: kept here, so that the browser holds a random key alone.

The row has personal data and lives for a day; it is found by the hash of its key, so that nobody
who reads the database can go on with it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from portal.requests.eligibility import Wish
from portal.requests.orders import Item, Order
from portal.requests.tables import DRAFTS
from portal.transactions import empty_journal

KEPT = timedelta(hours=24)
"""After the last answer; a form left open over night must still be accepted."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The answers given so far. `session` is this filling-in of the form, for its events.

    `shown` and `opened` are articles as `en:refund-timing`; `offered` the steps after which
    articles have been offered, so that nobody is held up twice.
    """

    session: str
    order: Order
    contact: str = field(repr=False)
    items: dict[str, int] = field(default_factory=dict)
    """Pieces by article number."""
    reason: str = ""
    wish: Wish | None = None
    comments: str = field(default="", repr=False)
    commented: bool = False
    shown: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    suggestions: dict[str, str] = field(default_factory=dict)
    """Ids of what was suggested, by step."""

    @property
    def chosen(self) -> tuple[Item, ...]:
        """The items this is about."""
        return tuple(item for item in self.order.items if item.sku in self.items)


class Drafts:
    """The drafts in the database. Every method raises SQLAlchemy's errors."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def load(self, key: str, now: datetime) -> Draft | None:
        """The draft of a key, unless it is not there, has expired, or is of another version."""
        wanted = sa.select(DRAFTS.c.data).where(DRAFTS.c.key == hashed(key))
        with self._engine.connect() as connection:
            data = connection.scalar(wanted.where(DRAFTS.c.expires_at > now))
        if data is None:
            return None
        try:
            return msgspec.json.decode(data, type=Draft)
        except msgspec.DecodeError:
            return None

    def add(self, key: str, draft: Draft, now: datetime) -> None:
        """Keep a new draft for a day."""
        with self._engine.begin() as connection:
            connection.execute(sa.insert(DRAFTS).values(key=hashed(key), **_row(draft, now)))

    def save(self, key: str, draft: Draft, now: datetime) -> None:
        """Keep a draft for another day. One that has been sent or dropped meanwhile stays gone."""
        changed = sa.update(DRAFTS).where(DRAFTS.c.key == hashed(key)).values(_row(draft, now))
        with self._engine.begin() as connection:
            connection.execute(changed)

    def drop(self, key: str) -> None:
        """Forget a draft."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(DRAFTS).where(DRAFTS.c.key == hashed(key)))
        empty_journal(self._engine)

    def forget_expired(self, now: datetime) -> int:
        """Forget every draft past its day; gives how many."""
        with self._engine.begin() as connection:
            return connection.execute(sa.delete(DRAFTS).where(DRAFTS.c.expires_at <= now)).rowcount


def _row(draft: Draft, now: datetime) -> dict[str, object]:
    return {"expires_at": now + KEPT, "data": msgspec.json.encode(draft).decode()}


def new_key() -> str:
    """A key nobody guesses."""
    return secrets.token_urlsafe(24)


def token_of(key: str) -> str:
    """The link of the request that a draft becomes: whoever has filled it in can find it again."""
    digest = hashlib.blake2b(key.encode(errors="replace"), digest_size=24, person=b"sent").digest()
    return base64.urlsafe_b64encode(digest).decode()


def hashed(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
