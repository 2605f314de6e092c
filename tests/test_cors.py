"""Which sites' pages may use the API of forms, and how often: what browsers are told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.app import create_app
from portal.config import OFF
from portal.forms.limits import FormLimits
from portal.forms.registry import Form, Forms
from portal.services import Services

SHOP, OTHER, EVIL = "https://shop.example", "https://other.example", "https://evil.example"
FORMS = Forms(
    [
        Form("request", {"en": "Ours"}),
        Form("shop", {"en": "Shop"}, origins=(SHOP,), rate_limit="3 per minute"),
        Form("other", {"en": "Other"}, origins=(OTHER,), rate_limit=OFF),
    ]
)
EVENT = {"id": "event-0001", "type": "shown", "session": "session-0001"}
PATHS = ("/api/v1/suggest", "/api/v1/events")


@pytest.fixture
def own(services: Services) -> Flask:
    settings = services.settings.model_copy(update={"write_rate_limit": "4 per minute"})
    made = create_app(
        settings,
        dataclasses.replace(
            services, settings=settings, forms=FORMS, form_limits=FormLimits(settings)
        ),
    )
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


@pytest.fixture
def client(own: Flask) -> FlaskClient:
    return own.test_client()


def _ask(client: FlaskClient, form: str, origin: str | None, **body: Any) -> TestResponse:
    headers = {"Origin": origin} if origin else {}
    return client.post("/api/v1/suggest", json={"text": "", "form": form, **body}, headers=headers)


def _tell(client: FlaskClient, form: str, origin: str | None) -> TestResponse:
    headers = {"Origin": origin} if origin else {}
    return client.post("/api/v1/events", json={**EVENT, "form": form}, headers=headers)


@pytest.mark.parametrize("send", [_ask, _tell])
def test_a_page_of_the_forms_site_may_read_the_answer(client: FlaskClient, send: Any) -> None:
    answer = send(client, "shop", SHOP)
    assert answer.status_code in (200, 202)
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("send", [_ask, _tell])
@pytest.mark.parametrize("origin", [EVIL, OTHER, "null", "https://shop.example.evil.example"])
def test_any_other_page_is_refused(client: FlaskClient, send: Any, origin: str) -> None:
    answer = send(client, "shop", origin)
    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert origin in answer.json["detail"]


def test_our_own_pages_and_programs_may_always(client: FlaskClient) -> None:
    assert _ask(client, "other", "http://localhost").status_code == 200
    assert _ask(client, "other", None).status_code == 200
    assert "Access-Control-Allow-Origin" not in _ask(client, "other", None).headers


def test_the_public_address_is_our_own_behind_a_proxy(services: Services) -> None:
    settings = services.settings.model_copy(update={"base_url": "https://help.example/"})
    app = create_app(settings, dataclasses.replace(services, settings=settings, forms=FORMS))
    assert _ask(app.test_client(), "request", "https://help.example").status_code == 200
    assert _ask(app.test_client(), "request", "http://help.example").status_code == 403


def test_our_own_pages_are_known_where_a_proxy_hides_the_scheme(client: FlaskClient) -> None:
    headers = {"Origin": "https://localhost", "Sec-Fetch-Site": "same-origin"}
    body = {"text": "", "form": "request"}
    assert client.post("/api/v1/suggest", json=body, headers=headers).status_code == 200
    headers["Sec-Fetch-Site"] = "cross-site"
    assert client.post("/api/v1/suggest", json=body, headers=headers).status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_is_answered_for_every_site_some_form_allows(
    client: FlaskClient, path: str
) -> None:
    asked = {"Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "content-type"}  # fmt: skip
    for origin in (SHOP, OTHER):
        answer = client.options(path, headers={"Origin": origin, **asked})
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Access-Control-Allow-Methods"] == "POST"
        assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    for headers in ({"Origin": EVIL, **asked}, {}):
        answer = client.options(path, headers=headers)
        assert answer.status_code == 204
        assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]


def test_other_addresses_are_open_to_nobody(client: FlaskClient) -> None:
    for path in ("/api/v1/search?q=refund", "/en/", "/api/v1/openapi.json"):
        answer = client.get(path, headers={"Origin": SHOP})
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_refusal_before_the_form_is_known_can_be_read_by_the_widget(client: FlaskClient) -> None:
    answer = client.post("/api/v1/suggest", data=b"{", headers={"Origin": SHOP})
    assert answer.status_code == 400
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    answer = client.post("/api/v1/suggest", data=b"x" * 100_000, headers={"Origin": SHOP})
    assert answer.status_code == 413
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert int(answer.headers["Retry-After"]) > 0
    answer = client.post("/api/v1/suggest", data=b"{", headers={"Origin": EVIL})
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("send", [_ask, _tell])
def test_a_form_has_a_limit_of_its_own_that_says_when_to_come_back(
    client: FlaskClient, send: Any
) -> None:
    assert [send(client, "shop", SHOP).status_code for _ in range(3)] in ([200] * 3, [202] * 3)
    refused = send(client, "shop", SHOP)
    assert refused.status_code == 429
    assert refused.content_type == "application/problem+json"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]
    assert send(client, "other", OTHER).status_code < 400  # another form is not concerned


def test_suggestions_use_up_neither_events_nor_other_writing(client: FlaskClient) -> None:
    for _ in range(3):
        _ask(client, "shop", SHOP)
    assert _ask(client, "shop", SHOP).status_code == 429
    assert _tell(client, "shop", SHOP).status_code == 202
    answers = [_ask(client, "other", OTHER).status_code for _ in range(40)]
    assert set(answers) == {200}
    vote = client.post("/en/vote", data={"article": "refund-timing", "helpful": "yes"})
    assert vote.status_code != 429


def test_another_visitor_is_not_concerned(client: FlaskClient) -> None:
    for _ in range(4):
        _ask(client, "shop", SHOP)
    other = client.post(
        "/api/v1/suggest", json={"text": "", "form": "shop"},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )  # fmt: skip
    assert other.status_code == 200


def test_what_names_no_form_of_ours_has_the_limit_on_writing(client: FlaskClient) -> None:
    answers = [_ask(client, f"no-{n}", None).status_code for n in range(6)]
    assert answers == [404] * 4 + [429] * 2
    assert client.post("/api/v1/suggest", data=b"{").status_code == 429


def test_limits_can_be_turned_off_together(services: Services) -> None:
    settings = services.settings.model_copy(update={"rate_limit": OFF})
    limits = FormLimits(settings)
    app = create_app(
        settings, dataclasses.replace(services, settings=settings, forms=FORMS, form_limits=limits)
    )
    client = app.test_client()
    assert {_ask(client, "shop", SHOP).status_code for _ in range(9)} == {200}
