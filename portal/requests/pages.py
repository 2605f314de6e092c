"""Registers the pages of the refund request."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from flask_limiter import Limiter
from sqlalchemy.exc import SQLAlchemyError
from werkzeug import Response as BaseResponse

from portal.config import OFF
from portal.help import context
from portal.help.errors import error_page
from portal.i18n import current_locale
from portal.requests import find, status, wizard, words
from portal.requests.contact import order_key
from portal.requests.steps import STEPS
from portal.services import services_of

_RETRY_SECONDS = 30
_log = structlog.get_logger(__name__)


def register(app: Flask, limiter: Limiter) -> None:
    """Add the form, the page of what was sent, and the limit on looking orders up."""
    blueprint = Blueprint("requests", __name__)
    blueprint.url_value_preprocessor(context.take_locale)
    blueprint.url_defaults(context.add_locale)
    blueprint.add_url_rule("/requests/new", "start", start)
    blueprint.add_url_rule(f"{context.LOCALE}/requests/new/expired", "expired", expired)
    for module in (find, wizard, status):
        module.add_routes(blueprint)
    blueprint.after_request(_private)
    blueprint.register_error_handler(SQLAlchemyError, _database_away)
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(
        request_steps=STEPS,
        step_title=words.step_title,
        wish_title=words.wish_title,
        wish_hint=words.wish_hint,
        order_day=words.order_day,
        money=words.money,
        title_of=words.title_of,
    )
    limit = services_of(app).settings.lookup_rate_limit
    if limit != OFF:
        view: Any = app.view_functions["requests.find"]
        for_one_order = limiter.limit(limit, key_func=_order_asked_for, exempt_when=_names_no_order)
        app.view_functions["requests.find"] = limiter.limit(limit)(for_one_order(view))


def start() -> BaseResponse:
    """The form in the visitor's language."""
    response = redirect(url_for("requests.order", locale=current_locale()))
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def expired() -> str:
    """What was answered was kept for a day, and the day is over."""
    return render_template("requests/expired.html", errors={})


def _order_asked_for() -> str:
    """Guesses for one order are counted together, wherever they come from."""
    return f"order:{order_key(request.form.get('number', ''))}"


def _names_no_order() -> bool:
    return not order_key(request.form.get("number", ""))


def _private(response: Response) -> Response:
    """Pages about one person's order are kept by nobody."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _database_away(error: SQLAlchemyError) -> tuple[str, int, dict[str, str]]:
    _log.error("requests_unavailable", error=type(error).__name__)
    page = error_page(503, retry_after=_RETRY_SECONDS)
    return page, 503, {"Retry-After": str(_RETRY_SECONDS)}
