"""Pages for machines: sitemap, robots, feed and the browser's search box."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, render_template

from portal.help.context import LOCALE
from portal.i18n import current_locale
from portal.services import services
from search.types import LOCALES, Article

_NEWEST = 30
_SITEMAP_MOST = 50_000


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/sitemap.xml", "sitemap", sitemap)
    blueprint.add_url_rule("/robots.txt", "robots", robots)
    blueprint.add_url_rule(f"{LOCALE}/feed.atom", "feed", feed)
    blueprint.add_url_rule(f"{LOCALE}/opensearch.xml", "opensearch", opensearch)


def sitemap() -> Response:
    """Every page worth finding, with its other languages and its last change."""
    catalogue = services().library.catalogue
    sections = {
        locale: [
            (label.key, max(article.updated for article in articles))
            for label, articles in catalogue.sections(locale)
        ]
        for locale in LOCALES
    }
    articles = [(article, catalogue.translations(article.id)) for article in catalogue]
    text = render_template(
        "feeds/sitemap.xml",
        locales=[locale for locale in LOCALES if sections[locale]],
        sections=sections,
        articles=articles[:_SITEMAP_MOST],
    )
    return Response(text, mimetype="application/xml")


def robots() -> Response:
    """Crawlers may read articles, but not walk through searches and forms."""
    return Response(render_template("feeds/robots.txt", locales=LOCALES), mimetype="text/plain")


def feed() -> Response:
    """The articles changed last."""
    locale = current_locale()
    articles = [article for article in services().library.catalogue if article.locale == locale]
    articles.sort(key=_newest_first, reverse=True)
    newest = articles[:_NEWEST]
    text = render_template(
        "feeds/feed.xml",
        articles=newest,
        updated=newest[0].updated if newest else date(1970, 1, 1),
    )
    return Response(text, mimetype="application/atom+xml")


def opensearch() -> Response:
    """Lets browsers offer the help centre as a search engine."""
    return Response(
        render_template("feeds/opensearch.xml"), mimetype="application/opensearchdescription+xml"
    )


def _newest_first(article: Article) -> tuple[date, str]:
    return article.updated, article.id
