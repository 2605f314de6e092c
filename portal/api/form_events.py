"""What happened to a form, as its page tells it: shown, opened, helpful, resolved, sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from flask import Response, jsonify, request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from portal.api.numbers import Whole
from portal.api.suggest import SESSION, FormUnknown
from portal.forms import cors
from portal.forms.types import EventKind, FormEvent
from portal.locales import match_locale
from portal.services import services
from portal.visitors import is_bot
from search.errors import KnowledgeBaseError

_LATE = timedelta(hours=24)
"""How far back a page may date an event; browsers keep what they could not send."""

_Id = Annotated[str, StringConstraints(pattern=SESSION)]
_Short = Annotated[str, StringConstraints(max_length=200)]


class FormEventBody(BaseModel):
    """One event of a form; the same `id` again is the same event."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: _Id
    type: EventKind
    form: Annotated[str, StringConstraints(max_length=40)]
    session: _Id
    suggestion_id: _Id | None = None
    article: _Short | None = None
    position: Annotated[Whole | None, Field(ge=1, le=99)] = None
    at: AwareDatetime | None = None
    locale: _Short | None = None


def record_form_event(body: FormEventBody) -> Response:
    """Hand an event to the log; 202 whether or not the log can take it, as nobody waits for it.

    Raises `FormUnknown`, `OriginRefused` and `TooManyRequests`.
    """
    here = services()
    form = here.forms.get(body.form)
    if form is None:
        here.form_limits.check("events", None)
        raise FormUnknown(f"form: {body.form!r} is not set up here; see KB_FORMS")
    cors.admit(form)
    here.form_limits.check("events", form)
    now = here.clock()
    agent = request.headers.get("User-Agent", "")
    # A program speaks for many people from one address, so it is nobody in particular.
    visitor = "" if is_bot(agent) else here.visitors.key(request.remote_addr or "", agent, now)
    here.form_log.record_event(
        FormEvent(
            id=body.id,
            at=_moment(body.at, now),
            session=body.session,
            form=form.key,
            visitor=visitor,
            locale=match_locale(body.locale) or "",
            kind=body.type,
            suggestion_id=body.suggestion_id,
            article=_known(body.article),
            position=body.position,
            bot=is_bot(agent, api=True),
        )
    )
    response = jsonify(id=body.id)
    response.status_code = 202
    return response


def _moment(told: datetime | None, now: datetime) -> datetime:
    """When it happened: as the page says, unless its clock cannot be right."""
    return told if told is not None and now - _LATE <= told <= now else now


def _known(article: str | None) -> str | None:
    """An article we have; what a page says besides is not written down."""
    try:
        known = article and services().library.catalogue.translations(article)
    except KnowledgeBaseError:  # no index: what happened to the form is worth keeping all the same
        return None
    return article if known else None
