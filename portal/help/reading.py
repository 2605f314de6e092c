"""The articles a visitor read last, kept in the signed session for the hand-over."""

from __future__ import annotations

from flask import session

from search.catalogue import Catalogue
from search.types import Article

_KEY = "read"
_MOST = 10


def remember(article: Article) -> None:
    """Put an article at the end of the list; the oldest falls out."""
    entry = f"{article.locale}:{article.id}"
    kept = [other for other in _entries() if other != entry]
    session[_KEY] = [*kept, entry][-_MOST:]


def recent(catalogue: Catalogue) -> list[Article]:
    """The articles read, latest first, without those that are gone by now."""
    articles = []
    for entry in reversed(_entries()):
        locale, _colon, article_id = entry.partition(":")
        article = catalogue.get(locale, article_id)
        if article is not None:
            articles.append(article)
    return articles


def _entries() -> list[str]:
    entries = session.get(_KEY, [])
    return [entry for entry in entries if isinstance(entry, str)]
