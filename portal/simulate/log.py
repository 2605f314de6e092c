"""Writes what was played, many rows at a time, into a log that has no real visitor in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from portal.event_types import Handover, SearchEvent, View, Vote
from portal.events import QUERY_LIMIT
from portal.figures.tables import DAYS
from portal.forms.sessions import gather
from portal.forms.types import FormEvent, SuggestionEvent
from portal.gaps.tables import GAP_HISTORY, GAP_QUESTIONS, GAP_RUNS, GAPS, UNRESOLVED
from portal.proof.tables import PROOF_LIVE, PROOF_OUTCOMES, PROOF_RUNS
from portal.simulate import PREFIX
from portal.simulate.mark import is_simulated
from portal.simulate.visits import Event
from portal.storable import clean
from portal.tables import (
    EVENTS,
    FORM_EVENTS,
    FORM_SESSIONS,
    HANDOVERS,
    SEARCH_RESULTS,
    SEARCHES,
    SUGGESTION_ITEMS,
    SUGGESTIONS,
    VIEWS,
    VOTES,
)
from portal.transactions import transaction
from search.errors import KnowledgeBaseError
from search.text import normalise

_KNOW_VISITORS = (*EVENTS, SUGGESTIONS, FORM_SESSIONS, FORM_EVENTS)
_REPORT = (
    UNRESOLVED, GAP_QUESTIONS, GAP_HISTORY, GAP_RUNS, PROOF_LIVE, PROOF_OUTCOMES, PROOF_RUNS, GAPS,
)  # fmt: skip
_Rows = dict[sa.Table, list[dict[str, Any]]]


class RealVisitors(KnowledgeBaseError):
    """The log has met somebody who was not played."""

    exit_code = 2


def refuse_real(engine: sa.Engine) -> None:
    """Raises `RealVisitors` unless every row of the log, and its gaps, are of simulated visitors.

    Gaps outlast the visitors they came from, and what editors did about them is nowhere else.
    """
    with transaction(engine, "look for real visitors") as connection:
        _refuse_real(connection)
        has_gaps = connection.scalar(sa.select(GAPS.c.number).limit(1)) is not None
    if has_gaps and not is_simulated(engine):
        raise RealVisitors(
            "the log has the gaps of real visitors, and a simulation would remove them; point "
            "KB_DATABASE_URL at a log of its own, such as sqlite:////tmp/simulated.db"
        )


def _refuse_real(connection: sa.Connection) -> None:
    for table in _KNOW_VISITORS:
        real = sa.select(table.c.visitor).where(table.c.visitor.not_like(f"{PREFIX}%")).limit(1)
        if connection.scalar(real) is not None:
            raise RealVisitors(
                f"the log has real visitors (table {table.name}), and a simulation would make "
                "its figures worthless; point KB_DATABASE_URL at a log of its own, such as "
                "sqlite:////tmp/simulated.db"
            )


def clear(engine: sa.Engine) -> None:
    """Remove what an earlier simulation left, with its gaps and what was done about them.

    Raises `RealVisitors`, and then nothing is lost.
    """
    refuse_real(engine)
    with transaction(engine, "remove an earlier simulation", writes=True) as connection:
        _refuse_real(connection)
        for table in (SEARCH_RESULTS, SUGGESTION_ITEMS, *_KNOW_VISITORS, DAYS, *_REPORT):
            connection.execute(sa.delete(table))


def write(engine: sa.Engine, events: Sequence[Event]) -> None:
    """Write events in one transaction; all that belongs to a form's session must be among them."""
    rows = _rows(events)
    with transaction(engine, "write simulated events", writes=True) as connection:
        for table, own in rows.items():
            if own:
                connection.execute(sa.insert(table), own)


def _rows(events: Iterable[Event]) -> _Rows:
    tables = (SEARCHES, SEARCH_RESULTS, VIEWS, VOTES, HANDOVERS, SUGGESTIONS, SUGGESTION_ITEMS,
              FORM_EVENTS, FORM_SESSIONS)  # fmt: skip
    rows: _Rows = {table: [] for table in tables}
    sessions: dict[tuple[str, str], list[SuggestionEvent | FormEvent]] = {}
    for event in events:
        if isinstance(event, SearchEvent):
            rows[SEARCHES].append(_search(event))
            rows[SEARCH_RESULTS] += [
                {"search_id": event.id, "position": place, "article_id": result.article_id,
                 "locale": result.locale, "anchor": result.anchor, "score": result.score}
                for place, result in enumerate(event.results, start=1)
            ]  # fmt: skip
        elif isinstance(event, View):
            rows[VIEWS].append(asdict(event))
        elif isinstance(event, Vote):
            rows[VOTES].append(asdict(event))
        elif isinstance(event, Handover):
            rows[HANDOVERS].append({**asdict(event), "articles": list(event.articles)})
        else:
            if isinstance(event, SuggestionEvent):
                rows[SUGGESTIONS].append({
                    name: value for name, value in asdict(event).items() if name != "items"
                })  # fmt: skip
                rows[SUGGESTION_ITEMS] += [
                    {"suggestion_id": event.id, "position": place, **item._asdict()}
                    for place, item in enumerate(event.items, start=1)
                ]
            else:
                rows[FORM_EVENTS].append(asdict(event))
            if event.session is not None:
                sessions.setdefault((event.form, event.session), []).append(event)
    for (form, session), own in sessions.items():
        facts = gather(own)
        rows[FORM_SESSIONS].append(
            {"form": form, "session": session, **asdict(facts), "assumed_at": facts.assumed_at}
        )
    return rows


def _search(event: SearchEvent) -> dict[str, Any]:
    query, normalised = _question(event.query)
    return {
        "id": event.id, "at": event.at, "visitor": event.visitor, "locale": event.locale,
        "query": query, "normalised": normalised, "channel": event.channel, "mode": event.mode,
        "confidence": event.confidence, "resolved": event.resolved,
        "answer_article": event.answer_article, "section": event.section,
        "platform": event.platform, "generation": event.generation,
        "duration_ms": event.duration_ms, "bot": event.bot,
    }  # fmt: skip


@lru_cache(maxsize=10_000)
def _question(text: str) -> tuple[str, str]:
    """As the log stores it: what is played is redacted like what is real."""
    query = clean(text, QUERY_LIMIT)
    return query, normalise(query)
