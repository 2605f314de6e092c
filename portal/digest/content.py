"""What is in a digest, read from the gap report, the figures and the published articles."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from portal.figures.counts import rates
from portal.figures.read import Selection, figures
from portal.forms.intervals import Share
from portal.gaps.definitions import LEAST, SHOWN
from portal.gaps.proof_report import Line, Report, read_report
from portal.gaps.store import EVERYTHING, GapStore
from portal.gaps.tables import GAP_QUESTIONS, UNRESOLVED
from portal.gaps.types import UNDER_WAY, Gap
from portal.simulate.mark import is_simulated
from portal.transactions import transaction
from search.types import Article

WEEK = timedelta(days=7)
REVIEW_SOON = timedelta(days=7)
"""How long before its review is due an article is named."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of the days of the digest and of as many days before; None: of nothing."""

    now: Share | None
    before: Share | None

    @property
    def change(self) -> float | None:
        """The difference, .05 for five percentage points more."""
        return self.now.value - self.before.value if self.now and self.before else None


@dataclass(frozen=True, slots=True)
class Digest:
    """Everything that is told of `first` to `last`, two days in UTC, both counted.

    `new` are gaps whose first question was asked in these days. Gaps are told of until `now`, and
    the most pressing first; as in the queue without those that fewer than `LEAST` visitors asked
    about, but for what somebody was to have done by a day. `counted_at` is the last refresh of the
    gap report; None: there was none. `before_days` are the days of the period before that the log
    has.
    """

    first: date
    last: date
    now: datetime
    counted_at: datetime | None
    questions: int
    answered: Rate
    unresolved: Rate
    before_days: int
    waiting: int
    new: tuple[Gap, ...]
    spikes: tuple[Gap, ...]
    overdue: tuple[Gap, ...]
    report: Report
    reviews: tuple[Article, ...]
    simulated: bool = False
    """Whether any of the visitors were played by `kb simulate`."""

    @property
    def closed(self) -> tuple[Line, ...]:
        """Gaps closed by evidence that still are."""
        return tuple(self.report.closed)

    @property
    def reopened(self) -> tuple[Line, ...]:
        """Gaps whose questions came back."""
        return tuple(self.report.reopened)


def read_digest(
    engine: sa.Engine,
    articles: Iterable[Article],
    now: datetime,
    since: date | None = None,
) -> Digest:
    """The digest of the days from `since` to yesterday; without it of the last seven.

    Days are whole, so that weeks can be compared. Raises `EventsUnavailable`.
    """
    today = now.astimezone(UTC).date()
    last = today - timedelta(days=1)
    first = min(since or today - WEEK, last)
    begin, end = (datetime.combine(day, time(), UTC) for day in (first, today))
    gaps = GapStore(engine, lambda: now)
    every = gaps.list(EVERYTHING)
    under_way = [gap for gap in every if gap.state in UNDER_WAY]
    waiting = [gap for gap in under_way if gap.visitors >= LEAST]
    with transaction(engine, "read the figures of a digest") as connection:
        found = figures(connection, Selection(first, last), now)
        asked = _first_asked(connection, [gap.number for gap in waiting])
    shares, before = rates(found.total), rates(found.before)
    run = gaps.last_run()
    due = [one for one in articles if one.review_by <= today + REVIEW_SOON]
    return Digest(
        first=first,
        last=last,
        now=now,
        counted_at=run.at if run else None,
        questions=found.total.asked,
        answered=Rate(shares["answered"], before["answered"]),
        unresolved=Rate(shares["unresolved"], before["unresolved"]),
        before_days=found.before_days,
        waiting=len(waiting),
        new=tuple(gap for gap in waiting if _is_new(gap, asked.get(gap.number), begin, end)),
        spikes=tuple(gap for gap in waiting if gap.spike),
        overdue=tuple(gap for gap in under_way if gap.due and gap.due < today),
        report=read_report(engine, begin, now),
        reviews=tuple(sorted(due, key=lambda one: (one.review_by, one.id, one.locale))),
        simulated=is_simulated(engine),
    )


def _first_asked(connection: sa.Connection, gaps: Collection[int]) -> dict[int, datetime]:
    """When the first question of each gap was asked, as far as the report has it."""
    u, q = UNRESOLVED.c, GAP_QUESTIONS.c
    query = (
        sa.select(q.gap, sa.func.min(u.at, type_=u.at.type))
        .select_from(sa.join(GAP_QUESTIONS, UNRESOLVED, q.key == u.question))
        .where(q.gap.in_(list(gaps)))
        .group_by(q.gap)
    )
    return dict(connection.execute(query).all())


def _is_new(gap: Gap, asked: datetime | None, begin: datetime, end: datetime) -> bool:
    """Whether its first question was asked in the period. A log that is read for the first time
    has gaps that are found now, and asked about for weeks."""
    if gap.made_at is None or gap.made_at < begin:
        return False  # what was asked first may be forgotten
    return asked is None or begin <= asked < end


def as_dict(digest: Digest, base_url: str) -> dict[str, Any]:
    """The digest for programs; shares are fractions of one, days and moments ISO 8601 in UTC."""
    counted_at = digest.counted_at
    return {
        "first": digest.first.isoformat(),
        "last": digest.last.isoformat(),
        "now": digest.now.isoformat(),
        "counted_at": counted_at.isoformat() if counted_at else None,
        "simulated": digest.simulated,
        "questions": digest.questions,
        "answered": _rate(digest.answered),
        "unresolved": _rate(digest.unresolved),
        "before_days": digest.before_days,
        "visitors_of_days": SHOWN.days,
        "waiting": digest.waiting,
        "new": [_gap(gap, base_url) for gap in digest.new],
        "spikes": [_gap(gap, base_url) for gap in digest.spikes],
        "overdue": [_gap(gap, base_url) for gap in digest.overdue],
        "closed": [_line(line, base_url) for line in digest.closed],
        "reopened": [_line(line, base_url) for line in digest.reopened],
        "reviews": [
            {
                "id": one.id, "locale": one.locale, "title": one.title, "owner": one.owner,
                "review_by": one.review_by.isoformat(), "url": base_url.rstrip("/") + one.path,
            }
            for one in digest.reviews
        ],
    }  # fmt: skip


def gap_url(base_url: str, number: int) -> str:
    """The page of a gap; complete where the portal's address is set."""
    return f"{base_url.rstrip('/')}/editor/gaps/{number}"


def _gap(gap: Gap, base_url: str) -> dict[str, Any]:
    return {
        "gap": gap.number, "name": gap.name, "locale": gap.locale, "state": gap.state.value,
        "kind": gap.kind.value, "visitors": gap.visitors, "weeks": list(gap.figures.weeks),
        "score": round(gap.score, 2),
        "owner": gap.owner, "due": gap.due.isoformat() if gap.due else None,
        "typical": list(gap.typical), "url": gap_url(base_url, gap.number),
    }  # fmt: skip


def _line(line: Line, base_url: str) -> dict[str, Any]:
    return {
        "gap": line.gap, "name": line.name, "state": line.state.value, "article": line.article,
        "url": gap_url(base_url, line.gap),
    }  # fmt: skip


def _rate(rate: Rate) -> dict[str, Any]:
    return {"now": _share(rate.now), "before": _share(rate.before)}


def _share(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    return {
        "count": share.count, "of": share.of, "value": round(share.value, 6),
        "low": round(share.low, 6), "high": round(share.high, 6),
    }  # fmt: skip
