"""How often one visitor may speak in the name of one form; apart from the limit on other writing.

Whoever types causes a request at every pause, so suggestions would use up what is meant for votes
and hand-overs; and a shop's server that asks for all its customers has one address for them all.
"""

from __future__ import annotations

import math
import time
from typing import Literal

from limits import RateLimitItem, parse_many
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from portal.addresses import counted_address
from portal.config import OFF, Settings
from portal.forms.registry import Form
from portal.rate_limits import WindowStorage


class FormLimits:
    """Counts the requests of this worker. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._enabled = settings.rate_limit != OFF
        self._without_form = settings.write_rate_limit
        self._limiter = MovingWindowRateLimiter(WindowStorage())
        self._parsed: dict[str, list[RateLimitItem]] = {}

    def check(self, what: Literal["suggest", "events"], form: Form | None) -> None:
        """Count one request of the present visitor, in the name of a form or of none.

        Raises `TooManyRequests` with its delay. `KB_RATE_LIMIT=off` turns every form's limit off.
        """
        limit = form.rate_limit if form else self._without_form
        if limit == OFF or (form and not self._enabled):
            return
        key = form.key if form else ""
        visitor = counted_address()
        for item in self._items(limit):
            if not self._limiter.hit(item, what, key, visitor):
                resets = self._limiter.get_window_stats(item, what, key, visitor).reset_time
                raise TooManyRequests(
                    f"{limit} are taken from one visitor; wait and try again",
                    retry_after=max(1, math.ceil(resets - time.time())),
                )

    def _items(self, limit: str) -> list[RateLimitItem]:
        if limit not in self._parsed:
            self._parsed[limit] = parse_many(limit)
        return self._parsed[limit]
