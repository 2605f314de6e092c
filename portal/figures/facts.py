"""What came of every question of one day: what figures count, and what their links show."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from portal.figures.counts import Group
from portal.figures.definitions import REFINED_AFTER, VISIT
from portal.gaps.definitions import TRACKED
from portal.gaps.reasons import settled_questions, unresolved_questions
from portal.gaps.types import Reason, Source, UnresolvedQuestion
from portal.tables import HANDOVERS, VIEWS

Span = tuple[datetime, datetime]


@dataclass(slots=True)
class Fact:
    """One question of one visitor. `id` is that of its last search, or of what it came by.

    `tracked` says that it had results and that clicks on them would be known; `answer` that an
    answer stood above them. `bot` is only true of rows of the log that are no question.
    """

    source: Source
    id: str
    at: datetime
    visitor: str
    locale: str
    platform: str
    channel: str
    text: str
    normalised: str
    resolved: bool = False
    answer: bool = False
    tracked: bool = False
    clicked: bool = False
    exited: bool = False
    refined: bool = False
    reasons: tuple[Reason, ...] = ()
    bot: bool = False

    @property
    def group(self) -> Group:
        return Group(self.locale, self.platform, self.channel)


def span_of(day: date) -> Span:
    """From midnight, UTC, to before the next."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


def facts_of(
    connection: sa.Connection, day: date, now: datetime, moves: Sequence[Any] | None = None
) -> list[Fact]:
    """Every settled question of a day and those asked elsewhere, in the order of time.

    `moves` are rows with `visitor` and `at` of articles opened and questions passed on; they are
    read when they are not given.
    """
    start, end = span = span_of(day)
    rows = connection.execute(settled_questions(start, end, now)).all()
    found = [
        Fact(
            "search", row.id, row.at, row.visitor, row.locale, row.platform or "", row.channel,
            row.query, row.normalised, bool(row.resolved), bool(row.answer),
            row.top_article is not None and row.channel in TRACKED, bool(row.clicked),
        )
        for row in sorted(rows, key=lambda row: (row.at, row.id))
    ]  # fmt: skip
    if moves is None:
        moves = connection.execute(_moves(span)).all()
    _leave(found, moves)
    searches = {fact.id: fact for fact in found}
    for question in unresolved_questions(connection, since=start, until=end, now=now, asked=rows):
        if question.source == "search":
            searches[question.id].reasons = question.reasons
        else:
            found.append(_elsewhere(question))
    return sorted(found, key=lambda fact: (fact.at, fact.id))


def within(column: Any, span: Span) -> tuple[sa.ColumnElement[bool], ...]:
    """In a span of time."""
    return column >= span[0], column < span[1]


def _elsewhere(question: UnresolvedQuestion) -> Fact:
    return Fact(
        question.source, question.id, question.at, question.visitor, question.locale,
        question.platform or "", question.channel, question.text, question.normalised,
        reasons=question.reasons,
    )  # fmt: skip


def _leave(found: list[Fact], moves: Sequence[Any]) -> None:
    """Refinements and exits: what each visitor did after each of their questions."""
    asked, moved = defaultdict(list), defaultdict(list)
    for fact in found:
        asked[fact.visitor].append(fact)
    for move in moves:
        moved[move.visitor].append(move.at)
    for visitor, own in asked.items():
        later = sorted(moved[visitor])
        for place, fact in enumerate(own):
            following = own[place + 1].at if place + 1 < len(own) else None
            after = bisect_left(later, fact.at)
            until = min(following or fact.at + VISIT, fact.at + VISIT)
            if fact.clicked or (after < len(later) and later[after] <= until):
                continue
            fact.refined = following is not None and following - fact.at <= REFINED_AFTER
            fact.exited = not fact.answer and (following is None or following - fact.at > VISIT)


def _moves(span: Span) -> sa.CompoundSelect[Any]:
    v, h = VIEWS.c, HANDOVERS.c
    return sa.union_all(
        sa.select(v.visitor, v.at).where(*within(v.at, span), v.bot.is_(False)),
        sa.select(h.visitor, h.at).where(*within(h.at, span)),
    )
