"""`POST /api/v1/suggest`: the articles that may settle what is being written into a form."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from portal.api.numbers import Whole
from portal.forms import cors
from portal.forms.registry import OWN, Form
from portal.forms.suggest import record, suggest
from portal.help.context import absolute
from portal.help.policy import facts
from portal.i18n import use_locale
from portal.locales import match_locale
from portal.problems import problem
from portal.services import services
from search.errors import KnowledgeBaseError
from search.suggest import MOST, Suggestion
from search.types import Article, PolicyClause

SESSION = r"^[A-Za-z0-9_-]{8,64}$"
_Word = Annotated[str, StringConstraints(max_length=200)]
_FIELDS = {
    "clock": "window", "parcel": "postage", "money": "refund", "camera": "evidence",
    "list": "conditions",
}  # fmt: skip
_LISTS = ("evidence", "conditions")
_AND = {"en": "; ", "zh-Hans": "；"}


class FormUnknown(KnowledgeBaseError):
    """A form that nobody has set up."""

    exit_code = 2
    status = 404


class Asked(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str
    locale: _Word | None = None
    reason: _Word | None = None
    platform: _Word | None = None
    form: Annotated[str, StringConstraints(max_length=40)] | None = None
    limit: Annotated[Whole | None, Field(ge=1, le=MOST)] = None
    session: Annotated[str, StringConstraints(pattern=SESSION)] | None = None


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/suggest", "suggest", answer, methods=["POST"])


def answer() -> Response:
    """Suggest articles for a text in the name of a form; the log has it without personal data."""
    here = services()
    try:
        asked = Asked.model_validate_json(request.get_data(cache=False))
    except ValidationError as error:
        here.form_limits.check("suggest", None)
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        return problem(400, f"{field or 'body'}: {first['msg']}", pointer=field)
    form = find_form(asked.form)
    here.form_limits.check("suggest", form)
    found = suggest(
        asked.text,
        locale=match_locale(asked.locale),
        reason=asked.reason,
        platform=asked.platform,
        form=form,
        limit=asked.limit,
    )
    recorded = record(found, form, asked.session, api=True)
    use_locale(found.locale)
    shown = [] if recorded.held_out else [to_dict(item, found.locale) for item in found.items]
    response = jsonify(
        suggestion_id=recorded.id,
        suggestions=shown,
        resolved=bool(shown),
        held_out=recorded.held_out,
    )
    response.cache_control.no_store = True
    return response


def find_form(key: str | None) -> Form:
    """The form of a key, our own without one, once the page that asks is known to be its.

    Raises `FormUnknown` and `OriginRefused`.
    """
    here = services()
    form = here.forms.get(OWN if key is None else key)
    if form is None:
        here.form_limits.check("suggest", None)
        raise FormUnknown(f"form: {key!r} is not set up here; see KB_FORMS")
    cors.admit(form)
    return form


def to_dict(item: Suggestion, locale: str) -> dict[str, Any]:
    """The JSON form of a suggestion, its policy in words of the language being spoken."""
    article = item.article
    body: dict[str, Any] = {
        "id": article.id,
        "url": _url(article, item.passage.anchor),
        "title": article.title,
        "excerpt": item.excerpt,
        "confidence": round(item.confidence, 4),
        "locale": article.locale,
    }
    if item.policy and (policy := _policy(article, item.policy, locale)):
        body["policy"] = policy
    return body


def _policy(article: Article, clause: PolicyClause, locale: str) -> dict[str, Any]:
    """What the clause states, in the words of the pages; what it does not state is absent."""
    said: dict[str, Any] = {}
    for fact in facts(clause, services().library.catalogue.taxonomy):
        name = _FIELDS[fact.kind]
        said[name] = list(fact.values) if name in _LISTS else _AND[locale].join(fact.values)
    return {**said, "section_url": _url(article, clause.section)} if said else {}


def _url(article: Article, anchor: str) -> str:
    return absolute(article.path) + (f"#{anchor}" if anchor else "")
