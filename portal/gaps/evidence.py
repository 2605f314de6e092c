"""What live traffic says of a gap, and by which rule it is closed or reopened.

A visitor is counted once on each side of the day the article was published, with the last question
they asked of the gap: unresolved or not, as `portal.gaps.definitions` has it. Before are the
`BEFORE` days until then, counted once and kept, as the log forgets; after is everything since that
the report still has.

A gap is closed when at least `LEAST_VISITORS` have asked since, the interval of the share before
less the share after lies above zero, and that of the share after lies below `MOST_LEFT`. Silence
closes nothing: without visitors it stays published.

It is reopened by itself when the questions come back: of the visitors of the last `BACK` days,
counted from its closing, at least `LEAST_BACK` found no answer, and the interval of their share
lies above `BACK_SHARE`. A published gap is reopened too when at least `LEAST_VISITORS` have asked
since and the interval of the share that still found no answer lies above `MOST_LEFT`: the article
did not help.

Hand-overs saved: the share of visitors before who passed the question on to a person, less that
after, times the visitors after; the interval is Newcombe's, times the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from portal.forms.intervals import Difference, Share, newcombe, wilson

BEFORE = timedelta(days=90)
LEAST_VISITORS = 8
MOST_LEFT = 0.5
BACK = timedelta(days=28)
LEAST_BACK = 3
BACK_SHARE = 0.25

Verdict = Literal["waiting", "closed", "reopened"]


@dataclass(frozen=True, slots=True)
class Sight:
    """One visitor's question of a gap, by its key, as it stood in the end."""

    at: datetime
    visitor: str
    question: str
    unresolved: bool
    handed_over: bool


@dataclass(frozen=True, slots=True)
class Before:
    """One gap before its article: visitors, those without an answer in the end, those handed over,
    and the keys of the questions that were unresolved."""

    visitors: int
    unresolved: int
    handed: int
    asked: frozenset[str]


@dataclass(frozen=True, slots=True)
class Counts:
    """Visitors before and after the article, those since the closing, and questions.

    `questions` are distinct ones that were unresolved before, `answered` those of them that were
    asked again and answered.
    """

    before: int = 0
    before_unresolved: int = 0
    before_handed: int = 0
    after: int = 0
    after_unresolved: int = 0
    after_handed: int = 0
    back: int = 0
    back_unresolved: int = 0
    questions: int = 0
    answered: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Counts as shares with their intervals; None where there was nobody to count.

    `fall` is the unresolved share before less that after, `saved` the hand-overs saved.
    """

    counts: Counts
    before: Share | None
    after: Share | None
    fall: Difference | None
    back: Share | None
    saved: Difference | None

    @classmethod
    def of(cls, counts: Counts) -> Evidence:
        """The shares of some counts."""
        before = wilson(counts.before_unresolved, counts.before)
        after = wilson(counts.after_unresolved, counts.after)
        return cls(
            counts,
            before,
            after,
            newcombe(before, after) if before and after else None,
            wilson(counts.back_unresolved, counts.back),
            _saved(counts),
        )

    @property
    def helped(self) -> bool:
        """Whether there is enough to close a gap."""
        return (
            self.counts.after >= LEAST_VISITORS
            and self.fall is not None
            and self.after is not None
            and self.fall.low > 0
            and self.after.high < MOST_LEFT
        )

    @property
    def came_back(self) -> bool:
        """Whether a closed gap is open again."""
        return (
            self.back is not None and self.back.count >= LEAST_BACK and self.back.low > BACK_SHARE
        )

    @property
    def failed(self) -> bool:
        """Whether an article has been asked enough to say that it did not help."""
        return (
            self.counts.after >= LEAST_VISITORS
            and self.after is not None
            and self.after.low > MOST_LEFT
        )

    def verdict(self, *, closed: bool) -> Verdict:
        """What follows for a gap that is published, or `closed` already."""
        if closed:
            return "reopened" if self.came_back else "closed"
        if self.helped:
            return "closed"
        return "reopened" if self.failed else "waiting"


def count_before(sights: Iterable[Sight], *, published: datetime) -> Before:
    """Add up what was seen of one gap before its article."""
    before = [one for one in _ordered(sights) if published - BEFORE <= one.at < published]
    return Before(*_visitors(before), frozenset(one.question for one in before if one.unresolved))


def count(
    sights: Iterable[Sight],
    *,
    published: datetime,
    closed: datetime | None,
    now: datetime,
    before: Before | None = None,
) -> Counts:
    """Add up what was seen of one gap; what was seen before its article is counted unless given."""
    ordered = _ordered(sights)
    if before is None:
        before = count_before(ordered, published=published)
    after = [one for one in ordered if published <= one.at <= now]
    since = max(closed, now - BACK) if closed else None
    back = [one for one in after if since is not None and one.at >= since]
    latest = {one.question: one for one in after}
    return Counts(
        before.visitors,
        before.unresolved,
        before.handed,
        *_visitors(after),
        *_visitors(back)[:2],
        questions=len(before.asked),
        answered=sum(1 for one in before.asked if one in latest and not latest[one].unresolved),
    )


def _ordered(sights: Iterable[Sight]) -> list[Sight]:
    return sorted(sights, key=lambda sight: (sight.at, sight.visitor))


def total_saved(found: Iterable[Evidence]) -> Difference | None:
    """Hand-overs saved over several gaps: their sum, with the halves of all intervals squared and
    added, as for one difference; None where no gap has a figure."""
    known = [one.saved for one in found if one.saved is not None]
    if not known:
        return None
    value = sum(one.value for one in known)
    return Difference(
        value,
        value - math.hypot(*(one.value - one.low for one in known)),
        value + math.hypot(*(one.high - one.value for one in known)),
    )


def _visitors(sights: Iterable[Sight]) -> tuple[int, int, int]:
    """How many there are, how many found no answer in the end, how many were handed over."""
    last: dict[str, Sight] = {}
    handed: set[str] = set()
    for sight in sights:
        last[sight.visitor] = sight
        if sight.handed_over:
            handed.add(sight.visitor)
    return len(last), sum(sight.unresolved for sight in last.values()), len(handed)


def _saved(counts: Counts) -> Difference | None:
    before = wilson(counts.before_handed, counts.before)
    after = wilson(counts.after_handed, counts.after)
    if before is None or after is None:
        return None
    fall = newcombe(before, after)
    times = counts.after
    return Difference(fall.value * times, fall.low * times, fall.high * times)
