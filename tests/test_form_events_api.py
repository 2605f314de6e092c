"""`POST /api/v1/events` as forms use it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from conftest import NOW
from portal.config import Settings
from portal.forms.figures import Figures, Selection
from portal.forms.registry import Form, Forms
from portal.services import Services, install
from portal.tables import FORM_EVENTS

BODY = {"id": "event-0001", "type": "shown", "form": "request", "session": "session-0001"}
SHOP = "https://shop.example"


@pytest.fixture
def shop(app: Flask, services: Services) -> Services:
    """The services with a form of another site."""
    form = Form("shop", {"en": "Shop"}, origins=(SHOP,), rate_limit="20 per minute")
    made = replace(services, forms=Forms([*services.forms.all(), form]))
    install(app, made)
    return made


def written(services: Services) -> list[dict[str, Any]]:
    services.form_log.flush()
    with services.engine.connect() as connection:
        return [dict(row) for row in connection.execute(FORM_EVENTS.select()).mappings()]


def figures(services: Services) -> Figures:
    return services.form_log.figures(Selection(NOW - timedelta(days=2), NOW + timedelta(days=1)))


def test_an_event_is_taken_once(client: FlaskClient, services: Services) -> None:
    for _ in range(3):
        answer = client.post("/api/v1/events", json=BODY)
        assert (answer.status_code, answer.json) == (202, {"id": "event-0001"})
    [row] = written(services)
    assert (row["kind"], row["at"], row["bot"]) == ("shown", NOW, False)
    assert len(row["visitor"]) == 16


def test_everything_a_page_may_say_is_kept(client: FlaskClient, services: Services) -> None:
    at = NOW - timedelta(minutes=5)
    said = {
        **BODY, "type": "opened", "suggestion_id": "suggestion-1", "article": "refund-timing",
        "position": 2, "at": at.isoformat(), "locale": "zh-CN",
    }  # fmt: skip
    assert client.post("/api/v1/events", json=said).status_code == 202
    [row] = written(services)
    assert {name: row[name] for name in ("at", "article", "position", "locale")} == {
        "at": at, "article": "refund-timing", "position": 2, "locale": "zh-Hans",
    }  # fmt: skip


def test_a_beacon_is_text_and_taken(client: FlaskClient, services: Services) -> None:
    body = '{"id": "event-0002", "type": "submitted", "form": "request", "session": "session-0001"}'
    answer = client.post("/api/v1/events", data=body, content_type="text/plain;charset=UTF-8")
    assert answer.status_code == 202
    assert [row["kind"] for row in written(services)] == ["submitted"]


@pytest.mark.parametrize(
    "at", ["2026-11-22T12:00:01+00:00", "2026-11-21T11:59:59Z", "0001-01-01T00:00:00+14:00",
           "9999-12-31T23:59:59-14:00"],
)  # fmt: skip
def test_a_clock_that_cannot_be_right_is_not_believed(
    client: FlaskClient, services: Services, at: str
) -> None:
    assert client.post("/api/v1/events", json={**BODY, "at": at}).status_code == 202
    assert [row["at"] for row in written(services)] == [NOW]


def test_what_is_no_article_of_ours_is_not_written(client: FlaskClient, services: Services) -> None:
    client.post("/api/v1/events", json={**BODY, "article": "13912345678 planted"})
    assert [row["article"] for row in written(services)] == [None]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"type": "closed"}, "body"), ({"id": "x"}, "id"), ({"id": "a b c d e f"}, "id"),
     ({"session": None}, "session"), ({"session": "s" * 65}, "session"),
     ({"position": 0}, "position"), ({"position": "1"}, "position"),
     ({"at": 1e9}, "at"), ({"at": "yesterday"}, "at"), ({"at": "2026-11-22T12:00:00"}, "at"),
     ({"more": 1}, "more"), ({"suggestion_id": "<script>"}, "suggestion_id"),
     ({"article": "a" * 201}, "article")],
)  # fmt: skip
def test_what_is_not_well_formed_is_a_problem_that_names_the_field(
    client: FlaskClient, services: Services, change: dict[str, object], field: str
) -> None:
    answer = client.post("/api/v1/events", json={**BODY, **change})
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"].startswith(f"{field}:")
    assert written(services) == []


def test_a_form_that_is_not_set_up_is_a_problem(client: FlaskClient) -> None:
    answer = client.post("/api/v1/events", json={**BODY, "form": "nobody-s"})
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_only_pages_the_form_names_may_speak_for_it(client: FlaskClient, shop: Services) -> None:
    body = {**BODY, "form": "shop"}
    allowed = client.post("/api/v1/events", json=body, headers={"Origin": SHOP})
    assert allowed.status_code == 202
    assert allowed.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    other = client.post("/api/v1/events", json=body, headers={"Origin": "https://evil.example"})
    assert other.status_code == 403
    assert "Access-Control-Allow-Origin" not in other.headers
    assert len(written(shop)) == 1


def test_events_of_ordinary_use_are_not_refused_and_a_flood_is(
    client: FlaskClient, shop: Services
) -> None:
    answers = [
        client.post("/api/v1/events", json={**BODY, "form": "shop", "id": f"event-{n:04d}"})
        for n in range(21)
    ]
    assert [answer.status_code for answer in answers] == [202] * 20 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert client.post("/api/v1/events", json=BODY).status_code == 202  # another form's own


@pytest.mark.parametrize(
    ("agent", "bot", "known"),
    [("Mozilla/5.0", False, True), ("Examplebot/2.1", True, False),
     ("python-requests/2.32", False, False)],
)  # fmt: skip
def test_crawlers_are_marked_and_programs_are_nobody_in_particular(
    client: FlaskClient, services: Services, agent: str, bot: bool, known: bool
) -> None:
    client.post("/api/v1/events", json=BODY, headers={"User-Agent": agent})
    [row] = written(services)
    assert (row["bot"], bool(row["visitor"])) == (bot, known)


def test_a_settled_search_is_still_taken(client: FlaskClient, services: Services) -> None:
    answer = client.post("/api/v1/events", json={"type": "search", "q": "refund"})
    assert answer.status_code == 202
    assert set(answer.json) == {"search_id"}
    assert written(services) == []


def test_suggestions_and_events_of_one_session_are_counted_as_one(
    client: FlaskClient, services: Services
) -> None:
    text = "How long does it take until a refund is back on my gift card?"
    asked = client.post(
        "/api/v1/suggest", json={"text": text, "form": "request", "session": BODY["session"]}
    ).json
    assert asked["suggestions"]
    client.post("/api/v1/events", json={**BODY, "suggestion_id": asked["suggestion_id"]})
    client.post("/api/v1/events", json={**BODY, "id": "event-0002", "type": "resolved"})
    found = figures(services)
    assert (found.open.sessions, found.open.shown, found.open.confirmed) == (1, 1, 1)
    [item] = {item["id"] for item in asked["suggestions"][:1]}
    assert services.form_log.trail("request", BODY["session"]).shown[0] == item


@pytest.mark.parametrize("how", ["locked", "refusing", "gone"])
def test_a_log_that_fails_is_not_felt(
    client: FlaskClient, services: Services, settings: Settings, how: str
) -> None:
    path = Path(settings.events_url.removeprefix("sqlite:///"))
    other = sqlite3.connect(path, isolation_level=None)
    if how == "locked":
        other.execute("BEGIN EXCLUSIVE")
    elif how == "refusing":
        other.execute("CREATE TRIGGER no BEFORE INSERT ON form_events BEGIN "
                      "SELECT RAISE(FAIL, 'refused'); END")  # fmt: skip
    else:
        other.execute("DROP TABLE form_events")
    assert client.post("/api/v1/events", json=BODY).status_code == 202
    services.form_log.flush()
    failed = services.metrics.event_failures.labels("record_form")._value.get()
    assert failed >= 1
    if how == "locked":
        other.execute("ROLLBACK")
    other.close()
