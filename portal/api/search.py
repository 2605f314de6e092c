"""`GET /api/v1/search`: the same answer the pages show."""

from __future__ import annotations

import json

from flask import Blueprint, Response, request

from portal import server_timing
from portal.locales import match_locale
from portal.log_search import log_search
from portal.search_json import response_to_dict
from portal.services import services
from search.errors import QueryRejected
from search.types import Filters
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
        explain=read_flag("explain"),
        exact=read_flag("exact"),
    )
    server_timing.note(found.trace.timings_ms)
    typing = read_flag("typing")
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


def read_flag(name: str) -> bool:
    """A parameter that is `1` or `0`, the latter when absent or empty."""
    value = request.args.get(name) or "0"
    if value not in ("0", "1"):
        raise QueryRejected(f"{name}: {value!r} is unknown; use 1 or 0")
    return value == "1"


def read_limit(*, default: int, most: int) -> int:
    """How many are wanted, 1 to `most`."""
    value = request.args.get("limit", str(default))
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:6]) <= most:
        raise QueryRejected(f"limit: {value!r} is not a number from 1 to {most}")
    return int(value)
