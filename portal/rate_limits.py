"""Rate limits of one worker: how often each visitor came in the window that ends now.

The library's own storage in memory starts a thread for nearly every request, to sweep; here what
is old is removed by who finds it.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from limits.storage import MovingWindowSupport, Storage

SCHEME = "kb-window"
_SWEEP_SECONDS = 60.0


class WindowStorage(Storage, MovingWindowSupport):
    """Moments of the accepted requests of each key, oldest first. For moving windows alone."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 (the base class declares it so)

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: str) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._moments: dict[str, deque[float]] = {}
        self._ends: dict[str, float] = {}
        self._lock = threading.Lock()
        self._swept = time.time()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Whether `amount` more requests are within `limit` in `expiry` seconds; counts them."""
        now = time.time()
        with self._lock:
            if now - self._swept > _SWEEP_SECONDS:
                self._sweep(now)
            moments = self._within(key, now - expiry)
            if len(moments) + amount > limit:
                return False
            moments.extend([now] * amount)
            self._ends[key] = now + expiry
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        """When the first request of the window came, and how many did; now and 0 without one."""
        now = time.time()
        with self._lock:
            moments = self._within(key, now - expiry)
            return (moments[0], len(moments)) if moments else (now, 0)

    def get(self, key: str) -> int:
        """How many requests of a key are remembered."""
        return len(self._moments.get(key, ()))

    def get_expiry(self, key: str) -> float:
        """When the last of them is forgotten."""
        return self._ends.get(key, time.time())

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Fixed windows are not kept here. Raises `NotImplementedError`."""
        raise NotImplementedError("only moving windows are kept here")

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        """Forget everything; gives how many keys there were."""
        with self._lock:
            count = len(self._moments)
            self._moments.clear()
            self._ends.clear()
            return count

    def clear(self, key: str) -> None:
        """Forget one key."""
        with self._lock:
            self._moments.pop(key, None)
            self._ends.pop(key, None)

    def _within(self, key: str, start: float) -> deque[float]:
        moments = self._moments.setdefault(key, deque())
        while moments and moments[0] <= start:
            moments.popleft()
        return moments

    def _sweep(self, now: float) -> None:
        """Keys of visitors who have left; without this they would stay for ever."""
        self._swept = now
        for key in [key for key in self._moments if self._ends.get(key, now) <= now]:
            del self._moments[key]
            self._ends.pop(key, None)
