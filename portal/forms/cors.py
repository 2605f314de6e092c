"""Which pages of other sites may use the API of forms: those a form names, and nothing of ours.

Browsers ask for nothing but `Access-Control-Allow-Origin`: there are no cookies to send along. A
form's key is no secret, so this keeps honest sites apart and says whose figures are whose; what
bounds a dishonest program is the rate limit.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from portal.forms.registry import Form
from portal.services import services
from search.errors import KnowledgeBaseError

OPEN = frozenset({"api.suggest", "api.events"})
"""Endpoints that pages of other sites may use."""
_KEPT_SECONDS = "600"
_READABLE = "Retry-After"


class OriginRefused(KnowledgeBaseError):
    """A page asks whose site the form does not allow."""

    exit_code = 2
    status = 403


def init_app(app: Flask) -> None:
    """Answer preflights, and tell browsers which answers their pages may read."""
    app.before_request(_preflight)
    app.after_request(_allow)


def admit(form: Form | None) -> None:
    """Let the present request speak for a form, or for none.

    Programs that are no browsers send no origin and are let through. Raises `OriginRefused`.
    """
    origin = request.headers.get("Origin")
    allowed = origin is None or is_ours(origin) or (form is not None and form.allows(origin))
    g.cors_allowed = allowed
    if not allowed:
        name = f"the form {form.key!r}" if form else "requests without a form"
        raise OriginRefused(f"{name} may not be used from {origin}; add it to the form's `origins`")


def is_ours(origin: str) -> bool:
    """Whether an origin is the portal's own, as it is addressed or as it is known outside."""
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return True  # the browser says so, also where a proxy hides the scheme; no page can
    known = {request.host_url}
    if services().settings.base_url:
        known.add(services().settings.base_url)
    return any(_origin(url) == origin for url in known)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _preflight() -> Response | None:
    """A browser asks before it sends JSON; it cannot say yet for which form."""
    if request.method != "OPTIONS" or request.endpoint not in OPEN:
        return None
    response = Response(status=204)
    response.headers["Allow"] = "OPTIONS, POST"
    origin = request.headers.get("Origin", "")
    if services().forms.allow(origin) or is_ours(origin):
        response.headers["Access-Control-Allow-Methods"] = "POST"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = _KEPT_SECONDS
    return response


def _allow(response: Response) -> Response:
    """Refusals that come before the form is known are told to every page some form allows."""
    if request.endpoint in OPEN:
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if g.get("cors_allowed", True) and (services().forms.allow(origin) or is_ours(origin)):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _READABLE
    return response
