"""Orders: who is let in, files with mistakes, a shop's own system that answers well or badly."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOW
from portal.config import Settings, SettingsInvalid
from portal.requests.contact import belongs, is_contact, masked, order_key
from portal.requests.http import HttpClient
from portal.requests.lookup import OrderLookup, open_orders
from portal.requests.orders import Order, OrdersUnavailable
from portal.requests.orders_csv import COLUMNS, DEMO, CsvOrders
from portal.requests.orders_http import HttpOrders
from requests_support import MAIL, NUMBER

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def http_server(answer: Answer) -> Iterator[str]:
    """A real server whose every answer `answer` gives; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(ConnectionError):
                answer(self)

        do_POST = do_GET  # noqa: N815 (the base class wants it so)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    """Answer a request."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


# Who is let in


@pytest.mark.parametrize(
    "typed", ["wf-204-118-552", " WF 204 118 552 ", "ＷＦ－２０４－１１８－５５２"]
)
def test_order_numbers_are_read_as_they_are_typed(typed: str) -> None:
    assert order_key(typed) == "WF204118552"


@pytest.mark.parametrize(
    ("typed", "fits"),
    [
        (MAIL, True),
        (MAIL.upper(), True),
        ("mara.lindqvist@example.co", False),
        ("+46 70 555 01 12", True),
        ("0705550112", True),
        ("070-555 01 12", True),
        ("555 01 12", False),
        ("0705550113", False),
        ("", False),
        ("@", False),
        ("nobody@invalid", False),
    ],
)
def test_either_the_mail_address_or_the_phone_number_lets_in(typed: str, fits: bool) -> None:
    assert belongs(typed, mail=MAIL, phone="+46 70 555 01 12") is fits


@given(st.text())
def test_an_order_without_contacts_belongs_to_nobody(typed: str) -> None:
    assert not belongs(typed, mail="", phone="")
    assert not belongs(typed, mail="", phone="123")


def test_what_is_no_contact_is_not_looked_up() -> None:
    assert is_contact("name@example.com")
    assert is_contact("138 0013 8021")
    assert not any(map(is_contact, ["", "name", "name@", "12345", "1" * 40, "<b>@x.y"]))


def test_a_masked_contact_shows_its_owner_enough_and_others_nothing() -> None:
    assert masked(MAIL) == "m•••@example.com"
    assert masked("+46 70 555 01 12") == "•••112"


def test_every_answer_takes_whole_steps_of_time() -> None:
    clock = iter([0.0, 0.01, 1.0, 1.3, 2.0, 2.0])
    slept: list[float] = []
    lookup = OrderLookup(
        CsvOrders(DEMO, lambda: NOW), step_seconds=0.25, monotonic=lambda: next(clock),
        sleep=slept.append,
    )  # fmt: skip
    found = [lookup.find(NUMBER, MAIL), lookup.find(NUMBER, "x@example.com"),
             lookup.find("WF-0", MAIL)]  # fmt: skip
    assert [order is not None for order in found] == [True, False, False]
    assert slept == pytest.approx([0.24, 0.2, 0.25])


# CSV


def test_the_demo_orders_never_age_and_cover_every_platform() -> None:
    now = CsvOrders(DEMO, lambda: NOW)
    later = CsvOrders(DEMO, lambda: NOW + timedelta(days=400))
    orders = [now.get(number) for number in now.numbers()]
    assert len(orders) >= 25
    assert {order.platform for order in orders if order} == {
        "wrenfield", "orchid-mall", "kuailane", "fjordmarkt", "pinecart",
    }  # fmt: skip
    for number in now.numbers():
        first, second = now.get(number), later.get(number)
        assert first is not None
        assert second is not None
        assert second.ordered_on - first.ordered_on == timedelta(days=400)
        days = [first.ordered_on, first.arrived_on, first.dispatched_on, first.delivered_on]
        known = [day for day in days if day]
        assert known == sorted(known), number
        assert known[-1] <= NOW.date()
        assert first.mail.endswith("@example.com")


def row(**changes: str) -> str:
    plain = dict.fromkeys(COLUMNS, "") | {
        "order": "A-1", "platform": "wrenfield", "status": "placed", "ordered": "2026-11-02",
        "mail": "a@example.com", "currency": "EUR", "sku": "S-1", "title_en": "Shirt",
        "quantity": "1", "price": "20",
    }  # fmt: skip
    return ",".join((plain | changes).values())


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n", "utf-8")
    return path


def test_a_file_may_have_dates_and_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = write(tmp_path / "orders.csv", row())
    orders = CsvOrders(path, lambda: NOW)
    found = orders.get("a1")
    assert found is not None
    assert found.ordered_on.isoformat() == "2026-11-02"
    write(path, row(), row(order="A-2", title_en="", title_zh="衬衫"))
    other = orders.get("A-2")
    assert other is not None
    assert other.items[0].title("en") == "衬衫"
    path.unlink()
    with pytest.raises(OrdersUnavailable, match=r"orders\.csv: cannot be read"):
        orders.get("A-1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ordered": "soon"}, "2: ordered: is neither a date"),
        ({"ordered": ""}, "2: ordered: is empty"),
        ({"ordered": "99999"}, None),
        ({"quantity": "0"}, "2: quantity: is no number from 1"),
        ({"price": "cheap"}, "2: price: is no amount"),
        ({"status": "lost"}, "2: status: is not one of placed"),
        ({"region": "moon"}, "2: region: is not one of eu"),
        ({"goods": "soup"}, "2: goods: is not one of electronics"),
        ({"title_en": ""}, "2: title_en: and title_zh are both empty"),
        ({"sku": ""}, "2: sku: is empty"),
    ],
)
def test_a_mistake_in_the_file_is_named_at_the_start(
    tmp_path: Path, changes: dict[str, str], message: str | None
) -> None:
    path = write(tmp_path / "orders.csv", row(**changes))
    settings = Settings(orders=str(path))
    if message is None:
        open_orders(settings, lambda: NOW)
        return
    with pytest.raises(SettingsInvalid, match=message) as failure:
        open_orders(settings, lambda: NOW)
    assert str(failure.value).startswith(f"KB_ORDERS: {path}:")


def test_a_missing_file_or_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"KB_ORDERS: .*cannot be read"):
        open_orders(Settings(orders=str(tmp_path / "none.csv")), lambda: NOW)
    (tmp_path / "short.csv").write_text("order,platform\n", "utf-8")
    with pytest.raises(SettingsInvalid, match="1: no column status"):
        open_orders(Settings(orders=str(tmp_path / "short.csv")), lambda: NOW)


# HTTP

ORDER = {
    "number": "WF-9", "platform": "wrenfield", "status": "delivered", "ordered_on": "2026-11-01",
    "delivered_on": "2026-11-05", "currency": "EUR", "mail": MAIL, "phone": "",
    "items": [{"sku": "S", "titles": {"en": "Shirt"}, "quantity": 2, "price": "19.90"}],
    "something_else": 1,
}  # fmt: skip


def ask(answer: Answer, number: str = "WF-9", token: str = "t0ken") -> Order | None:
    with http_server(answer) as address:
        return HttpOrders(address + "/orders", token, HttpClient(most_seconds=0.5)).get(number)


def test_an_order_comes_from_the_shop_with_the_token_and_its_number_in_the_path() -> None:
    asked: list[tuple[str, str | None]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append((handler.path, handler.headers["Authorization"]))
        reply(handler, 200, json.dumps({**ORDER, "number": "WF/9 ?"}).encode())

    found = ask(answer, "WF/9 ?")
    assert asked == [("/orders/WF%2F9%20%3F", "Bearer t0ken")]
    assert found is not None
    assert (found.items[0].quantity, str(found.items[0].price)) == (2, "19.90")
    assert MAIL not in repr(found)


def test_an_order_that_is_not_there_is_none() -> None:
    assert ask(lambda handler: reply(handler, 404)) is None


def hang(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(0.8)
    reply(handler, 404)


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(20):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda handler: reply(handler, 500), "answered 500"),
        (lambda handler: reply(handler, 302, Location="http://127.0.0.1:1/"), "answered 302"),
        (lambda handler: reply(handler, 200, b"<html>"), "cannot be read"),
        (lambda handler: reply(handler, 200, b"{}"), "cannot be read"),
        (lambda handler: reply(handler, 200, json.dumps({**ORDER, "items": []}).encode()), "items"),
        (lambda handler: reply(handler, 200, json.dumps({**ORDER, "number": "WF-8"}).encode()),
         "another order"),
        (lambda handler: reply(handler, 200, b" " * 300_000), "more than 256 KB"),
        (hang, "did not answer in time"),
        (drip, "did not answer in time"),
    ],
)  # fmt: skip
def test_whatever_else_the_shop_answers_is_one_clear_error(answer: Answer, message: str) -> None:
    with pytest.raises(OrdersUnavailable, match=message) as failure:
        ask(answer)
    assert "t0ken" not in str(failure.value)


def test_a_shop_that_is_away_is_said_to_be() -> None:
    with pytest.raises(OrdersUnavailable, match=r"127\.0\.0\.1 cannot be reached"):
        HttpOrders("http://127.0.0.1:1", "", HttpClient(most_seconds=0.5)).get("WF-9")
