"""`POST /api/v1/events`: what happened in a page after its search, or to a form, also by beacon."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from portal.api.form_events import FormEventBody, record_form_event
from portal.events import View
from portal.forms.types import EVENT_KINDS
from portal.locales import match_locale
from portal.log_search import log_search
from portal.problems import problem
from portal.services import services
from portal.visitors import is_bot

Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class SettledSearch(BaseModel):
    """A search made while typing that its reader stayed with, or opened a result of."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["search"]
    q: Query
    locale: str = ""
    opened: str | None = None
    position: int | None = Field(None, ge=1, le=999)


_BODY: TypeAdapter[SettledSearch | FormEventBody] = TypeAdapter(
    Annotated[SettledSearch | FormEventBody, Field(discriminator="type")]
)
_TYPES = frozenset({"search", *EVENT_KINDS})


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/events", "events", record, methods=["POST"])


def record() -> Response:
    """Store one event; 202 whether or not the log could take it, as nobody waits for it.

    The kind of content is not looked at: beacons are text, which needs no preflight.
    """
    here = services()
    try:
        event = _BODY.validate_json(request.get_data(cache=False))
    except ValidationError as error:
        here.form_limits.check("events", None)
        first = error.errors(include_url=False)[0]
        # Which kind of event was being read is no part of the body.
        field = ".".join(str(part) for part in first["loc"] if part not in _TYPES)
        return problem(400, f"{field or 'body'}: {first['msg']}", pointer=field)
    if isinstance(event, FormEventBody):
        return record_form_event(event)
    here.form_limits.check("events", None)
    return _record_search(event)


def _record_search(event: SettledSearch) -> Response:
    here = services()
    # The question is asked again: what the browser says was shown is not evidence.
    found = here.library.search(event.q, locale=match_locale(event.locale))
    search_id = log_search(found, channel="typed")
    if event.opened:
        _record_click(event, search_id, found.locale)
    response = jsonify(search_id=search_id)
    response.status_code = 202
    return response


def _record_click(event: SettledSearch, search_id: str, locale: str) -> None:
    here = services()
    article_id = event.opened or ""
    article = here.library.catalogue.translations(article_id).get(locale)
    if article is None:
        others = here.library.catalogue.translations(article_id)
        if not others:
            return
        article = next(iter(others.values()))
    agent = request.headers.get("User-Agent", "")
    here.events.record_view(
        View(
            id=uuid.uuid4().hex,
            at=here.clock(),
            visitor=here.visitors.key(request.remote_addr or "", agent),
            article_id=article.id,
            locale=article.locale,
            search_id=search_id,
            position=event.position,
            bot=is_bot(agent),
        )
    )
