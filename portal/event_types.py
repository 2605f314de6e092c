"""What is remembered of a visit, and the seam another event store plugs in at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from search.errors import KnowledgeBaseError

Clock = Callable[[], datetime]
"""Gives the present moment with its time zone."""


class EventsUnavailable(KnowledgeBaseError):
    """The event log cannot be read or written now."""

    exit_code = 5
    status = 503


@dataclass(frozen=True, slots=True)
class ShownResult:
    """One result of a search, in the order it was shown."""

    article_id: str
    locale: str
    anchor: str
    score: float


@dataclass(frozen=True, slots=True)
class SearchEvent:
    """One question as it was asked and answered; `confidence` is 0 to 1."""

    id: str
    at: datetime
    visitor: str
    locale: str
    query: str
    channel: str
    mode: str
    confidence: float
    resolved: bool
    answer_article: str | None
    section: str | None
    platform: str | None
    generation: str
    duration_ms: float
    bot: bool
    results: tuple[ShownResult, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """An article opened; with a `search_id` it is a click on that search's `position`."""

    id: str
    at: datetime
    visitor: str
    article_id: str
    locale: str
    search_id: str | None = None
    position: int | None = None
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    """Whether an article helped; a visitor's latest vote on an article is the one that counts."""

    id: str
    at: datetime
    visitor: str
    article_id: str
    locale: str
    helpful: bool
    reason: str | None = None
    comment: str = ""
    search_id: str | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """A question passed on to a person, with the articles read before."""

    id: str
    reference: str
    at: datetime
    visitor: str
    locale: str
    query: str
    articles: tuple[str, ...]
    message: str
    delivered: bool


@dataclass(frozen=True, slots=True)
class VoteCounts:
    """Latest votes on an article, one per visitor."""

    helpful: int = 0
    unhelpful: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Events in the log; those of bots are in `bots` only, superseded votes are counted."""

    searches: int = 0
    resolved: int = 0
    views: int = 0
    clicks: int = 0
    votes: int = 0
    handovers: int = 0
    bots: int = 0


class EventStore(Protocol):
    """Remembers events and answers the reports. Everything may raise `EventsUnavailable`.

    Writers redact what customers typed, shorten it, and take the same id twice as one event.
    """

    def record_search(self, event: SearchEvent) -> None: ...

    def record_searches(self, events: Sequence[SearchEvent]) -> None:
        """All in one transaction, or none."""
        ...

    def record_view(self, event: View) -> None: ...

    def record_vote(self, event: Vote) -> None: ...

    def record_handover(self, event: Handover) -> None: ...

    def popular(self, locale: str, since: datetime, limit: int) -> list[tuple[str, int]]:
        """Articles and how many distinct visitors read them, most first."""
        ...

    def handovers(self, since: datetime) -> list[Handover]:
        """Questions passed on, the latest first."""
        ...

    def votes(self, article_id: str) -> VoteCounts: ...

    def counts(self, *, since: datetime | None = None) -> Counts: ...

    def purge(self, before: datetime) -> int:
        """Forget everything older; gives the number of events removed."""
        ...
