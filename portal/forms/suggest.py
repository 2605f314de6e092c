"""Articles for what a customer writes into a form, before it is sent."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from flask import request

from portal.forms.holdout import is_held_out
from portal.forms.registry import Form
from portal.forms.types import SuggestedItem, SuggestionEvent
from portal.redact import redact
from portal.services import services
from portal.visitors import is_bot
from search.suggest import Suggestion


@dataclass(frozen=True, slots=True)
class Suggested:
    """What a form may show, best first, and what is written down of it."""

    items: tuple[Suggestion, ...]
    resolved: bool
    """Whether anything was likely enough to be shown."""
    asked: bool
    """Whether the text said anything that could be searched for."""
    text: str
    """What was read, without personal data."""
    confidence: float
    locale: str
    reason: str | None
    """The key of the taxonomy that was meant, or None."""
    platform: str | None
    generation: str
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Recorded:
    """How a suggestion is known: `id` is what events refer to, None where there was nothing."""

    id: str | None
    held_out: bool
    """Whether this session gets no suggestions, so that it can be compared with those that do."""


def suggest(
    text: str,
    *,
    locale: str | None,
    reason: str | None,
    platform: str | None,
    form: Form,
    limit: int | None = None,
) -> Suggested:
    """What a form may show for a text; at most its own limit, nothing below its threshold.

    Personal data is removed before anything looks at the text. Raises `IndexMissing` and its kin.
    """
    began = time.perf_counter()
    here = services()
    text = redact(text)
    found = here.library.suggest(
        text, locale=locale or form.locale, reason=reason, platform=platform,
        limit=min(limit or form.limit, form.limit), threshold=form.threshold,
    )  # fmt: skip
    for stage, milliseconds in found.timings_ms.items():
        here.metrics.stage_seconds.labels(stage).observe(milliseconds / 1000)
    if found.degraded:
        here.metrics.degraded.inc()
    return Suggested(
        items=found.items,
        resolved=bool(found.items),
        asked=bool(found.sentences),
        text=text,
        confidence=found.confidence,
        locale=found.locale,
        reason=found.reason,
        platform=found.platform,
        generation=found.generation,
        duration_ms=(time.perf_counter() - began) * 1000,
    )


def record(found: Suggested, form: Form, session: str | None, *, api: bool = False) -> Recorded:
    """Write down what was found for the present request; never fails because of the log.

    What a held-out session would have been shown is written down too. `api` says that a program
    may have asked on a person's behalf.
    """
    held_out = is_held_out(form, session)
    if not found.asked:
        return Recorded(None, held_out)
    here = services()
    at = here.clock()
    agent = request.headers.get("User-Agent", "")
    event = SuggestionEvent(
        id=secrets.token_hex(16),
        at=at,
        session=session,
        # A program speaks for many people from one address, so it is nobody in particular.
        visitor="" if is_bot(agent) else here.visitors.key(request.remote_addr or "", agent, at),
        form=form.key,
        locale=found.locale,
        text=found.text,
        reason=found.reason,
        platform=found.platform,
        confidence=found.confidence,
        resolved=found.resolved,
        held_out=held_out,
        generation=found.generation,
        duration_ms=found.duration_ms,
        bot=is_bot(agent, api=api),
        items=tuple(
            SuggestedItem(
                item.article.id, item.article.locale, item.passage.anchor, item.confidence
            )
            for item in found.items
        ),
    )
    here.form_log.record_suggestion(event)
    outcome = "held_out" if held_out else "answered" if found.resolved else "unsure"
    here.metrics.searches.labels(f"form:{form.key}", found.locale, outcome).inc()
    return Recorded(event.id, held_out)
