"""The thread of a serving process that delivers requests and forgets what is past its day."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from portal.requests.deliver import Deliverer

POLL_SECONDS = 5.0
TIDY_SECONDS = 600.0
_STOP_SECONDS = 15.0  # less than the server waits for a worker
_log = structlog.get_logger(__name__)


class DeliveryThread:
    """Runs beside the requests of one worker process; started after the fork.

    A request sent in this process is delivered at once (`wake`), all else when it is due.
    """

    def __init__(
        self,
        deliverer: Deliverer,
        tidy: Callable[[], object],
        *,
        poll_seconds: float = POLL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deliverer = deliverer
        self._tidy = tidy
        self._poll = poll_seconds
        self._monotonic = monotonic
        self._tidy_at = float("-inf")
        self._woken = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="requests", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def stop(self) -> None:
        """Finish the attempt under way and end. What is left is delivered by who comes next."""
        self._stopped = True
        self._woken.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped:
            self._woken.clear()
            try:
                self._deliverer.deliver_due(lambda: self._stopped)
                if self._monotonic() >= self._tidy_at:
                    self._tidy_at = self._monotonic() + TIDY_SECONDS
                    self._tidy()
            except Exception as error:  # the database is away: look again later
                _log.error("request_outbox_unavailable", error=type(error).__name__)
            self._woken.wait(self._poll)
