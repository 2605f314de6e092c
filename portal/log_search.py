"""Puts a settled search into the event log, from whichever door it came."""

from __future__ import annotations

import secrets
import time
from datetime import datetime

from flask import request

from portal import server_timing
from portal.events import SearchEvent, ShownResult
from portal.services import services
from portal.visitors import is_bot
from search.types import Filters, Response

_SHOWN = 10
_FORM = "log"


def log_search(found: Response, *, channel: str, filters: Filters | None = None) -> str:
    """Record what was asked and shown; gives the id that clicks and votes refer to."""
    here = services()
    began = time.perf_counter()
    agent = request.headers.get("User-Agent", "")
    filters = filters or Filters()
    at = here.clock()
    event = SearchEvent(
        id=_new_id(at),
        at=at,
        visitor=here.visitors.key(request.remote_addr or "", agent, at),
        locale=found.locale,
        query=found.query,
        channel=channel,
        mode=found.trace.mode,
        confidence=found.confidence,
        resolved=found.resolved,
        answer_article=found.answer.article.id if found.answer else None,
        section=filters.section,
        platform=filters.platform,
        generation=found.generation,
        duration_ms=sum(found.trace.timings_ms.values()),
        bot=is_bot(agent, api=channel == "api"),
        results=_shown(found),
    )
    here.events.record_search(event)
    outcome = "answered" if found.resolved else "unsure" if found.results else "nothing"
    here.metrics.searches.labels(channel, found.locale, outcome).inc()
    for stage, milliseconds in found.trace.timings_ms.items():
        here.metrics.stage_seconds.labels(stage).observe(milliseconds / 1000)
    if found.trace.degraded:
        here.metrics.degraded.inc()
    server_timing.note({"log": (time.perf_counter() - began) * 1000})
    return event.id


def _shown(found: Response) -> tuple[ShownResult, ...]:
    """What is logged of the results, made once for a remembered response."""
    shown: tuple[ShownResult, ...] | None = found.forms.get(_FORM)
    if shown is None:
        shown = found.forms[_FORM] = tuple(
            ShownResult(r.article.id, r.article.locale, r.passage.anchor, r.score)
            for r in found.results[:_SHOWN]
        )
    return shown


def _new_id(at: datetime) -> str:
    """32 hexadecimal digits: milliseconds, then chance.

    In the order of time, so that a database adds them at the end of its index and not all over.
    """
    return f"{int(at.timestamp() * 1000):012x}{secrets.token_hex(10)}"
