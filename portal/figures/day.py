"""Counts one day from the log, by the definitions; everything else only adds days up."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from portal.figures.counts import ArticleCounts, Asked, Counts, Day, Group
from portal.figures.definitions import REFINED_AFTER, VISIT
from portal.gaps.definitions import TRACKED
from portal.gaps.reasons import settled, unresolved_questions
from portal.gaps.types import UnresolvedQuestion
from portal.tables import HANDOVERS, SEARCH_RESULTS, SEARCHES, VIEWS, VOTES

_Span = tuple[datetime, datetime]


def span_of(day: date) -> _Span:
    """From midnight, UTC, to before the next."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


def count_day(connection: sa.Connection, day: date, now: datetime) -> Day:
    """The figures of a day as the log has them now; `now` says what is too young to be judged."""
    start, end = span = span_of(day)
    made = _Counting(day)
    for locale, platform, channel, searches, bots in connection.execute(_logged(span)):
        counts = made.groups[Group(locale, platform, channel)]
        counts.searches, counts.bots = searches, bots
    rows = connection.execute(_questions(span)).all()
    unresolved = unresolved_questions(connection, since=start, until=end, now=now)
    made.count_questions(rows, unresolved)
    views = connection.execute(_views(span)).all()
    handovers = connection.execute(_handovers(span)).all()
    _count_leaving(rows, views, handovers, made.groups)
    for view in views:
        made.groups[_group(view)].reads += 1
        article = made.articles[view.article_id, view.locale]
        article.reads += 1
        article.clicks += view.search_id is not None
    for vote in connection.execute(_votes(span)):
        counts, article = made.groups[_group(vote)], made.articles[vote.article_id, vote.locale]
        counts.helpful += vote.helpful
        article.helpful += vote.helpful
        counts.unhelpful += not vote.helpful
        article.unhelpful += not vote.helpful
        if vote.reason and not vote.helpful:
            article.reasons[vote.reason] += 1
    for handover in handovers:
        made.groups[Group(handover.locale, "", "handover")].handovers += 1
        for read in set(handover.articles):
            made.articles[read, handover.locale].handovers += 1
    return Day(day, dict(made.groups), dict(made.articles), dict(made.questions), made.texts)


class _Counting:
    """A day while it is being counted."""

    def __init__(self, day: date) -> None:
        self.day = day
        self.groups: dict[Group, Counts] = defaultdict(Counts)
        self.articles: dict[tuple[str, str], ArticleCounts] = defaultdict(ArticleCounts)
        self.questions: dict[tuple[str, Group], Asked] = defaultdict(Asked)
        self.texts: dict[str, str] = {}

    def count_questions(self, rows: Any, unresolved: list[UnresolvedQuestion]) -> None:
        """Settled questions, in the order of time, and what is unresolved of them."""
        seen: set[str] = set()
        for row in rows:
            group = Group(row.locale, row.platform or "", row.channel)
            counts = self.groups[group]
            counts.questions += 1
            counts.answered += row.resolved
            if row.visitor not in seen:
                seen.add(row.visitor)
                counts.visitors += 1
            if row.results and row.channel in TRACKED:
                counts.tracked += 1
                counts.clicked += row.clicked
            self.questions[row.normalised, group].questions += 1
            self.texts.setdefault(row.normalised, row.query)
        for question in unresolved:
            group = Group(question.locale, question.platform or "", question.channel)
            counts = self.groups[group]
            counts.unresolved += 1
            for reason in question.reasons:
                setattr(counts, reason.value, getattr(counts, reason.value) + 1)
            asked = self.questions[question.normalised, group]
            asked.unresolved += 1
            if question.source != "search":
                counts.elsewhere += 1
                asked.questions += 1
            self.texts.setdefault(question.normalised, question.text)


def _count_leaving(questions: Any, views: Any, handovers: Any, groups: dict[Group, Counts]) -> None:
    """Refinements and exits: what each visitor did after each of their questions."""
    asked, moves = defaultdict(list), defaultdict(list)
    for row in questions:
        asked[row.visitor].append(row)
    for row in (*views, *handovers):
        moves[row.visitor].append(row.at)
    for visitor, own in asked.items():
        moved = sorted(moves[visitor])
        for place, row in enumerate(own):
            following = own[place + 1].at if place + 1 < len(own) else None
            after = bisect_left(moved, row.at)
            until = min(following or row.at + VISIT, row.at + VISIT)
            if row.clicked or (after < len(moved) and moved[after] <= until):
                continue
            counts = groups[Group(row.locale, row.platform or "", row.channel)]
            if following is not None and following - row.at <= REFINED_AFTER:
                counts.refined += 1
            elif (following is None or following - row.at > VISIT) and not row.answer:
                counts.exits += 1


def _logged(span: _Span) -> sa.Select[Any]:
    """Rows of the log by group, and how many of them are from programs."""
    s = SEARCHES.c
    group = (s.locale, sa.func.coalesce(s.platform, ""), s.channel)
    bots = sa.func.sum(sa.case((s.bot, 1), else_=0))
    return sa.select(*group, sa.func.count(), bots).where(*_within(s.at, span)).group_by(*group)


def _questions(span: _Span) -> sa.Select[Any]:
    r, s, first = (rows := settled(*span)).c, SEARCHES.c, SEARCH_RESULTS.c
    top = sa.and_(first.search_id == r.id, first.position == 1)
    return (
        sa.select(
            r.at, r.visitor, r.normalised, r.resolved, r.answer, r.clicked,
            s.query, s.locale, s.platform, s.channel,
            first.position.is_not(None).label("results"),
        )
        .select_from(rows.join(SEARCHES, s.id == r.id).outerjoin(SEARCH_RESULTS, top))
        .order_by(r.at, r.id)
    )  # fmt: skip


def _views(span: _Span) -> sa.Select[Any]:
    v, s = VIEWS.c, SEARCHES.c
    came_from = sa.and_(s.id == v.search_id, *_within(s.at, span))
    return (
        sa.select(v.at, v.visitor, v.article_id, v.locale, v.search_id, s.platform, s.channel)
        .select_from(VIEWS.outerjoin(SEARCHES, came_from))
        .where(*_within(v.at, span), v.bot.is_(False))
    )


def _votes(span: _Span) -> sa.Select[Any]:
    """The latest of each visitor on each article."""
    s = SEARCHES.c
    turn = sa.func.row_number().over(
        partition_by=(VOTES.c.visitor, VOTES.c.article_id, VOTES.c.locale),
        order_by=(VOTES.c.at.desc(), VOTES.c.id.desc()),
    )
    own = sa.select(VOTES, turn.label("turn")).where(*_within(VOTES.c.at, span))
    v = (ranked := own.subquery()).c
    came_from = sa.and_(s.id == v.search_id, *_within(s.at, span))
    return (
        sa.select(v.article_id, v.locale, v.helpful, v.reason, s.platform, s.channel)
        .select_from(ranked.outerjoin(SEARCHES, came_from))
        .where(v.turn == 1)
    )


def _handovers(span: _Span) -> sa.Select[Any]:
    h = HANDOVERS.c
    return sa.select(h.at, h.visitor, h.locale, h.articles).where(*_within(h.at, span))


def _within(column: Any, span: _Span) -> tuple[sa.ColumnElement[bool], ...]:
    return column >= span[0], column < span[1]


def _group(row: Any) -> Group:
    """That of the search something came from, if it came from one of the same day."""
    return Group(row.locale, row.platform or "", row.channel or "")
