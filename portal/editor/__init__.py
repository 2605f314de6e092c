"""Pages for those who write the articles and look after the forms."""

from __future__ import annotations

from flask import Blueprint, Flask, redirect
from flask_wtf.csrf import CSRFError
from werkzeug import Response

from portal.editor import (
    account,
    adding_up,
    article_health,
    audit_trail,
    draft_delete,
    drafts,
    forms,
    gap,
    gap_undo,
    gap_work,
    gaps,
    gaps_feed,
    language,
    navigation,
    oidc,
    overview,
    people,
    proofs,
    publishing,
    question,
    questions,
    runs,
    signing_in,
)
from portal.editor.access import admit, keep_private, keep_written
from portal.services import services_of


def register(app: Flask) -> None:
    """Add the pages below `/editor/`, behind their guard."""
    blueprint = Blueprint("editor", __name__, url_prefix="/editor")
    blueprint.before_request(language.choose_language)
    blueprint.before_request(admit)
    blueprint.after_request(keep_private)
    blueprint.register_error_handler(CSRFError, keep_written)
    blueprint.context_processor(navigation.context)
    adding_up.init(blueprint)
    blueprint.add_url_rule("/", "home", _home)
    signing_in.add_routes(blueprint)
    oidc.add_routes(blueprint)
    account.add_routes(blueprint)
    people.add_routes(blueprint)
    audit_trail.add_routes(blueprint)
    gaps_feed.add_routes(blueprint)
    overview.add_routes(blueprint)
    questions.add_routes(blueprint)
    question.add_routes(blueprint)
    article_health.add_routes(blueprint)
    forms.add_routes(blueprint)
    gaps.add_routes(blueprint)
    gap.add_routes(blueprint)
    gap_work.add_routes(blueprint)
    gap_undo.add_routes(blueprint)
    drafts.add_routes(blueprint)
    draft_delete.add_routes(blueprint)
    publishing.add_routes(blueprint)
    runs.add_routes(blueprint)
    proofs.add_routes(blueprint)
    app.register_blueprint(blueprint)
    oidc.init_app(app, services_of(app).settings)


def _home() -> Response:
    """The first page there is; readers may see it."""
    return redirect(navigation.navigation()[0].url)
