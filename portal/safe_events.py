"""Keeps a failing event log from breaking or slowing what visitors came for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from portal.event_types import (
    Counts,
    EventStore,
    EventsUnavailable,
    Handover,
    SearchEvent,
    View,
    Vote,
    VoteCounts,
)
from portal.write_behind import WriteBehind

OnFailure = Callable[[str, Exception], None]
_Value = TypeVar("_Value")

PAUSE_SECONDS = 5.0
"""How long nothing is written after a failure, so that a locked database costs one wait."""


class SearchesLost(Exception):
    """Searches that are not in the log and never will be; nobody is asked to catch it."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} lost: too many waited, or the log failed for too long")
        self.count = count


class SafeEventStore:
    """An `EventStore` whose failures reach `on_failure` instead of the visitor.

    Only `record_handover` and `purge` raise: whoever asks for a person, or for events to be
    forgotten, must learn that it did not happen.

    With `behind` searches are written a little later, beside the requests, by a thread of this
    process; whatever may refer to one, or reads them, has those that wait written first.
    """

    def __init__(
        self,
        inner: EventStore,
        on_failure: OnFailure,
        *,
        behind: bool = False,
        pause_seconds: float = PAUSE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._on_failure = on_failure
        self._pause = pause_seconds
        self._monotonic = monotonic
        self._silent_until = float("-inf")
        self._searches: WriteBehind[SearchEvent] | None = None
        if behind:
            self._searches = WriteBehind(
                inner.record_searches,
                on_failure=lambda error: on_failure("record_search", error),
                on_drop=lambda count: on_failure("drop_search", SearchesLost(count)),
                monotonic=monotonic,
            )

    @property
    def paused(self) -> bool:
        """Whether writers are skipped at present."""
        return self._monotonic() < self._silent_until

    def record_search(self, event: SearchEvent) -> None:
        if self._searches is not None:
            self._searches.put(event)
        else:
            self._write("record_search", lambda: self._inner.record_search(event))

    def record_searches(self, events: Sequence[SearchEvent]) -> None:
        for event in events:
            self.record_search(event)

    def flush(self) -> None:
        """Write the searches that wait; a failure is reported, and they go on waiting."""
        if self._searches is not None:
            self._searches.flush()

    def close(self) -> None:
        """Write the searches that wait and stop; those that cannot be written now are lost."""
        if self._searches is not None:
            self._searches.close()

    def record_view(self, event: View) -> None:
        if event.search_id:
            self.flush()
        self._write("record_view", lambda: self._inner.record_view(event))

    def record_vote(self, event: Vote) -> None:
        if event.search_id:
            self.flush()
        self._write("record_vote", lambda: self._inner.record_vote(event))

    def record_handover(self, event: Handover) -> None:
        """Raises `EventsUnavailable`; tried even while other writers are skipped."""
        self.flush()
        try:
            self._inner.record_handover(event)
        except Exception as error:
            self._failed("record_handover", error)
            raise

    def popular(self, locale: str, since: datetime, limit: int) -> list[tuple[str, int]]:
        return self._read("popular", lambda: self._inner.popular(locale, since, limit), [])

    def handovers(self, since: datetime) -> list[Handover]:
        return self._read("handovers", lambda: self._inner.handovers(since), [])

    def votes(self, article_id: str) -> VoteCounts:
        return self._read("votes", lambda: self._inner.votes(article_id), VoteCounts())

    def counts(self, *, since: datetime | None = None) -> Counts:
        self.flush()
        return self._read("counts", lambda: self._inner.counts(since=since), Counts())

    def purge(self, before: datetime) -> int:
        self.flush()
        return self._inner.purge(before)

    def _write(self, operation: str, write: Callable[[], None]) -> None:
        if self.paused:
            return
        try:
            write()
        except Exception as error:
            self._failed(operation, error)

    def _read(self, operation: str, read: Callable[[], _Value], nothing: _Value) -> _Value:
        try:
            return read()
        except Exception as error:
            self._on_failure(operation, error)
            return nothing

    def _failed(self, operation: str, error: Exception) -> None:
        if isinstance(error, EventsUnavailable):  # not for one event the database cannot take
            self._silent_until = self._monotonic() + self._pause
        self._on_failure(operation, error)
