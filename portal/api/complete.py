"""`GET /api/v1/complete`: how a question that is being typed may go on."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from portal.api.search import read_limit, read_locale
from portal.services import services
from search.completion import MOST, Completion
from search.errors import QueryRejected
from search.text import guess_locale

_KEPT_SECONDS = 60
"""How long browsers and proxies may answer by themselves: deleting a letter asks nothing anew."""


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/complete", "complete", complete)


def complete() -> Response:
    """Complete `q` for a reader of `locale`. Nothing is logged."""
    query = request.args.get("q", "").strip()
    if not query:
        raise QueryRejected("q: the beginning of a question is missing; send ?q=…")
    completer, past = services().library.completer, services().popular.current()
    locale = read_locale("locale") or guess_locale(query)
    found = completer.complete(
        query, locale=locale, limit=read_limit(default=8, most=MOST), past=past
    )
    response = jsonify(
        query=query, locale=locale, completions=[completion_to_dict(each) for each in found]
    )
    response.cache_control.public = True
    response.cache_control.max_age = _KEPT_SECONDS
    response.set_etag(f"{completer.generation}-{past.version}")
    response.make_conditional(request)
    return response


def completion_to_dict(completion: Completion) -> dict[str, Any]:
    """The JSON form of one completion."""
    return {
        "text": completion.text,
        "kind": completion.kind.name.lower(),
        "locale": completion.locale,
        "url": completion.path,
        "highlight": [list(mark) for mark in completion.highlight],
    }
