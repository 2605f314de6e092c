"""`POST /api/v1/suggest`, its log, its command, and the page that describes the API."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from portal.api.openapi import document
from portal.app import create_app
from portal.cli import cli
from portal.forms.registry import Form, Forms
from portal.services import Services

SMALL = "The trainers are too small, never worn outside. Can I have them one size up?"
SESSION = "session-0001"


def _ask(client: FlaskClient, text: str, **body: Any) -> Any:
    return client.post("/api/v1/suggest", json={"text": text, **body})


def test_a_text_gets_articles_with_excerpt_confidence_and_rule(client: FlaskClient) -> None:
    answer = _ask(client, SMALL, locale="en-GB", reason="wrong-size", platform="wrenfield")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    first = answer.json["suggestions"][0]
    assert answer.json["resolved"]
    assert not answer.json["held_out"]
    assert first["id"] == "exchange-size"
    assert first["locale"] == "en"
    assert first["confidence"] >= 0.5
    assert first["url"].startswith("http://localhost/en/exchanges/exchange-size")
    assert client.get(first["url"]).status_code == 200
    policy = first["policy"]
    assert policy["window"] == "30 days from delivery"
    assert policy["postage"] == "We pay"
    assert all(isinstance(condition, str) for condition in policy["conditions"])
    assert policy["section_url"].startswith("http://localhost/en/exchanges/exchange-size#")


def test_the_rule_is_said_in_the_readers_language(client: FlaskClient) -> None:
    body = _ask(
        client, "鞋子买小了，没穿出去过，能换大一码吗", locale="zh-CN", reason="wrong-size",
        platform="雀园自营",
    ).json  # fmt: skip
    assert body["suggestions"][0]["policy"]["window"] == "签收后30天内"


def test_the_answer_has_what_the_description_says(client: FlaskClient) -> None:
    schemas = document()["components"]["schemas"]
    body = _ask(client, SMALL, reason="wrong-size", platform="wrenfield").json
    for name, part in (
        ("Suggestions", body),
        ("Suggestion", body["suggestions"][0]),
        ("SuggestedPolicy", body["suggestions"][0]["policy"]),
    ):
        assert set(schemas[name]["required"]) <= set(part) <= set(schemas[name]["properties"])


def test_articles_of_another_site_have_its_address(services: Services) -> None:
    own = services.settings.model_copy(update={"base_url": "https://help.example"})
    client = create_app(own, dataclasses.replace(services, settings=own)).test_client()
    url = _ask(client, SMALL).json["suggestions"][0]["url"]
    assert url.startswith("https://help.example/en/")


def test_a_form_tunes_threshold_limit_and_language(services: Services) -> None:
    forms = Forms(
        [
            Form("open", {}, threshold=0.0, limit=3),
            Form("one", {}, threshold=0.0, limit=1),
            Form("strict", {}, threshold=1.0),
            Form("chinese", {}, locale="zh-Hans"),
        ]
    )
    client = create_app(services.settings, dataclasses.replace(services, forms=forms)).test_client()

    def shown(form: str, **body: Any) -> list[Any]:
        found: list[Any] = _ask(client, SMALL, form=form, **body).json["suggestions"]
        return found

    assert len(shown("open")) == 3
    assert len(shown("open", limit=2)) == 2
    assert len(shown("one", limit=3)) == 1
    assert shown("strict") == []
    assert shown("chinese")[0]["locale"] == "zh-Hans"
    assert shown("chinese", locale="en")[0]["locale"] == "en"
    assert shown("chinese", locale="fr")[0]["locale"] == "zh-Hans"


def test_a_held_out_session_gets_none_but_is_written_down(services: Services) -> None:
    forms = Forms([Form("held", {}, holdout=1.0)])
    client = create_app(services.settings, dataclasses.replace(services, forms=forms)).test_client()
    body = _ask(client, SMALL, form="held", session=SESSION).json
    assert body["suggestions"] == []
    assert body["held_out"]
    assert not body["resolved"]
    row, items = _logged(services)
    assert row["id"] == body["suggestion_id"]
    assert row["held_out"]
    assert items[0]["article_id"] == "exchange-size"
    assert not _ask(client, SMALL, form="held").json["held_out"]  # no session, nothing to follow


def _logged(services: Services) -> tuple[Any, list[Any]]:
    services.form_log.flush()
    with services.engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT * FROM suggestions")).mappings().all()
        items = connection.execute(
            sa.text("SELECT * FROM suggestion_items ORDER BY position")
        ).mappings().all()  # fmt: skip
    assert len(rows) == 1
    return rows[0], list(items)


def test_what_was_suggested_is_in_the_log_without_personal_data(
    client: FlaskClient, services: Services, tmp_path: Path
) -> None:
    planted = ["jo.planted@example.com", "4111 1111 1111 1111", "+44 20 7946 0958"]
    text = f"{SMALL} Mail {planted[0]}, card {planted[1]}, call {planted[2]}."
    body = _ask(client, text, reason="wrong-size", platform="wrenfield", session=SESSION).json
    row, items = _logged(services)
    assert row["id"] == body["suggestion_id"]
    assert [item["article_id"] for item in items] == [one["id"] for one in body["suggestions"]]
    services.events.flush()
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("events.db*"))
    assert b"never worn outside" in stored
    for data in planted:
        assert data.encode() not in stored
        assert data.replace(" ", "").encode() not in stored


def test_a_text_that_says_nothing_has_no_id_and_no_row(
    client: FlaskClient, services: Services
) -> None:
    for text in ("", "😀😀😀", "\ufdfa", "\u202e\u200f", "<p></p>", "\x00"):
        body = _ask(client, text, session=SESSION).json
        assert body == {
            "suggestion_id": None, "suggestions": [], "resolved": False, "held_out": False,
        }  # fmt: skip
    services.form_log.flush()
    with services.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM suggestions")) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", ""),
        (b"{", ""),
        (b"[]", ""),
        (b"null", ""),
        (b'"text"', ""),
        (b'{"text": "\\ud800"}', ""),
        (b"\xff\xfe", ""),
        (b"{}", "text"),
        (b'{"text": 5}', "text"),
        (b'{"text": null}', "text"),
        (b'{"text": ["a"]}', "text"),
        (b'{"text": "a", "limit": 0}', "limit"),
        (b'{"text": "a", "limit": 4}', "limit"),
        (b'{"text": "a", "limit": "2"}', "limit"),
        (b'{"text": "a", "limit": true}', "limit"),
        (b'{"text": "a", "limit": 1.5}', "limit"),
        (b'{"text": "a", "session": "short"}', "session"),
        (b'{"text": "a", "session": "with a space"}', "session"),
        (b'{"text": "a", "session": "newline-at-end\\n"}', "session"),
        (b'{"text": "a", "reason": {}}', "reason"),
        (b'{"text": "a", "unknown": 1}', "unknown"),
    ],
)
def test_a_wrong_body_is_a_problem_that_names_the_field(
    client: FlaskClient, body: bytes, field: str
) -> None:
    answer = client.post("/api/v1/suggest", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.json.get("field", "") == field


def test_null_is_as_good_as_absent_and_a_whole_number_may_have_a_point(client: FlaskClient) -> None:
    nothing = dict.fromkeys(("locale", "reason", "platform", "form", "limit", "session"))
    assert _ask(client, SMALL, **nothing).json["resolved"]
    body = client.post("/api/v1/suggest", data=b'{"text": "refund", "limit": 1.0}')
    assert body.status_code == 200


def test_an_unknown_form_is_not_found(client: FlaskClient) -> None:
    answer = _ask(client, SMALL, form="nobody")
    assert answer.status_code == 404
    assert "KB_FORMS" in answer.json["detail"]


@pytest.mark.parametrize(
    "text",
    [
        "refund " * 9_000, "退款" * 9_000, "😀" * 9_000, "<script>alert(1)</script>" * 2_000,
        "\u202e\u2066" * 9_000, "\ufdfa" * 9_000, "\x00" * 9_000, "a" * 60_000, "> " * 30_000,
        "-----Original Message-----\n" * 2_000, "1" * 60_000, "@" * 60_000, "\n" * 30_000,
    ],
)  # fmt: skip
def test_hostile_texts_are_answered(client: FlaskClient, text: str) -> None:
    data = json.dumps({"text": text}, ensure_ascii=False).encode()
    assert len(data) < 64 * 1024
    answer = client.post("/api/v1/suggest", data=data)
    assert answer.status_code == 200
    assert len(answer.json["suggestions"]) <= 3


def test_a_text_of_a_hundred_kilobytes_is_too_large(client: FlaskClient) -> None:
    answer = _ask(client, "a" * 100_000)
    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0


@settings(
    max_examples=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(text=st.text(max_size=300), reason=st.none() | st.text(max_size=20))
def test_any_text_is_answered(client: FlaskClient, text: str, reason: str | None) -> None:
    answer = _ask(client, text, reason=reason, form="demo")
    assert answer.status_code in (200, 429)  # the form's own limit


def test_a_log_that_fails_is_not_felt(client: FlaskClient, services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE suggestion_items"))
        connection.execute(sa.text("DROP TABLE suggestions"))
    assert _ask(client, SMALL, session=SESSION).json["resolved"]
    services.form_log.flush()
    assert _ask(client, SMALL).status_code == 200


# --- the command


def test_the_command_prints_what_a_form_would_show(runner: CliRunner) -> None:
    done = runner.invoke(
        cli, ["suggest", SMALL, "--reason", "wrong-size", "--platform", "wrenfield"]
    )
    assert done.exit_code == 0
    assert "The trainers are too small, never worn outside." in done.stdout
    assert "1. Exchange for another size or colour" in done.stdout
    silent = runner.invoke(cli, ["suggest", "Do you sell walnut sideboards?", "--locale", "en"])
    assert "Nothing is likely enough" in silent.stdout
    assert "says nothing" in runner.invoke(cli, ["suggest", "-"], input="😀").stdout


def test_the_command_prints_json_and_refuses_what_is_unknown(runner: CliRunner) -> None:
    body = json.loads(
        runner.invoke(
            cli, ["suggest", SMALL, "--json", "--reason", "wrong-size", "--platform", "wrenfield"]
        ).stdout
    )
    assert body["suggestions"][0]["id"] == "exchange-size"
    assert body["suggestions"][0]["policy"]["window_days"] == 30
    assert body["reason"] == "wrong-size"
    for wrong in (["--form", "nobody"], ["--locale", "fr"]):
        done = runner.invoke(cli, ["suggest", SMALL, *wrong])
        assert done.exit_code == 2
        assert wrong[0] in done.stderr


# --- the document and its page


def test_the_document_has_the_names_of_this_installation(client: FlaskClient) -> None:
    found = client.get("/api/v1/openapi.json").json
    schemas = found["components"]["schemas"]
    assert found["openapi"] == "3.1.0"
    assert "fjordmarkt" in schemas["Platform"]["enum"]
    assert "refunds" in schemas["Section"]["enum"]
    assert schemas["SuggestRequest"]["properties"]["form"]["enum"] == ["request", "demo", None]


@pytest.mark.parametrize(("lang", "heading"), [("en", "API reference"), ("zh", "API 参考")])
def test_the_page_shows_every_operation_and_schema(
    client: FlaskClient, lang: str, heading: str
) -> None:
    answer = client.get(f"/api/v1/docs?lang={lang}")
    assert answer.status_code == 200
    tree = LexborHTMLParser(answer.get_data(as_text=True))
    title = tree.css_first("h1")
    assert title is not None
    assert title.text() == heading
    text = tree.text()
    found = document()
    for path, methods in found["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in text
    for name in found["components"]["schemas"]:
        assert tree.css_first(f"#schema-{name}") is not None
    for link in tree.css("main a[href^='#']"):
        target = link.attributes["href"]
        assert tree.css_first(target or "") is not None, target
    sources = [script.attributes.get("src") for script in tree.css("script")]
    assert all(source and source.startswith("/") for source in sources)


def test_the_page_speaks_the_readers_language(app: Flask) -> None:
    page = app.test_client().get("/api/v1/docs", headers={"Accept-Language": "zh-CN"})
    assert 'lang="zh-Hans"' in page.get_data(as_text=True)
    assert app.test_client().get("/api/v1/docs?lang=fr").status_code == 400
