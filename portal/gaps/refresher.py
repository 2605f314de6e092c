"""Refreshes the gap report beside the requests, every hour and when somebody asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from portal.event_types import Clock
from portal.gaps.claim import Claim, Progress
from portal.gaps.store import latest_run
from portal.gaps.types import Run
from search.types import Embedder

if TYPE_CHECKING:
    from portal.services import SearchLibrary

EVERY = timedelta(hours=1)
_POLL_SECONDS = 30.0
_STOP_SECONDS = 15.0
_SAY_EVERY = 1.0  # seconds between notes of progress, each of which is a transaction
_BUSY_SECONDS = 10
_log = structlog.get_logger(__name__)


class GapRefresher:
    """Runs in one thread of each worker process, started after the fork; one works at a time.

    Visitors wait for none of it: the log is read a day at a time, and written in short
    transactions. What fails is logged and tried again an hour later.
    """

    def __init__(
        self,
        engine: sa.Engine,
        library: SearchLibrary,
        embedder: Embedder,
        clock: Clock,
        *,
        cache: Path | None,
        poll_seconds: float = _POLL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine.execution_options(sqlite_busy_seconds=_BUSY_SECONDS)
        self._library = library
        self.embedder = embedder
        self._clock = clock
        self._cache = cache
        self._poll = poll_seconds
        self._monotonic = monotonic
        self._claim = Claim(self._engine)
        self._wanted = False
        self._tried_at: datetime | None = None
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="gaps", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End; a refresh under way is given up where it stands, which loses nothing."""
        self._stopped.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def request(self) -> None:
        """Refresh soon, beside the present request. Without a running thread one is begun."""
        self._wanted = True
        if self._thread is None:
            threading.Thread(target=self.run_due, name="gaps-once", daemon=True).start()
        else:
            self._woken.set()

    def progress(self) -> Progress | None:
        """How far a refresh is, in whichever process; None while there is none."""
        return self._claim.progress(self._clock())

    def failed_at(self) -> datetime | None:
        """When the latest refresh failed, in whichever process; None if it did not."""
        return self._claim.failed_at()

    def run_due(self) -> Run | None:
        """Refresh if it is wanted or an hour has passed, and nobody else does; gives what it did.

        A failure is logged.
        """
        try:
            if not self._wanted and not self._is_due():
                return None
            self._wanted = False
            self._tried_at = self._clock()
            return self.run_now()
        except _Stopped:
            return None
        except Exception as error:  # nobody waits for this thread, and nothing may depend on it
            _log.error("gaps_not_refreshed", error=type(error).__name__)
            return None

    def run_now(
        self, say: Callable[[str, int, int], None] = lambda *_: None, *, again: bool = False
    ) -> Run | None:
        """Refresh in this thread; None when another process does. Raises what `refresh` raises."""
        from portal.gaps.refresh import refresh

        if not self._claim.take(self._clock()):
            return None
        due = float("-inf")

        def note(stage: str, done: int, total: int) -> None:
            nonlocal due
            if self._stopped.is_set():
                raise _Stopped
            say(stage, done, total)
            if self._monotonic() >= due:
                due = self._monotonic() + _SAY_EVERY
                self._claim.keep(self._clock(), stage, done, total)

        try:
            done = refresh(
                self._engine, self._library, self.embedder, self._clock, note,
                cache=self._cache, again=again,
            )  # fmt: skip
        except (_Stopped, KeyboardInterrupt):
            self._claim.release()
            raise
        except Exception:
            self._claim.fail(self._clock())
            raise
        self._claim.release()
        return done

    def _is_due(self) -> bool:
        """Whether an hour has passed since the last refresh, and since the last that failed.

        Reading the log and grouping is too much to be tried again every half minute.
        """
        now = self._clock()
        # Where not even the failure could be noted, this process at least remembers it.
        tried = [at for at in (self._tried_at, self._claim.failed_at()) if at is not None]
        if any(now - at < EVERY for at in tried):
            return False
        with self._engine.connect() as connection:
            last = latest_run(connection)
        return last is None or now - last.at >= EVERY

    def _loop(self) -> None:
        # The first look comes a little later, so that a start is not slowed by it.
        while not self._stopped.is_set():
            self._woken.wait(self._poll)
            self._woken.clear()
            if not self._stopped.is_set():
                self.run_due()


class _Stopped(Exception):
    """The process ends."""
