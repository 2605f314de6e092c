"""Past questions worth offering while another visitor types: asked by several people, answered."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.event_types import Clock
from portal.gaps.reasons import went_on
from portal.personal import PLACEHOLDER
from portal.redact import redact
from portal.safe_events import OnFailure
from portal.tables import SEARCHES, UtcTime
from search.completion import PastQuestion, PastQuestions

LEAST_VISITORS = 3
"""Visitors who must have asked a question before another one is shown it.

A visitor's key changes every day, so one who asks again on another day counts again.
"""
PERIOD = timedelta(days=90)
REFRESH_SECONDS = 300.0
_LENGTH = (2, 80)  # characters of a normalised question
_MOST = 1000

Compile = Callable[[Sequence[PastQuestion]], PastQuestions]


class PopularQuestions:
    """Popular past questions as last read; reading happens beside the requests, never in one.

    While the database fails, what was read before goes on being offered.
    """

    def __init__(
        self,
        engine: sa.Engine,
        clock: Clock,
        compile_questions: Compile,
        on_failure: OnFailure,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._compile = compile_questions
        self._on_failure = on_failure
        self._monotonic = monotonic
        self._known = PastQuestions()
        self._due = float("-inf")
        self._starting = threading.Lock()

    def current(self) -> PastQuestions:
        """What is known now, at once; when it is old a thread begins to read anew."""
        if self._monotonic() >= self._due and self._starting.acquire(blocking=False):
            try:
                if self._monotonic() >= self._due:
                    self._due = self._monotonic() + REFRESH_SECONDS
                    threading.Thread(target=self.refresh, name="popular", daemon=True).start()
            finally:
                self._starting.release()
        return self._known

    def refresh(self) -> None:
        """Read and compile the questions; a failure is reported and changes nothing."""
        try:
            with self._engine.connect() as connection:
                questions = popular_questions(connection, since=self._clock() - PERIOD)
            self._known = self._compile(questions)
        except Exception as error:  # nobody waits for this thread, and nothing may depend on it
            self._on_failure("popular_questions", error)


@dataclass(slots=True)
class _Group:
    texts: Counter[str] = field(default_factory=Counter)
    visitors: set[str] = field(default_factory=set)


def popular_questions(connection: sa.Connection, *, since: datetime) -> list[PastQuestion]:
    """Settled, answered questions of at least `LEAST_VISITORS` people, the most asked first.

    A question in which anything personal was found or replaced is nobody else's.
    """
    groups: dict[str, _Group] = {}
    for row in connection.execute(_answered_rows(since)):
        if not went_on(row.normalised, row.at, row.next_text, row.next_at):
            group = groups.setdefault(row.normalised, _Group())
            group.texts[row.query] += 1
            group.visitors.add(row.visitor)
    ranked = sorted(groups.items(), key=lambda item: (-len(item[1].visitors), item[0]))
    asked = [
        PastQuestion(group.texts.most_common(1)[0][0], len(group.visitors))
        for _, group in ranked
        if len(group.visitors) >= LEAST_VISITORS
    ]
    return [question for question in asked[:_MOST] if not _is_personal(question.text)]


def _answered_rows(since: datetime) -> sa.Select[Any]:
    searches = SEARCHES.c
    people = (searches.bot.is_(False), searches.at >= since)
    answered = (searches.resolved.is_(True), sa.func.length(searches.normalised).between(*_LENGTH))
    visitors = sa.func.count(searches.visitor.distinct())
    candidates = (
        sa.select(searches.normalised)
        .where(*people, *answered)
        .group_by(searches.normalised)
        .having(visitors >= LEAST_VISITORS)
        .order_by(visitors.desc(), searches.normalised)
        .limit(2 * _MOST)
    )
    same = (searches.visitor, searches.channel)
    in_time = (searches.at, searches.id)
    next_text = sa.func.lead(searches.normalised).over(partition_by=same, order_by=in_time)
    next_at = sa.func.lead(searches.at, type_=UtcTime()).over(partition_by=same, order_by=in_time)
    asked = (
        sa.select(
            searches.query, searches.normalised, searches.at, searches.id, searches.visitor,
            searches.resolved, next_text.label("next_text"), next_at.label("next_at"),
        )
        .where(*people)
        .subquery()
    )  # fmt: skip
    return (
        sa.select(asked)
        .where(asked.c.resolved.is_(True), asked.c.normalised.in_(candidates))
        .order_by(asked.c.at, asked.c.id)
    )


def _is_personal(text: str) -> bool:
    return PLACEHOLDER.search(text) is not None or redact(text) != text
