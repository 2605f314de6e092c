"""A search in JSON, as the API and `kb search --json` give it; needs neither Flask nor the log."""

from __future__ import annotations

import dataclasses
from typing import Any

from portal.rewording import reworded
from search.types import Answer, Change, PolicyClause, Response, Result


def response_to_dict(found: Response, *, search_id: str | None = None) -> dict[str, Any]:
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


def _change(found: Response, change: Change) -> dict[str, str]:
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
