"""Orders from a CSV file: the demo shop's, or an export of one's own."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, get_args

from portal.config import SettingsInvalid
from portal.requests.contact import order_key
from portal.requests.orders import GOODS, REGIONS, Item, Order, OrdersUnavailable, Status

DEMO = Path(__file__).parent / "demo-orders.csv"
"""Invented orders of the demo shop; its dates are days before today, so that it never ages."""
COLUMNS = (
    "order", "platform", "status", "ordered", "arrived", "dispatched", "delivered", "region",
    "mail", "phone", "currency", "sku", "title_en", "title_zh", "quantity", "price", "goods",
)  # fmt: skip
_DAYS = re.compile(r"[0-9]{1,5}")


class CsvOrders:
    """One row for every item; rows of one order stand together or apart.

    `ordered`, `arrived`, `dispatched` and `delivered` are dates such as `2026-11-02`, or whole
    numbers: so many days before today. The file is read again when it has changed.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self._read_at: tuple[int, int] | None = None
        self._rows: dict[str, list[dict[str, str]]] = {}
        try:
            for number in self.numbers():
                self.get(number)
        except OrdersUnavailable as error:
            raise SettingsInvalid(f"KB_ORDERS: {error}") from error

    def get(self, number: str) -> Order | None:
        """The order of a number. Raises `OrdersUnavailable` when the file cannot be read."""
        self._read()
        return self._order(order_key(number)) if order_key(number) in self._rows else None

    def numbers(self) -> list[str]:
        """Every order number, as in the file."""
        self._read()
        return [rows[0]["order"] for rows in self._rows.values()]

    def _read(self) -> None:
        try:
            status = self._path.stat()
            version = (status.st_mtime_ns, status.st_size)
            if version == self._read_at:
                return
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                rows = list(_rows(self._path, file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise OrdersUnavailable(f"{self._path}: cannot be read ({error})") from error
        found: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            found.setdefault(order_key(row["order"]), []).append(row)
        self._rows, self._read_at = found, version

    def _order(self, key: str) -> Order:
        rows = self._rows[key]
        first = _Row(self._path, rows[0], self._clock().date())
        ordered = first.date("ordered")
        if ordered is None:
            raise first.wrong("ordered", "is empty; every order has a date")
        return Order(
            number=first.text("order"),
            platform=first.text("platform"),
            status=first.one_of("status", get_args(Status)),
            ordered_on=ordered,
            currency=first.text("currency"),
            items=tuple(self._item(_Row(self._path, row, self._clock().date())) for row in rows),
            dispatched_on=first.date("dispatched"),
            delivered_on=first.date("delivered"),
            arrived_on=first.date("arrived"),
            region=first.one_of("region", REGIONS),
            mail=first.data["mail"],
            phone=first.data["phone"],
        )

    @staticmethod
    def _item(row: _Row) -> Item:
        titles = {"en": row.data["title_en"], "zh-Hans": row.data["title_zh"]}
        titles = {locale: title for locale, title in titles.items() if title}
        if not titles:
            raise row.wrong("title_en", "and title_zh are both empty; give the item a name")
        quantity = row.text("quantity")
        if not quantity.isdecimal() or not 1 <= int(quantity) <= 999:
            raise row.wrong("quantity", "is no number from 1 to 999")
        try:
            price = Decimal(row.text("price"))
        except InvalidOperation:
            raise row.wrong("price", "is no amount; write it as 24.90") from None
        return Item(
            sku=row.text("sku"),
            titles=titles,
            quantity=int(quantity),
            price=price,
            goods=row.one_of("goods", GOODS) if row.data["goods"] else None,
        )


class _Row:
    """One row, whose mistakes name file, line and column."""

    def __init__(self, path: Path, data: dict[str, str], today: date) -> None:
        self.data = data
        self._path = path
        self._today = today

    def text(self, column: str) -> str:
        if not self.data[column]:
            raise self.wrong(column, "is empty")
        return self.data[column]

    def one_of(self, column: str, known: tuple[Any, ...]) -> Any:
        if self.data[column] not in known:
            raise self.wrong(column, f"is not one of {', '.join(filter(None, known))}")
        return self.data[column]

    def date(self, column: str) -> date | None:
        value = self.data[column]
        if not value:
            return None
        try:
            if _DAYS.fullmatch(value):
                return self._today - timedelta(days=int(value))
            return date.fromisoformat(value)
        except (ValueError, OverflowError):
            raise self.wrong(
                column, "is neither a date such as 2026-11-02 nor a number of days before today"
            ) from None

    def wrong(self, column: str, what: str) -> OrdersUnavailable:
        return OrdersUnavailable(f"{self._path}:{self.data['']}: {column}: {what}")


def _rows(path: Path, file: Any) -> Iterator[dict[str, str]]:
    """Rows by column; the line stands under the empty name."""
    reader = csv.DictReader(file)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise OrdersUnavailable(f"{path}:1: no column {missing[0]}; see docs/orders-api.md")
    for row in reader:
        values = {name: (row[name] or "").strip() for name in COLUMNS}
        values[""] = str(reader.line_num)
        yield values
