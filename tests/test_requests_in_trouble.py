"""The refund request when something is in its way: two tabs, Back, guesses, a search that fails."""

from __future__ import annotations

import html
import logging
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.config import Settings
from portal.services import Services
from requests_support import ANSWERS, COMMENT, MAIL, NUMBER, answer, fill_in, find_order, send
from test_requests import app, clock, desk, make_app, sent_request  # noqa: F401 (fixtures)

OTHER_NUMBER, OTHER_MAIL = "WF-204-118-671", "tom.ashby@example.com"


def _session_of(page: str) -> str:
    return page.partition('name="draft" value="')[2].partition('"')[0]


def test_what_was_typed_for_one_order_is_never_sent_with_another(client: FlaskClient) -> None:
    fill_in(client, until="comments")
    of_the_first = _session_of(client.get("/en/requests/new/comments").text)
    assert of_the_first
    find_order(client, number=OTHER_NUMBER, contact=OTHER_MAIL)
    late = answer(client, "comments", draft=of_the_first, comments="The handle broke off")
    assert late.status_code == 410
    assert "The handle broke off" in late.text
    assert "another order" in late.text
    own = _session_of(client.get("/en/requests/new/items").text)
    assert own != of_the_first
    assert answer(client, "items", draft=own, item=["WF-BUDS-02"]).status_code == 303


def test_back_after_sending_leads_to_the_page_of_the_request(client: FlaskClient) -> None:
    address = send(client)
    for step in ("check", "comments", "items"):
        assert client.get(f"/en/requests/new/{step}").location == address


def test_another_contact_for_the_same_order_is_the_one_that_is_kept(
    client: FlaskClient,
    desk: Services,  # noqa: F811
) -> None:
    fill_in(client)
    find_order(client, contact="+46 70 555 01 12")
    answer(client, "check", go="send")
    contact = sent_request(desk).contact
    assert contact is not None
    assert contact.contact == "+46 70 555 01 12"


def test_a_request_is_stored_though_it_cannot_be_read_back(
    client: FlaskClient,
    desk: Services,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sqlalchemy.exc import OperationalError

    fill_in(client)
    store = type(desk.requests.store)
    real = store.by_id

    def away(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("locked"))

    monkeypatch.setattr(store, "by_id", away)
    sent = answer(client, "check", go="send")
    monkeypatch.setattr(store, "by_id", real)
    assert sent.status_code == 303
    assert sent_request(desk).token in sent.location


def test_a_search_that_fails_does_not_hold_up_the_form(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no index")

    monkeypatch.setattr("portal.requests.offers.suggesting.suggest", broken)
    find_order(client)
    answer(client, "items")
    leads = answer(client, "reason").location
    assert client.get(leads).location == "/en/requests/new/wish"
    assert answer(client, "reason").location == "/en/requests/new/wish"  # offered once


@pytest.mark.parametrize("pieces", ["9" * 5000, "-1", "½", ""])
def test_no_number_of_pieces_breaks_the_form(client: FlaskClient, pieces: str) -> None:
    find_order(client)
    response = client.post(
        "/en/requests/new/items", data={**ANSWERS["items"], "pieces-0": pieces, "pieces-1": pieces}
    )
    assert response.status_code == 303


@pytest.fixture
def strict(settings: Settings, desk: Services) -> Flask:  # noqa: F811
    limited = settings.model_copy(update={"lookup_rate_limit": "3 per minute"})
    return make_app(limited, _with(desk, limited))


def _with(services: Services, settings: Settings) -> Services:
    import dataclasses

    return dataclasses.replace(services, settings=settings)


def test_guesses_for_one_order_are_counted_together_however_it_is_written(strict: Flask) -> None:
    endings = ("", "-" * 300 + "X1", " " + "." * 400 + "Y2", "-" * 999)
    statuses = [
        strict.test_client()
        .post(
            "/en/requests/new",
            data={"number": NUMBER + ending, "contact": f"guess{place}@example.com"},
            environ_base={"REMOTE_ADDR": f"192.0.2.{place + 1}"},
        )
        .status_code
        for place, ending in enumerate(endings)
    ]
    assert statuses == [422, 422, 422, 429]


def test_fields_without_an_order_number_are_nobodys_guesses(strict: Flask) -> None:
    for place in range(6):
        page = strict.test_client().post(
            "/en/requests/new",
            data={"number": "订单", "contact": MAIL},
            environ_base={"REMOTE_ADDR": f"192.0.2.{place + 1}"},
        )
        assert page.status_code == 422


def test_addresses_of_one_ipv6_network_are_one_visitor(strict: Flask) -> None:
    statuses = [
        strict.test_client()
        .post(
            "/en/requests/new",
            data={"number": f"WF-000-000-00{place}", "contact": MAIL},
            environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{place + 1}"},
        )
        .status_code
        for place in range(4)
    ]
    assert statuses == [422, 422, 422, 429]


def test_no_log_has_the_number_of_an_order_or_an_address(
    strict: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    from portal.logs import configure_logging

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(form="json")
    root.addHandler(caplog.handler)
    try:
        client = strict.test_client()
        for _ in range(4):
            client.post("/en/requests/new", data={"number": NUMBER, "contact": "a@example.com"})
    finally:
        root.handlers, root.level = handlers, level
    written = caplog.text
    assert "WF204118552" not in written
    assert NUMBER not in written


def test_the_page_of_a_request_shows_no_more_than_whoever_has_its_link_may_see(
    client: FlaskClient,
) -> None:
    page = html.unescape(client.get(send(client)).text)
    assert COMMENT.partition(" Write")[0] in page
    assert "planted.person" not in page
