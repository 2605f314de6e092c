"""`/editor/overview`: how well the help centre answers, on one page, with its definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date
from typing import Any

from flask import Blueprint, Response, render_template
from flask_babel import format_decimal

from portal.editor.charts import percent, points
from portal.editor.downloads import SHARE, csv_file, json_file, share_cells, share_dict
from portal.editor.legible import legible
from portal.editor.period import (
    MOST_ROWS,
    NO_PLATFORM,
    PERIODS,
    Chosen,
    chosen,
    platform_names,
    step_of,
)
from portal.figures.counts import NAMES, RATES, REASONS, Counts, rates
from portal.figures.read import AskedQuestion, Figures, figures
from portal.forms.intervals import LEVEL, Difference, Share, newcombe
from portal.services import services
from portal.transactions import transaction

MULTIPLES = (
    "questions", "answered", "unresolved", "clicked", "helpful", "exits", "refined", "handovers",
)  # fmt: skip
"""What the small charts show: rates, and the numbers of the rest."""
_TABLE = ("answered", "unresolved", "clicked", "helpful", "exits", "refined")
_COLUMNS = ("asked", *NAMES)
"""What files have: `asked` is what the page calls questions, those of searches and elsewhere."""
_LINKS: Mapping[str, Mapping[str, str]] = {
    "answered": {"state": "answered"},
    "unresolved": {"state": "unresolved"},
    **{reason.value: {"reason": reason.value} for reason in REASONS},
    "clicked": {"state": "clicked"},
    "exits": {"state": "exit"},
    "refined": {"state": "refined"},
    "questions": {"state": "question"},
    "handovers": {"reason": "handed_over"},
}
"""Where the questions behind each figure are listed; votes and reads are listed by article."""


@dataclass(frozen=True, slots=True)
class Point:
    """The sum of a day, or of the week that begins on it."""

    day: date
    counts: Counts
    rates: dict[str, Share | None]
    unfinished: bool
    """Whether it has today, which is not over."""


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/overview", "overview", page)
    blueprint.add_url_rule("/overview.json", "overview_json", as_json)
    blueprint.add_url_rule("/overview.csv", "overview_csv", csv_of_days)
    blueprint.add_url_rule("/overview-groups.csv", "overview_groups_csv", csv_of_groups)
    blueprint.add_url_rule("/overview-questions.csv", "overview_questions_csv", csv_of_questions)


def page() -> str:
    """Figures with intervals and what changed, charts, groups, questions."""
    wanted = chosen()
    found = _figures(wanted)
    now, before = rates(found.total), rates(found.before)
    return render_template(
        "editor/overview.html",
        chosen=wanted,
        figures=found,
        total=found.total,
        before=found.before,
        rates=now,
        changes={name: _change(now[name], before[name]) for name in now},
        reasons=[reason.value for reason in REASONS],
        links=_LINKS,
        points_=_trend(found, wanted.days),
        multiples=MULTIPLES,
        columns=_TABLE,
        groups={name: _rows(own) for name, own in found.by.items()},
        platforms=platform_names(),
        no_platform=NO_PLATFORM,
        periods=PERIODS,
        weekly=wanted.days >= PERIODS[2],
        number=format_decimal,
        percent=percent,
        legible=legible,
        points=points,
    )


def as_json() -> Response:
    """The same figures for programs."""
    wanted = chosen()
    return json_file("overview.json", as_dict(_figures(wanted)))


def as_dict(found: Figures) -> dict[str, Any]:
    """Everything the page shows; shares are fractions of one, days are ISO 8601 in UTC."""
    selection = found.selection
    return {
        "first": selection.first.isoformat(),
        "last": selection.last.isoformat(),
        "now": found.now.isoformat(),
        "locale": selection.locale,
        "platform": selection.platform,
        "channel": selection.channel,
        "level": LEVEL,
        "log_begins": found.log_begins.isoformat() if found.log_begins else None,
        "before_days": found.before_days,
        "total": _counts(found.total),
        "before": _counts(found.before),
        "days": [
            {"day": day.isoformat(), "asked": counts.asked, **asdict(counts)}
            for day, counts in found.days
        ],
        "by": {
            name: {key: _counts(counts) for key, counts in own.items()}
            for name, own in found.by.items()
        },
        "top": [_question(question) for question in found.top],
        "rising": [_question(question) for question in found.rising],
    }


def csv_of_days() -> Response:
    """One line for each day."""
    found = _figures(chosen())
    lines = [[day.isoformat(), *_numbers(counts)] for day, counts in found.days]
    return csv_file("overview.csv", ["day", *_COLUMNS], lines)


def csv_of_groups() -> Response:
    """One line for each locale, platform and channel, with the bounds of every share."""
    found = _figures(chosen())
    header = ["by", "key", *_COLUMNS, *(f"{name}_{part}" for name in RATES for part in SHARE)]
    lines = [
        [name, key, *_numbers(counts),
         *(cell for share in rates(counts).values() for cell in share_cells(share))]
        for name, own in (*found.by.items(), ("total", {"": found.total}))
        for key, counts in own.items()
    ]  # fmt: skip
    return csv_file("overview-groups.csv", header, lines)


def csv_of_questions() -> Response:
    """What was asked most, and what is asked more than before."""
    found = _figures(chosen())
    lists: tuple[tuple[str, Iterable[AskedQuestion]], ...] = (
        ("top", found.top), ("rising", found.rising),
    )  # fmt: skip
    lines = [[name, one.text, one.questions, one.unresolved, one.before]
             for name, own in lists for one in own]  # fmt: skip
    header = ["list", "question", "visitors", "unresolved", "before"]
    return csv_file("overview-questions.csv", header, lines)


def _figures(wanted: Chosen) -> Figures:
    """Raises `EventsUnavailable` and `DaysNotKept`: half a figure is a lie."""
    here = services()
    here.events.flush()
    now = here.clock()
    with transaction(here.engine, "read figures") as connection:
        return figures(connection, wanted.selection(now), now, most=MOST_ROWS)


def _change(now: Share | None, before: Share | None) -> Difference | None:
    return newcombe(now, before) if now and before else None


def _trend(found: Figures, days: int) -> list[Point]:
    steps: dict[date, Counts] = {}
    for day, counts in found.days:
        steps.setdefault(step_of(day, days), Counts()).add(counts)
    present = step_of(found.now.astimezone(UTC).date(), days)
    return [Point(day, counts, rates(counts), day == present) for day, counts in steps.items()]


def _rows(own: Mapping[str, Counts]) -> list[tuple[str, Counts, dict[str, Share | None]]]:
    """Groups with questions, most first."""
    ordered = sorted(own.items(), key=lambda one: (-one[1].asked, one[0]))
    return [(key, counts, rates(counts)) for key, counts in ordered if counts.asked]


def _numbers(counts: Counts) -> list[int]:
    return [getattr(counts, name) for name in _COLUMNS]


def _question(one: AskedQuestion) -> dict[str, Any]:
    return {
        "text": one.text, "visitors": one.questions, "unresolved": one.unresolved,
        "before": one.before,
    }  # fmt: skip


def _counts(counts: Counts) -> dict[str, Any]:
    shares = {name: share_dict(share) for name, share in rates(counts).items()}
    return {"asked": counts.asked, **asdict(counts), "rates": shares}
