"""`GET /api/v1/complete`, and the past questions it offers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from conftest import NOW
from portal.api.openapi import document
from portal.app import create_app
from portal.database import migrate, open_engine
from portal.event_types import SearchEvent
from portal.events import SqlEventStore
from portal.popular import PERIOD, REFRESH_SECONDS, PopularQuestions, popular_questions
from portal.services import Services
from search.completion import PastQuestion, PastQuestions


def event(query: str, person: int, **changes: object) -> SearchEvent:
    """One settled, answered search of a day ago."""
    fields = {
        "id": f"{query}/{person}/{changes.get('at', '')}", "at": NOW - timedelta(days=1),
        "visitor": f"visitor-{person}", "locale": "en", "query": query, "channel": "page",
        "mode": "hybrid", "confidence": 0.9, "resolved": True, "answer_article": "refund-timing",
        "section": None, "platform": None, "generation": "g", "duration_ms": 1.0, "bot": False,
    }  # fmt: skip
    return SearchEvent(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    made = open_engine("sqlite://")
    migrate(made)
    yield made
    made.dispose()


@pytest.fixture
def store(engine: sa.Engine) -> SqlEventStore:
    return SqlEventStore(engine, lambda: NOW)


def read(engine: sa.Engine) -> list[PastQuestion]:
    with engine.connect() as connection:
        return popular_questions(connection, since=NOW - PERIOD)


# --- the address


def test_a_beginning_is_completed_in_the_readers_language(client: FlaskClient) -> None:
    body = client.get("/api/v1/complete?q=refund&locale=en").json
    assert (body["query"], body["locale"]) == ("refund", "en")
    assert len(body["completions"]) == 8
    for completion in body["completions"]:
        assert completion["locale"] == "en"
        assert client.get(completion["url"]).status_code == 200
        start, end = completion["highlight"][0]
        assert completion["text"][start:end].casefold() == "refund"
    assert body["completions"][0]["kind"] == "title"


@pytest.mark.parametrize(
    ("typed", "locale", "title"),
    [
        ("退款多", "zh", "退款多久到账？"),
        ("tuikuanduo", "zh-Hans", "退款多久到账？"),
        ("tkdj", "zh", "退款多久到账？"),
        ("退款到账", "zh", "退款多久到账？"),
        ("When will my rfund a", "en", "When will my refund arrive?"),
        ("arive", "en", "When will my refund arrive?"),
        ("運費險", "en", "运费险怎么赔？"),
    ],
)
def test_pinyin_initials_slips_and_the_other_language_find_a_title(
    client: FlaskClient, typed: str, locale: str, title: str
) -> None:
    answer = client.get("/api/v1/complete", query_string={"q": typed, "locale": locale})
    found = {row["text"]: row for row in answer.json["completions"]}
    assert found[title]["kind"] == "title"
    assert found[title]["highlight"]


def test_the_language_is_guessed_when_it_is_not_given(client: FlaskClient) -> None:
    assert client.get("/api/v1/complete?q=refund").json["locale"] == "en"
    assert client.get("/api/v1/complete?q=退款").json["locale"] == "zh-Hans"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "q"),
        ("q=%20", "q"),
        ("q=x&locale=fr", "locale"),
        ("q=x&limit=0", "limit"),
        ("q=x&limit=21", "limit"),
        ("q=x&limit=many", "limit"),
        ("q=" + "x" * 5001, "q"),
    ],
)
def test_a_wrong_request_is_a_problem_that_names_the_parameter(
    client: FlaskClient, query: str, field: str
) -> None:
    answer = client.get(f"/api/v1/complete?{query}")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"].startswith(f"{field}:")


@pytest.mark.parametrize(
    "typed",
    ["\ufdfa" * 500, "😀" * 100, "\x00\x01", "\u202eabc", "<script>alert(1)</script>", "*",
     "' OR 1=1 --", "[a-z]", "a" * 5000, "退" * 5000, "ab " * 1500, "\n", "%",
     "abcdefgh ijklmnop qrstuvwx"],
)  # fmt: skip
def test_hostile_input_is_answered_like_any_other(client: FlaskClient, typed: str) -> None:
    answer = client.get("/api/v1/complete", query_string={"q": typed})
    assert answer.status_code in (200, 400)
    assert answer.is_json


def test_an_answer_is_kept_for_a_minute_and_its_tag_is_that_of_the_generation(
    client: FlaskClient, services: Services
) -> None:
    answer = client.get("/api/v1/complete?q=refund")
    assert answer.cache_control.public
    assert answer.cache_control.max_age == 60
    assert not answer.vary
    assert services.library.generation in answer.headers["ETag"]
    again = client.get(
        "/api/v1/complete?q=refund", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/api/v1/complete?q=refund", headers={"If-None-Match": '"old"'})
    assert other.status_code == 200


def test_nothing_typed_is_logged(client: FlaskClient, services: Services) -> None:
    client.get("/api/v1/complete?q=refund")
    assert services.events.counts().searches == 0


def test_the_rate_limit_is_that_of_searches(services: Services) -> None:
    settings = services.settings.model_copy(update={"rate_limit": "2 per minute"})
    client = create_app(settings, services).test_client()
    answers = [client.get("/api/v1/complete?q=x") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"]


def test_the_answer_and_its_examples_have_the_fields_the_description_requires(
    client: FlaskClient,
) -> None:
    description = document()
    schemas = description["components"]["schemas"]
    response = description["paths"]["/api/v1/complete"]["get"]["responses"]["200"]
    examples = response["content"]["application/json"]["examples"]
    bodies = [client.get("/api/v1/complete?q=refund").json]
    bodies += [example["value"] for example in examples.values()]
    for body in bodies:
        assert set(body) == set(schemas["Completions"]["required"])
        for completion in body["completions"]:
            assert set(completion) == set(schemas["Completion"]["required"])
            assert completion["kind"] in schemas["Completion"]["properties"]["kind"]["enum"]


# --- past questions


def test_what_three_visitors_asked_and_was_answered_is_popular(
    engine: sa.Engine, store: SqlEventStore
) -> None:
    for visitor in range(4):
        store.record_search(event("Refund in bitcoin", visitor))
        store.record_search(event("refund  IN bitcoin", visitor + 10))
    for visitor in range(3):
        store.record_search(event("missing parcel", visitor))
    assert read(engine) == [PastQuestion("Refund in bitcoin", 8), PastQuestion("missing parcel", 3)]


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        ("a fine question", {"resolved": False}),
        ("a fine question", {"bot": True}),
        ("a fine question", {"at": NOW - PERIOD - timedelta(hours=1)}),
        ("a fine question", {"visitor": "one and the same"}),
        ("where is order AB-1234567 of jane@example.com", {}),
        ("call me on +44 20 7946 0018", {}),
        ("r", {}),
        ("refund " * 20, {}),
    ],
)
def test_what_is_unanswered_private_odd_or_asked_by_few_is_not(
    engine: sa.Engine, store: SqlEventStore, query: str, changes: dict[str, object]
) -> None:
    for visitor in range(5):
        store.record_search(event(query, visitor, **changes))
        store.record_search(event("something everybody asks", visitor))
    assert [question.text for question in read(engine)] == ["something everybody asks"]


def test_what_its_writers_went_on_writing_is_not(engine: sa.Engine, store: SqlEventStore) -> None:
    for visitor in range(3):
        for step, text in enumerate(("refund ti", "refund timing")):
            at = NOW - timedelta(days=1) + timedelta(seconds=step * 2)
            store.record_search(event(text, visitor, at=at))
    assert [question.text for question in read(engine)] == ["refund timing"]


def test_popular_questions_are_offered_once_they_have_been_read(
    client: FlaskClient, services: Services
) -> None:
    for visitor in range(3):
        services.events.record_search(event("refund in bitcoin", visitor))
    services.events.flush()
    services.popular.refresh()
    answer = client.get("/api/v1/complete?q=refund+in")
    rows = {row["text"]: row for row in answer.json["completions"]}
    assert rows["refund in bitcoin"] == {
        "text": "refund in bitcoin", "kind": "popular", "locale": "en", "url": None,
        "highlight": [[0, 9]],
    }  # fmt: skip


def popular(engine: sa.Engine, **options: object) -> tuple[PopularQuestions, list[str]]:
    """Popular questions compiled to their number alone, and the failures that are reported."""
    failures: list[str] = []
    made = PopularQuestions(
        engine, lambda: NOW, lambda questions: PastQuestions({}, str(len(questions))),
        lambda operation, _error: failures.append(operation), **options,  # type: ignore[arg-type]
    )  # fmt: skip
    return made, failures


def test_a_request_never_waits_and_starts_one_reading_in_a_while(engine: sa.Engine) -> None:
    now, slow, began = [0.0], threading.Event(), threading.Event()
    known, _failures = popular(engine, monotonic=lambda: now[0])
    refresh, started = known.refresh, []

    def slowly() -> None:
        started.append(threading.current_thread())
        began.set()
        slow.wait(10)
        refresh()

    known.refresh = slowly  # type: ignore[method-assign]
    assert [known.current().version for _ in range(5)] == ["0"] * 5
    assert began.wait(10)
    slow.set()
    started[0].join()
    now[0] = REFRESH_SECONDS - 1
    known.current()
    assert len(started) == 1
    began.clear()
    now[0] = REFRESH_SECONDS + 1
    known.current()
    assert began.wait(10)
    started[1].join()
    assert len(started) == 2


def test_while_the_database_fails_what_was_read_before_goes_on_being_offered(
    engine: sa.Engine, store: SqlEventStore
) -> None:
    known, failures = popular(engine)
    for visitor in range(3):
        store.record_search(event("refund in bitcoin", visitor))
    known.refresh()
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE search_results"))
        connection.execute(sa.text("DROP TABLE searches"))
    known.refresh()
    assert failures == ["popular_questions"]
    assert known.current().version == "1"


def test_a_broken_log_does_not_break_completion(app: Flask, services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE search_results"))
        connection.execute(sa.text("DROP TABLE searches"))
    services.popular.refresh()
    answer = app.test_client().get("/api/v1/complete?q=refund")
    assert answer.status_code == 200
    assert answer.json["completions"]
    metrics = app.test_client().get("/metrics").data
    assert b'kb_event_failures_total{operation="popular_questions"}' in metrics
