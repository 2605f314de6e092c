"""`/editor/forms`: what came of the forms that suggest articles, with its definitions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import format_decimal

from portal.editor.charts import PARTS, columns, percent, points
from portal.editor.downloads import download, json_file
from portal.forms.export import as_csv, as_dict, trend_csv
from portal.forms.figures import Figures, Selection, Step, shares, step_of
from portal.i18n import current_locale
from portal.services import services
from search.types import LOCALES

PERIODS = (7, 30, 90, 365)
"""Days that can be chosen."""
_WEEKS_FROM = 90
_UNNAMED = "none"
"""Asks for sessions whose language nobody named."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    days: int
    form: str
    locale: str

    def query(self) -> dict[str, Any]:
        """The arguments of the same page; those that say nothing are left out."""
        given = {"days": self.days, "form": self.form, "locale": self.locale}
        return {name: value for name, value in given.items() if value}


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/forms", "forms", page)
    blueprint.add_url_rule("/forms.json", "forms_json", as_json)
    blueprint.add_url_rule("/forms.csv", "forms_csv", csv_of_forms)
    blueprint.add_url_rule("/forms-trend.csv", "forms_trend_csv", csv_of_trend)


def page() -> str:
    """Counts, shares, funnel, hold-out and trend. Raises `EventsUnavailable`."""
    chosen = _chosen()
    found = _figures(chosen)
    return render_template(
        "editor/forms.html",
        chosen=chosen,
        figures=found,
        shares=shares(found.total),
        groups=[(group, shares(group.counts)) for group in found.groups],
        forms=_forms(found, chosen),
        periods=PERIODS,
        unnamed=_UNNAMED,
        parts=PARTS,
        chart=columns(found.trend),
        number=format_decimal,
        percent=percent,
        points=points,
        downloads={
            "csv": url_for(".forms_csv", **chosen.query()),
            "trend": url_for(".forms_trend_csv", **chosen.query()),
            "json": url_for(".forms_json", **chosen.query()),
        },
    )


def as_json() -> Response:
    """The same figures for programs."""
    return json_file("forms.json", as_dict(_figures(_chosen())))


def csv_of_forms() -> Response:
    """One line for each form and language."""
    return download(as_csv(_figures(_chosen())), "forms.csv", "text/csv")


def csv_of_trend() -> Response:
    """One line for each day or week."""
    return download(trend_csv(_figures(_chosen())), "forms-trend.csv", "text/csv")


def _chosen() -> _Chosen:
    """What the address asks for; what makes no sense is as if it were not there."""
    days = request.args.get("days", type=int)
    locale = request.args.get("locale", "")
    return _Chosen(
        days=days if days in PERIODS else 30,
        form=request.args.get("form", "")[:40],
        locale=locale if locale in (*LOCALES, _UNNAMED) else "",
    )


def _figures(chosen: _Chosen) -> Figures:
    now = services().clock()
    step: Step = "week" if chosen.days >= _WEEKS_FROM else "day"
    first = step_of(now.astimezone(UTC).date() - timedelta(days=chosen.days - 1), step)
    return services().form_log.figures(
        Selection(
            since=datetime.combine(first, time(), UTC),
            until=now,
            form=chosen.form or None,
            locale="" if chosen.locale == _UNNAMED else chosen.locale or None,
            step=step,
        )
    )


def _forms(found: Figures, chosen: _Chosen) -> dict[str, str]:
    """Titles by key of the forms that are set up, and the keys of those that once were."""
    titles = {form.key: form.title(current_locale()) for form in services().forms.all()}
    once = (*(group.form for group in found.groups), chosen.form)
    return titles | {key: key for key in once if key and key not in titles}
