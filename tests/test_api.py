"""The JSON API answers as the pages do, and says what is wrong with a request."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from portal.api.openapi import document
from portal.services import Services
from portal.tables import SEARCHES

SURE = [
    ("how long until my refund arrives", "en", "refund-timing"),
    ("退款多久到账", "zh-Hans", "refund-timing"),
    ("refund to gift card", "en", "refund-gift-cards"),
]


@pytest.mark.parametrize(("question", "locale", "article"), SURE)
def test_a_question_gets_an_answer_with_its_source(
    client: FlaskClient, question: str, locale: str, article: str
) -> None:
    body = client.get("/api/v1/search", query_string={"q": question, "locale": locale}).json
    assert body["resolved"]
    assert body["results"][0]["id"] == article
    assert body["answer"]["id"] == article
    assert body["answer"]["locale"] == locale
    page = client.get(body["answer"]["url"])
    assert page.status_code == 200


def test_an_answer_stands_word_for_word_in_its_article(client: FlaskClient) -> None:
    body = client.get("/api/v1/search?q=refund+to+gift+card").json
    article = client.application.extensions["kb_services"].library.catalogue.by_path(
        body["answer"]["url"].partition("#")[0]
    )
    from selectolax.lexbor import LexborHTMLParser

    text = " ".join(LexborHTMLParser(article.html).text().split())
    assert body["answer"]["text"].split(". ")[0][:60] in text


@pytest.mark.parametrize(
    ("question", "reader", "article", "written_in"),
    [
        ("运费险怎么赔", "en", "shipping-insurance", "zh-Hans"),
        ("how does the shipping insurance 运费险 pay", "en", "shipping-insurance", "zh-Hans"),
        ("英国消费者权益", "zh-Hans", "uk-consumer-rights", "en"),
        ("VAT invoice 公司抬头", "zh", "invoices-vat", "en"),
    ],
)
def test_a_question_finds_the_article_that_exists_only_in_the_other_language(
    client: FlaskClient, question: str, reader: str, article: str, written_in: str
) -> None:
    body = client.get("/api/v1/search", query_string={"q": question, "locale": reader}).json
    found = {row["id"]: row for row in body["results"][:3]}
    assert article in found
    assert found[article]["locale"] == written_in
    assert found[article]["translated"]


def test_what_no_article_answers_is_not_answered_and_stands_in_the_log(
    client: FlaskClient, services: Services
) -> None:
    body = client.get("/api/v1/search?q=can+I+bring+my+dog+to+your+warehouse").json
    assert body["answer"] is None
    assert not body["resolved"]
    services.events.flush()
    with services.engine.connect() as connection:
        logged = connection.execute(sa.select(SEARCHES.c.query, SEARCHES.c.resolved)).all()
    assert logged == [("can I bring my dog to your warehouse", False)]


def test_keystrokes_are_not_logged(client: FlaskClient, services: Services) -> None:
    body = client.get("/api/v1/search?q=can+I+bring+my+dog&typing=1").json
    assert body["search_id"] is None
    assert services.events.counts().searches == 0


def test_translations_are_collapsed_to_the_readers_language(client: FlaskClient) -> None:
    for locale in ("en", "zh-Hans"):
        rows = client.get(f"/api/v1/search?q=refund+time&locale={locale}").json["results"]
        ids = [row["id"] for row in rows]
        assert len(ids) == len(set(ids))
        assert next(r for r in rows if r["id"] == "refund-timing")["locale"] == locale


def test_filters_restrict_the_results(client: FlaskClient) -> None:
    rows = client.get("/api/v1/search?q=refund&section=delivery").json["results"]
    assert rows
    assert {row["section"] for row in rows} == {"delivery"}
    rows = client.get("/api/v1/search?q=return&platform=fjordmarkt").json["results"]
    assert "fjordmarkt-returns" in {row["id"] for row in rows}
    rows = client.get("/api/v1/search?q=refund&only=zh").json["results"]
    assert {row["locale"] for row in rows} == {"zh-Hans"}


def test_explain_adds_the_trace(client: FlaskClient) -> None:
    body = client.get("/api/v1/search?q=refund+gift+card&explain=1").json
    assert body["trace"]["terms"]
    why = body["results"][0]["explanation"]
    assert {term for term, _ in why["terms"]} >= {"gift", "card"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "q"),
        ("q=%20", "q"),
        ("q=x&locale=fr", "locale"),
        ("q=x&mode=magic", "mode"),
        ("q=x&section=nope", "section"),
        ("q=x&platform=nope", "platform"),
        ("q=x&limit=0", "limit"),
        ("q=x&limit=51", "limit"),
        ("q=x&limit=99999999999999999999", "limit"),
        ("q=x&limit=%D9%A3", "limit"),
        ("q=" + "x" * 5001, "q"),
    ],
)
def test_a_wrong_request_is_a_problem_that_names_the_parameter(
    client: FlaskClient, query: str, field: str
) -> None:
    answer = client.get(f"/api/v1/search?{query}")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == 400
    assert answer.json["detail"].startswith(f"{field}:")


@pytest.mark.parametrize(
    "question",
    ["\ufdfa" * 500, "😀" * 100, "\x00\x01", "‮abc", "<script>alert(1)</script>", "' OR 1=1 --",
     "*", "?", "AND OR NOT", "title:refund^1e9", "a" * 5000, "退" * 5000, "。" * 3000],
)  # fmt: skip
def test_hostile_questions_are_answered_like_any_other(client: FlaskClient, question: str) -> None:
    answer = client.get("/api/v1/search", query_string={"q": question})
    assert answer.status_code in (200, 400)
    assert answer.is_json


def test_a_settled_search_is_logged_with_the_article_that_was_opened(
    client: FlaskClient, services: Services
) -> None:
    answer = client.post(
        "/api/v1/events",
        json={"type": "search", "q": "refund gift card", "locale": "en",
              "opened": "refund-gift-cards", "position": 1},
    )  # fmt: skip
    assert answer.status_code == 202
    counts = services.events.counts()
    assert (counts.searches, counts.clicks) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"type": "search"}', b'{"type": "nope", "q": "x"}',
     b'{"type": "search", "q": "  "}', b'{"type": "search", "q": "x", "extra": 1}',
     b'{"type": "search", "q": "x", "position": "first"}', b"\xff\xfe"],
)  # fmt: skip
def test_a_wrong_event_is_a_problem(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/api/v1/events", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


def test_an_event_for_an_unknown_article_counts_no_click(
    client: FlaskClient, services: Services
) -> None:
    client.post("/api/v1/events", json={"type": "search", "q": "refund", "opened": "no-such"})
    assert services.events.counts().clicks == 0


def test_a_body_over_the_limit_is_refused(client: FlaskClient) -> None:
    answer = client.post("/api/v1/events", data=b"x" * 70_000, content_type="application/json")
    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"


def test_an_unknown_address_below_the_api_is_a_problem(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_every_route_of_the_api_is_described_and_no_other(app: Flask) -> None:
    routes = {
        (rule.rule, method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (path, method) for path, methods in document()["paths"].items() for method in methods
    }
    assert routes == described


def test_the_answer_has_the_fields_the_description_requires(client: FlaskClient) -> None:
    schemas = document()["components"]["schemas"]
    body = client.get("/api/v1/search?q=refund+to+gift+card").json
    for name, part in (
        ("SearchResponse", body), ("Answer", body["answer"]), ("Result", body["results"][0])
    ):  # fmt: skip
        assert set(schemas[name]["required"]) <= set(part)
        assert set(part) <= set(schemas[name]["properties"])


def test_a_failing_vector_engine_leaves_the_keywords_and_says_so(
    client: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from search.vectors import FaissEngine, SketchEngine

    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("broken on purpose")

    for engine in (FaissEngine, SketchEngine):
        monkeypatch.setattr(engine, "search", broken)
    body = client.get("/api/v1/search?q=refund+to+gift+card").json
    assert body["results"][0]["id"] == "refund-gift-cards"
    assert body["degraded"]
    assert b"kb_searches_degraded_total 1.0" in client.get("/metrics").data


def test_a_broken_log_does_not_break_a_search(client: FlaskClient, services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE search_results"))
        connection.execute(sa.text("DROP TABLE searches"))
    answer = client.get("/api/v1/search?q=refund+to+gift+card")
    assert answer.status_code == 200
    assert answer.json["resolved"]
    services.events.flush()
    assert b'kb_event_failures_total{operation="record_search"} 1.0' in client.get("/metrics").data


def test_a_slip_is_read_as_what_was_meant_and_named(client: FlaskClient) -> None:
    body = client.get("/api/v1/search?q=refnd+Statsu&locale=en").get_json()
    assert [(c["kind"], c["found"], c["used"]) for c in body["corrections"]] == [
        ("spelling", "refnd", "refund"), ("spelling", "statsu", "status"),
    ]  # fmt: skip
    assert body["corrections"][0]["query"] == "refund Statsu"
    assert body["results"][0]["id"] == "refund-statuses"
    exact = client.get("/api/v1/search?q=refnd+Statsu&locale=en&exact=1").get_json()
    assert exact["corrections"] == []


@pytest.mark.parametrize("query", ["tuikuan", "tui kuan", "推款", "退欵"])
def test_pinyin_and_homophones_find_refunds(client: FlaskClient, query: str) -> None:
    body = client.get("/api/v1/search", query_string={"q": query, "locale": "zh"}).get_json()
    assert [change["used"] for change in body["corrections"]] == ["退款"]
    assert all("退款" in r["title"] + r["snippet"] for r in body["results"][:3])


def test_a_doubtful_word_is_suggested_not_changed(client: FlaskClient) -> None:
    body = client.get("/api/v1/search?q=cancel+my+oder&locale=en").get_json()
    assert body["corrections"] == []
    assert [change["query"] for change in body["suggestions"]] == ["cancel my order"]
