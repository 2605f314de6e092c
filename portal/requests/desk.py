"""Everything with state that refund requests need, composed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.config import Settings, SettingsInvalid
from portal.requests.deliver import Deliverer
from portal.requests.drafts import Drafts
from portal.requests.lookup import OrderLookup, open_orders
from portal.requests.outbox import Outbox
from portal.requests.store import RequestStore
from portal.requests.webhook import read_secret
from portal.requests.worker import DeliveryThread
from search.catalogue import Catalogue

_BUSY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class RequestDesk:
    """Orders, drafts, requests and their hand-over."""

    lookup: OrderLookup
    drafts: Drafts
    store: RequestStore
    outbox: Outbox
    deliverer: Deliverer
    thread: DeliveryThread


def open_desk(
    settings: Settings,
    engine: sa.Engine,
    catalogue: Callable[[], Catalogue],
    clock: Callable[[], datetime],
) -> RequestDesk:
    """The desk of these settings.

    Raises `SettingsInvalid` for orders that cannot be read and webhooks that cannot be signed.
    """
    if settings.webhook_url:
        try:
            read_secret(settings.webhook_secret)
        except ValueError as error:
            raise SettingsInvalid(f"KB_WEBHOOK_SECRET: {error}") from None
    # What customers typed is worth a wait; the event log's engine goes on without an event instead.
    patient = engine.execution_options(sqlite_busy_seconds=_BUSY_SECONDS)
    drafts, store, outbox = Drafts(patient), RequestStore(patient), Outbox(patient)
    deliverer = Deliverer(settings, store, outbox, catalogue, clock)

    def forget() -> None:
        tidy(drafts, store, settings, clock())

    return RequestDesk(
        lookup=OrderLookup(open_orders(settings, clock)),
        drafts=drafts,
        store=store,
        outbox=outbox,
        deliverer=deliverer,
        thread=DeliveryThread(deliverer, forget),
    )


def tidy(
    drafts: Drafts, store: RequestStore, settings: Settings, now: datetime, days: int | None = None
) -> tuple[int, int]:
    """Forget drafts past their day and contacts past their retention; gives how many of each."""
    kept = timedelta(days=days or settings.request_retention_days)
    forgotten = drafts.forget_expired(now), store.erase_contacts(now - kept)
    if any(forgotten):
        store.empty_journal()
    return forgotten
