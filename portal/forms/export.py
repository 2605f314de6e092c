"""Figures of forms for programs and for spreadsheets."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, fields
from typing import Any

from portal.forms.counts import Counts
from portal.forms.figures import Figures, shares
from portal.forms.intervals import LEVEL, Difference, Share

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_DIGITS = 6


def as_dict(figures: Figures) -> dict[str, Any]:
    """Everything as JSON takes it; shares are fractions of one, moments ISO 8601 in UTC."""
    chosen = figures.selection
    return {
        "since": chosen.since.isoformat(),
        "until": chosen.until.isoformat(),
        "now": figures.now.isoformat(),
        "form": chosen.form,
        "locale": chosen.locale,
        "level": LEVEL,
        "total": _counts(figures.total),
        "groups": [
            {"form": group.form, "locale": group.locale, **_counts(group.counts)}
            for group in figures.groups
        ],
        "step": chosen.step,
        "trend": [
            {"day": point.day.isoformat(), **asdict(point.counts)} for point in figures.trend
        ],
        "holdout": None if figures.holdout is None else {
            "suggested": _share(figures.holdout.suggested),
            "withheld": _share(figures.holdout.withheld),
            "difference": _difference(figures.holdout.difference),
        },
        "open": asdict(figures.open),
        "bots": figures.bots,
        "unfollowed": figures.unfollowed,
    }  # fmt: skip


def as_csv(figures: Figures) -> str:
    """One line for each form and language, then their sum, with the bounds of every share."""
    names = [field.name for field in fields(Counts)]
    parts = ("share", "low", "high")
    given = shares(figures.total)
    header = ["form", "locale", *names, *(f"{name}_{part}" for name in given for part in parts)]
    groups = [(group.form, group.locale, group.counts) for group in figures.groups]
    lines = [header]
    for form, locale, counts in [*groups, ("total", "", figures.total)]:
        bounds = [bound for share in shares(counts).values() for bound in _bounds(share)]
        numbers = [str(getattr(counts, name)) for name in names]
        lines.append([form, locale, *numbers, *bounds])
    return _write(lines)


def trend_csv(figures: Figures) -> str:
    """One line for each day or week."""
    names = [field.name for field in fields(Counts)]
    points = [
        [point.day.isoformat(), *(str(getattr(point.counts, name)) for name in names)]
        for point in figures.trend
    ]
    return _write([[figures.selection.step, *names], *points])


def plain_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _write(lines: list[list[str]]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([map(plain_cell, line) for line in lines])
    return file.getvalue()


def _counts(counts: Counts) -> dict[str, Any]:
    given = shares(counts).items()
    return {
        **asdict(counts),
        "shares": {name: None if share is None else _share(share) for name, share in given},
    }


def _bounds(share: Share | None) -> list[str]:
    if share is None:
        return [""] * 3
    return [str(round(value, _DIGITS)) for value in (share.value, share.low, share.high)]


def _share(share: Share) -> dict[str, Any]:
    return {
        "count": share.count,
        "of": share.of,
        "value": round(share.value, _DIGITS),
        "low": round(share.low, _DIGITS),
        "high": round(share.high, _DIGITS),
    }


def _difference(difference: Difference) -> dict[str, float]:
    return {name: round(value, _DIGITS) for name, value in asdict(difference).items()}
