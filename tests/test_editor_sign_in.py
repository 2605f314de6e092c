"""Signing in and out, one's own account, people and the audit trail, through their pages."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser
from werkzeug.test import TestResponse

from conftest import NOW
from editor_session import account, sign_in
from portal.accounts import failures
from portal.accounts.desk import open_accounts
from portal.accounts.trail import Chosen, Entry
from portal.accounts.types import Role, User
from portal.app import create_app
from portal.config import Settings
from portal.editor.access import COOKIE
from portal.services import Services

PASSWORD = "correct horse 电池 staple"
OTHER = "another horse 电池 staple"


@pytest.fixture
def anna(services: Services) -> User:
    return services.accounts.users.add("anna", Role.EDITOR, PASSWORD)


def enter(client: FlaskClient, name: str = "anna", password: str = PASSWORD, **more: str
          ) -> TestResponse:  # fmt: skip
    return client.post("/editor/sign-in", data={"name": name, "password": password, **more})


def token(client: FlaskClient) -> str | None:
    found = client.get_cookie(COOKIE, path="/editor/")
    return found.value if found else None


def deeds(services: Services) -> list[tuple[str, str, str]]:
    """Who did what to what, the last first."""
    return [(e.user_name, e.action, e.subject) for e in entries(services)]


def entries(services: Services) -> list[Entry]:
    return services.accounts.trail.entries(Chosen(), limit=100)


def test_editors_do_not_share_the_limit_of_visitors(services: Services, settings: Settings) -> None:
    limits = {"write_rate_limit": "1 per minute", "editor_write_rate_limit": "3 per minute"}
    strict = settings.model_copy(update=limits)
    app = create_app(strict, replace(services, settings=strict))
    app.config["WTF_CSRF_ENABLED"] = False
    first, second, visitor = (app.test_client() for _ in range(3))
    sign_in(first, services, "editor")
    sign_in(second, services, "reader")
    codes = [first.post("/editor/account/feed").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    assert second.post("/editor/account/feed").status_code == 200
    assert [enter(visitor).status_code for _ in range(2)] == [401, 429]


def test_who_is_signed_in_reads_by_a_limit_of_their_own(
    services: Services, settings: Settings
) -> None:
    limits = {"rate_limit": "2 per minute", "editor_rate_limit": "6 per minute"}
    strict = settings.model_copy(update=limits)
    app = create_app(strict, replace(services, settings=strict))
    first, second, visitor = (app.test_client() for _ in range(3))
    sign_in(first, services, "editor")
    sign_in(second, services, "reader")
    pages = ["/editor/account", "/editor/gaps", "/editor/gaps.json"]
    codes = [first.get(page).status_code for page in pages + pages + pages]
    assert codes == [200] * 6 + [429] * 3  # one limit for all the pages
    assert [second.get("/editor/gaps").status_code for _ in range(4)] == [200] * 4
    # Nobody's pages, the page for signing in and a session that is over count by address.
    assert [visitor.get("/editor/gaps").status_code for _ in range(3)] == [302, 302, 429]
    assert [visitor.get("/editor/sign-in").status_code for _ in range(3)] == [200, 200, 429]
    assert first.get("/editor/sign-in").status_code == 429
    visitor.set_cookie(COOKIE, "x" * 43, path="/editor/")
    assert visitor.get("/editor/gaps").status_code == 429


@pytest.mark.parametrize("off", ["editor_rate_limit", "editor_write_rate_limit"])
def test_the_limits_of_editors_can_be_switched_off_by_themselves(
    services: Services, settings: Settings, off: str
) -> None:
    names = ("rate_limit", "write_rate_limit", "editor_rate_limit", "editor_write_rate_limit")
    own = settings.model_copy(update=dict.fromkeys(names, "1 per minute") | {off: "off"})
    app = create_app(own, replace(services, settings=own))
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    sign_in(client, services, "editor")
    pages = [client.get("/editor/account").status_code for _ in range(2)]
    changes = [client.post("/editor/account/feed").status_code for _ in range(2)]
    # Changes without a limit of their own count as pages do.
    assert (pages, changes) == {
        "editor_rate_limit": ([200, 200], [200, 429]),
        "editor_write_rate_limit": ([200, 429], [429, 429]),
    }[off]


# --- signing in ------------------------------------------------------------------------------


def test_before_the_first_account_the_page_says_how_to_make_one(
    client: FlaskClient, services: Services
) -> None:
    assert "kb users add" in client.get("/editor/sign-in").text
    account(services, "admin")
    assert "kb users add" not in client.get("/editor/sign-in").text


def test_who_knows_the_password_goes_on_where_they_wanted_to(
    client: FlaskClient, services: Services, anna: User
) -> None:
    answer = client.get("/editor/forms?days=7")
    assert answer.status_code == 302
    page = LexborHTMLParser(client.get(answer.location).text)
    wanted = page.css_first("main form input[name=next]")
    assert wanted is not None
    answer = enter(client, " Anna ", next=str(wanted.attributes["value"]))
    assert (answer.status_code, answer.location) == (303, "/editor/forms?days=7")
    assert client.get(answer.location).status_code == 200
    assert deeds(services) == [("anna", "sign_in", "anna")]
    assert services.accounts.users.get(anna.id).signed_in_at == NOW
    assert client.get("/editor/sign-in?next=/editor/account").location == "/editor/account"


def test_the_cookie_can_be_read_by_no_script_and_goes_nowhere_else(
    client: FlaskClient, services: Services, anna: User
) -> None:
    cookie = next(
        one for one in enter(client).headers.getlist("Set-Cookie") if one.startswith(COOKIE)
    )
    assert {"HttpOnly", "SameSite=Lax", "Path=/editor/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie  # the tests' site is http
    answer = client.post(
        "/editor/sign-in", base_url="https://localhost",
        data={"name": "anna", "password": PASSWORD},
    )  # fmt: skip
    assert "Secure" in next(
        one for one in answer.headers.getlist("Set-Cookie") if one.startswith(COOKIE)
    )


@pytest.mark.parametrize(
    ("name", "password", "status"),
    [("anna", "wrong password", 401), ("nobody", PASSWORD, 401), ("anna", "", 422),
     ("", PASSWORD, 422), ("off", PASSWORD, 401), ("anna", PASSWORD.upper(), 401),
     ("\x00\ud800", "\x00", 401)],
)  # fmt: skip
def test_who_does_not_is_told_nothing_more(
    client: FlaskClient, services: Services, anna: User, name: str, password: str, status: int
) -> None:
    off = services.accounts.users.add("off", Role.ADMIN, PASSWORD)
    services.accounts.users.add("on", Role.ADMIN, PASSWORD)
    services.accounts.users.disable(off.id)
    answer = enter(client, name.encode(errors="replace").decode(), password)
    assert answer.status_code == status
    assert token(client) is None
    if status == 401:
        alert = LexborHTMLParser(answer.text).css_first("main [role=alert]")
        assert alert is not None
        assert alert.text(strip=True) == "Name or password is wrong"
        assert entries(services)[0].action == "sign_in.failed"


def test_a_password_in_the_wrong_field_is_not_written_down(
    client: FlaskClient, services: Services, anna: User
) -> None:
    enter(client, "my secret password", "x")
    enter(client, "ANNA", "x")
    assert [entry.subject for entry in entries(services)] == ["anna", ""]


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/editor/", "//evil.example/editor/", "/\\evil.example", "/en/",
     "/editor/\nx", "/editor//evil.example", "javascript:alert(1)", "/editor/sign-in", "/editorial",
     "/editor/" + "x" * 3000],
)  # fmt: skip
def test_signing_in_never_leads_to_another_site(
    client: FlaskClient, anna: User, address: str
) -> None:
    assert enter(client, next=address).location == "/editor/"
    client.delete_cookie(COOKIE, path="/editor/")
    page = client.get("/editor/sign-in", query_string={"next": address})
    wanted = LexborHTMLParser(page.text).css_first("main input[name=next]")
    assert wanted is not None
    assert wanted.attributes["value"] == "/editor/"


def test_wrong_passwords_cannot_be_tried_for_ever(
    client: FlaskClient, services: Services, anna: User, app: Flask
) -> None:
    for _ in range(failures.FROM_ADDRESS):
        assert enter(client, "anna", "wrong password").status_code == 401
    answer = enter(client)
    assert answer.status_code == 429
    assert 15 * 60 - 2 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert token(client) is None
    elsewhere = app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "10.9.8.7"
    assert enter(elsewhere).status_code == 303
    # another process of the same portal knows about it too
    second = create_app(services.settings, services)
    second.config["WTF_CSRF_ENABLED"] = False
    assert enter(second.test_client()).status_code == 429


def test_a_right_password_is_refused_too_when_many_try_the_name(
    services: Services, anna: User, app: Flask
) -> None:
    for number in range(failures.FOR_ACCOUNT):
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = f"10.0.0.{number}"
        assert enter(client, "anna", "wrong password").status_code == 401
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = "10.1.1.1"
    assert enter(client).status_code == 429


# --- sessions --------------------------------------------------------------------------------


def test_a_token_that_was_planted_is_worth_nothing_after_signing_in(
    client: FlaskClient, services: Services, anna: User
) -> None:
    planted = services.accounts.sessions.begin(account(services, "reader").id, way="x", agent="")
    client.set_cookie(COOKIE, planted, path="/editor/")
    with client.session_transaction() as session:
        session["csrf_token"] = "planted"
    enter(client)
    assert token(client) not in (None, planted)
    assert services.accounts.sessions.find(planted) is None
    with client.session_transaction() as session:
        assert session.get("csrf_token") != "planted"


def test_signing_out_ends_the_session_on_the_server(
    client: FlaskClient, services: Services, anna: User
) -> None:
    enter(client)
    kept = str(token(client))
    answer = client.post("/editor/sign-out")
    assert answer.location == "/editor/sign-in"
    assert token(client) is None
    client.set_cookie(COOKIE, kept, path="/editor/")  # a copy of the cookie is worth nothing
    assert client.get("/editor/account").status_code == 302


def test_sessions_end_by_the_clock_of_the_settings(
    services: Services, settings: Settings, anna: User
) -> None:
    now = [NOW]
    brief = settings.model_copy(update={"session_idle_minutes": 30, "session_hours": 2})
    moving = replace(
        services, settings=brief, clock=lambda: now[0],
        accounts=open_accounts(brief, services.engine, lambda: now[0]),
    )  # fmt: skip
    app = create_app(brief, moving)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    enter(client)
    for _ in range(4):
        now[0] += timedelta(minutes=29)
        assert client.get("/editor/account").status_code == 200
    now[0] += timedelta(minutes=5)  # two hours and a minute since signing in
    assert client.get("/editor/account").status_code == 302
    enter(client)
    now[0] += timedelta(minutes=30)
    assert client.get("/editor/account").status_code == 302


def test_without_a_database_nobody_is_let_in(
    client: FlaskClient, services: Services, anna: User
) -> None:
    enter(client)
    with services.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE user_sessions")
    assert client.get("/editor/account").status_code == 503


# --- one's own account -----------------------------------------------------------------------


def change(client: FlaskClient, old: str, new: str, again: str | None = None) -> TestResponse:
    data = {"old": old, "new": new, "again": new if again is None else again}
    return client.post("/editor/account/password", data=data)


def test_changing_the_password_signs_out_everywhere_else(
    app: Flask, client: FlaskClient, services: Services, anna: User
) -> None:
    enter(client)
    before = token(client)
    elsewhere = app.test_client()
    enter(elsewhere)
    assert change(client, PASSWORD, OTHER).status_code == 303
    assert token(client) != before
    assert client.get("/editor/account").status_code == 200
    assert elsewhere.get("/editor/account").status_code == 302
    assert enter(elsewhere).status_code == 401
    assert enter(elsewhere, password=OTHER).status_code == 303
    assert ("anna", "password.changed", "anna") in deeds(services)


@pytest.mark.parametrize(
    ("old", "new", "again", "field"),
    [("wrong", OTHER, None, "old"), (PASSWORD, "short", None, "new"),
     (PASSWORD, OTHER, OTHER + "x", "again"), (PASSWORD, "anna anna anna", None, "new")],
)  # fmt: skip
def test_a_password_that_will_not_do_changes_nothing(
    client: FlaskClient, services: Services, anna: User, old: str, new: str,
    again: str | None, field: str,
) -> None:  # fmt: skip
    enter(client)
    answer = change(client, old, new, again)
    assert answer.status_code == 422
    page = LexborHTMLParser(answer.text)
    assert page.css_first(f"#{field}[aria-invalid=true]") is not None
    assert page.css_first(f"#{field}-error") is not None
    assert services.accounts.users.check("anna", PASSWORD) is not None


def test_guesses_at_the_old_password_count_too(client: FlaskClient, anna: User) -> None:
    enter(client)
    for _ in range(failures.FROM_ADDRESS):
        assert change(client, "wrong", OTHER).status_code == 422
    assert change(client, PASSWORD, OTHER).status_code == 429


def test_ones_sessions_are_listed_and_ended_one_by_one(
    app: Flask, client: FlaskClient, services: Services, anna: User
) -> None:
    enter(client)
    elsewhere = app.test_client()
    elsewhere.environ_base["HTTP_USER_AGENT"] = "<b>Phone</b>"
    enter(elsewhere)
    text = client.get("/editor/account?lang=en").text
    assert "<b>Phone" not in text
    keys = {one.agent: one.key for one in services.accounts.sessions.of(anna.id)}
    client.post("/editor/account/session", data={"key": keys["<b>Phone</b>"]})
    assert elsewhere.get("/editor/account").status_code == 302
    assert client.get("/editor/account").status_code == 200
    client.post("/editor/account/session", data={"key": keys["Mozilla/5.0 (test)"]})
    assert client.get("/editor/account").status_code == 302
    assert deeds(services)[:2] == [("anna", "session.ended", "anna")] * 2


def test_signing_out_everywhere_ends_them_all(
    app: Flask, client: FlaskClient, services: Services, anna: User
) -> None:
    elsewhere = app.test_client()
    enter(client)
    enter(elsewhere)
    client.post("/editor/account/sign-out")
    assert services.accounts.sessions.of(anna.id) == []
    assert elsewhere.get("/editor/account").status_code == 302


# --- people ----------------------------------------------------------------------------------


@pytest.fixture
def admin(client: FlaskClient, services: Services) -> FlaskClient:
    sign_in(client, services, "admin")
    return client


def link_in(answer: TestResponse) -> str:
    field = LexborHTMLParser(answer.text).css_first("#link")
    assert field is not None
    return urlsplit(str(field.attributes["value"])).path


def test_an_invitation_leads_to_a_password_and_in(
    app: Flask, admin: FlaskClient, services: Services
) -> None:
    link = link_in(admin.post("/editor/people/invite", data={"name": "ben", "role": "reader"}))
    guest = app.test_client()
    for _ in range(2):  # reading it, as mail scanners do, does not use it up
        assert "ben" in guest.get(link).text
    assert guest.post(link, data={"new": "short", "again": "short"}).status_code == 422
    answer = guest.post(link, data={"new": OTHER, "again": OTHER})
    assert (answer.status_code, answer.location) == (303, "/editor/")
    assert guest.get("/editor/forms").status_code == 200
    assert guest.get("/editor/people").status_code == 403
    assert app.test_client().get(link).status_code == 404
    late = app.test_client().post(link, data={"new": PASSWORD, "again": PASSWORD})
    assert late.status_code == 404
    assert services.accounts.users.check("ben", OTHER) is not None
    assert [deed[1] for deed in deeds(services)][:4] == [
        "sign_in", "invitation.accepted", "user.invited", "user.added",
    ]  # fmt: skip


def test_the_key_in_a_link_is_not_logged(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    from portal.log_path import loggable_path

    with app.test_request_context("/editor/invitation/secret-of-the-link"):
        assert "secret-of-the-link" not in loggable_path()


def test_a_forgotten_password_is_chosen_anew_by_a_link(
    app: Flask, admin: FlaskClient, services: Services, anna: User
) -> None:
    link = link_in(admin.post(f"/editor/people/{anna.id}/link"))
    app.test_client().post(link, data={"new": OTHER, "again": OTHER})
    assert services.accounts.users.check("anna", OTHER) is not None
    assert services.accounts.users.check("anna", PASSWORD) is None


@pytest.mark.parametrize(
    "data", [{"name": "", "role": "editor"}, {"name": "ANNA", "role": "editor"},
             {"name": "x", "role": "anyone"}, {"name": "x", "role": "root"}, {"name": "x"}],
)  # fmt: skip
def test_an_invitation_that_will_not_do_makes_no_account(
    admin: FlaskClient, services: Services, anna: User, data: dict[str, str]
) -> None:
    assert admin.post("/editor/people/invite", data=data).status_code == 422
    assert len(services.accounts.users.all()) == 2


def test_roles_are_given_and_accounts_disabled_and_signed_out(
    app: Flask, admin: FlaskClient, services: Services, anna: User
) -> None:
    other = app.test_client()
    for action, data, deed in (
        ("role", {"role": "reader"}, "user.role"),
        ("sign-out", {}, "user.signed_out"),
        ("disable", {}, "user.disabled"),
    ):
        enter(other)
        assert other.get("/editor/account").status_code == 200
        answer = admin.post(f"/editor/people/{anna.id}/{action}", data=data)
        assert answer.location == "/editor/people"
        assert other.get("/editor/account").status_code == 302, action
        assert deeds(services)[0] == ("admin", deed, "anna")
    assert enter(other).status_code == 401
    assert admin.post(f"/editor/people/{anna.id}/link").status_code == 303
    assert "There is no password to choose" in admin.get("/editor/people?lang=en").text
    admin.post(f"/editor/people/{anna.id}/enable")
    assert enter(other).status_code == 303
    assert services.accounts.users.get(anna.id).role is Role.READER


def test_the_last_admin_is_told_so_and_stays(admin: FlaskClient, services: Services) -> None:
    number = account(services, "admin").id
    for action, data in (("role", {"role": "reader"}), ("disable", {})):
        admin.post(f"/editor/people/{number}/{action}", data=data)
        assert "This is the last admin" in admin.get("/editor/people?lang=en").text
    assert services.accounts.users.get(number).role is Role.ADMIN
    assert [action for _, action, _ in deeds(services)] == []


@pytest.mark.parametrize("action", ["role", "sign-out", "disable", "enable", "link"])
def test_whom_nobody_knows_is_404(admin: FlaskClient, action: str) -> None:
    assert admin.post(f"/editor/people/99/{action}", data={"role": "editor"}).status_code == 404


# --- the audit trail -------------------------------------------------------------------------


def test_the_trail_is_shown_filtered_and_exported(admin: FlaskClient, services: Services) -> None:
    hostile = '=HYPERLINK("x")<script>alert(1)</script>'
    for number in range(150):
        services.accounts.trail.record(
            f"gap.{('note', 'closed')[number % 2]}", f"gap-{number}", {"note": hostile},
            user_id=None, user_name=("@anna", "ben")[number % 2],
        )  # fmt: skip
    page = LexborHTMLParser(admin.get("/editor/audit?lang=en").text)
    assert len(page.css("tbody tr")) == 100
    assert not list(page.css("main script"))
    older = next(one for one in page.css(".downloads a") if one.text() == "Older ones")
    rest = LexborHTMLParser(admin.get(str(older.attributes["href"])).text)
    assert len(rest.css("tbody tr")) == 50
    assert admin.get("/editor/audit.json?user=ben&subject=gap-14").json is not None
    found = admin.get("/editor/audit.json?user=ben&subject=gap-14").json
    assert [row["subject"] for row in found or []] == ["gap-149", "gap-147", "gap-145", "gap-143",
                                                       "gap-141"]  # fmt: skip
    answer = admin.get("/editor/audit.csv?action=gap.note")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == 75
    assert {row["user"] for row in rows} == {"'@anna"}
    assert all(not row["detail"].startswith(("=", "+", "-", "@")) for row in rows)
    assert admin.get("/editor/audit.json?since=2026-11-22&until=2026-11-22").json
    assert admin.get("/editor/audit.json?until=2026-11-21").json == []
    page = admin.get("/editor/audit?since=nonsense&before=x&lang=en")
    assert page.status_code == 200
    assert "“nonsense” is no date. Write it as 2026-12-31." in page.text
    assert 'id="entries-title"' not in page.text
    wrong = admin.get("/editor/audit.csv?until=2026-11-31&since=2026-11-22")
    assert wrong.status_code == admin.get("/editor/audit.json?since=foo").status_code == 400
    assert "until: “2026-11-31” is no date" in wrong.text
    assert "since" not in wrong.text


def test_a_deed_whose_note_is_lost_is_done_all_the_same(
    admin: FlaskClient, services: Services, anna: User
) -> None:
    with services.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit_trail")
    assert admin.post(f"/editor/people/{anna.id}/role", data={"role": "admin"}).status_code == 303
    assert services.accounts.users.get(anna.id).role is Role.ADMIN
    assert services.metrics.event_failures.labels("audit")._value.get() == 1


# --- language --------------------------------------------------------------------------------


def test_the_language_is_kept_and_switched_without_losing_the_page(
    client: FlaskClient, services: Services
) -> None:
    sign_in(client, services, "reader")
    assert 'lang="zh-Hans"' in client.get("/editor/forms?days=7&lang=zh").text
    page = LexborHTMLParser(client.get("/editor/forms?days=7").text)
    assert page.css_first("html").attributes["lang"] == "zh-Hans"  # type: ignore[union-attr]
    switch = page.css_first(".header-links a[hreflang=en]")
    assert switch is not None
    assert set(urlsplit(str(switch.attributes["href"])).query.split("&")) == {"days=7", "lang=en"}
    assert client.get("/editor/forms?lang=xx").status_code == 200


@pytest.mark.parametrize(
    ("referrer", "wanted"),
    [("http://localhost/editor/gaps/17?days=7", "/editor/gaps/17?days=7"),
     ("http://evil.example/editor/gaps", None), ("http://[", None), ("", None)],
)  # fmt: skip
def test_a_form_sent_after_the_session_was_over_leads_back_to_its_page(
    client: FlaskClient, anna: User, referrer: str, wanted: str | None
) -> None:
    answer = client.post("/editor/account/password", headers={"Referer": referrer})
    assert answer.status_code == 302
    asked = parse_qs(urlsplit(answer.location).query)
    assert asked == ({"next": [wanted]} if wanted else {})


def test_what_was_written_is_given_back_when_the_session_was_over(
    client: FlaskClient, anna: User
) -> None:
    text = "---\ntitle: Opening hours\n---\n\nWe open at <b>nine</b>.\n"
    typed = {"text": text, "meant": "A note of some length.", "section": "delivery",
             "password": PASSWORD, "seen": "0" * 64, "csrf_token": "x" * 90}  # fmt: skip
    answer = client.post("/editor/gaps/1/draft", data=typed)
    assert answer.status_code == 401
    page = LexborHTMLParser(answer.text)
    shown = [node.text() for node in page.css("textarea[readonly]")]
    assert shown == [text, "A note of some length."]
    link = page.css_first("main a[href*='/editor/sign-in']")
    assert link is not None
    assert PASSWORD not in answer.text
