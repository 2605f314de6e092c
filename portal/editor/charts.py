"""Where the shapes of charts go, and how shares are written; templates draw them.

Charts are plain SVG, without script and without style attributes, which the pages' policy forbids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import format_decimal

from portal.forms.figures import Point

PARTS = ("confirmed", "assumed", "sent", "reversed", "left")
"""Outcomes of sessions that were shown something, from the bottom of a column upwards."""
HEIGHT = 100.0
STEP = 10.0
_GAP = 2.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a column; in units of the chart, from its upper left corner."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart `width` by `height`, one column of bars for each step.

    `marks` are the counts that lines are drawn at, from the top down to 0, evenly apart.
    """

    width: float
    height: float
    bars: tuple[Bar, ...]
    marks: tuple[int, ...]


def columns(trend: Sequence[Point]) -> Columns:
    """Sessions that were shown something, by outcome, in the steps of the trend."""
    top = _round_up(max((point.counts.shown for point in trend), default=0))
    bars = []
    for place, point in enumerate(trend):
        used = 0.0
        for name in PARTS:
            height = HEIGHT * getattr(point.counts, name) / top
            used += height
            if height:
                bars.append(Bar(name, place * STEP + _GAP / 2, HEIGHT - used, STEP - _GAP, height))
    marks = (top, top // 2, 0) if top % 2 == 0 else (top, 0)
    return Columns(STEP * max(1, len(trend)), HEIGHT, tuple(bars), marks)


def percent(value: float) -> str:
    """A share in the reader's language, as exact as a share of few sessions is worth."""
    return f"{format_decimal(round(100 * value, 1), '0.0')}%"


def points(value: float) -> str:
    """A difference of shares, in percentage points and with its sign."""
    number = round(100 * value, 1)
    sign = "−" if number < 0 else "+" if number > 0 else ""
    return f"{sign}{format_decimal(abs(number), '0.0')}"


def _round_up(most: int) -> int:
    """A round number that is no less, for the top of a scale."""
    size = 1
    while True:
        for step in (1, 2, 4, 6, 8):
            if step * size >= most:
                return step * size
        size *= 10
