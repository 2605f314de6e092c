"""Answers for figures whose days are not added up yet: have it done, and say so."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from portal.editor.access import wants_data
from portal.figures.read import DaysNotKept
from portal.problems import problem
from portal.services import services

AGAIN_SECONDS = 15


def init(blueprint: Blueprint) -> None:
    """Answer `DaysNotKept` on every page of the blueprint."""
    blueprint.register_error_handler(DaysNotKept, _being_added_up)


def _being_added_up(error: DaysNotKept) -> Response:
    """Adding up is what a refresh of gaps begins with; what fails is not begun at every look."""
    refresher = services().gap_refresher
    if refresher.progress() is None and refresher.failed_at() is None:
        refresher.request()
    if wants_data(request):
        return problem(error.status, str(error), retry_after=AGAIN_SECONDS)
    page = render_template("editor/adding_up.html", seconds=AGAIN_SECONDS)
    response = make_response(page, error.status)
    response.headers["Retry-After"] = str(AGAIN_SECONDS)
    response.headers["Refresh"] = str(AGAIN_SECONDS)
    return response
