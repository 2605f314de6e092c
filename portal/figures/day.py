"""Counts one day from the log, by the definitions; everything else only adds days up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from portal.figures.counts import ArticleCounts, Asked, Counts, Day, Group
from portal.figures.facts import Fact, Span, facts_of, span_of, within
from portal.tables import HANDOVERS, SEARCHES, VIEWS, VOTES


def count_day(connection: sa.Connection, day: date, now: datetime) -> Day:
    """The figures of a day as the log has them now; `now` says what is too young to be judged."""
    span = span_of(day)
    groups: dict[Group, Counts] = defaultdict(Counts)
    articles: dict[tuple[str, str], ArticleCounts] = defaultdict(ArticleCounts)
    for locale, platform, channel, searches, bots in connection.execute(_logged(span)):
        logged = groups[Group(locale, platform, channel)]
        logged.searches, logged.bots = searches, bots
    views = connection.execute(_views(span)).all()
    handovers = connection.execute(_handovers(span)).all()
    facts = facts_of(connection, day, now, [*views, *handovers])
    _count_facts(facts, groups)
    for view in views:
        groups[_group(view)].reads += 1
        article = articles[view.article_id, view.locale]
        article.reads += 1
        article.clicks += view.search_id is not None
    for vote in connection.execute(_votes(span)):
        counts, article = groups[_group(vote)], articles[vote.article_id, vote.locale]
        counts.helpful += vote.helpful
        article.helpful += vote.helpful
        counts.unhelpful += not vote.helpful
        article.unhelpful += not vote.helpful
        if vote.reason and not vote.helpful:
            article.reasons[vote.reason] += 1
    for handover in handovers:
        groups[Group(handover.locale, "", "handover")].handovers += 1
        for read in set(handover.articles):
            articles[read, handover.locale].handovers += 1
    questions: dict[tuple[str, Group], Asked] = defaultdict(Asked)
    texts: dict[str, str] = {}
    for fact in facts:
        asked = questions[fact.normalised, fact.group]
        asked.questions += 1
        asked.unresolved += bool(fact.reasons)
        texts.setdefault(fact.normalised, fact.text)
    return Day(day, dict(groups), dict(articles), dict(questions), texts)


def _count_facts(facts: Iterable[Fact], groups: dict[Group, Counts]) -> None:
    seen: set[str] = set()
    for fact in facts:
        counts = groups[fact.group]
        if fact.source != "search":
            counts.elsewhere += 1
        else:
            counts.questions += 1
            counts.answered += fact.resolved
            counts.tracked += fact.tracked
            counts.clicked += fact.tracked and fact.clicked
            counts.exits += fact.exited
            counts.refined += fact.refined
            if fact.visitor not in seen:
                seen.add(fact.visitor)
                counts.visitors += 1
        counts.unresolved += bool(fact.reasons)
        for reason in fact.reasons:
            setattr(counts, reason.value, getattr(counts, reason.value) + 1)


def _logged(span: Span) -> sa.Select[Any]:
    """Rows of the log by group, and how many of them are from programs."""
    s = SEARCHES.c
    group = (s.locale, sa.func.coalesce(s.platform, ""), s.channel)
    bots = sa.func.sum(sa.case((s.bot, 1), else_=0))
    return sa.select(*group, sa.func.count(), bots).where(*within(s.at, span)).group_by(*group)


def _views(span: Span) -> sa.Select[Any]:
    v, s = VIEWS.c, SEARCHES.c
    came_from = sa.and_(s.id == v.search_id, *within(s.at, span))
    return (
        sa.select(v.at, v.visitor, v.article_id, v.locale, v.search_id, s.platform, s.channel)
        .select_from(VIEWS.outerjoin(SEARCHES, came_from))
        .where(*within(v.at, span), v.bot.is_(False))
    )


def _votes(span: Span) -> sa.Select[Any]:
    """The latest of each visitor on each article."""
    s = SEARCHES.c
    turn = sa.func.row_number().over(
        partition_by=(VOTES.c.visitor, VOTES.c.article_id, VOTES.c.locale),
        order_by=(VOTES.c.at.desc(), VOTES.c.id.desc()),
    )
    own = sa.select(VOTES, turn.label("turn")).where(*within(VOTES.c.at, span))
    v = (ranked := own.subquery()).c
    came_from = sa.and_(s.id == v.search_id, *within(s.at, span))
    return (
        sa.select(v.article_id, v.locale, v.helpful, v.reason, s.platform, s.channel)
        .select_from(ranked.outerjoin(SEARCHES, came_from))
        .where(v.turn == 1)
    )


def _handovers(span: Span) -> sa.Select[Any]:
    h = HANDOVERS.c
    return sa.select(h.at, h.visitor, h.locale, h.articles).where(*within(h.at, span))


def _group(row: Any) -> Group:
    """That of the search something came from, if it came from one of the same day."""
    return Group(row.locale, row.platform or "", row.channel or "")
