"""What a hostile visitor meets."""

from __future__ import annotations

import dataclasses
import re

import pytest
from flask.testing import FlaskClient

from portal.app import create_app
from portal.config import Settings
from portal.forms.limits import FormLimits
from portal.services import Services

PAGES = ["/en/", "/zh-Hans/", "/en/refunds/", "/en/refunds/refund-timing",
         "/en/search?q=refund", "/en/still-stuck", "/en/nothing-here"]  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
def test_every_page_has_a_policy_without_inline_script(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    html = answer.get_data(as_text=True)
    scripts = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", html)
    assert all('type="application/ld+json"' in attributes for attributes in scripts)
    assert not re.search(r"<[^>]+\s(?:on\w+|style)\s*=", html)


@pytest.mark.parametrize("address", PAGES)
def test_every_page_says_what_browsers_may_not_do(client: FlaskClient, address: str) -> None:
    headers = client.get(address).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_a_question_with_markup_is_shown_as_text(client: FlaskClient) -> None:
    html = client.get("/en/search", query_string={"q": '"><script>alert(1)</script>'}).get_data(
        as_text=True
    )
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;" in html


@pytest.fixture
def guarded(settings: Settings, services: Services) -> FlaskClient:
    app = create_app(settings, services)
    app.testing = True
    return app.test_client()


@pytest.mark.parametrize("path", ["/en/vote", "/en/still-stuck"])
def test_a_form_without_its_token_is_refused(
    guarded: FlaskClient, services: Services, path: str
) -> None:
    answer = guarded.post(path, data={"article": "refund-timing", "helpful": "yes", "message": "x"})
    assert answer.status_code == 400
    counts = services.events.counts()
    assert (counts.votes, counts.handovers) == (0, 0)


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(guarded: FlaskClient) -> None:
    cookies = [
        cookie
        for path in ("/en/refunds/refund-timing", "/en/still-stuck", "/en/language?to=zh-Hans")
        for cookie in guarded.get(path).headers.getlist("Set-Cookie")
    ]
    assert any(cookie.startswith("kb=") for cookie in cookies)
    for cookie in cookies:
        assert "SameSite=Lax" in cookie
        if cookie.startswith("kb="):
            assert "HttpOnly" in cookie


def test_over_https_cookies_are_secure_and_the_site_insists_on_it(
    settings: Settings, services: Services
) -> None:
    app = create_app(settings.model_copy(update={"base_url": "https://help.example"}), services)
    answer = app.test_client().get("/en/still-stuck")
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    assert all("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))


def test_too_many_requests_are_told_when_to_come_back(
    settings: Settings, services: Services
) -> None:
    app = create_app(settings.model_copy(update={"rate_limit": "3 per minute"}), services)
    client = app.test_client()
    answers = [client.get("/api/v1/search?q=refund&typing=1") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert answers[-1].content_type == "application/problem+json"
    assert client.get("/healthz").status_code == 200


def test_writing_has_a_limit_of_its_own(settings: Settings, services: Services) -> None:
    own = settings.model_copy(update={"write_rate_limit": "2 per minute"})
    app = create_app(own, dataclasses.replace(services, form_limits=FormLimits(own)))
    client = app.test_client()
    event = {"type": "search", "q": "refund"}
    codes = [client.post("/api/v1/events", json=event).status_code for _ in range(3)]
    assert codes == [202, 202, 429]
    assert client.get("/api/v1/search?q=refund&typing=1").status_code == 200


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "/en/\r\nX: y"]
)
def test_no_redirect_leaves_the_site(client: FlaskClient, target: str) -> None:
    for answer in (
        client.get("/en/language", query_string={"from": target, "to": "zh-Hans"}),
        client.post("/en/vote", data={"article": "refund-timing", "helpful": "1", "next": target}),
    ):
        location = answer.headers.get("Location", "/")
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "path",
    ["/static/x/../../config.py", "/static/x/%2e%2e/config.py", "/static/x//etc/passwd",
     "/en/refunds/../../../etc/passwd", "/en/%00", "/zh/%2f%2fevil.example"],
)  # fmt: skip
def test_paths_do_not_lead_out(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (301, 302, 308, 400, 404)
    assert b"BaseSettings" not in answer.data
    location = answer.headers.get("Location", "/")
    assert not location.startswith("//")


def test_an_unexpected_error_shows_nothing_of_its_cause(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from search.library import PublishedLibrary

    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(PublishedLibrary, "search", broken)
    for path in ("/en/search?q=refund", "/api/v1/search?q=refund"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert b"secret detail" not in answer.data
