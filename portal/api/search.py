"""`GET /api/v1/search`: the same answer the pages show."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from flask import Blueprint, Response, request

from portal.i18n import match_locale
from portal.log_search import log_search
from portal.rewording import reworded
from portal.services import services
from search.errors import QueryRejected
from search.types import Answer, Change, Filters, PolicyClause, Result
from search.types import Response as Found

_MOST = 50
_FORM = "api"


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/search", "search", search)


def search() -> Response:
    """Answer `q` for a reader of `locale`; `typing=1` marks keystrokes, which are not logged."""
    query = request.args.get("q", "").strip()
    if not query:
        raise QueryRejected("q: the question is missing; send ?q=…")
    filters = Filters(
        section=request.args.get("section") or None,
        platform=request.args.get("platform") or None,
        locale=read_locale("only"),
    )
    found = services().library.search(
        query,
        locale=read_locale("locale"),
        filters=filters,
        limit=read_limit(default=10, most=_MOST),
        mode=request.args.get("mode") or "hybrid",
        explain=request.args.get("explain") == "1",
        exact=request.args.get("exact") == "1",
    )
    typing = request.args.get("typing") == "1"
    search_id = None if typing else log_search(found, channel="api", filters=filters)
    return Response(_json(found, search_id), mimetype="application/json")


def _json(found: Found, search_id: str | None) -> bytes:
    """The answer in JSON; all but the id of the search is made once for a remembered response."""
    rest: bytes | None = found.forms.get(_FORM)
    if rest is None:
        body = response_to_dict(found)
        del body["search_id"]
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        rest = found.forms[_FORM] = text.encode("utf-8", "replace")[1:]
    return b'{"search_id":%b,%b\n' % (json.dumps(search_id).encode(), rest)


def read_locale(name: str) -> str | None:
    """A language parameter, `zh` being short for `zh-Hans`; None when absent."""
    value = request.args.get(name)
    if not value:
        return None
    if (locale := match_locale(value)) is None:
        raise QueryRejected(f"{name}: {value!r} is unknown; use en or zh-Hans")
    return locale


def read_limit(*, default: int, most: int) -> int:
    """How many are wanted, 1 to `most`."""
    value = request.args.get("limit", str(default))
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:6]) <= most:
        raise QueryRejected(f"limit: {value!r} is not a number from 1 to {most}")
    return int(value)


def response_to_dict(found: Found, *, search_id: str | None = None) -> dict[str, Any]:
    """The JSON form of a search, shared by the API and `kb search --json`."""
    body: dict[str, Any] = {
        "query": found.query,
        "locale": found.locale,
        "answer": _answer(found.answer) if found.answer else None,
        "confidence": round(found.confidence, 4),
        "resolved": found.resolved,
        "results": [_result(result) for result in found.results],
        "corrections": [_change(found, change) for change in found.trace.changes],
        "suggestions": [_change(found, change) for change in found.trace.doubts],
        "generation": found.generation,
        "search_id": search_id,
    }
    if found.trace.degraded:
        body["degraded"] = list(found.trace.degraded)
    if any(result.explanation for result in found.results):
        body["trace"] = dataclasses.asdict(found.trace)
    return body


def _change(found: Found, change: Change) -> dict[str, str]:
    return {
        "kind": change.kind,
        "found": change.found,
        "used": change.used,
        "query": reworded(found.query, [change]),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    article = answer.article
    return {
        "text": answer.text,
        "id": article.id,
        "url": article.path + (f"#{answer.anchor}" if answer.anchor else ""),
        "title": article.title,
        "locale": article.locale,
        "section": article.section,
        "heading": answer.heading,
        "anchor": answer.anchor,
        "updated": article.updated.isoformat(),
        "verified_on": article.verified_on.isoformat(),
        "policy": policy_to_dict(answer.policy) if answer.policy else None,
    }


def policy_to_dict(clause: PolicyClause) -> dict[str, Any]:
    """A clause without the values it does not state."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(clause).items()
        if value not in (None, "", ())
    }


def _result(result: Result) -> dict[str, Any]:
    article, passage = result.article, result.passage
    body: dict[str, Any] = {
        "id": article.id,
        "url": article.path + (f"#{passage.anchor}" if passage.anchor else ""),
        "title": article.title,
        "snippet": "".join(span.text for span in result.snippet),
        "snippet_spans": [{"text": span.text, "hit": span.hit} for span in result.snippet],
        "locale": article.locale,
        "score": round(result.score, 6),
        "section": article.section,
        "heading": passage.headings[-1],
        "anchor": passage.anchor,
        "translated": result.translated,
    }
    if result.explanation:
        body["explanation"] = dataclasses.asdict(result.explanation)
    return body
