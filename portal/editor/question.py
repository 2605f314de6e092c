"""`/editor/questions/<id>`: one logged search, what came of it, and how it would fare now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, abort, current_app, render_template
from flask_babel import format_decimal

from portal.editor.charts import percent
from portal.editor.downloads import json_file
from portal.editor.legible import legible
from portal.editor.period import platform_names
from portal.editor.why_words import feature_names, part_names, reasons, terms
from portal.editor.words import moment
from portal.figures.definitions import VISIT
from portal.figures.facts import Fact, facts_of
from portal.gaps.tables import GAP_QUESTIONS
from portal.search_json import response_to_dict
from portal.services import services
from portal.tables import HANDOVERS, SEARCH_RESULTS, SEARCHES, VIEWS, VOTES
from portal.transactions import transaction
from search.errors import QueryRejected
from search.types import Filters
from search.types import Response as Found

_NOW = 10


@dataclass(frozen=True, slots=True)
class Logged:
    """A search as it was, with everything that followed from it.

    `fact` is how it is counted, None where it is not: typed on, blank, or a program's. Where the
    visitor repeated the question, `fact.id` is the last of them, which counts for all.
    """

    row: Any
    results: list[Any]
    clicks: dict[tuple[str, str], list[datetime]]
    votes: list[Any]
    handovers: list[Any]
    fact: Fact | None
    gap: int | None


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/questions/<search_id>", "question", page)
    blueprint.add_url_rule("/questions/<search_id>.json", "question_json", as_json)


def page(search_id: str) -> str:
    """What was shown then, what came of it, and why each result stands where it stands now.

    Raises `NotFound` for a search that is not in the log, or no longer.
    """
    logged = _read(search_id)
    found = _ask(logged.row)
    places = {(r.article_id, r.locale): r.position for r in logged.results}
    return render_template(
        "editor/question.html",
        logged=logged,
        row=logged.row,
        titles=_titles(logged),
        found=found,
        places=places,
        platforms=platform_names(),
        generation=services().library.generation if found else "",
        has_gaps="editor.gap" in current_app.view_functions,
        moment=moment,
        number=format_decimal,
        percent=percent,
        legible=legible,
        because=reasons(found.results) if found else [],
        part_names=part_names(),
        feature_names=feature_names(),
        word_scores=terms,
    )


def as_json(search_id: str) -> Response:
    """The same for programs; `now` is what the API answers to the question, with its trace."""
    logged = _read(search_id)
    row, found = logged.row, _ask(logged.row)
    return json_file("question.json", {
        "id": row.id, "at": row.at.isoformat(), "question": row.query, "locale": row.locale,
        "platform": row.platform, "section": row.section, "channel": row.channel,
        "mode": row.mode, "confidence": row.confidence, "answered": row.resolved,
        "answer_article": row.answer_article, "generation": row.generation, "bot": row.bot,
        "counted_as": None if logged.fact is None else logged.fact.id,
        "reasons": [] if logged.fact is None else [r.value for r in logged.fact.reasons],
        "gap": logged.gap,
        "results": [
            {"position": r.position, "article": r.article_id, "locale": r.locale,
             "anchor": r.anchor, "score": r.score,
             "clicks": len(logged.clicks.get((r.article_id, r.locale), ()))}
            for r in logged.results
        ],
        "votes": [
            {"at": vote.at.isoformat(), "article": vote.article_id, "locale": vote.locale,
             "helpful": vote.helpful, "reason": vote.reason}
            for vote in logged.votes
        ],
        "handovers": [
            {"at": one.at.isoformat(), "reference": one.reference} for one in logged.handovers
        ],
        "now": None if found is None else response_to_dict(found),
    })  # fmt: skip


def _read(search_id: str) -> Logged:
    here = services()
    here.events.flush()
    s, r, v = SEARCHES.c, SEARCH_RESULTS.c, VIEWS.c
    with transaction(here.engine, "read a logged search") as connection:
        row = connection.execute(sa.select(SEARCHES).where(s.id == search_id)).one_or_none()
        if row is None:
            abort(404, "No such search is in the log, or it is too old to be kept.")
        results = connection.execute(
            sa.select(SEARCH_RESULTS).where(r.search_id == row.id).order_by(r.position)
        ).all()
        clicks: dict[tuple[str, str], list[datetime]] = {}
        for view in connection.execute(
            sa.select(v.article_id, v.locale, v.at).where(v.search_id == row.id).order_by(v.at)
        ):
            clicks.setdefault((view.article_id, view.locale), []).append(view.at)
        votes = connection.execute(
            sa.select(VOTES).where(VOTES.c.search_id == row.id).order_by(VOTES.c.at)
        ).all()
        h = HANDOVERS.c
        handovers = connection.execute(
            sa.select(HANDOVERS)
            .where(h.visitor == row.visitor, h.at >= row.at, h.at <= row.at + VISIT)
            .order_by(h.at)
        ).all()
        fact = next(
            (one for one in facts_of(connection, row.at.date(), here.clock())
             if one.source == "search" and not row.bot
             and (one.visitor, one.normalised) == (row.visitor, row.normalised)),
            None,
        )  # fmt: skip
        gap = connection.scalar(
            sa.select(GAP_QUESTIONS.c.gap)
            .where(GAP_QUESTIONS.c.normalised == row.normalised)
            .order_by((GAP_QUESTIONS.c.locale == row.locale).desc(), GAP_QUESTIONS.c.gap)
            .limit(1)
        )
    return Logged(row, list(results), clicks, list(votes), list(handovers), fact, gap)


def _ask(row: Any) -> Found | None:
    """The same question now, with its filters; None where it cannot be asked any more."""
    here = services()
    taxonomy = here.library.catalogue.taxonomy
    filters = Filters(
        section=row.section if row.section in taxonomy.sections else None,
        platform=row.platform if row.platform in taxonomy.platforms else None,
    )
    try:
        return here.library.search(
            row.query, locale=row.locale, filters=filters, limit=_NOW, explain=True
        )
    except QueryRejected:
        return None


def _titles(logged: Logged) -> dict[tuple[str, str], Any]:
    """The articles that still exist, of those that were shown or voted on."""
    catalogue = services().library.catalogue
    keys = {(row.article_id, row.locale) for row in (*logged.results, *logged.votes)}
    articles = {key: catalogue.get(key[1], key[0]) for key in keys | {*logged.clicks}}
    return {key: article for key, article in articles.items() if article is not None}
