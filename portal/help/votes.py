"""Whether an article or an answer helped: a vote first, then, if it did not, the reason."""

from __future__ import annotations

from flask import Blueprint, abort, jsonify, redirect, request, url_for
from werkzeug import Response

from portal.help import log
from portal.help.context import LOCALE, article_url
from portal.i18n import current_locale
from portal.services import services
from search.types import Article

LONGEST_COMMENT = 1000


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"{LOCALE}/vote", "vote", vote, methods=["POST"])


def vote() -> Response:
    """Store the vote; a later one of the same visitor replaces it."""
    article = _article(request.form.get("article", ""))
    helpful = request.form.get("helpful", "")
    if article is None or helpful not in ("yes", "no"):
        abort(400)
    reason = request.form.get("reason", "")
    log.vote(
        article,
        helpful=helpful == "yes",
        reason=reason if reason in log.REASONS else None,
        comment=request.form.get("comment", "").strip()[:LONGEST_COMMENT],
    )
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == (
        "application/json"
    ):
        return jsonify(helpful=helpful == "yes")
    return redirect(_back(article, helpful, done=bool(reason)), 303)


def _article(key: str) -> Article | None:
    """The article of `zh-Hans:refund-timing`; one may vote on an article of another language."""
    locale, _colon, article_id = key.partition(":")
    return services().library.catalogue.get(locale, article_id)


def _back(article: Article, helpful: str, *, done: bool) -> str:
    """Where the vote was cast, with the next step shown; made of parts, never an address given."""
    search_id = request.form.get("s", "")
    query = request.form.get("q", "").strip()
    if query:
        return url_for(
            "help.search",
            locale=current_locale(),
            q=query,
            s=search_id or None,
            answer=helpful,
            _anchor="answer",
        )
    return article_url(article, voted="done" if done else helpful, s=search_id, anchor="vote")
