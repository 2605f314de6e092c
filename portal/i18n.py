"""Languages of the portal: which one a reader gets, and how it writes dates and names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, refresh
from flask_babel import format_date as babel_date

from portal.locales import match_locale
from portal.services import services
from search.types import LOCALES

DEFAULT = "en"
COOKIE = "locale"
NAMES = {"en": "English", "zh-Hans": "简体中文"}
"""Every language in its own words."""

_BABEL = {"en": "en_GB", "zh-Hans": "zh_Hans"}


def init_app(app: Flask) -> None:
    """Let gettext and dates follow the language of the address."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(Path(__file__).parent / "translations")
    app.config["BABEL_DEFAULT_LOCALE"] = babel_locale(DEFAULT)
    Babel(app, locale_selector=lambda: babel_locale(current_locale()))


def babel_locale(locale: str) -> str:
    """`zh-Hans` in addresses is `zh_Hans` to Babel; English dates are British."""
    return _BABEL.get(locale, _BABEL[DEFAULT])


def current_locale() -> str:
    """The language of the page being made: the address says it, else the reader's choice."""
    if not has_request_context():
        return DEFAULT
    if "locale" not in g:
        g.locale = path_locale(request.path) or choose_locale(
            request.cookies.get(COOKIE),
            request.accept_languages.values(),
            services().settings.default_locale,
        )
    return str(g.locale)


def use_locale(locale: str) -> None:
    """Speak a language for the rest of the present request, whatever its address says."""
    g.locale = locale
    refresh()


def path_locale(path: str) -> str | None:
    """The locale a path such as `/en/refunds/` starts with, or None."""
    first = path.split("/", 2)[1:2]
    return first[0] if first and first[0] in LOCALES else None


def other_locale(locale: str) -> str:
    """The language the switch in the header leads to."""
    return next(other for other in LOCALES if other != locale)


def choose_locale(cookie: str | None, accepted: Iterable[str], default: str) -> str:
    """The reader's own choice, else the first language of the browser we write in."""
    if cookie in LOCALES:
        return cookie
    for tag in accepted:
        if locale := match_locale(tag):
            return locale
    return default


def format_date(day: date) -> str:
    """A day as the reader's language writes it: `18 November 2026`, `2026年11月18日`."""
    return str(babel_date(day, "long"))
