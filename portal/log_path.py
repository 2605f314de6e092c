"""The path of a request as the log may have it."""

from __future__ import annotations

from flask import request

_SECRET = frozenset({"requests.status", "editor.invitation", "editor.invitation_post"})
"""Endpoints whose path is a key: who reads the log must not be able to open their pages."""


def loggable_path() -> str:
    """The path, or its pattern where the path itself opens what is somebody's own."""
    if request.endpoint in _SECRET and request.url_rule is not None:
        return request.url_rule.rule
    return request.path
