"""Error pages that lead on: a search, the articles others read, and a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import structlog
from flask import render_template, request

from portal.help.examples import starting_points
from portal.i18n import current_locale
from portal.services import services
from search.types import Article

STATUSES = (400, 403, 404, 405, 410, 413, 429, 500, 503)
_ALONE = (403, 429, 500, 503)
"""Pages that ask neither the index nor the event log: what may have failed, or is to be spared."""
_LONGEST_GUESS = 120
_GUESSES = 3
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Help:
    words: str = ""
    guesses: Sequence[Article] = ()
    popular: Sequence[Article] = ()


def error_page(status: int, *, retry_after: int | None = None) -> str:
    """The page for a status, in the language of the address or of the visitor."""
    status = status if status in STATUSES else (500 if status >= 500 else 400)
    found = _Help() if status in _ALONE else _find_help(status)
    return render_template(
        f"errors/{status}.html",
        status=status,
        retry_after=retry_after,
        help=found,
        contact_url=services().settings.contact_url,
    )


def _find_help(status: int) -> _Help:
    """Whatever can be offered; an error on the way to an error page is only logged."""
    try:
        library = services().library
        locale = current_locale()
        popular = starting_points(library.catalogue, locale).articles
        words = _words_of(request.path) if status in (404, 410) else ""
        if not words:
            return _Help(popular=popular)
        response = library.search(words, locale=locale, limit=_GUESSES, mode="keyword")
        guesses = [result.article for result in response.results]
        return _Help(words=words, guesses=guesses, popular=popular)
    except Exception as error:
        _log.warning("error_page_without_help", status=status, error=str(error))
        return _Help()


def _words_of(path: str) -> str:
    """The words of a dead address: `/en/refunds/refund-time` gives `refunds refund time`."""
    words = re.sub(r"^/(en|zh-Hans|zh)(/|$)", "/", unquote(path))
    words = re.sub(r"\.(html?|php|aspx?)$", "", words)
    distinct = dict.fromkeys(re.findall(r"[^\W_]{2,}", words))
    return " ".join(distinct)[:_LONGEST_GUESS]
