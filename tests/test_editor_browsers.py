"""Sessions are listed by browser and system, in words that their owner knows them by."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from editor_session import sign_in
from portal.editor.browsers import browser_words
from portal.services import Services

_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"  # fmt: skip # noqa: E501
_LIKE_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
         "Firefox on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_LIKE_CHROME} Chrome/130.0.0.0 Safari/537.36 "
         "Edg/130.0.0.0", "Edge on Windows"),
        (f"{_IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"{_IPHONE} FxiOS/131.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {_LIKE_CHROME} Chrome/130.0 Mobile "
         "Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/17.5 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Unknown browser on Linux"),
        ("curl/8.5.0", "curl"),
        ("<script>alert(1)</script>", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)  # fmt: skip
def test_a_browser_is_told_in_words(app: Flask, agent: str, words: str) -> None:
    with app.test_request_context("/en/"):
        assert browser_words(agent) == words


def test_the_account_page_has_words_and_the_string_behind_them(
    client: FlaskClient, services: Services
) -> None:
    user = sign_in(client, services)
    agent = f'{_IPHONE} Version/17.5 Mobile/15E148 Safari/604.1 "<b>'
    services.accounts.sessions.begin(user.id, way="password", agent=agent)
    page = client.get("/editor/account?lang=zh-Hans").text
    assert "iPhone 上的 Safari" in page
    assert "Safari/604.1 &#34;&lt;b&gt;" in page
    assert "<b>Mozilla" not in page
