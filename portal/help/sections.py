"""All articles of one section."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from portal.help.context import LOCALE
from portal.i18n import current_locale
from portal.services import services


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"{LOCALE}/<section>/", "section", section)


def section(section: str) -> str:
    sections = services().library.catalogue.sections(current_locale())
    found = next((pair for pair in sections if pair[0].key == section), None)
    if found is None:
        abort(404)
    label, articles = found
    others = [other for other, _articles in sections if other.key != section]
    return render_template("help/section.html", label=label, articles=articles, others=others)
