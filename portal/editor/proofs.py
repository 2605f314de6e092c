"""`/editor/proof`: what came of the gaps that were worked on in a period, with its definitions."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, render_template, request, url_for

from portal.editor.downloads import csv_file, json_file
from portal.editor.gap_words import state_names
from portal.editor.proof_words import amount, fall, interval, verdict_words
from portal.gaps.evidence import BACK, BACK_SHARE, BEFORE, LEAST_BACK, LEAST_VISITORS, MOST_LEFT
from portal.gaps.proof_report import COLUMNS, Report, as_dict, read_report, rows
from portal.services import services

PERIODS = (7, 30, 90, 365)
_USUAL = 30
RULE = {
    "before": BEFORE.days, "least": LEAST_VISITORS, "left": round(100 * MOST_LEFT),
    "back": BACK.days, "least_back": LEAST_BACK, "back_share": round(100 * BACK_SHARE),
}  # fmt: skip
"""The thresholds of `portal.gaps.evidence`, as pages show them."""


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/proof", "proof_report", page)
    blueprint.add_url_rule("/proof.json", "proof_report_json", as_json)
    blueprint.add_url_rule("/proof.csv", "proof_report_csv", as_csv)


def page() -> str:
    """Gaps closed and reopened, questions answered, hand-overs saved.

    Raises `EventsUnavailable`.
    """
    days = _days()
    return render_template(
        "editor/proof_report.html",
        report=_report(days),
        days=days,
        periods=PERIODS,
        rule=RULE,
        amount=amount,
        fall=fall,
        interval=interval,
        states=state_names(),
        verdict_words=verdict_words,
        downloads={
            "csv": url_for(".proof_report_csv", days=days),
            "json": url_for(".proof_report_json", days=days),
        },
    )


def as_json() -> Response:
    """The same for programs."""
    return json_file("proof.json", as_dict(_report(_days())))


def as_csv() -> Response:
    """One line a gap."""
    return csv_file("proof.csv", COLUMNS, rows(_report(_days())))


def _days() -> int:
    days = request.args.get("days", type=int)
    return days if days in PERIODS else _USUAL


def _report(days: int) -> Report:
    now = services().clock()
    return read_report(services().engine, now - timedelta(days=days), now + timedelta(seconds=1))
