"""What came of forms in a period: counts, shares with their intervals, a trend, the hold-out.

All counts are of sessions that are over: those that began 24 hours ago or more, so that a day's
figures do not change by waiting. Younger ones are counted apart in `OpenSessions`. Programs that
say so are in `bots` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeVar

from portal.forms.counts import Arms, Counts, OpenSessions, Tally
from portal.forms.intervals import Difference, Share, newcombe, wilson

Step = Literal["day", "week"]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Selection:
    """Sessions that began in [`since`, `until`), of one form and language or of all."""

    since: datetime
    until: datetime
    form: str | None = None
    locale: str | None = None
    step: Step = "day"


@dataclass(frozen=True, slots=True)
class Group:
    """Counts of one form in one language; an empty `locale` is one that nobody named."""

    form: str
    locale: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Point:
    """Counts of the sessions that began on a day, or in the week that begins on it."""

    day: date
    counts: Counts


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many sent the form, of those to whom something was suggested and of those held out.

    Both are sessions for whose text something was found above the threshold, so that they differ
    in nothing but chance. `difference` is held out less suggested: above zero, suggestions kept
    requests from being sent.
    """

    suggested: Share
    withheld: Share
    difference: Difference


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything about a selection, as of `now`.

    `unfollowed` are suggestions that programs asked for without naming a session.
    """

    selection: Selection
    now: datetime
    total: Counts
    groups: tuple[Group, ...]
    trend: tuple[Point, ...]
    holdout: Comparison | None
    open: OpenSessions
    bots: int
    unfollowed: int


BASES: dict[str, str] = {
    "suggested": "offered", "shown": "suggested", "opened": "shown", "confirmed": "shown",
    "assumed": "shown", "sent": "shown", "reversed": "shown", "left": "shown",
}  # fmt: skip
"""What each count is a share of; `offered` are sessions with intent that were not held out."""


def shares(counts: Counts) -> dict[str, Share | None]:
    """Each count of `BASES` as a share with its interval; None where it would be one of nothing."""
    offered = counts.intent - counts.withheld
    return {
        name: wilson(getattr(counts, name), offered if of == "offered" else getattr(counts, of))
        for name, of in BASES.items()
    }


def figures_of(
    selection: Selection, tallies: Iterable[Tally], unfollowed: int, now: datetime
) -> Figures:
    """Add the tallies of a selection up."""
    tallies = list(tallies)
    by_group = _sum_by(tallies, lambda one: (one.form, one.locale))
    by_step = _sum_by(tallies, lambda one: step_of(one.day, selection.step))
    return Figures(
        selection=selection,
        now=now,
        total=sum(by_group.values(), Counts()),
        groups=tuple(
            Group(*key, counts) for key, counts in sorted(by_group.items()) if counts.intent
        ),
        trend=tuple(Point(day, by_step.get(day, Counts())) for day in _steps(selection, now)),
        holdout=_compare(sum((one.arms for one in tallies), Arms())),
        open=sum((one.open for one in tallies), OpenSessions()),
        bots=sum(one.bots for one in tallies),
        unfollowed=unfollowed,
    )


def step_of(day: date, step: Step) -> date:
    """The day itself, or the Monday of its week."""
    return day if step == "day" else day - timedelta(days=day.weekday())


def _sum_by(tallies: Iterable[Tally], key: Callable[[Tally], Key]) -> dict[Key, Counts]:
    sums: dict[Key, Counts] = {}
    for one in tallies:
        sums[key(one)] = sums.get(key(one), Counts()) + one.counts
    return sums


def _compare(arms: Arms) -> Comparison | None:
    suggested = wilson(arms.suggested_sent, arms.suggested)
    withheld = wilson(arms.withheld_sent, arms.withheld)
    if suggested is None or withheld is None:
        return None
    return Comparison(suggested, withheld, newcombe(withheld, suggested))


def _steps(selection: Selection, now: datetime) -> Iterator[date]:
    """Every step of the period that has begun, also those without a session."""
    day = step_of(selection.since.date(), selection.step)
    last = (min(selection.until, now) - timedelta(microseconds=1)).date()
    while day <= last:
        yield day
        day += timedelta(days=1 if selection.step == "day" else 7)
