"""Addresses that somebody wrote by hand: a page or none, never an error of the server."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from editor_session import sign_in
from portal.services import Services

GREAT = 10**20


@pytest.mark.parametrize("name", ["endpoint", "_anchor", "_scheme", "_method", "_external", "_x"])
def test_no_argument_is_taken_for_one_of_the_programs(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/editor/sign-in?{name}=x&next=/editor/account")
    assert answer.status_code == 200
    switch = LexborHTMLParser(answer.text).css_first("a.header-link[hreflang]")
    assert switch is not None
    address = str(switch.attributes["href"])
    assert "next=/editor/account" in address
    assert name not in address


@pytest.mark.parametrize(
    ("address", "status"),
    [(f"/editor/gaps/{GREAT}", 404), (f"/editor/gaps/{GREAT}.json", 404),
     (f"/editor/gaps/{2**31}", 404), (f"/editor/gaps/{2**31 - 1}", 404),
     (f"/editor/gaps/{GREAT}/proof.json", 404),
     (f"/editor/audit?before={GREAT}", 200), ("/editor/audit?before=-1", 200),
     ("/editor/audit?until=9999-12-31", 200),
     ("/editor/questions?before=0001-01-01T00:00:00%2B14:00~x", 200),
     (f"/editor/gaps?from={GREAT}&least={GREAT}&days={GREAT}", 200)],
)  # fmt: skip
def test_what_no_database_can_hold_is_no_error(
    client: FlaskClient, services: Services, address: str, status: int
) -> None:
    sign_in(client, services, "admin")
    assert client.get(address).status_code == status


@pytest.mark.parametrize("address", ["people/{}/disable", "people/{}/link", "gaps/{}/note"])
def test_nor_where_a_form_is_sent(client: FlaskClient, services: Services, address: str) -> None:
    sign_in(client, services, "admin")
    assert client.post(f"/editor/{address.format(GREAT)}").status_code == 404
