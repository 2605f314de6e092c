"""One article: its page, its old addresses, and its retirement."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug import Response

from portal.help import log, reading
from portal.help.content import split_opening
from portal.help.context import LOCALE
from portal.help.policy import clauses
from portal.help.structured import article_data
from portal.i18n import current_locale
from portal.services import services


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"{LOCALE}/<section>/<slug>", "article", article)


def article(section: str, slug: str) -> Response | str:
    catalogue = services().library.catalogue
    path = f"/{current_locale()}/{section}/{slug}"
    found = catalogue.by_path(path)
    if found is None:
        moved = catalogue.moved_to(path)
        if moved is not None:
            return redirect(moved, 301)
        abort(410 if services().library.is_gone(path) else 404)
    voted = request.args.get("voted", "")
    if not voted:
        if request.args.get("via") != "typed":  # the script's beacon counted it
            log.view(found)
        reading.remember(found)
    opening, body = split_opening(found)
    return render_template(
        "help/article.html",
        article=found,
        opening=opening,
        body=body,
        clauses=clauses(found, catalogue.taxonomy),
        related=catalogue.related(found),
        translations=catalogue.translations(found.id),
        taxonomy=catalogue.taxonomy,
        voted=voted,
        structured=article_data(found),
        search_id=request.args.get("s", ""),
    )
