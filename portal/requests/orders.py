"""Orders as the refund form needs them, and the seam a shop's own system plugs in at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Protocol

from msgspec import Meta

from search.errors import KnowledgeBaseError

Status = Literal["placed", "packed", "dispatched", "delivered"]
Goods = Literal[
    "electronics", "bulky", "furniture", "flash-sale", "gift-card", "gift", "fragile", "hygiene",
]  # fmt: skip
"""Kinds of goods that articles have rules of their own for."""
GOODS: tuple[Goods, ...] = (
    "electronics", "bulky", "furniture", "flash-sale", "gift-card", "gift", "fragile", "hygiene",
)  # fmt: skip
Region = Literal["eu", "uk", "us", "china", ""]
REGIONS: tuple[Region, ...] = ("eu", "uk", "us", "china", "")

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Key = Annotated[str, Meta(min_length=1, max_length=60)]


class OrdersUnavailable(KnowledgeBaseError):
    """The shop's orders cannot be asked at present, or answered what cannot be read."""

    status = 503


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order. `price` is that of one piece, in the order's currency."""

    sku: Key
    titles: Annotated[Mapping[str, Name], Meta(min_length=1)]
    """By locale; at least one."""
    quantity: Annotated[int, Meta(ge=1, le=999)]
    price: Annotated[Decimal, Meta()]
    goods: Goods | None = None

    def title(self, locale: str) -> str:
        """The title in the reader's language, else in any."""
        return self.titles.get(locale) or next(iter(self.titles.values()))


@dataclass(frozen=True, slots=True)
class Order:
    """What a shop knows about one order. Dates are those of the shop; None is unknown or not yet.

    `arrived_on` is when goods bought for the customer reached our warehouse, `dispatched_on` when
    the parcel left for the customer. `mail` and `phone` are the buyer's: the portal compares them
    with what is typed and shows neither.
    """

    number: Key
    platform: Key
    status: Status
    ordered_on: date
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    items: Annotated[tuple[Item, ...], Meta(min_length=1, max_length=200)]
    dispatched_on: date | None = None
    delivered_on: date | None = None
    arrived_on: date | None = None
    region: Region = ""
    mail: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)

    def item(self, sku: str) -> Item | None:
        """The line of an article number, or None."""
        return next((item for item in self.items if item.sku == sku), None)


class Orders(Protocol):
    """Where orders come from."""

    def get(self, number: str) -> Order | None:
        """The order of a number as `contact.order_key` writes it, or None when there is none.

        Raises `OrdersUnavailable`.
        """
        ...
