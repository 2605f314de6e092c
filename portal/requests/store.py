"""Requests as they were sent, and the deliveries that go out with them."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from portal.redact import redact
from portal.requests.drafts import hashed, token_of
from portal.requests.eligibility import Wish
from portal.requests.tables import CONTACTS, DELIVERIES, DRAFTS, REQUESTS
from portal.transactions import empty_journal

Channel = Literal["webhook", "mail"]
CHANNELS: tuple[Channel, ...] = ("webhook", "mail")
State = Literal["waiting", "delivered", "dead"]
_LEGIBLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits and letters nobody confuses when reading a number aloud."""
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Contact:
    """Whatever names a person: kept for the answer, then erased."""

    order_number: str
    contact: str = field(repr=False)
    comments: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One way a request goes out; `id` is the same at every attempt."""

    id: str
    request_id: str
    channel: Channel
    state: State
    attempts: int
    next_at: datetime
    delivered_at: datetime | None
    error: str
    claim: str | None = None
    """Of the worker that is at it; what another one writes meanwhile counts for nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as sent. `contact` is None once it has been erased; `comments` are redacted.

    `items` are dicts of `sku`, `titles` and `quantity`; `shown` and `opened` are articles as
    `en:refund-timing`; `verdict` is what the rules said when it was sent.
    """

    id: str
    number: str
    token: str = field(repr=False)
    at: datetime
    locale: str
    platform: str
    items: Sequence[Mapping[str, Any]]
    reason: str
    wish: Wish
    comments: str
    shown: tuple[str, ...]
    opened: tuple[str, ...]
    verdict: Mapping[str, Any]
    contact: Contact | None = None
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What the form has gathered, before it has a number. `comments` are as typed."""

    locale: str
    platform: str
    order_number: str
    contact: str
    items: Sequence[Mapping[str, Any]]
    reason: str
    wish: Wish
    comments: str
    shown: tuple[str, ...]
    opened: tuple[str, ...]
    verdict: Mapping[str, Any]


class RequestStore:
    """The requests in the database. Every method raises SQLAlchemy's errors."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writing = engine.execution_options(sqlite_begin="IMMEDIATE")

    def send(
        self, new: NewRequest, *, draft_key: str, channels: Sequence[Channel], now: datetime
    ) -> Request | None:
        """Store a request with its deliveries and forget its draft, all or nothing.

        Gives None when the draft is gone: it has been sent already.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                return self._send(new, draft_key, channels, now)
            except sa.exc.IntegrityError:  # the number is taken, about once in 10¹² requests
                if attempt == _TRIES:
                    raise
        raise AssertionError("not reached")

    def _send(
        self, new: NewRequest, draft_key: str, channels: Sequence[Channel], now: datetime
    ) -> Request | None:
        request_id = uuid.uuid4().hex
        row: dict[str, Any] = {
            "id": request_id,
            "number": new_number(),
            "token": token_of(draft_key),
            "at": now,
            "locale": new.locale,
            "platform": new.platform,
            "items": list(new.items),
            "reason": new.reason,
            "wish": new.wish,
            "comments": redact(new.comments),
            "shown": list(new.shown),
            "opened": list(new.opened),
            "verdict": dict(new.verdict),
        }
        with self._writing.begin() as connection:
            gone = connection.execute(sa.delete(DRAFTS).where(DRAFTS.c.key == hashed(draft_key)))
            if not gone.rowcount:
                return None
            connection.execute(sa.insert(REQUESTS), row)
            connection.execute(
                sa.insert(CONTACTS),
                {"request_id": request_id, "at": now, "order_number": new.order_number,
                 "contact": new.contact, "comments": new.comments},
            )  # fmt: skip
            for channel in channels:
                connection.execute(
                    sa.insert(DELIVERIES),
                    {"id": f"msg_{uuid.uuid4().hex}", "request_id": request_id,
                     "channel": channel, "state": "waiting", "attempts": 0, "next_at": now,
                     "error": ""},
                )  # fmt: skip
        try:
            return self.by_id(request_id)
        except SQLAlchemyError:  # stored it is, and whoever sent it must not be told otherwise
            contact = Contact(new.order_number, new.contact, new.comments)
            known = {**row, "shown": new.shown, "opened": new.opened}
            return Request(**known, contact=contact)

    def by_id(self, request_id: str) -> Request | None:
        """A request by its id."""
        return next(iter(self._read(REQUESTS.c.id == request_id)), None)

    def by_token(self, token: str) -> Request | None:
        """The request of a link."""
        return next(iter(self._read(REQUESTS.c.token == token)), None)

    def by_number(self, number: str) -> Request | None:
        """A request by its number, in capitals or not."""
        return next(iter(self._read(REQUESTS.c.number == number.strip().upper())), None)

    def since(self, moment: datetime) -> list[Request]:
        """Requests sent since, the latest first."""
        return self._read(REQUESTS.c.at >= moment)

    def erase_contacts(self, before: datetime) -> int:
        """Erase what names the senders of older requests, and give up what was not delivered.

        Gives how many requests this was.
        """
        old = sa.select(CONTACTS.c.request_id).where(CONTACTS.c.at < before)
        with self._writing.begin() as connection:
            connection.execute(
                sa.update(DELIVERIES)
                .where(DELIVERIES.c.request_id.in_(old), DELIVERIES.c.state == "waiting")
                .values(state="dead", error="the sender's details were erased by age")
            )
            return connection.execute(sa.delete(CONTACTS).where(CONTACTS.c.at < before)).rowcount

    def empty_journal(self) -> None:
        """See that what was erased is nowhere in the database's files."""
        empty_journal(self._engine)

    def _read(self, condition: sa.ColumnElement[bool]) -> list[Request]:
        wanted = (
            sa.select(REQUESTS, CONTACTS.c.order_number, CONTACTS.c.contact,
                      CONTACTS.c.comments.label("typed"))
            .outerjoin(CONTACTS, CONTACTS.c.request_id == REQUESTS.c.id)
            .where(condition)
            .order_by(REQUESTS.c.at.desc(), REQUESTS.c.id)
        )  # fmt: skip
        with self._engine.connect() as connection:
            rows = connection.execute(wanted).mappings().all()
            deliveries: dict[str, list[Delivery]] = {}
            known = sa.select(DELIVERIES).where(
                DELIVERIES.c.request_id.in_(sa.select(REQUESTS.c.id).where(condition))
            )
            for each in connection.execute(known.order_by(DELIVERIES.c.channel.desc())).mappings():
                deliveries.setdefault(each["request_id"], []).append(delivery_of(each))
        return [_request(row, deliveries.get(row["id"], [])) for row in rows]


def new_number() -> str:
    """A number such as `RR-7K3M-92QD`: random, so that it tells nobody how many there are."""
    letters = "".join(secrets.choice(_LEGIBLE) for _ in range(8))
    return f"RR-{letters[:4]}-{letters[4:]}"


def delivery_of(row: sa.RowMapping) -> Delivery:
    """A row of the table of deliveries."""
    return Delivery(
        id=row["id"],
        request_id=row["request_id"],
        channel=row["channel"],
        state=row["state"],
        attempts=row["attempts"],
        next_at=row["next_at"],
        delivered_at=row["delivered_at"],
        error=row["error"],
        claim=row["claimed_by"],
    )


def _request(row: sa.RowMapping, deliveries: list[Delivery]) -> Request:
    contact = None
    if row["contact"] is not None:
        contact = Contact(row["order_number"], row["contact"], row["typed"])
    return Request(
        id=row["id"],
        number=row["number"],
        token=row["token"],
        at=row["at"],
        locale=row["locale"],
        platform=row["platform"],
        items=row["items"],
        reason=row["reason"],
        wish=row["wish"],
        comments=row["comments"],
        shown=tuple(row["shown"]),
        opened=tuple(row["opened"]),
        verdict=row["verdict"],
        contact=contact,
        deliveries=tuple(deliveries),
    )
