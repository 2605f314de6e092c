"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import datetime, timedelta

from conftest import NOW


class MovedClock:
    """Tells `now`, which a test may set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        """Let days, hours, minutes or seconds go by."""
        self.now += timedelta(**span)
