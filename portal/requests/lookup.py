"""Finds an order for somebody who knows its number and the buyer's mail address or phone."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from portal.config import Settings
from portal.requests.contact import belongs, order_key
from portal.requests.orders import Order, Orders
from portal.requests.orders_csv import DEMO, CsvOrders
from portal.requests.orders_http import HttpOrders

STEP_SECONDS = 0.25
"""Answers take whole multiples of this, so that their time does not tell which part was wrong."""


class OrderLookup:
    """The only way to an order: both parts have to fit, and nobody learns which did not."""

    def __init__(
        self,
        orders: Orders,
        *,
        step_seconds: float = STEP_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._orders = orders
        self._step = step_seconds
        self._monotonic = monotonic
        self._sleep = sleep

    def find(self, number: str, contact: str) -> Order | None:
        """The order both belong to, or None. Raises `OrdersUnavailable`."""
        began = self._monotonic()
        try:
            key = order_key(number)
            order = self._orders.get(key) if key else None
            mail, phone = (order.mail, order.phone) if order else ("", "")
            fits = belongs(contact, mail=mail, phone=phone)
            return order if fits else None
        finally:
            if self._step:
                taken = self._monotonic() - began
                self._sleep(self._step - taken % self._step)


def open_orders(settings: Settings, clock: Callable[[], datetime]) -> Orders:
    """The orders of `KB_ORDERS`: an address, a CSV file, or the demo shop's where it is empty.

    Raises `SettingsInvalid` for a file with a mistake.
    """
    if settings.orders.startswith(("http://", "https://")):
        return HttpOrders(settings.orders, settings.orders_token)
    return CsvOrders(Path(settings.orders) if settings.orders else DEMO, clock)
