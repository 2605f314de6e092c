"""`/editor/questions`: logged questions behind every figure, filtered, the latest first."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from portal.drafts.paths import is_name
from portal.editor.arguments import link_arguments
from portal.editor.article_finder import Choice, find_articles
from portal.editor.downloads import csv_file, json_file
from portal.editor.legible import legible
from portal.editor.period import NO_PLATFORM, PERIODS, Chosen, chosen, platform_names
from portal.editor.words import moment
from portal.figures.counts import REASONS
from portal.figures.explore import LOG, STATES, Page, Place, Wanted, explore
from portal.figures.facts import Fact
from portal.i18n import current_locale
from portal.services import services
from portal.transactions import transaction
from search.types import LOCALES, Article

PAGE = 50
_SECONDS = 0.4
_FILTERED_SECONDS = 2.0
"""What is rare is worth a longer look."""
_USUAL = ("question", LOG)
_EXPORTED = 5000
_EXPORT_SECONDS = 8.0
_LONGEST = 200
_COLUMNS = (
    "id", "at", "source", "question", "locale", "platform", "channel", "answered", "clicked",
    "exit", "refined", "reasons", "bot",
)  # fmt: skip


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/questions", "questions", page)
    blueprint.add_url_rule("/questions.json", "questions_json", as_json)
    blueprint.add_url_rule("/questions.csv", "questions_csv", as_csv)


def page() -> str:
    """A page of questions with what came of each. Raises `EventsUnavailable`."""
    period = chosen()
    wanted = _wanted(period)
    narrow = bool(wanted.text or wanted.article or wanted.reason or wanted.state not in _USUAL)
    seconds = _FILTERED_SECONDS if narrow else _SECONDS
    # Words that are no id stand in no row: which article they mean is asked first.
    possible = not wanted.article or is_name(wanted.article)
    found = _explore(wanted, limit=PAGE, seconds=seconds) if possible else Page(())
    query = period.query(
        q=wanted.text, state=request.args.get("state") and wanted.state, reason=wanted.reason,
        article=wanted.article,
    )  # fmt: skip
    article = _article(wanted.article)
    return render_template(
        "editor/questions.html",
        chosen=period,
        wanted=wanted,
        found=found,
        article=article,
        unknown_article=bool(wanted.article) and article is None,
        meant=[] if article else [
            (one, url_for(".questions", **{**query, "article": one.id}))
            for one in _meant(wanted.article)
        ],
        later=bool(request.args.get("before")),
        first_url=url_for(".questions", **query),
        next_url=url_for(".questions", **query, before=str(found.following))
        if found.following
        else None,
        downloads={
            "csv": url_for(".questions_csv", **query), "json": url_for(".questions_json", **query),
        },
        states=(*STATES, LOG),
        reasons=[reason.value for reason in REASONS],
        platforms=platform_names(),
        no_platform=NO_PLATFORM,
        periods=PERIODS,
        moment=moment,
        legible=legible,
    )  # fmt: skip


def as_json() -> Response:
    """Up to 5,000 questions; `following` is the `before` of what is left, or null."""
    found = _export()
    rows = [_dict(fact) for fact in found.rows]
    following = None if found.following is None else str(found.following)
    return json_file("questions.json", {"questions": rows, "following": following})


def as_csv() -> Response:
    """Up to 5,000 questions; a `Link` header says where the rest begins."""
    found = _export()
    rows = [_dict(fact) for fact in found.rows]
    lines = [[row[name] if name != "reasons" else " ".join(row[name]) for name in _COLUMNS]
             for row in rows]  # fmt: skip
    response = csv_file("questions.csv", _COLUMNS, lines)
    if found.following is not None:
        arguments: dict[str, Any] = {**link_arguments(), "before": str(found.following)}
        response.headers["Link"] = f'<{url_for(".questions_csv", **arguments)}>; rel="next"'
    return response


def _article(article: str) -> Article | None:
    """The one that is published with this id, in the reader's language if it is."""
    catalogue = services().library.catalogue
    found = (catalogue.get(locale, article) for locale in (current_locale(), *LOCALES))
    return next((one for one in found if one is not None), None)


def _meant(text: str) -> list[Choice]:
    """Published articles that may be meant, one for each id: the log does not tell languages."""
    found: dict[str, Choice] = {}
    for one in find_articles(text):
        known = found.get(one.id)
        if one.status == "published" and (known is None or one.locale == current_locale()):
            found[one.id] = one
    return list(found.values())


def _export() -> Page:
    return _explore(_wanted(chosen()), limit=_EXPORTED, seconds=_EXPORT_SECONDS)


def _explore(wanted: Wanted, *, limit: int, seconds: float) -> Page:
    here = services()
    here.events.flush()
    after = Place.read(request.args.get("before", ""))
    with transaction(here.engine, "read questions") as connection:
        return explore(connection, wanted, here.clock(), after=after, limit=limit, seconds=seconds)


def _wanted(period: Chosen) -> Wanted:
    state, reason = request.args.get("state", ""), request.args.get("reason", "")
    return Wanted(
        selection=period.selection(services().clock()),
        state=state if state in (*STATES, LOG) else "question",
        reason=reason if state != LOG and reason in {one.value for one in REASONS} else "",
        text=request.args.get("q", "").strip()[:_LONGEST],
        article=request.args.get("article", "").strip()[:_LONGEST],
    )


def _dict(fact: Fact) -> dict[str, Any]:
    return {
        "id": fact.id,
        "at": fact.at.isoformat(),
        "source": fact.source,
        "question": fact.text,
        "locale": fact.locale,
        "platform": fact.platform,
        "channel": fact.channel,
        "answered": fact.resolved,
        "clicked": fact.clicked,
        "exit": fact.exited,
        "refined": fact.refined,
        "reasons": [reason.value for reason in fact.reasons],
        "bot": fact.bot,
    }
