"""Orders from a shop's own system; its side of the contract is in docs/orders-api.md."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from portal.requests.contact import order_key
from portal.requests.http import HttpClient, HttpFailed
from portal.requests.orders import Order, OrdersUnavailable

_SECONDS = 6.0


class HttpOrders:
    """`GET <address>/<order number>` with a bearer token: 200 with the order, or 404."""

    def __init__(self, address: str, token: str, client: HttpClient | None = None) -> None:
        self._address = address.rstrip("/")
        self._token = token
        self._client = client or HttpClient(most_seconds=_SECONDS)

    def get(self, number: str) -> Order | None:
        """The order of a number. Raises `OrdersUnavailable`."""
        headers = {"Accept": "application/json", "User-Agent": "kb-portal"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            answer = self._client.send(
                "GET", f"{self._address}/{quote(number, safe='')}", headers=headers
            )
        except HttpFailed as error:
            raise OrdersUnavailable(f"KB_ORDERS: {error}") from error
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise OrdersUnavailable(f"KB_ORDERS: answered {answer.status} where 200 or 404 belongs")
        try:
            order = msgspec.json.decode(answer.body, type=Order)
        except msgspec.DecodeError as error:
            raise OrdersUnavailable(f"KB_ORDERS: the answer cannot be read ({error})") from error
        if order_key(order.number) != order_key(number):
            raise OrdersUnavailable("KB_ORDERS: answered another order than was asked for")
        return order
