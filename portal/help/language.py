"""Which language a visitor reads, and what the switch in the header leads to."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug import Response

from portal.help.context import LOCALE
from portal.i18n import COOKIE, choose_locale, current_locale, path_locale
from portal.services import services
from search.types import LOCALES

_KEPT = ("q", "section", "platform", "article")
_YEAR = 365 * 24 * 3600


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/", "start", start)
    blueprint.add_url_rule("/zh/", "zh_home", zh, defaults={"rest": ""})
    blueprint.add_url_rule("/zh/<path:rest>", "zh", zh)
    blueprint.add_url_rule(f"{LOCALE}/language", "language", language)


def start() -> Response:
    """Send the visitor to the home page in a language they read."""
    locale = choose_locale(
        request.cookies.get(COOKIE),
        request.accept_languages.values(),
        services().settings.default_locale,
    )
    response = redirect(url_for("help.home", locale=locale))
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def zh(rest: str) -> Response:
    """The short form of the Chinese address, for people who type it."""
    query = request.query_string.decode("utf-8", "replace")
    path = url_for("help.home", locale="zh-Hans") + rest.lstrip("/")
    return redirect(f"{path}?{query}" if query else path, 301)


def language() -> Response:
    """The same page in the language asked for, or a page that says there is none."""
    locale = current_locale()
    wanted = request.args.get("to", locale)
    came_from = _address(request.args.get("from", ""))
    if wanted != locale and wanted in LOCALES:
        values: dict[str, Any] = {"locale": wanted, "from": came_from}
        return redirect(url_for("help.language", **values))
    catalogue = services().library.catalogue
    address = urlsplit(came_from)
    article = catalogue.by_path(address.path)
    response: Response
    if article is not None and locale not in catalogue.translations(article.id):
        page = render_template("help/no_translation.html", article=article)
        response = make_response(page)
    else:
        response = redirect(translated(came_from, locale))
    response.set_cookie(
        COOKIE,
        locale,
        max_age=_YEAR,
        samesite="Lax",
        httponly=True,
        secure=request.is_secure or services().settings.secure_cookies,
    )
    return response


def _address(text: str) -> str:
    """What can be read as an address, else nothing."""
    try:
        urlsplit(text)
    except ValueError:
        return ""
    return text


def translated(address: str, locale: str) -> str:
    """The same page of this site in another language, else its home page; never another site."""
    home = url_for("help.home", locale=locale)
    parts = urlsplit(address)
    old = path_locale(parts.path)
    if parts.scheme or parts.netloc or old is None or "\\" in address or "//" in parts.path:
        return home
    path = home + parts.path.removeprefix(f"/{old}").lstrip("/")
    query = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] in _KEPT])
    return f"{path}?{query}" if query else path
