"""JSON for programs, below `/api/v1/`."""

from __future__ import annotations

from flask import Blueprint, Flask
from flask_wtf import CSRFProtect

from portal.api import complete, docs, events, openapi, search, suggest


def register(app: Flask, csrf: CSRFProtect) -> None:
    """Add the API. It takes no cookies, so its forms need no token against forged requests."""
    blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
    for module in (search, complete, suggest, events, openapi, docs):
        module.add_routes(blueprint)
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)
