"""The way to a person: a form that carries the question and the articles already read."""

from __future__ import annotations

import dataclasses
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog
from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug import Response

from portal.events import Handover
from portal.help import log, reading
from portal.help.context import LOCALE, absolute, article_url
from portal.help.handover_form import HandoverForm, articles, read_form
from portal.help.results import LONGEST_QUERY
from portal.i18n import current_locale
from portal.mail import HandoverMail, MailFailed, can_mail, send_handover
from portal.redact import redact, shorten
from portal.services import services
from search.catalogue import Catalogue
from search.types import Article, Result

_SENT = "sent"
_KEPT = 150  # characters: a cookie holds 4 KB, and a Chinese character takes several
_LONGEST_WORD = 40  # a longer run without a space is Chinese, and can be cut anywhere
_SUGGESTED = 3
_log = structlog.get_logger(__name__)


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"{LOCALE}/still-stuck", "handover", ask)
    blueprint.add_url_rule(f"{LOCALE}/still-stuck", "hand_over", hand_over, methods=["POST"])
    blueprint.add_url_rule(f"{LOCALE}/still-stuck/sent", "handed_over", handed_over)


def ask() -> str:
    """The form, filled with what is known."""
    catalogue = services().library.catalogue
    query = " ".join(request.args.get("q", "").split())[:LONGEST_QUERY]
    read = reading.recent(catalogue)
    named = _named(request.args.get("article", ""), catalogue)
    if named is not None and named not in read:
        read.insert(0, named)
    return _page(HandoverForm(query, query, "", tuple(read)), read)


def hand_over() -> Response | tuple[str, int]:
    """Store the question and mail it where that is set up; nothing typed is lost on the way."""
    catalogue = services().library.catalogue
    settings = services().settings
    form = read_form(request.form, catalogue, asks_mail=can_mail(settings))
    read = articles(request.form.getlist("offered"), catalogue)
    if form.errors:
        return _page(form, read), 422
    handover = log.new_handover(form.query, form.message, form.articles)
    stored = _store(handover)
    mailed = can_mail(settings) and _mail(form, handover.reference)
    if not stored and not mailed:
        return _page(form, read, failed=True), 503
    if stored and mailed:
        _store(dataclasses.replace(handover, delivered=True))
    # The mail has the text as typed, the list only what is stored of it.
    message = form.message if mailed else redact(form.message)
    session[_SENT] = {
        "reference": handover.reference,
        "query": _beginning(form.query if mailed else redact(form.query)),
        "message": _beginning(message),
        "is_cut": len(message) > _KEPT,
        "articles": [f"{article.locale}:{article.id}" for article in form.articles],
        "mailed": mailed,
        "replies_to": form.mail if mailed else "",
    }
    return redirect(url_for("help.handed_over"), 303)


def handed_over() -> Response | str:
    """The confirmation: the reference, what was sent, and what happens next."""
    sent = session.get(_SENT)
    if not isinstance(sent, dict):
        return redirect(url_for("help.handover"))
    return render_template(
        "help/handed_over.html",
        sent=sent,
        articles=articles(sent["articles"], services().library.catalogue),
        contact_url=contact_url(query=sent["query"] or sent["message"], ref=sent["reference"]),
        can_mail=can_mail(services().settings),
    )


def contact_url(*, query: str, ref: str = "") -> str:
    """The shop's own contact page with the question and the reference, or "" where none is set."""
    address = services().settings.contact_url
    if not address:
        return ""
    parts = urlsplit(address)
    added = {key: value for key, value in (("q", query), ("ref", ref)) if value}
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *added.items()])))


def _beginning(text: str) -> str:
    """What a cookie can keep of a text, cut behind a word and marked as cut."""
    if len(text) <= _KEPT:
        return text
    kept = shorten(text, _KEPT)
    words, _space, rest = kept.rpartition(" ")
    if not text[len(kept)].isspace() and len(rest) < _LONGEST_WORD and words:
        kept = words
    return f"{kept.rstrip()}…"


def _page(form: HandoverForm, read: list[Article], *, failed: bool = False) -> str:
    return render_template(
        "help/still_stuck.html",
        form=form,
        read=read,
        failed=failed,
        asks_mail=can_mail(services().settings),
        contact_url=contact_url(query=form.message),
        nearest=_nearest(form.query, read),
    )


def _nearest(query: str, read: list[Article]) -> list[Result]:
    """Articles that may spare the wait, without those already read."""
    if not query:
        return []
    response = services().library.search(query, locale=current_locale(), limit=_SUGGESTED + 3)
    known = {(article.locale, article.id) for article in read}
    return [
        result
        for result in response.results
        if (result.article.locale, result.article.id) not in known
    ][:_SUGGESTED]


def _named(article_id: str, catalogue: Catalogue) -> Article | None:
    return catalogue.get(current_locale(), article_id) if article_id else None


def _store(handover: Handover) -> bool:
    """Whether the hand-over is in the log; the store reports its own failures."""
    try:
        services().events.record_handover(handover)
    except Exception as error:
        _log.error("handover_not_stored", reference=handover.reference, error=str(error))
        return False
    return True


def _mail(form: HandoverForm, reference: str) -> bool:
    """Whether the mail left; if not, the stored hand-over still reaches the team's list."""
    mail = HandoverMail(
        reference=reference,
        locale=current_locale(),
        query=form.query,
        message=form.message,
        reply_to=form.mail,
        articles=[(read.title, absolute(article_url(read))) for read in form.articles],
    )
    try:
        send_handover(services().settings, mail)
    except MailFailed as error:
        _log.error("handover_mail_failed", reference=reference, error=str(error))
        return False
    return True
