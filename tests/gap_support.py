"""Writes small logs for tests of gaps, and puts questions into gaps without grouping them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import sqlalchemy as sa

import portal.gaps.tables
import portal.proof.tables  # noqa: F401 (part of the metadata)
from conftest import NOW
from portal.database import open_engine
from portal.event_types import Handover, SearchEvent, ShownResult, View, Vote
from portal.events import SqlEventStore
from portal.forms.store import SqlFormLog
from portal.forms.types import FormEvent, SuggestionEvent
from portal.gaps import places
from portal.gaps.encoding import bits_of, key_of
from portal.gaps.reasons import unresolved_questions
from portal.gaps.refresh import Question
from portal.gaps.types import Reason, UnresolvedQuestion
from portal.tables import METADATA
from search.text import normalise

FOUND = (ShownResult("refund-timing", "en", "", 0.9), ShownResult("refund-methods", "en", "", 0.5))
LATER = NOW + timedelta(hours=2)
"""When everything that happened at `NOW` can be judged."""


def new_engine() -> sa.Engine:
    """A database in memory with every table."""
    engine = open_engine("sqlite://")
    METADATA.create_all(engine)
    return engine


@dataclass
class Log:
    """A log in which each call is something a visitor did."""

    engine: sa.Engine = field(default_factory=new_engine)
    _ids: Iterator[int] = field(default_factory=count)

    def ask(
        self,
        query: str,
        *,
        visitor: str = "v1",
        after: float = 0,
        at: datetime | None = None,
        resolved: bool = False,
        answer: bool = False,
        found: bool = True,
        bot: bool = False,
        mode: str = "hybrid",
        channel: str = "page",
        locale: str = "en",
        platform: str | None = None,
    ) -> str:
        """A search `after` seconds; gives its id."""
        event = SearchEvent(
            id=self._id(), at=at or NOW + timedelta(seconds=after), visitor=visitor, locale=locale,
            query=query, channel=channel, mode=mode, confidence=0.9 if resolved else 0.1,
            resolved=resolved, answer_article="refund-timing" if answer else None, section=None,
            platform=platform, generation="g", duration_ms=1.0, bot=bot,
            results=FOUND if found else (),
        )  # fmt: skip
        SqlEventStore(self.engine, lambda: NOW).record_search(event)
        return event.id

    def click(self, search: str, *, visitor: str = "v1", after: float = 5) -> None:
        at = NOW + timedelta(seconds=after)
        view = View(self._id(), at, visitor, "refund-timing", "en", search, 1)
        SqlEventStore(self.engine, lambda: NOW).record_view(view)

    def vote(
        self, search: str, *, helpful: bool, visitor: str = "v1", after: float = 60,
        reason: str | None = None,
    ) -> None:  # fmt: skip
        at = NOW + timedelta(seconds=after)
        vote = Vote(self._id(), at, visitor, "refund-timing", "en", helpful, reason,
                    search_id=search)  # fmt: skip
        SqlEventStore(self.engine, lambda: NOW).record_vote(vote)

    def hand_over(self, query: str, *, visitor: str = "v1", after: float = 120) -> None:
        number = self._id()
        handover = Handover(
            number, f"HO-{number}", NOW + timedelta(seconds=after), visitor, "en", query, (), "",
            False,
        )  # fmt: skip
        SqlEventStore(self.engine, lambda: NOW).record_handover(handover)

    def form(self, *texts: str, visitor: str = "v1", shown: bool = True, sent: bool = True) -> None:
        """A form into which texts were typed one after the other."""
        session, log = f"session-{self._id()}", SqlFormLog(self.engine, lambda: NOW)
        for place, text in enumerate(texts):
            log.record_suggestion(
                SuggestionEvent(
                    id=self._id(), at=NOW + timedelta(seconds=place), form="request",
                    session=session, visitor=visitor, locale="en", text=text, reason=None,
                    platform=None, confidence=0.8, resolved=True, held_out=False, generation="g",
                    duration_ms=1.0, bot=False, items=(),
                )
            )  # fmt: skip
        kinds = [kind for kind, wanted in (("shown", shown), ("submitted", sent)) if wanted]
        for place, kind in enumerate(kinds):
            log.record_event(
                FormEvent(
                    id=self._id(), at=NOW + timedelta(seconds=60 + place), session=session,
                    form="request", visitor=visitor, locale="en", kind=kind, suggestion_id=None,
                    article=None, position=None, bot=False,
                )
            )  # fmt: skip

    def unresolved(self, *, now: datetime = LATER) -> list[UnresolvedQuestion]:
        """What is unresolved of the day before `now`."""
        with self.engine.connect() as connection:
            return unresolved_questions(
                connection, since=NOW - timedelta(days=1), until=now, now=now
            )

    def reasons(self, *, now: datetime = LATER) -> dict[str, tuple[Reason, ...]]:
        """By question, of all visitors together."""
        return {question.text: question.reasons for question in self.unresolved(now=now)}

    def _id(self) -> str:
        return f"{next(self._ids):032x}"


def question(text: str, *, visitors: int = 1, locale: str = "en") -> Question:
    """A question as a refresh reads it from the log."""
    normalised = normalise(text)
    return Question(
        key_of(normalised), normalised, Counter({text: visitors}), Counter({locale: visitors}),
        {f"{text}-{number}" for number in range(visitors)}, visitors, bits_of([Reason.NOTHING]),
        NOW,
    )  # fmt: skip


def put(engine: sa.Engine, *groups: Sequence[str], visitors: int = 1) -> list[int]:
    """Refresh with these clusters of texts; gives the new gaps."""
    questions = [question(text, visitors=visitors) for group in groups for text in group]
    rows = iter(range(len(questions)))
    return places.store(engine, questions, [[next(rows) for _ in group] for group in groups], NOW)
