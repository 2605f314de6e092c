"""The Flask application factory."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Flask, Response, g, request
from flask_limiter import Limit, Limiter
from flask_wtf import CSRFProtect
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.middleware.proxy_fix import ProxyFix

import portal.api
import portal.editor
import portal.health
import portal.help
import portal.requests.pages
import portal.widget
from portal import problems, rate_limits, security, server_timing
from portal.accounts.audit import present_user
from portal.accounts.types import Role
from portal.addresses import counted_address
from portal.assets import templates_folder
from portal.config import OFF, Settings, load_settings
from portal.editor.access import current_user, recognise
from portal.editor.roles import ROLES
from portal.event_types import EventsUnavailable
from portal.forms import cors
from portal.log_path import loggable_path
from portal.logs import REQUESTS
from portal.secret import secret_key
from portal.services import Services, install, open_services

_MAX_BODY = 64 * 1024
_MAX_ARTICLE = 512 * 1024
_ARTICLES = frozenset({"editor.draft_save", "editor.draft_check", "editor.draft_publish"})
_TYPING = "editor.draft_check"
"""Writes nothing and is asked while somebody who is signed in types."""
_GUESSED = frozenset({"editor.account_password"})
"""Asks those who are signed in for a password, which could be guessed."""
_log = logging.getLogger(REQUESTS)


def create_app(settings: Settings | None = None, services: Services | None = None) -> Flask:
    """The portal. Reads the environment only when no settings are given."""
    settings = settings or (services.settings if services else load_settings())
    app = Flask("portal", template_folder=str(templates_folder()), static_folder=None)
    https = settings.base_url.startswith("https://")
    app.config.update(
        SECRET_KEY=secret_key(settings),
        MAX_CONTENT_LENGTH=_MAX_BODY,
        SESSION_COOKIE_NAME="kb",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies or https,
        WTF_CSRF_TIME_LIMIT=None,  # a form left open over night must still be accepted
        WTF_CSRF_SSL_STRICT=False,  # SameSite and the token protect; proxies hide the scheme
        RATELIMIT_HEADERS_ENABLED=True,
        TEMPLATES_AUTO_RELOAD=False,
    )
    install(app, services or open_services(settings))
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    _take_articles(app)
    csrf = CSRFProtect(app)
    limiter = Limiter(
        counted_address,
        app=app,
        default_limits=_read_limits(settings),
        storage_uri=f"{rate_limits.SCHEME}://",
        strategy="moving-window",
        enabled={
            settings.rate_limit,
            settings.write_rate_limit,
            settings.lookup_rate_limit,
            settings.editor_rate_limit,
            settings.editor_write_rate_limit,
        }
        != {OFF},
    )
    _measure(app)
    if settings.explain_pages:
        server_timing.init_app(app)
    _maintain(app, settings)
    security.init_app(app, https=https)
    problems.init_app(app)
    cors.init_app(app)
    portal.help.register(app)
    portal.api.register(app, csrf)
    portal.health.register(app, limiter)
    portal.editor.register(app)
    portal.requests.pages.register(app, limiter)
    portal.widget.register(app, limiter)
    _limit_writes(app, limiter, settings)
    return app


def _read_limits(settings: Settings) -> list[str | Callable[[], str] | Limit]:
    """Visitors are counted by address, each page by itself; who is signed in by account, all told.

    Shops have one address for all who work there, and their pages look again by themselves.
    """
    visitors = Limit(settings.rate_limit, exempt_when=_is_signed_in)
    editors = Limit(
        settings.editor_rate_limit, key_function=_editor, scope="read", shared=True,
        exempt_when=lambda: not _is_signed_in(),
    )  # fmt: skip
    return [limit for limit in (visitors, editors) if limit.limit_provider != OFF]


def _limit_writes(app: Flask, limiter: Limiter, settings: Settings) -> None:
    """Votes, hand-overs and signing in share a stricter limit than reading; editors have theirs."""
    limiter.exempt(app.view_functions["asset"])
    for endpoint in cors.OPEN:  # each form has limits of its own: portal.forms.limits
        limiter.exempt(app.view_functions[endpoint])
    visitors, editors = settings.write_rate_limit, settings.editor_write_rate_limit
    by_address = limiter.shared_limit(visitors, scope="write", methods=["POST"])
    by_account = limiter.shared_limit(editors, scope="edit", methods=["POST"], key_func=_editor)
    for rule in app.url_map.iter_rules():
        writes = rule.methods and "POST" in rule.methods and rule.endpoint != _TYPING
        if writes and rule.endpoint not in cors.OPEN:
            theirs = _is_for_editors(rule.endpoint)
            if (editors if theirs else visitors) != OFF:
                view: Any = app.view_functions[rule.endpoint]
                limited = by_account if theirs else by_address
                app.view_functions[rule.endpoint] = limited(view)


def _is_signed_in() -> bool:
    """Whether somebody who is signed in asks for a page that needs it.

    What lets people in is counted by address, signed in or not, and so is everybody while the
    database cannot be asked.
    """
    if not _is_for_editors(request.endpoint or ""):
        return False
    with suppress(EventsUnavailable):
        recognise()
    return present_user() is not None


def _is_for_editors(endpoint: str) -> bool:
    """Whether only who is signed in gets that far."""
    blueprint, _dot, name = endpoint.rpartition(".")
    least = ROLES.get(name, Role.ANYONE) if blueprint == "editor" else Role.ANYONE
    return least > Role.ANYONE and endpoint not in _GUESSED


def _editor() -> str:
    return f"editor {current_user().id}"


def _take_articles(app: Flask) -> None:
    """A whole article may be longer than what visitors send; before anything reads the body."""

    @app.before_request
    def longer() -> None:
        if request.endpoint in _ARTICLES:
            request.max_content_length = request.max_form_memory_size = _MAX_ARTICLE


def _maintain(app: Flask, settings: Settings) -> None:
    """With KB_MAINTENANCE every page but the probes and the files pages need answers 503."""

    @app.before_request
    def closed() -> None:
        if settings.maintenance and request.endpoint not in {
            "asset", "favicon", "healthz", "readyz", "metrics",
        }:  # fmt: skip
            raise ServiceUnavailable("The help centre is being maintained.")


def _measure(app: Flask) -> None:
    """Count and time every request; the log has the path but never the question."""
    metrics = app.extensions["kb_services"].metrics

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def stop(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        endpoint = request.endpoint or "none"
        metrics.requests.labels(endpoint, str(response.status_code)).inc()
        metrics.request_seconds.labels(endpoint).observe(seconds)
        if endpoint not in {"healthz", "readyz", "metrics", "asset"}:
            _log.info(
                "request",
                extra={
                    "method": request.method,
                    "path": loggable_path(),
                    "status": response.status_code,
                    "ms": round(seconds * 1000, 1),
                },
            )
        return response
