"""The event log in a database: what was asked, opened, voted on and passed to a person."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.database import migrate, open_engine
from portal.event_types import (
    Clock,
    Counts,
    EventStore,
    EventsUnavailable,
    Handover,
    SearchEvent,
    ShownResult,
    View,
    Vote,
    VoteCounts,
)
from portal.figures.late import forget, recount
from portal.safe_events import SafeEventStore
from portal.storable import clean, clean_word
from portal.tables import EVENTS, HANDOVERS, SEARCH_RESULTS, SEARCHES, VIEWS, VOTES
from portal.transactions import empty_journal, purge, transaction
from search.text import normalise

__all__ = [
    "Clock",
    "Counts",
    "EventStore",
    "EventsUnavailable",
    "Handover",
    "SafeEventStore",
    "SearchEvent",
    "ShownResult",
    "SqlEventStore",
    "View",
    "Vote",
    "VoteCounts",
    "open_event_store",
]

QUERY_LIMIT = 500
COMMENT_LIMIT = 2000
MESSAGE_LIMIT = 5000
_REMEMBERED = 1000  # questions
_ROWS_AT_ONCE = 500
_Row = tuple[object, ...]


class SqlEventStore:
    """An `EventStore` over SQLAlchemy; needs the tables `portal.database.migrate` makes."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def record_search(self, event: SearchEvent) -> None:
        self.record_searches([event])

    def record_searches(self, events: Sequence[SearchEvent]) -> None:
        own = {event.id: event for event in events}
        # Clean before the transaction, which keeps other writers waiting.
        rows = {event.id: _search_row(event) for event in own.values()}
        with self._transaction("write searches", writes=True) as connection:
            wanted = sa.select(SEARCHES.c.id).where(SEARCHES.c.id.in_(rows))
            for known in connection.scalars(wanted).all():
                del rows[known]
            if rows:
                connection.execute(sa.insert(SEARCHES), list(rows.values()))
            results = [row for search_id in rows for row in _result_rows(own[search_id])]
            if results:
                _insert_plain(connection, SEARCH_RESULTS, results)
            recount(connection, (own[search_id].at for search_id in rows), self._clock())

    def record_view(self, event: View) -> None:
        row = {
            "id": event.id,
            "at": event.at,
            "visitor": event.visitor,
            "article_id": event.article_id,
            "locale": event.locale,
            "search_id": event.search_id,
            "position": event.position,
            "bot": event.bot,
        }
        with self._transaction("write a view") as connection:
            _insert(connection, VIEWS, row)
            recount(connection, [event.at], self._clock(), search_id=event.search_id)

    def record_vote(self, event: Vote) -> None:
        row = {
            "id": event.id,
            "at": event.at,
            "visitor": event.visitor,
            "article_id": event.article_id,
            "locale": event.locale,
            "helpful": event.helpful,
            "reason": clean_word(event.reason),
            "comment": clean(event.comment, COMMENT_LIMIT),
            "search_id": event.search_id,
        }
        with self._transaction("write a vote") as connection:
            _insert(connection, VOTES, row)
            recount(connection, [event.at], self._clock(), search_id=event.search_id)

    def record_handover(self, event: Handover) -> None:
        """Also marks a hand-over recorded before as delivered; nothing else of it changes."""
        row = {
            "id": event.id,
            "reference": event.reference,
            "at": event.at,
            "visitor": event.visitor,
            "locale": event.locale,
            "query": clean(event.query, QUERY_LIMIT),
            "articles": list(event.articles),
            "message": clean(event.message, MESSAGE_LIMIT),
            "delivered": event.delivered,
        }
        with self._transaction("write a hand-over") as connection:
            if not _insert(connection, HANDOVERS, row) and event.delivered:
                delivered = sa.update(HANDOVERS).where(HANDOVERS.c.id == event.id)
                connection.execute(delivered.values(delivered=True))
            recount(connection, [event.at], self._clock())

    def popular(self, locale: str, since: datetime, limit: int) -> list[tuple[str, int]]:
        visitors = sa.func.count(VIEWS.c.visitor.distinct())
        query = (
            sa.select(VIEWS.c.article_id, visitors)
            .where(VIEWS.c.locale == locale, VIEWS.c.at >= since, VIEWS.c.bot.is_(False))
            .group_by(VIEWS.c.article_id)
            .order_by(visitors.desc(), VIEWS.c.article_id)
            .limit(limit)
        )
        with self._transaction("read popular articles") as connection:
            return [(article, count) for article, count in connection.execute(query)]

    def handovers(self, since: datetime) -> list[Handover]:
        query = (
            sa.select(HANDOVERS)
            .where(HANDOVERS.c.at >= since)
            .order_by(HANDOVERS.c.at.desc(), HANDOVERS.c.id)
        )
        with self._transaction("read hand-overs") as connection:
            rows = connection.execute(query).mappings().all()
        return [Handover(**{**row, "articles": tuple(row["articles"])}) for row in rows]

    def votes(self, article_id: str) -> VoteCounts:
        turn = sa.func.row_number().over(
            partition_by=VOTES.c.visitor, order_by=(VOTES.c.at.desc(), VOTES.c.id.desc())
        )
        latest = (
            sa.select(VOTES.c.helpful, turn.label("turn"))
            .where(VOTES.c.article_id == article_id)
            .subquery()
        )
        query = (
            sa.select(latest.c.helpful, sa.func.count())
            .where(latest.c.turn == 1)
            .group_by(latest.c.helpful)
        )
        with self._transaction("read votes") as connection:
            by_answer = {bool(helpful): count for helpful, count in connection.execute(query)}
        return VoteCounts(helpful=by_answer.get(True, 0), unhelpful=by_answer.get(False, 0))

    def counts(self, *, since: datetime | None = None) -> Counts:
        human_search, human_view = SEARCHES.c.bot.is_(False), VIEWS.c.bot.is_(False)
        with self._transaction("count events") as connection:

            def count(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
                query = sa.select(sa.func.count()).select_from(table).where(*conditions)
                if since is not None:
                    query = query.where(table.c.at >= since)
                return connection.scalar(query) or 0

            return Counts(
                searches=count(SEARCHES, human_search),
                resolved=count(SEARCHES, human_search, SEARCHES.c.resolved.is_(True)),
                views=count(VIEWS, human_view),
                clicks=count(VIEWS, human_view, VIEWS.c.search_id.is_not(None)),
                votes=count(VOTES),
                handovers=count(HANDOVERS),
                bots=count(SEARCHES, ~human_search) + count(VIEWS, ~human_view),
            )

    def purge(self, before: datetime) -> int:
        """Forget everything older, in short transactions that let visitors' events in between."""
        removed = sum(purge(self._engine, table, "at", before) for table in EVENTS)
        forget(self._engine, before)
        empty_journal(self._engine)
        return removed

    def _transaction(
        self, purpose: str, *, writes: bool = False
    ) -> AbstractContextManager[sa.Connection]:
        return transaction(self._engine, purpose, writes=writes)


def open_event_store(url: str) -> SqlEventStore:
    """The plain store, its tables made, for commands that must hear of every failure."""
    engine = open_engine(url)
    migrate(engine)
    return SqlEventStore(engine, lambda: datetime.now(UTC))


@lru_cache(maxsize=_REMEMBERED)
def _question(text: str) -> tuple[str, str]:
    """What may be stored of a question, as asked and normalised; many ask the same."""
    query = clean(text, QUERY_LIMIT)
    return query, normalise(query)


def _search_row(event: SearchEvent) -> dict[str, Any]:
    query, normalised = _question(event.query)
    return {
        "id": event.id,
        "at": event.at,
        "visitor": event.visitor,
        "locale": event.locale,
        "query": query,
        "normalised": normalised,
        "channel": event.channel,
        "mode": event.mode,
        "confidence": event.confidence,
        "resolved": event.resolved,
        "answer_article": event.answer_article,
        "section": clean_word(event.section),
        "platform": clean_word(event.platform),
        "generation": event.generation,
        "duration_ms": event.duration_ms,
        "bot": event.bot,
    }


def _result_rows(event: SearchEvent) -> list[_Row]:
    """In the order of the table's columns."""
    return [
        (event.id, position, result.article_id, result.locale, result.anchor, result.score)
        for position, result in enumerate(event.results, start=1)
    ]


def _insert_plain(connection: sa.Connection, table: sa.Table, rows: Sequence[_Row]) -> None:
    """Insert rows, in the order of the columns, whose values the driver takes as they are.

    SQLite's driver gives the interpreter away and waits to get it back at every row it is handed
    alone, which among busy threads takes longer than all else; so it gets many in one statement.
    """
    compiled = sa.insert(table).compile(dialect=connection.dialect)
    names = table.columns.keys()
    if not compiled.positional:
        named = [dict(zip(names, row, strict=True)) for row in rows]
        connection.exec_driver_sql(str(compiled), named)
        return
    order = [names.index(name) for name in compiled.positiontup or ()]
    head, _values, group = str(compiled).rpartition(" VALUES ")
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        values = tuple(row[place] for row in some for place in order)
        connection.exec_driver_sql(f"{head} VALUES {', '.join([group] * len(some))}", values)


def _insert(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> bool:
    """Insert unless the id is there already; gives whether it was new."""
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table), row)
    except IntegrityError:
        known = sa.select(table.c.id).where(table.c.id == row["id"])
        if connection.scalar(known) is None:
            raise
        return False
    return True
