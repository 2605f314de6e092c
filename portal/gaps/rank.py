"""What is counted of a gap, and how pressing it is.

The score is distinct visitors x severity x recency: every visitor counts with the largest severity
of what happened to them, halved for each `HALF_LIFE` since they asked last. So a gap of ten
visitors who found nothing today scores 10, and 5 in two weeks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.gaps.definitions import HALF_LIFE, SPIKE_LEAST, SPIKE_TIMES
from portal.gaps.encoding import reasons_of
from portal.gaps.types import SEVERITY, Figures, Reason

WEEKS = 12
"""Weeks of the small chart of a gap."""
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Asked:
    """One visitor's unresolved question, as figures are counted from it."""

    visitor: str
    at: datetime
    locale: str
    platform: str | None
    reasons: int
    searches: int


@dataclass(slots=True)
class _Visitor:
    at: datetime
    reasons: int
    locale: str
    platform: str | None


def reach(days: int) -> timedelta:
    """How far back the figures of a period look: the period before it, and twelve weeks."""
    return max(timedelta(days=2 * days), WEEKS * _WEEK)


def figures_of(asked: Iterable[Asked], *, now: datetime, days: int) -> Figures:
    """The figures of one gap in the `days` before `now`; `asked` reaches back `reach(days)`.

    A visitor counts once however many of the gap's questions they asked; reasons are counted by
    visitor, so they may add up to more than visitors.
    """
    since = now - timedelta(days=days)
    before_since = now - timedelta(days=2 * days)
    visitors: dict[str, _Visitor] = {}
    before: set[str] = set()
    weeks: list[set[str]] = [set() for _ in range(WEEKS)]
    searches = 0
    first: datetime | None = None
    for one in asked:
        week = (now - one.at) // _WEEK
        if 0 <= week < WEEKS:
            weeks[WEEKS - 1 - week].add(one.visitor)
        if one.at <= since:
            if one.at > before_since:
                before.add(one.visitor)
            continue
        searches += one.searches
        first = min(first, one.at) if first else one.at
        known = visitors.get(one.visitor)
        if known is None:
            visitors[one.visitor] = _Visitor(one.at, one.reasons, one.locale, one.platform)
            continue
        known.reasons |= one.reasons
        if one.at >= known.at:
            known.at, known.locale = one.at, one.locale
            known.platform = one.platform or known.platform
    reasons: Counter[Reason] = Counter()
    locales: Counter[str] = Counter()
    platforms: Counter[str] = Counter()
    score = total = 0.0
    for visitor in visitors.values():
        own = reasons_of(visitor.reasons)
        reasons.update(own)
        locales[visitor.locale] += 1
        if visitor.platform:
            platforms[visitor.platform] += 1
        severity = max((SEVERITY[reason] for reason in own), default=0.0)
        total += severity
        score += severity * 0.5 ** (max(now - visitor.at, timedelta(0)) / HALF_LIFE)
    counts = tuple(map(len, weeks))
    return Figures(
        visitors=len(visitors),
        searches=searches,
        before=len(before),
        score=round(score, 6),
        severity=round(total / len(visitors), 4) if visitors else 0.0,
        spike=is_spike(counts),
        saved=reasons[Reason.SENT_ANYWAY],
        reasons=dict(reasons.most_common()),
        locales=dict(locales.most_common()),
        platforms=dict(platforms.most_common()),
        weeks=counts,
        first_seen=first,
        last_seen=max((visitor.at for visitor in visitors.values()), default=None),
    )


def is_spike(weeks: tuple[int, ...]) -> bool:
    """Whether the last week has at least twice the visitors of the one before, and enough."""
    last, previous = weeks[-1], weeks[-2]
    return last >= SPIKE_LEAST and last >= SPIKE_TIMES * previous
