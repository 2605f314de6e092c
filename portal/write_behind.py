"""Takes what is to be written from those who must not wait, and writes it a little later."""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")

DELAY_SECONDS = 0.2
"""How long at most something waits before it is written, while the database answers."""
MOST_AT_ONCE = 200
MOST_WAITING = 10_000
LONGEST_PAUSE_SECONDS = 5.0
"""The pause after a failure is the delay, then twice the one before, up to this."""
_TRIES = 10  # half a minute


class WriteBehind(Generic[Item]):
    """A bounded queue and the thread that empties it, many items in one call of `write`.

    What could not be written is tried again after pauses, `_TRIES` times in all; meanwhile the
    queue fills, and what does not fit is dropped. `on_failure` hears of every call that failed,
    `on_drop` how many items are lost; neither ever reaches who puts or flushes. The thread starts
    with the first item, so that nothing runs before a fork. An orderly exit of the process writes
    what is left; one that is killed loses it.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], None],
        *,
        on_failure: Callable[[Exception], None],
        on_drop: Callable[[int], None],
        delay_seconds: float = DELAY_SECONDS,
        most_at_once: int = MOST_AT_ONCE,
        most_waiting: int = MOST_WAITING,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._on_failure = on_failure
        self._on_drop = on_drop
        self._delay = delay_seconds
        self._most_at_once = most_at_once
        self._most_waiting = most_waiting
        self._monotonic = monotonic
        self._waiting: deque[Item] = deque()
        self._dropped = 0
        self._failed = 0  # times in a row the first items were tried
        self._retry_at = float("-inf")
        self._writing = threading.Lock()
        self._starting = threading.Lock()
        self._counting = threading.Lock()
        self._some, self._many = threading.Event(), threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._waiting)

    def put(self, item: Item) -> None:
        """Hand an item over, at once; never raises."""
        if self._closed or len(self._waiting) >= self._most_waiting:
            self._drop(1)
            return
        self._waiting.append(item)
        waiting = len(self._waiting)
        if waiting == 1:
            self._some.set()
        elif waiting % self._most_at_once == 0:
            self._many.set()
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def flush(self) -> None:
        """Write what waits now, unless the last attempt has just failed; never raises."""
        if not self._waiting and not self._dropped:
            return
        with self._writing:
            for _ in range(0, len(self._waiting), self._most_at_once):
                if not self._waiting or self._monotonic() < self._retry_at:
                    break
                self._write_some()
            self._tell_of_dropped()

    def close(self) -> None:
        """Write what is left and stop; what cannot be written now is lost and counted."""
        self._closed = True
        self._some.set()
        self._many.set()
        with self._writing:
            self._retry_at = float("-inf")
            while self._waiting and self._monotonic() >= self._retry_at:
                self._write_some()
            self._drop(len(self._waiting))
            self._waiting.clear()
            self._tell_of_dropped()
        atexit.unregister(self.close)

    def _start(self) -> None:
        with self._starting:
            if self._closed or (self._thread is not None and self._thread.is_alive()):
                return
            atexit.register(self.close)
            self._thread = threading.Thread(target=self._run, name="write-behind", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._closed:
            if not self._waiting:
                self._some.wait()
            self._some.clear()
            self._many.wait(self._delay)
            self._many.clear()
            self.flush()

    def _write_some(self) -> None:
        count = min(len(self._waiting), self._most_at_once)
        some = [self._waiting[place] for place in range(count)]
        try:
            self._write(some)
        except Exception as error:  # whatever it is, nobody is there to catch it
            pause = min(self._delay * 2**self._failed, LONGEST_PAUSE_SECONDS)
            self._retry_at = self._monotonic() + pause
            self._failed += 1
            self._on_failure(error)
            if self._failed < _TRIES:
                return
            self._drop(len(some))
        self._failed = 0
        for _ in some:
            self._waiting.popleft()

    def _drop(self, count: int) -> None:
        with self._counting:
            self._dropped += count

    def _tell_of_dropped(self) -> None:
        # Told by who writes: whoever puts must not wait for a log.
        with self._counting:
            dropped, self._dropped = self._dropped, 0
        if dropped:
            self._on_drop(dropped)
