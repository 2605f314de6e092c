"""`/editor/questions`: logged questions behind every figure, filtered, the latest first."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from portal.editor.arguments import link_arguments
from portal.editor.downloads import csv_file, json_file
from portal.editor.legible import legible
from portal.editor.period import NO_PLATFORM, PERIODS, Chosen, chosen, platform_names
from portal.editor.words import moment
from portal.figures.counts import REASONS
from portal.figures.explore import LOG, STATES, Page, Place, Wanted, explore
from portal.figures.facts import Fact
from portal.services import services
from portal.transactions import transaction
from search.types import LOCALES

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
    found = _explore(wanted, limit=PAGE, seconds=seconds)
    query = period.query(
        q=wanted.text, state=request.args.get("state") and wanted.state, reason=wanted.reason,
        article=wanted.article,
    )  # fmt: skip
    return render_template(
        "editor/questions.html",
        chosen=period,
        wanted=wanted,
        found=found,
        unknown_article=bool(wanted.article) and not _is_article(wanted.article),
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


def _is_article(article: str) -> bool:
    """Whether it is published in any language."""
    catalogue = services().library.catalogue
    return any(catalogue.get(locale, article) is not None for locale in LOCALES)


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
