"""The refund request from the order to the page of what was sent, by the Flask client."""

from __future__ import annotations

import dataclasses
import html
import json
import logging
import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from conftest import NOW
from moved_clock import MovedClock
from portal.app import create_app
from portal.config import Settings
from portal.forms.registry import Form, Forms
from portal.forms.types import FormEvent
from portal.requests.orders import Order, OrdersUnavailable
from portal.requests.steps import LONGEST_COMMENT
from portal.requests.store import Request, new_number
from portal.requests.tables import CONTACTS, DRAFTS
from portal.services import Services
from requests_support import (
    MAIL,
    NUMBER,
    PHONE,
    answer,
    fill_in,
    find_order,
    send,
    without_waiting,
)  # fmt: skip

LOCALES = ["en", "zh-Hans"]


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def desk(services: Services, clock: MovedClock) -> Services:
    """Services whose clock can be set and whose orders answer at once."""
    return dataclasses.replace(without_waiting(services), clock=clock)


@pytest.fixture
def app(settings: Settings, desk: Services) -> Flask:
    return make_app(settings, desk)


def make_app(settings: Settings, services: Services, *, csrf: bool = False) -> Flask:
    made = create_app(settings, services)
    made.testing = True
    made.config["WTF_CSRF_ENABLED"] = csrf
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


def sent_request(services: Services) -> Request:
    (found,) = services.requests.store.since(NOW)
    return found


# The journey


@pytest.mark.parametrize("locale", LOCALES)
def test_a_request_is_filled_in_sent_and_shown(
    client: FlaskClient, desk: Services, locale: str
) -> None:
    address = send(client, locale)
    sent = sent_request(desk)
    assert re.fullmatch(r"RR-[2-9A-Z]{4}-[2-9A-Z]{4}", sent.number)
    assert (sent.locale, sent.platform, sent.reason, sent.wish) == (
        locale, "wrenfield", "defective", "refund",
    )  # fmt: skip
    assert sent.items == [
        {"sku": "WF-TEA-07", "titles": {"en": "Stoneware teapot", "zh-Hans": "粗陶茶壶"},
         "quantity": 1}
    ]  # fmt: skip
    assert sent.contact is not None
    assert (sent.contact.order_number, sent.contact.contact) == (NUMBER, MAIL)
    assert sent.verdict == {
        "outcome": "yes", "because": "in-time", "until": "2026-12-10",
        "article": "faulty-first-30-days", "locale": locale, "section": "your-choice",
    }  # fmt: skip
    page = client.get(address)
    text = html.unescape(page.text)
    for piece in (sent.number, NUMBER, "The handle broke off", "m•••@example.com"):
        assert piece in text
    assert MAIL not in text
    assert "planted.person" not in text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in text
    says, decides = {
        "en": ("You are within the time limit.", "This is what the rule says, not a decision."),
        "zh-Hans": ("还在期限内。", "以上是规则的内容，不是处理结果。"),
    }[locale]
    assert says in text
    assert decides in text


@pytest.mark.parametrize("locale", LOCALES)
def test_every_step_is_shown_with_what_was_answered(client: FlaskClient, locale: str) -> None:
    fill_in(client, locale)
    for place, step in enumerate(("items", "reason", "wish", "comments", "check"), 2):
        page = client.get(f"/{locale}/requests/new/{step}")
        assert page.status_code == 200
        assert page.headers["Cache-Control"] == "no-store"
        bar = re.search(r"progress-bar.*?</div>", page.text, re.DOTALL)
        assert bar is not None
        assert bar[0].count("progress-done") == place
    assert re.search(r'value="WF-TEA-07" checked', client.get(f"/{locale}/requests/new/items").text)
    assert re.search(
        r'value="defective" checked', client.get(f"/{locale}/requests/new/reason").text
    )
    assert re.search(r'value="refund" checked', client.get(f"/{locale}/requests/new/wish").text)
    assert "The handle broke" in client.get(f"/{locale}/requests/new/comments").text
    assert f'"{NUMBER}"' in client.get(f"/{locale}/requests/new").text


def test_the_short_address_leads_to_the_form_in_the_visitors_language(client: FlaskClient) -> None:
    for accepted, locale in (("zh-CN", "zh-Hans"), ("en-GB", "en")):
        response = client.get("/requests/new", headers={"Accept-Language": accepted})
        assert response.location == f"/{locale}/requests/new"


def test_the_form_can_be_read_in_the_other_language_half_way(client: FlaskClient) -> None:
    fill_in(client, "en", until="wish")
    switched = client.get("/zh-Hans/language?from=/en/requests/new/wish")
    assert switched.location == "/zh-Hans/requests/new/wish"
    assert "您希望怎么处理" in client.get(switched.location).text


# Finding the order


@pytest.mark.parametrize("contact", [MAIL, MAIL.upper(), PHONE])
def test_mail_address_or_phone_number_find_the_order(client: FlaskClient, contact: str) -> None:
    assert find_order(client, contact=contact).location == "/en/requests/new/items"


def test_a_wrong_number_and_a_wrong_contact_get_the_same_answer(client: FlaskClient) -> None:
    wrong_contact = find_order(client, contact="someone@example.com")
    wrong_number = find_order(client, number="WF-204-118-553")
    assert wrong_contact.status_code == wrong_number.status_code == 422
    neutral = [
        page.text.replace("someone@example.com", MAIL).replace("WF-204-118-553", NUMBER)
        for page in (wrong_contact, wrong_number)
    ]
    assert neutral[0] == neutral[1]


@pytest.mark.parametrize("locale", LOCALES)
def test_empty_fields_are_named_and_linked(client: FlaskClient, locale: str) -> None:
    page = find_order(client, locale, number=" - ", contact="nobody")
    assert page.status_code == 422
    for name in ("number", "contact"):
        assert f'href="#field-{name}"' in page.text
        assert f'id="field-{name}"' in page.text
        assert f'id="{name}-error"' in page.text
    assert 'value="nobody"' in page.text
    assert page.text.count('aria-invalid="true"') == 2


class AwayOrders:
    def get(self, number: str) -> Order | None:
        raise OrdersUnavailable("KB_ORDERS: secret-host cannot be reached")


def test_orders_that_are_away_are_said_to_be_and_nothing_is_lost(
    settings: Settings, services: Services
) -> None:
    client = make_app(settings, without_waiting(services, AwayOrders())).test_client()
    page = find_order(client)
    assert page.status_code == 503
    assert "We cannot look orders up just now" in page.text
    assert f'value="{NUMBER}"' in page.text
    assert "secret-host" not in page.text


def test_guessing_is_limited_by_visitor_and_by_order(settings: Settings, desk: Services) -> None:
    strict = settings.model_copy(update={"lookup_rate_limit": "3 per minute"})
    app = make_app(strict, dataclasses.replace(desk, settings=strict))
    client = app.test_client()
    statuses = [find_order(client, number=f"WF-{n}").status_code for n in range(4)]
    assert statuses == [422, 422, 422, 429]
    guesses = [
        app.test_client().post(
            "/en/requests/new", data={"number": spelling, "contact": "x@example.com"},
            environ_base={"REMOTE_ADDR": f"192.0.2.{n}"},
        )
        for n, spelling in enumerate([NUMBER, NUMBER.lower(), "WF 204118552", NUMBER])
    ]  # fmt: skip
    assert [page.status_code for page in guesses] == [422, 422, 422, 429]
    assert int(guesses[-1].headers["Retry-After"]) > 0
    assert client.get("/en/requests/new").status_code == 200


# Errors, back, and what is kept


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("step", ["items", "reason", "wish"])
def test_a_step_without_an_answer_links_to_its_first_field(
    client: FlaskClient, step: str, locale: str
) -> None:
    fill_in(client, locale, until=step)
    page = client.post(f"/{locale}/requests/new/{step}", data={"reason": "no-such", "item": "no"})
    assert page.status_code == 422
    (target,) = re.findall(r'error-summary.*?href="#(field-[^"]+)"', page.text, re.DOTALL)
    assert f'id="{target}"' in page.text
    assert "<title>" + ("Error:" if locale == "en" else "有误：") in page.text


def test_comments_that_are_too_long_stay_and_are_not_sent(client: FlaskClient) -> None:
    fill_in(client, until="comments")
    page = answer(client, "comments", comments="long " * LONGEST_COMMENT)
    assert page.status_code == 422
    assert f"{LONGEST_COMMENT}" in page.text
    assert client.get("/en/requests/new/check").location == "/en/requests/new/comments"
    assert "long long" in client.get("/en/requests/new/comments").text


def test_another_reason_needs_words(client: FlaskClient) -> None:
    fill_in(client, until="reason")
    assert answer(client, "reason", reason="other").location == "/en/requests/new/wish"
    answer(client, "wish")
    assert answer(client, "comments", comments=" ").status_code == 422
    assert answer(client, "comments", comments="Something odd").status_code == 303


def test_back_keeps_what_was_given_even_when_it_is_not_an_answer_yet(client: FlaskClient) -> None:
    fill_in(client, until="comments")
    back = answer(client, "comments", comments="half a sent", go="back")
    assert back.location == "/en/requests/new/wish"
    assert "half a sent" in client.get("/en/requests/new/comments").text
    assert answer(client, "wish", go="back", wish="repair").location == "/en/requests/new/reason"
    assert re.search(r'value="repair" checked', client.get("/en/requests/new/wish").text)
    assert answer(client, "items", go="back").location == "/en/requests/new"


def test_steps_cannot_be_skipped(client: FlaskClient) -> None:
    find_order(client)
    assert client.get("/en/requests/new/check").location == "/en/requests/new/items"
    assert answer(client, "check", go="send").location == "/en/requests/new/items"


def test_pieces_are_those_of_the_order(client: FlaskClient, desk: Services) -> None:
    find_order(client)
    answer(client, "items", **{"item": "WF-TOWEL-03", "pieces-2": "2"})
    assert "<option selected>2</option>" in client.get("/en/requests/new/items").text
    answer(client, "items", **{"item": "WF-TOWEL-03", "pieces-2": "77"})
    assert "<option selected>3</option>" in client.get("/en/requests/new/items").text


def test_the_order_can_be_changed_and_a_draft_taken_up_again(client: FlaskClient) -> None:
    fill_in(client, until="wish")
    assert "You have begun a request" in client.get("/en/requests/new").text
    assert find_order(client).location == "/en/requests/new/wish"
    find_order(client, number="WF-204-118-671", contact="tom.ashby@example.com")
    page = client.get("/en/requests/new/items").text
    assert "Wireless earphones" in page
    assert "teapot" not in page
    client.post("/en/requests/new/again")
    assert "You have begun" not in client.get("/en/requests/new").text
    assert client.get("/en/requests/new/items").location == "/en/requests/new/expired"


def test_a_draft_expires_and_its_text_is_given_back(
    client: FlaskClient, clock: MovedClock, desk: Services
) -> None:
    fill_in(client, until="comments")
    clock.now += timedelta(hours=24, seconds=1)
    page = answer(client, "comments")
    assert page.status_code == 410
    assert "The handle broke off" in page.text
    assert client.get("/en/requests/new/wish").location == "/en/requests/new/expired"
    assert client.get("/en/requests/new/expired").status_code == 200
    find_order(client)
    with desk.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(DRAFTS)) == 1


def test_sending_twice_sends_once(client: FlaskClient, desk: Services) -> None:
    fill_in(client)
    with client.session_transaction() as session:
        before = dict(session)
    first = answer(client, "check", go="send")
    assert answer(client, "check", go="send").location == first.location
    with client.session_transaction() as session:  # the same form in another window
        session.clear()
        session.update(before)
    assert answer(client, "check", go="send").location == first.location
    assert len(desk.requests.store.since(NOW)) == 1


def test_a_request_that_cannot_be_stored_is_said_not_to_be_and_stays(
    client: FlaskClient, desk: Services
) -> None:
    fill_in(client)
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE requests RENAME TO elsewhere")
    page = answer(client, "check", go="send")
    assert page.status_code == 503
    assert "Your request was not sent" in page.text
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO requests")
    assert answer(client, "check", go="send").status_code == 303


def test_a_database_that_is_away_is_a_page_that_says_so(
    client: FlaskClient, desk: Services
) -> None:
    find_order(client)
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE request_drafts")
    page = client.get("/en/requests/new/items")
    assert page.status_code == 503
    assert page.headers["Retry-After"]


def test_every_form_needs_its_token(settings: Settings, desk: Services) -> None:
    app = make_app(settings, desk, csrf=True)
    posts = [
        rule.rule for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("requests.") and "POST" in (rule.methods or ())
    ]  # fmt: skip
    assert len(posts) >= 5
    client = app.test_client()
    for step in ("", "/again", "/items", "/check", "/solved", "/stopped"):
        assert client.post(f"/en/requests/new{step}", data={"x": "y"}).status_code == 400
    token = re.search(r'csrf_token" value="([^"]+)', client.get("/en/requests/new").text)
    assert token is not None
    found = client.post("/en/requests/new", data={
        "number": NUMBER, "contact": MAIL, "csrf_token": token[1],
    })  # fmt: skip
    assert found.status_code == 303


# Articles on the way


def test_articles_are_offered_once_after_the_reason_and_go_with_the_request(
    client: FlaskClient, desk: Services
) -> None:
    fill_in(client, until="reason")
    offered = answer(client, "reason")
    assert offered.location == "/en/requests/new/articles/reason"
    page = client.get(offered.location).text
    assert "My item is faulty within the first 30 days" in page
    read = re.search(r'href="(/en/requests/new/read/en/faulty-first-30-days[^"]*)"', page)
    assert read is not None
    opened = client.get(html.unescape(read[1]))
    assert opened.location.startswith("/en/problems/faulty-first-30-days")
    assert answer(client, "reason").location == "/en/requests/new/wish"
    for step in ("wish", "comments"):
        answer(client, step)
    answer(client, "check", go="send")
    sent = sent_request(desk)
    assert "en:faulty-first-30-days" in sent.shown
    assert sent.opened == ("en:faulty-first-30-days",)
    trail = desk.form_log.trail("request", session_of(desk))
    assert trail.opened == ("faulty-first-30-days",)


def session_of(services: Services) -> str:
    services.form_log.flush()
    with services.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT DISTINCT session FROM form_events").scalars()
        (session,) = found
    return str(session)


def kinds(services: Services) -> list[str]:
    services.form_log.flush()
    with services.engine.connect() as connection:
        return list(
            connection.exec_driver_sql("SELECT kind FROM form_events ORDER BY kind").scalars()
        )


def test_the_form_log_learns_of_every_step(client: FlaskClient, desk: Services) -> None:
    send(client)
    assert kinds(desk) == ["shown", "submitted"]


def test_an_article_that_solves_it_stops_the_request(client: FlaskClient, desk: Services) -> None:
    fill_in(client, until="reason")
    client.get(answer(client, "reason").location)
    solved = client.post(
        "/en/requests/new/solved", data={"article": "en:faulty-first-30-days", "after": "reason"}
    )
    page = client.get(solved.location).text
    assert "Stop the request?" in page
    assert '<a class="button button-quiet button-large" href="/en/requests/new/wish">' in page
    stopped = client.post("/en/requests/new/stopped")
    assert "No request was sent" in client.get(stopped.location).text
    assert kinds(desk) == ["resolved", "shown"]
    with desk.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(DRAFTS)) == 0


def test_what_was_read_before_or_beside_the_field_is_passed_on_and_not_offered_again(
    client: FlaskClient, desk: Services
) -> None:
    client.get("/en/refunds/refund-timing")
    fill_in(client, until="reason")
    page = client.get("/en/requests/new/reason").text
    match = re.search(r'data-session="([^"]+)"', page)
    assert match is not None
    session = match[1]
    client.post("/api/v1/suggest", json={
        "text": "It is faulty or stopped working", "reason": "defective", "locale": "en",
        "form": "request", "session": session,
    })  # fmt: skip
    desk.form_log.record_event(
        FormEvent("e" * 32, NOW, session, "request", "v", "en", "opened",
                  article="faulty-first-30-days", position=1)
    )  # fmt: skip
    assert client.get(answer(client, "reason").location).location == "/en/requests/new/wish"
    for step in ("wish", "comments"):
        answer(client, step)
    answer(client, "check", go="send")
    sent = sent_request(desk)
    assert "en:faulty-first-30-days" in sent.shown
    assert sent.opened == ("en:faulty-first-30-days", "en:refund-timing")


def test_held_out_sessions_are_offered_nothing(settings: Settings, desk: Services) -> None:
    form = Form("request", {"en": "Request"}, holdout=1.0)
    held = dataclasses.replace(desk, forms=Forms([form]))
    client = make_app(settings, held).test_client()
    fill_in(client, until="reason")
    assert client.get(answer(client, "reason").location).location == "/en/requests/new/wish"


# What the rules say


@pytest.mark.parametrize(
    ("locale", "said"),
    [("en", "Likely yes, until 10 December 2026"), ("zh-Hans", "2026年12月10日")],
)
def test_the_explainer_cites_the_clause_it_is_from(
    client: FlaskClient, locale: str, said: str
) -> None:
    fill_in(client, locale)
    page = client.get(f"/{locale}/requests/new/check").text
    assert said in page
    cited = re.search(r'verdict-source.*?href="([^"]+)"', page, re.DOTALL)
    assert cited is not None
    path, _hash, anchor = cited[1].partition("#")
    assert f'id="{anchor}"' in client.get(path).text


def test_every_way_shows_what_the_rules_say_to_it(client: FlaskClient) -> None:
    fill_in(client, until="wish")
    page = client.get("/en/requests/new/wish").text
    said = re.findall(r"option-verdict verdict-(\w+)", page)
    assert said == ["yes", "yes", "person", "person"]


# Who may know what


def test_nothing_of_a_request_is_in_the_cookie(client: FlaskClient) -> None:
    fill_in(client)
    with client.session_transaction() as session:
        kept = json.dumps(dict(session))
    for planted in (NUMBER, MAIL, "handle", "teapot"):
        assert planted not in kept


def test_a_link_that_was_guessed_is_nothing(client: FlaskClient) -> None:
    send(client)
    assert client.get("/en/requests/" + "A" * 32).status_code == 404


def test_the_link_of_a_request_is_not_in_the_log(
    client: FlaskClient, desk: Services, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        address = send(client)
        client.get(address)
    token = address.rpartition("/")[2]
    assert caplog.records
    assert all(token not in str(record.__dict__) for record in caplog.records)
    assert all(MAIL not in str(record.__dict__) for record in caplog.records)


def test_personal_data_is_where_it_must_be_and_nowhere_else(
    client: FlaskClient, desk: Services, tmp_path: Path
) -> None:
    send(client)
    desk.form_log.flush()
    desk.events.flush()
    sent = sent_request(desk)
    assert "planted.person" not in sent.comments
    with desk.engine.begin() as connection:
        rows = connection.execute(sa.select(CONTACTS)).all()
        assert [row.contact for row in rows] == [MAIL]
        for name in sa.inspect(connection).get_table_names():
            if name != CONTACTS.name:
                values = str(connection.exec_driver_sql(f"SELECT * FROM {name}").all())
                for planted in (MAIL, "planted.person", NUMBER, "+46"):
                    assert planted not in values, name
    desk.requests.store.erase_contacts(NOW + timedelta(days=1))
    with desk.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("events.db*"))
    for planted in (MAIL, "planted.person", NUMBER, "+46"):
        assert planted.encode() not in kept, planted
    page = client.get(f"/en/requests/{sent.token}").text
    assert "have been erased" in page
    assert "The handle broke off" in page
    assert "planted.person" not in page


def test_numbers_and_links_tell_nobody_how_many_requests_there_are(desk: Services) -> None:
    numbers = {new_number() for _ in range(300)}
    assert len(numbers) == 300
    assert not any(set("01ILOU") & set(number[3:]) for number in numbers)


def test_hostile_text_is_shown_as_text(client: FlaskClient, desk: Services) -> None:
    hostile = "<script>alert(1)</script> {{7*7}} \u202e\ufdfa \x00 🎈 \ud800"
    fill_in(client, until="comments")
    answer(client, "comments", comments=hostile.encode(errors="surrogatepass"))
    assert client.get("/en/requests/new/check").status_code == 200
    sent = answer(client, "check", go="send")
    page = client.get(sent.location)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "{{7*7}}" in page.text


def test_customers_find_the_form_where_they_look_for_it(client: FlaskClient) -> None:
    for path in ("/en/", "/en/refunds/refund-only", "/en/search"):
        assert 'href="/en/requests/new"' in client.get(path).text
    card = 'id="request-title"'
    assert card in client.get("/zh-Hans/refunds/refund-only").text
    assert card not in client.get("/en/account/refund-scams").text
