"""Languages: which one a visitor gets, and that the Chinese catalogue is complete."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient

from portal.i18n import babel_locale, choose_locale, format_date, match_locale, path_locale

ROOT = Path(__file__).parent.parent
TRANSLATIONS = ROOT / "portal" / "translations"
MESSAGES = TRANSLATIONS / "zh_Hans" / "LC_MESSAGES"


def catalogue() -> Catalog:
    with (MESSAGES / "messages.po").open("rb") as file:
        return read_po(file, locale="zh_Hans")


def used_messages() -> set[str]:
    with (TRANSLATIONS / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found: set[str] = set()
    for folder in ("indexer", "portal", "search", "templates"):
        for _file, _line, message, _comments, _context in extract_from_dir(
            ROOT / folder, methods, options, DEFAULT_KEYWORDS
        ):
            found.add(message[0] if isinstance(message, tuple) else message)
    return found


def test_every_message_used_is_translated_and_none_is_fuzzy() -> None:
    known = {
        message.id[0] if isinstance(message.id, tuple) else message.id: message
        for message in catalogue()
        if message.id
    }
    assert used_messages() == set(known)
    for message in known.values():
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(texts), message.id
        assert not message.fuzzy, message.id


def test_translations_keep_every_placeholder() -> None:
    errors = [
        error for message in catalogue() if message.id for error in message.check(catalogue())
    ]
    assert errors == []


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue())
    assert (MESSAGES / "messages.mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize(
    ("cookie", "accepted", "expected"),
    [
        (None, ["zh-TW", "en"], "zh-Hans"),
        (None, ["de", "zh"], "zh-Hans"),
        (None, ["de-AT", "en-US", "zh-CN"], "en"),
        (None, ["de", "fr"], "zh-Hans"),
        (None, [], "zh-Hans"),
        ("en", ["zh-CN"], "en"),
        ("xx", ["en"], "en"),
    ],
)
def test_the_cookie_wins_over_the_browser_and_the_browser_over_the_default(
    cookie: str | None, accepted: list[str], expected: str
) -> None:
    assert choose_locale(cookie, accepted, "zh-Hans") == expected


def test_tags_and_paths_name_locales() -> None:
    assert [match_locale(tag) for tag in ("zh_TW", "EN-us", "fr", None)] == [
        "zh-Hans",
        "en",
        None,
        None,
    ]
    assert [path_locale(path) for path in ("/en/", "/zh-Hans/x", "/zh/", "/", "")] == [
        "en",
        "zh-Hans",
        None,
        None,
        None,
    ]
    assert babel_locale("zh-Hans") == "zh_Hans"


def test_dates_are_written_as_the_language_writes_them(app: Flask) -> None:
    day = date(2026, 11, 18)
    with app.test_request_context("/en/"):
        assert format_date(day) == "18 November 2026"
    with app.test_request_context("/zh-Hans/"):
        assert format_date(day) == "2026年11月18日"


def test_the_root_leads_to_the_language_of_the_browser(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept-Language": "zh-HK,zh;q=0.9,en;q=0.1"})
    assert (answer.status_code, answer.location) == (302, "/zh-Hans/")
    assert {"accept-language", "cookie"} <= {name.lower() for name in answer.vary}


def test_the_short_chinese_address_moves_for_good(client: FlaskClient) -> None:
    answer = client.get("/zh/search?q=退款")
    assert answer.status_code == 301
    assert answer.location.startswith("/zh-Hans/search?q=")


def test_the_switch_leads_to_the_translation_and_is_remembered(client: FlaskClient) -> None:
    answer = client.get(
        "/en/language?to=zh-Hans&from=/en/refunds/refund-timing", follow_redirects=True
    )
    assert answer.request.path == "/zh-Hans/refunds/refund-timing"
    assert client.get("/").location == "/zh-Hans/"


def test_the_switch_says_so_where_there_is_no_translation(client: FlaskClient) -> None:
    answer = client.get("/en/language?from=/zh-Hans/returns/shipping-insurance")
    assert answer.status_code == 200
    assert "This article is written in Chinese only" in answer.text
    assert 'href="/zh-Hans/returns/shipping-insurance"' in answer.text
    assert 'href="/en/returns/"' in answer.text


def test_the_switch_keeps_a_search(client: FlaskClient) -> None:
    answer = client.get("/zh-Hans/language?from=/en/search?q%3Dlate+parcel%26s%3Dabc")
    assert answer.location == "/zh-Hans/search?q=late+parcel"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/en/",
        "/\\evil.example",
        "/en//evil.example",
        "x",
        "",
    ],
)
def test_the_switch_never_leaves_the_site(client: FlaskClient, address: str) -> None:
    answer = client.get("/zh-Hans/language", query_string={"from": address})
    assert answer.location == "/zh-Hans/"
