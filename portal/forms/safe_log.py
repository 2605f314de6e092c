"""Keeps a failing or slow log from being felt by whoever fills in a form."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from portal.forms.figures import Figures, Selection
from portal.forms.store import SqlFormLog
from portal.forms.types import FormEvent, SuggestionEvent, Trail
from portal.safe_events import OnFailure
from portal.write_behind import WriteBehind

Event = SuggestionEvent | FormEvent


class FormEventsLost(Exception):
    """Events that are not in the log and never will be; nobody is asked to catch it."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} lost: too many waited, or the log failed for too long")
        self.count = count


class SafeFormLog:
    """A `FormLog` that is written a little later, beside the requests, by a thread.

    Failures reach `on_failure` instead of the customer: writers never raise, and `trail` knows
    nothing then. `figures` and `purge` raise `EventsUnavailable`. What waits in this process is
    written before anything is read.
    """

    def __init__(
        self,
        inner: SqlFormLog,
        on_failure: OnFailure,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._on_failure = on_failure
        self._waiting: WriteBehind[Event] = WriteBehind(
            inner.record,
            on_failure=lambda error: on_failure("record_form", error),
            on_drop=lambda count: on_failure("drop_form", FormEventsLost(count)),
            monotonic=monotonic,
        )

    def record_suggestion(self, event: SuggestionEvent) -> None:
        self._waiting.put(event)

    def record_event(self, event: FormEvent) -> None:
        self._waiting.put(event)

    def flush(self) -> None:
        """Write what waits; a failure is reported, and it goes on waiting."""
        self._waiting.flush()

    def close(self) -> None:
        """Write what waits and stop; what cannot be written now is lost."""
        self._waiting.close()

    def trail(self, form: str, session: str) -> Trail:
        self.flush()
        try:
            return self._inner.trail(form, session)
        except Exception as error:  # a request is passed on all the same
            self._on_failure("form_trail", error)
            return Trail()

    def figures(self, selection: Selection) -> Figures:
        self.flush()
        return self._inner.figures(selection)

    def purge(self, before: datetime) -> int:
        self.flush()
        return self._inner.purge(before)
