"""Pages for those who write the articles and look after the forms."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, redirect, url_for

from portal.editor import forms
from portal.editor.access import Access


def register(app: Flask) -> None:
    """Add the pages below `/editor/`, behind their guard."""
    blueprint = Blueprint("editor", __name__, url_prefix="/editor")
    blueprint.before_request(Access().admit)
    blueprint.after_request(_keep_private)
    blueprint.add_url_rule("/", "home", lambda: redirect(url_for("editor.forms")))
    forms.add_routes(blueprint)
    app.register_blueprint(blueprint)


def _keep_private(response: Response) -> Response:
    response.cache_control.no_store = True
    response.headers["X-Robots-Tag"] = "noindex"
    return response
