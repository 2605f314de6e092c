"""What machines ask: is it alive, can it answer, how is it doing."""

from __future__ import annotations

from flask import Flask, Response, jsonify
from flask_limiter import Limiter

from portal.services import services
from search.errors import KnowledgeBaseError


def register(app: Flask, limiter: Limiter) -> None:
    """Add `/healthz`, `/readyz` and `/metrics`, free of rate limits."""
    for name, view in (("healthz", _healthz), ("readyz", _readyz), ("metrics", _metrics)):
        app.add_url_rule(f"/{name}", name, limiter.exempt(view))


def _healthz() -> Response:
    """The process answers; says nothing of what it depends on."""
    return jsonify(status="ok")


def _readyz() -> Response:
    """Ready when there is an index to search; a failing log is said but does not count."""
    library = services().library
    try:
        body = {
            "status": "ok",
            "generation": library.generation,
            "articles": len(library.catalogue),
        }
    except KnowledgeBaseError as error:
        response = jsonify(status="unavailable", detail=type(error).__name__)
        response.status_code = 503
        return response
    if library.problem:
        body["warning"] = "a newer generation is refused; see the log"
    return jsonify(body)


def _metrics() -> Response:
    found = services()
    found.metrics.index_problem.set(1 if found.library.problem else 0)
    return Response(found.metrics.render(), content_type="text/plain; version=0.0.4; charset=utf-8")
