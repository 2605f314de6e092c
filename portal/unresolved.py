"""Ranks the questions nobody got an answer to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.event_types import UnresolvedQuery
from portal.tables import SEARCH_RESULTS, SEARCHES, UtcTime

HALF_LIFE = timedelta(days=14)
SETTLED_AFTER = timedelta(seconds=10)
"""Pause after which a question counts as written to its end."""


@dataclass(slots=True)
class _Group:
    texts: Counter[str] = field(default_factory=Counter)
    locales: Counter[str] = field(default_factory=Counter)
    articles: Counter[str] = field(default_factory=Counter)
    visitors: set[str] = field(default_factory=set)
    confidence: float = 0.0
    searches: int = 0
    last_seen: datetime | None = None


def rank_unresolved(
    connection: sa.Connection, *, since: datetime, limit: int, now: datetime
) -> list[UnresolvedQuery]:
    """Settled, unresolved questions of people, grouped by their normalised text.

    A program may ask with every key: a question is settled unless the same visitor went on writing
    or deleting it within `SETTLED_AFTER`. The score is distinct visitors, halved
    for every `HALF_LIFE` since the question was last asked.
    """
    groups: dict[str, _Group] = {}
    for row in connection.execute(_unresolved_rows(since)):
        if went_on(row.normalised, row.at, row.next_text, row.next_at):
            continue
        group = groups.setdefault(row.normalised, _Group())
        group.texts[row.query] += 1
        group.locales[row.locale] += 1
        group.visitors.add(row.visitor)
        group.searches += 1
        group.confidence += row.confidence
        if row.top_article is not None:
            group.articles[row.top_article] += 1
        if group.last_seen is None or row.at > group.last_seen:
            group.last_seen = row.at
    ranked = [_summary(text, group, now) for text, group in groups.items()]
    ranked.sort(key=lambda gap: (-gap.score, -gap.last_seen.timestamp(), gap.normalised))
    return ranked[:limit]


def _unresolved_rows(since: datetime) -> sa.Select[Any]:
    searches, results = SEARCHES.c, SEARCH_RESULTS.c
    same = (searches.visitor, searches.channel)
    in_time = (searches.at, searches.id)
    next_text = sa.func.lead(searches.normalised).over(partition_by=same, order_by=in_time)
    next_at = sa.func.lead(searches.at, type_=UtcTime()).over(partition_by=same, order_by=in_time)
    asked = (
        sa.select(*searches, next_text.label("next_text"), next_at.label("next_at"))
        .where(searches.bot.is_(False), searches.at >= since)
        .subquery()
    )
    first = sa.and_(results.search_id == asked.c.id, results.position == 1)
    return (
        sa.select(*asked.c, results.article_id.label("top_article"))
        .select_from(asked.outerjoin(SEARCH_RESULTS, first))
        # Without vectors confidence means little: an outage is no gap in the content.
        .where(asked.c.resolved.is_(False), asked.c.normalised != "", asked.c.mode == "hybrid")
        .order_by(asked.c.at, asked.c.id)
    )


def went_on(text: str, at: datetime, next_text: str | None, next_at: datetime | None) -> bool:
    """Whether a visitor's next search shows that this one was not written to its end yet."""
    if next_text is None or next_at is None or next_at - at > SETTLED_AFTER:
        return False
    return next_text.startswith(text) or text.startswith(next_text)


def _summary(normalised: str, group: _Group, now: datetime) -> UnresolvedQuery:
    last_seen = group.last_seen or now
    age = max(now - last_seen, timedelta(0))
    return UnresolvedQuery(
        query=group.texts.most_common(1)[0][0],
        normalised=normalised,
        locale=group.locales.most_common(1)[0][0],
        searches=group.searches,
        visitors=len(group.visitors),
        last_seen=last_seen,
        confidence=group.confidence / group.searches,
        top_article=next((article for article, _ in group.articles.most_common(1)), None),
        score=len(group.visitors) * 0.5 ** (age / HALF_LIFE),
    )
