"""The one place where errors become answers: problem details for programs, pages for people."""

from __future__ import annotations

import structlog
from flask import Flask, Response, jsonify, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from portal.help.errors import error_page
from portal.log_path import loggable_path
from search.errors import KnowledgeBaseError

_RETRY_SECONDS = 30
_log = structlog.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Answer every error of the app."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(CSRFError, csrf_error)
    app.register_error_handler(KnowledgeBaseError, _own_error)
    app.register_error_handler(Exception, _unexpected)


def problem(
    status: int, detail: str, *, retry_after: int | None = None, pointer: str = ""
) -> Response:
    """An RFC 9457 problem details answer."""
    body = {"type": "about:blank", "title": HTTP_STATUS_CODES.get(status, "Error"),
            "status": status, "detail": detail}  # fmt: skip
    if pointer:
        body["field"] = pointer
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _answer(status: int, detail: str, *, retry_after: int | None = None) -> Response:
    if request.path.startswith("/api/"):
        return problem(status, detail, retry_after=retry_after)
    response = Response(error_page(status, retry_after=retry_after), status, mimetype="text/html")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400:
        return error  # a redirect that routing raised
    retry = None
    if status in (413, 429, 503):
        known = getattr(error, "retry_after", None)
        retry = int(known) if isinstance(known, int | float) else _RETRY_SECONDS
    response = _answer(status, error.description or "", retry_after=retry)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def csrf_error(error: CSRFError) -> Response:
    """The answer to a form without the token of its visitor."""
    return _answer(400, f"{error.description} Go back, reload the page and send the form again.")


def _own_error(error: KnowledgeBaseError) -> Response:
    log = _log.error if error.status >= 500 else _log.info
    log("request_refused", path=loggable_path(), error=type(error).__name__, detail=str(error))
    # What went wrong inside names files and is for the log; a reader learns what is wrong outside.
    detail = str(error) if error.status < 500 else "The service is not ready. Try again shortly."
    return _answer(
        error.status, detail, retry_after=_RETRY_SECONDS if error.status == 503 else None
    )


def _unexpected(error: Exception) -> Response:
    _log.exception("unexpected_error", path=loggable_path(), error=type(error).__name__)
    return _answer(500, "Something went wrong here. The error has been logged.")
