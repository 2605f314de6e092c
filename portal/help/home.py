"""The first page: a field, real questions, topics, and what others read."""

from __future__ import annotations

from flask import Blueprint, render_template

from portal.help.context import LOCALE
from portal.help.examples import example_questions, starting_points
from portal.i18n import current_locale
from portal.services import services


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"{LOCALE}/", "home", home)


def home() -> str:
    catalogue = services().library.catalogue
    locale = current_locale()
    return render_template(
        "help/home.html",
        examples=example_questions(catalogue, locale),
        sections=catalogue.sections(locale),
        start=starting_points(catalogue, locale),
    )
