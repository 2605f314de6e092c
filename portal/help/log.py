"""What a page leaves in the event log; the store never lets a failure reach a reader."""

from __future__ import annotations

import re
import secrets
import uuid
from datetime import timedelta

from flask import request

from portal.events import Handover, View, Vote
from portal.i18n import current_locale
from portal.log_search import log_search
from portal.services import services
from portal.visitors import is_bot
from search.types import Article, Filters, Response

REASONS = ("not-clear", "wrong", "outdated", "not-my-case", "too-long")
"""Why an article did not help."""

_SEARCH_ID = re.compile(r"[0-9a-f]{32}")
_LEGIBLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits and letters nobody confuses when reading a reference aloud."""


def search(response: Response, filters: Filters) -> str:
    """Log a search made on a page; gives the id its links carry."""
    return log_search(response, channel="page", filters=filters)


def view(article: Article) -> None:
    """Log that an article was opened, and from which place of which search."""
    here = services()
    search_id = _search_id(request.args.get("s", ""))
    position = request.args.get("n", "")
    here.events.record_view(
        View(
            id=uuid.uuid4().hex,
            at=here.clock(),
            visitor=_visitor(),
            article_id=article.id,
            locale=article.locale,
            search_id=search_id,
            position=int(position) if search_id and re.fullmatch(r"[0-9]{1,3}", position) else None,
            bot=is_bot(request.headers.get("User-Agent")),
        )
    )


def vote(article: Article, *, helpful: bool, reason: str | None, comment: str) -> None:
    """Log whether an article, or an answer taken from it, helped."""
    here = services()
    here.events.record_vote(
        Vote(
            id=uuid.uuid4().hex,
            at=here.clock(),
            visitor=_visitor(),
            article_id=article.id,
            locale=article.locale,
            helpful=helpful,
            reason=reason,
            comment=comment,
            search_id=_search_id(request.form.get("s", "")),
        )
    )


def new_handover(query: str, message: str, articles: tuple[Article, ...]) -> Handover:
    """A hand-over with a fresh reference, not stored yet."""
    here = services()
    letters = [secrets.choice(_LEGIBLE) for _ in range(8)]
    return Handover(
        id=uuid.uuid4().hex,
        reference=f"HO-{''.join(letters[:4])}-{''.join(letters[4:])}",
        at=here.clock(),
        visitor=_visitor(),
        locale=current_locale(),
        query=query,
        articles=tuple(dict.fromkeys(article.id for article in articles)),
        message=message,
        delivered=False,
    )


def popular(locale: str, *, period: timedelta, limit: int) -> list[str]:
    """Ids of the articles most visitors read in the period before now."""
    here = services()
    return [
        article_id
        for article_id, _visitors in here.events.popular(locale, here.clock() - period, limit)
    ]


def _visitor() -> str:
    agent = request.headers.get("User-Agent", "")
    return services().visitors.key(request.remote_addr or "", agent)


def _search_id(text: str) -> str | None:
    """An id as we make them, else None: the address bar is not to be believed."""
    return text if _SEARCH_ID.fullmatch(text) else None
