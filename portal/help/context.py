"""What every template may use, and the language part of every address."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import structlog
from flask import Flask, current_app, request, url_for
from flask_babel import gettext as _

from portal.i18n import NAMES, babel_locale, current_locale, format_date, other_locale
from portal.services import services
from search.types import LOCALES, Article

LOCALE = f"/<any({', '.join(repr(name) for name in LOCALES)}):locale>"
"""The start of every localised route."""

_log = structlog.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Offer the names below to every template, error pages included."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        absolute=absolute,
        article_url=article_url,
        babel_locale=babel_locale,
        current_locale=current_locale,
        format_date=format_date,
        is_untranslated=is_untranslated,
        language_name=language_name,
        language_names=NAMES,
        other_locale=other_locale,
        section_title=section_title,
        shop_name=shop_name,
        switch_url=switch_url,
    )


def take_locale(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Views ask `current_locale()`, so they need no argument for it."""
    if values:
        values.pop("locale", None)


def add_locale(endpoint: str, values: dict[str, Any]) -> None:
    """Links stay in the language of the page unless they name another."""
    if "locale" not in values and current_app.url_map.is_endpoint_expecting(endpoint, "locale"):
        values["locale"] = current_locale()


def shop_name() -> str:
    """The shop's name in the reader's language; empty while there is no index to ask.

    Every page shows it, those that report a broken index too, so it never raises.
    """
    try:
        return services().library.catalogue.taxonomy.shop.title(current_locale())
    except Exception as error:
        _log.warning("shop_name_unknown", error=str(error))
        return ""


def section_title(key: str, locale: str | None = None) -> str:
    """A section's title in the reader's language."""
    label = services().library.catalogue.taxonomy.sections.get(key)
    return label.title(locale or current_locale()) if label else key


def language_name(locale: str) -> str:
    """A language's name in the reader's language."""
    names = {"en": _("English"), "zh-Hans": _("Chinese")}
    return str(names.get(locale, locale))


def is_untranslated(article: Article) -> bool:
    """Whether the reader's language lacks this article, so that "only" is the truth."""
    return services().library.catalogue.get(current_locale(), article.id) is None


def article_url(article: Article, *, anchor: str = "", **query: str | int | None) -> str:
    """The address of an article; `s` and `n` tell which search, and which place in it, led there.

    An article of another language is reached in its own.
    """
    values: dict[str, Any] = {key: value for key, value in query.items() if value}
    values.update(locale=article.locale, section=article.section, slug=article.slug)
    return url_for("help.article", _anchor=anchor or None, **values)


def absolute(path: str) -> str:
    """A path as a complete address, for canonical links, feeds and mails."""
    base = services().settings.base_url or request.url_root
    return base.rstrip("/") + quote(path, safe="/:?#=&%")


def switch_url(locale: str) -> str:
    """Where the language switch leads from the present page."""
    here = request.full_path.rstrip("?") if request.method == "GET" else request.path
    values: dict[str, Any] = {"locale": locale, "from": here}
    return url_for("help.language", **values)
