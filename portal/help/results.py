"""The page of results: an answer with its source, or an honest "not sure"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, render_template, request

from portal import server_timing
from portal.help import log
from portal.help.context import LOCALE
from portal.help.examples import example_questions
from portal.help.policy import facts
from portal.help.understood import understood
from portal.i18n import current_locale
from portal.rewording import reworded
from portal.services import services
from search.types import Filters, Response, Result

LONGEST_QUERY = 500
PAGE = 6
_LAST_PAGE = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """One result with its place among all of them, counted from 1."""

    result: Result
    position: int


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"{LOCALE}/search", "search", search)


def search() -> str:
    """Search as a link: the question, its filters and the page are all in the address."""
    query = " ".join(request.args.get("q", "").split())
    catalogue = services().library.catalogue
    if not query:
        return render_template(
            "help/search_empty.html",
            examples=example_questions(catalogue, current_locale()),
            sections=catalogue.sections(current_locale()),
        )
    cut = len(query) > LONGEST_QUERY
    query = query[:LONGEST_QUERY]
    page = _page_number()
    filters = Filters(
        section=_known(request.args.get("section"), catalogue.taxonomy.sections),
        platform=_known(request.args.get("platform"), catalogue.taxonomy.platforms),
    )
    exact = request.args.get("exact") == "1"
    response = services().library.search(
        query,
        locale=current_locale(),
        filters=filters,
        limit=page * PAGE + 1,
        explain=services().settings.explain_pages and request.args.get("explain") == "1",
        exact=exact,
    )
    server_timing.note(response.trace.timings_ms)
    changes, doubts = response.trace.changes, response.trace.doubts
    first = (page - 1) * PAGE
    shown = [
        Shown(result, position)
        for position, result in enumerate(response.results[first : first + PAGE], first + 1)
        if response.answer is None or result.article.id != response.answer.article.id
    ]
    if page > 1 and not shown:
        abort(404)
    verdict = request.args.get("answer", "")
    return render_template(
        "help/results.html",
        query=query,
        cut=cut,
        exact="1" if exact else None,
        read_as=reworded(query, changes) if changes else None,
        suggestion=reworded(query, doubts) if doubts and not changes else None,
        filters=filters,
        response=response,
        shown=shown,
        page=page,
        more=page < _LAST_PAGE and len(response.results) > page * PAGE,
        search_id=_search_id(response, filters, page, verdict),
        verdict=verdict,
        taxonomy=catalogue.taxonomy,
        understood=understood(response, catalogue.taxonomy),
        facts=_facts(response),
        sections=catalogue.sections(current_locale()),
    )


def _search_id(response: Response, filters: Filters, page: int, verdict: str) -> str:
    """The logged search; turning a page or judging the answer is not another search."""
    known = request.args.get("s", "")
    if known and (page > 1 or verdict):
        return known
    return log.search(response, filters)


def _facts(response: Response) -> Any:
    answer = response.answer
    if answer is None or answer.policy is None:
        return ()
    return facts(answer.policy, services().library.catalogue.taxonomy)


def _known(key: str | None, names: Any) -> str | None:
    return key if key in names else None


def _page_number() -> int:
    text = request.args.get("page", "1")
    return min(max(int(text), 1), _LAST_PAGE) if text.isdecimal() and len(text) < 4 else 1
