"""The pages customers see."""

from __future__ import annotations

from flask import Blueprint, Flask

from portal import assets, i18n
from portal.help import (
    articles,
    context,
    feeds,
    handover,
    home,
    language,
    results,
    sections,
    votes,
)


def register(app: Flask) -> None:
    """Add the pages, their languages and their static files to the app."""
    i18n.init_app(app)
    assets.init_app(app)
    context.init_app(app)
    app.register_blueprint(_blueprint())


def _blueprint() -> Blueprint:
    blueprint = Blueprint("help", __name__)
    blueprint.url_value_preprocessor(context.take_locale)
    blueprint.url_defaults(context.add_locale)
    for module in (home, language, results, votes, handover, feeds, sections, articles):
        module.add_routes(blueprint)
    return blueprint
