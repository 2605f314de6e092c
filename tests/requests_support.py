"""What the tests of the refund request share: the form filled in, and orders without waiting."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from conftest import NOW
from portal.requests.lookup import OrderLookup
from portal.requests.orders import Orders
from portal.requests.orders_csv import DEMO, CsvOrders
from portal.services import Services

NUMBER = "WF-204-118-552"
MAIL = "mara.lindqvist@example.com"
PHONE = "070-555 01 12"
COMMENT = "The handle broke off when I first used it. Write to planted.person@example.org please."
ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "items": {"item": ["WF-TEA-07"]},
    "reason": {"reason": "defective"},
    "wish": {"wish": "refund"},
    "comments": {"comments": COMMENT},
}


def without_waiting(services: Services, orders: Orders | None = None) -> Services:
    """The services with orders that answer at once."""
    orders = orders or CsvOrders(DEMO, lambda: NOW)
    desk = dataclasses.replace(services.requests, lookup=OrderLookup(orders, step_seconds=0))
    return dataclasses.replace(services, requests=desk)


def find_order(
    client: FlaskClient, locale: str = "en", *, number: str = NUMBER, contact: str = MAIL
) -> TestResponse:
    """Submit the first step."""
    return client.post(f"/{locale}/requests/new", data={"number": number, "contact": contact})


def answer(client: FlaskClient, step: str, locale: str = "en", **values: Any) -> TestResponse:
    """Submit a step."""
    return client.post(f"/{locale}/requests/new/{step}", data=values or dict(ANSWERS.get(step, {})))


def fill_in(client: FlaskClient, locale: str = "en", *, until: str = "check") -> None:
    """Answer every step before `until`, passing over the articles on the way."""
    assert find_order(client, locale).status_code == 303
    for step in ANSWERS:
        if step == until:
            return
        response = answer(client, step, locale)
        assert response.status_code == 303, (step, response.status_code)
        if "/articles/" in response.location:
            client.get(response.location)


def send(client: FlaskClient, locale: str = "en") -> str:
    """Fill in and send; gives the address of the page of the request."""
    fill_in(client, locale)
    response = answer(client, "check", locale, go="send")
    assert response.status_code == 303
    assert re.fullmatch(rf"/{locale}/requests/[A-Za-z0-9_-]{{32}}", response.location)
    return str(response.location)
