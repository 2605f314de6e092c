"""Signing in at a real, small OpenID Connect provider: PKCE, nonce, state, roles, domains."""

from __future__ import annotations

import contextlib
import html
import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.accounts.trail import Chosen
from portal.accounts.types import AccountUnknown, Role, User
from portal.accounts.users import Users
from portal.app import create_app
from portal.config import Settings, SettingsInvalid, load_settings
from portal.editor.access import COOKIE
from portal.editor.oidc import mail_of, role_of
from portal.services import Services

ANNA = {"email": "anna@shop.example", "email_verified": True, "groups": ["kb-team"]}


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The issuer of a provider in a process of its own."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    program = Path(__file__).parent / "oidc_provider.py"
    process = subprocess.Popen(
        [sys.executable, str(program), str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    issuer = f"http://localhost:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{issuer}/jwks"):
                break
            time.sleep(0.1)
        yield issuer
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def known(settings: Settings, provider: str) -> Settings:
    """Settings of a portal that lets the team of one shop in."""
    return settings.model_copy(
        update={
            "oidc_issuer": provider, "oidc_client_id": "kb", "oidc_client_secret": "s3cret",
            "oidc_name": "Shop login", "oidc_role_claim": "groups",
            "oidc_roles": "kb-team=editor kb-admins=admin",
        }
    )  # fmt: skip


def browser(services: Services, settings: Settings) -> FlaskClient:
    app = create_app(settings, replace(services, settings=settings))
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (test)"
    return client


def knows(provider: str, subject: str, claims: dict[str, Any]) -> None:
    """Tell the provider who somebody is."""
    asked = urllib.request.Request(
        f"{provider}/users/{quote(subject)}", json.dumps(claims).encode(), method="PUT",
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(asked) as answer:
        assert answer.status == 204


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def agree(address: str, **form: str) -> str:
    """Do as somebody at the provider's page does; gives where it leads."""
    opener = urllib.request.build_opener(_Stay)
    try:
        opener.open(address, urlencode(form).encode()).close()
    except urllib.error.HTTPError as answer:
        answer.close()
        if location := answer.headers["Location"]:
            return str(location)
    raise AssertionError("the provider did not lead back")


def back(client: FlaskClient, location: str) -> TestResponse:
    parts = urlsplit(location)
    return client.get(f"{parts.path}?{parts.query}")


def enter(client: FlaskClient, subject: str, wanted: str = "/editor/account") -> TestResponse:
    there = client.get("/editor/oidc", query_string={"next": wanted})
    assert there.status_code == 302
    return back(client, agree(there.location, sub=subject))


def last(services: Services) -> dict[str, Any]:
    (entry,) = services.accounts.trail.entries(Chosen(), limit=1)
    return {"action": entry.action, **entry.detail}


def test_whoever_the_provider_knows_signs_in_with_the_role_of_their_claim(
    services: Services, known: Settings, provider: str
) -> None:
    knows(provider, "a-1", ANNA)
    client = browser(services, known)
    assert "Sign in at Shop login" in client.get("/editor/sign-in").text
    answer = enter(client, "a-1")
    assert (answer.status_code, answer.location) == (303, "/editor/account")
    assert "anna@shop.example" in client.get("/editor/account").text
    user = services.accounts.users.named("anna@shop.example")
    assert (user.role, user.external, user.has_password) == (Role.EDITOR, True, False)
    assert last(services)["way"] == "oidc"
    assert enter(browser(services, known), "a-1").status_code == 303
    assert len(services.accounts.users.all()) == 1


def offered(page: str) -> bool:
    return "/editor/oidc/sign-out" in page


def test_who_signs_out_is_offered_to_sign_out_at_the_provider(
    services: Services, known: Settings, provider: str
) -> None:
    knows(provider, "a-1", ANNA)
    client = browser(services, known)
    assert enter(client, "a-1").status_code == 303
    left = client.post("/editor/sign-out")
    page = client.get(left.location).text
    assert offered(page)
    assert "Shop login may still know you" in page
    there = client.get("/editor/oidc/sign-out")
    assert there.location.startswith(f"{provider}/oauth2/end_session?")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there.location).query).items()}
    assert asked["client_id"] == "kb"
    assert asked["post_logout_redirect_uri"] == "http://localhost/editor/oidc/signed-out"
    with urllib.request.urlopen(there.location) as form:
        lead = re.search(r'name="redirect_uri" value="([^"]+)"', form.read().decode())
    assert lead is not None
    answer = back(client, agree(f"{provider}/oauth2/end_session/confirm",
                                redirect_uri=html.unescape(lead[1])))  # fmt: skip
    page = client.get(answer.location).text
    assert "signed out at the provider too" in page
    assert not offered(page)


def test_only_who_came_from_the_provider_and_has_left_is_led_there(
    services: Services, known: Settings, provider: str
) -> None:
    knows(provider, "a-1", ANNA)
    client = browser(services, known)
    for path in ("sign-out", "signed-out", "signed-out?state=forged"):
        answer = client.get(f"/editor/oidc/{path}")
        assert (answer.status_code, answer.location) == (302, "/editor/sign-in")
    assert "provider too" not in client.get("/editor/sign-in").text
    enter(client, "a-1")
    assert client.get("/editor/oidc/sign-out").location == "/editor/sign-in"  # still signed in
    client.post("/editor/account/sign-out")
    assert offered(client.get("/editor/sign-in").text)
    # Signing in with a password in the same browser is no sign-in at the provider.
    services.accounts.users.add("Bob", Role.READER, "a long enough password")
    client.post("/editor/sign-in", data={"name": "Bob", "password": "a long enough password"})
    client.post("/editor/sign-out")
    assert not offered(client.get("/editor/sign-in").text)


def test_a_provider_that_cannot_be_signed_out_of_is_not_offered(
    services: Services, known: Settings, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from authlib.integrations.flask_client.apps import FlaskOAuth2App

    load = FlaskOAuth2App.load_server_metadata

    def without(app: FlaskOAuth2App) -> dict[str, Any]:
        found: dict[str, Any] = load(app)
        found.pop("end_session_endpoint", None)
        return found

    monkeypatch.setattr(FlaskOAuth2App, "load_server_metadata", without)
    knows(provider, "a-1", ANNA)
    client = browser(services, known)
    assert enter(client, "a-1").status_code == 303
    client.post("/editor/sign-out")
    assert not offered(client.get("/editor/sign-in").text)
    assert client.get("/editor/oidc/sign-out").location == "/editor/sign-in"


def test_signing_out_works_while_the_provider_is_away(
    services: Services, known: Settings, provider: str
) -> None:
    knows(provider, "a-1", ANNA)
    client = browser(services, known)
    enter(client, "a-1")
    away = known.model_copy(update={"oidc_issuer": "http://localhost:9"})
    other = browser(services, away)  # another worker, which has not asked the provider yet
    for name, path in (("kb", "/"), (COOKIE, "/editor/")):
        cookie = client.get_cookie(name, path=path)
        assert cookie is not None
        other.set_cookie(name, cookie.value, path=path)
    assert other.post("/editor/sign-out").status_code == 303
    assert other.get("/editor/account").status_code == 302
    answer = other.get("/editor/oidc/sign-out")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.text


def test_the_flow_has_pkce_nonce_and_state(
    services: Services, known: Settings, provider: str
) -> None:
    there = browser(services, known).get("/editor/oidc").location
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert asked["nonce"] != asked["state"]
    assert asked["redirect_uri"] == "http://localhost/editor/oidc/callback"
    assert asked["response_type"] == "code"


def test_the_provider_of_these_tests_insists_on_pkce(
    services: Services, known: Settings, provider: str
) -> None:
    there = browser(services, known).get("/editor/oidc").location
    without = there.replace("code_challenge=", "ignored=")
    assert "error=invalid_request" in agree(without, sub="a-1")


def test_an_answer_that_was_not_asked_for_lets_nobody_in(
    services: Services, known: Settings, provider: str
) -> None:
    knows(provider, "a-1", ANNA)
    first, second = browser(services, known), browser(services, known)
    location = agree(first.get("/editor/oidc").location, sub="a-1")
    assert back(second, location).status_code == 403  # another browser's answer
    assert back(first, location).status_code == 303
    assert back(first, location).status_code == 403  # the same answer again
    other = agree(second.get("/editor/oidc").location, sub="a-1")
    state = parse_qs(urlsplit(other).query)["state"][0]
    forged = second.get("/editor/oidc/callback", query_string={"code": "x", "state": state})
    assert forged.status_code == 403
    assert second.get("/editor/account").status_code == 302


def test_a_token_for_another_attempt_is_refused(
    services: Services, known: Settings, provider: str
) -> None:
    knows(provider, "a-1", ANNA)
    client = browser(services, known)
    location = agree(client.get("/editor/oidc").location, sub="a-1")
    with client.session_transaction() as session:
        (kept,) = [name for name in session if name.startswith("_state_kb_")]
        session[kept] = {**session[kept], "data": {**session[kept]["data"], "nonce": "other"}}
    assert back(client, location).status_code == 503
    assert services.accounts.users.all() == []


def test_who_refuses_there_is_not_let_in(
    services: Services, known: Settings, provider: str
) -> None:
    client = browser(services, known)
    there = client.get("/editor/oidc").location
    # Providers send `state` with an error too (RFC 6749, 4.1.2.1); this one forgets it.
    state = parse_qs(urlsplit(there).query)["state"][0]
    location = f"{agree(there, action='deny')}&state={state}"
    assert back(client, location).status_code == 403
    assert last(services)["why"] == "access_denied"
    assert back(client, location).status_code == 403  # the same refusal again is nobody's
    assert len(services.accounts.trail.entries(Chosen(), limit=9)) == 1


def test_nobody_writes_into_the_audit_trail_through_an_answer_not_asked_for(
    services: Services, known: Settings, provider: str
) -> None:
    client = browser(services, known)
    for query in ({"error": "my text"}, {"error": "access_denied", "state": "x"},
                  {"code": "x", "state": "x"}):  # fmt: skip
        answer = client.get("/editor/oidc/callback", query_string=query)
        assert answer.status_code == 403
    assert services.accounts.trail.entries(Chosen(), limit=9) == []
    asked = parse_qs(urlsplit(client.get("/editor/oidc").location).query)
    own = {"error": "my text", "state": asked["state"][0]}
    assert client.get("/editor/oidc/callback", query_string=own).status_code == 403
    assert last(services)["why"] == "other"


@pytest.mark.parametrize("change", [{"groups": []}, {"email": "anna@evil.example"}])
def test_whom_the_provider_lets_in_no_more_is_signed_out_everywhere(
    services: Services, known: Settings, provider: str, change: dict[str, Any]
) -> None:
    strict = known.model_copy(update={"oidc_mail_domains": "shop.example"})
    knows(provider, "f-1", ANNA)
    client = browser(services, strict)
    enter(client, "f-1")
    user = services.accounts.users.named("anna@shop.example")
    feed = services.accounts.users.new_feed(user.id)
    knows(provider, "f-1", {**ANNA, **change})
    assert enter(browser(services, strict), "f-1").status_code == 403
    assert client.get("/editor/account").status_code == 302
    assert services.accounts.users.by_feed(feed) is None


def test_many_of_one_name_get_accounts_of_their_own(
    services: Services, known: Settings, provider: str
) -> None:
    for subject in ("g-1", "g-2", "g-3", "g-4"):
        knows(provider, subject, ANNA)
        assert enter(browser(services, known), subject).status_code == 303
    assert len({user.name for user in services.accounts.users.all()}) == 4


def test_who_signs_in_twice_at_once_for_the_first_time_has_one_account(
    services: Services, known: Settings, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows(provider, "h-1", ANNA)
    enter(browser(services, known), "h-1")
    look, looks = Users.by_identity, []

    def too_early(users: Users, issuer: str, subject: str) -> User | None:
        looks.append(subject)
        return look(users, issuer, subject) if len(looks) > 1 else None

    monkeypatch.setattr(Users, "by_identity", too_early)
    assert enter(browser(services, known), "h-1").status_code == 303
    assert len(services.accounts.users.all()) == 1


@pytest.mark.parametrize(
    ("claims", "why"),
    [({**ANNA, "groups": ["others"]}, "no role"),
     ({**ANNA, "email": "anna@evil.example"}, "mail domain"),
     ({**ANNA, "email_verified": False}, "mail domain"),
     ({**ANNA, "email": "anna@shop.example@evil.example"}, "mail domain")],
)  # fmt: skip
def test_whom_the_settings_do_not_let_in_gets_no_account(
    services: Services, known: Settings, provider: str, claims: dict[str, Any], why: str
) -> None:
    knows(provider, "b-1", claims)
    strict = known.model_copy(update={"oidc_mail_domains": "other.example shop.example"})
    client = browser(services, strict)
    assert enter(client, "b-1").status_code == 403
    assert last(services)["why"] == why
    assert services.accounts.users.all() == []


def test_the_role_follows_the_claim_and_ends_older_sessions(
    services: Services, known: Settings, provider: str
) -> None:
    services.accounts.users.add("boss", Role.ADMIN, "correct horse 电池 staple")
    knows(provider, "c-1", {**ANNA, "groups": ["kb-admins", "kb-team"]})
    client = browser(services, known)
    enter(client, "c-1")
    assert client.get("/editor/people").status_code == 200
    knows(provider, "c-1", ANNA)
    other = browser(services, known)
    enter(other, "c-1")
    assert client.get("/editor/people").status_code == 302
    assert other.get("/editor/people").status_code == 403


def test_nobody_takes_over_an_account_of_the_same_name(
    services: Services, known: Settings, provider: str
) -> None:
    local = services.accounts.users.add("anna@shop.example", Role.ADMIN)
    knows(provider, "d-1", ANNA)
    client = browser(services, known)
    enter(client, "d-1")
    assert client.get("/editor/people").status_code == 403
    assert services.accounts.users.get(local.id) == local
    assert len(services.accounts.users.all()) == 2


def test_a_disabled_account_stays_out(services: Services, known: Settings, provider: str) -> None:
    knows(provider, "e-1", ANNA)
    enter(browser(services, known), "e-1")
    user = services.accounts.users.named("anna@shop.example")
    services.accounts.users.disable(user.id)
    client = browser(services, known)
    assert enter(client, "e-1").status_code == 403
    assert client.get("/editor/account").status_code == 302


def test_a_provider_that_is_away_is_said_to_be(services: Services, known: Settings) -> None:
    with socket.socket() as closed:
        closed.bind(("localhost", 0))
        port = closed.getsockname()[1]
    away = known.model_copy(update={"oidc_issuer": f"http://localhost:{port}"})
    client = browser(services, away)
    answer = client.get("/editor/oidc")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "The provider cannot be reached just now" in answer.text
    assert "password" in answer.text


def test_a_provider_that_calls_itself_otherwise_is_not_believed(
    services: Services, known: Settings, provider: str
) -> None:
    other = provider.replace("localhost", "127.0.0.1")
    asked = known.model_copy(update={"oidc_issuer": other + "/x"})
    assert browser(services, asked).get("/editor/oidc").status_code == 503


def test_without_a_provider_there_is_no_such_way(client: FlaskClient, services: Services) -> None:
    for path in ("/editor/oidc", "/editor/oidc/callback?code=1&state=2"):
        assert client.get(path).status_code == 404
    assert "oidc" not in client.get("/editor/sign-in").text
    with pytest.raises(AccountUnknown):
        services.accounts.users.named("anna@shop.example")


@pytest.mark.parametrize(
    ("claim", "default", "role"),
    [(["kb-team", "kb-admins"], "none", Role.ADMIN), ("kb-team", "none", Role.EDITOR),
     ([], "none", None), (None, "reader", Role.READER), (["kb-team"], "reader", Role.EDITOR),
     ([["kb-admins"]], "none", None), (7, "none", None), ("editor", "none", None)],
)  # fmt: skip
def test_roles_are_read_from_whatever_the_claim_is(
    settings: Settings, claim: object, default: str, role: Role | None
) -> None:
    given = settings.model_copy(
        update={
            "oidc_role_claim": "groups", "oidc_roles": "kb-team=editor kb-admins=admin",
            "oidc_default_role": default,
        }
    )  # fmt: skip
    assert role_of(given, {"groups": claim}) is role
    plain = given.model_copy(update={"oidc_roles": "", "oidc_default_role": "none"})
    assert role_of(plain, {"groups": ["admin", "x"]}) is Role.ADMIN
    assert role_of(plain.model_copy(update={"oidc_role_claim": ""}), {"": "admin"}) is None


def test_only_a_verified_address_counts() -> None:
    assert mail_of(ANNA) == "anna@shop.example"
    for verified in (None, False, "true", 1):
        assert mail_of({**ANNA, "email_verified": verified}) == ""
    assert mail_of({"email": ["x"], "email_verified": True}) == ""


@pytest.mark.parametrize(
    ("name", "value"), [("oidc_issuer", "http://login.example"), ("oidc_roles", "team=root"),
                        ("oidc_roles", "editor"), ("oidc_default_role", "anyone")],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"KB_{name.upper()}"):
        load_settings(**{name: value})
