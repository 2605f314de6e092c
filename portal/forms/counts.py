"""Numbers of sessions, and how they are added up."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date
from typing import Self


@dataclass(frozen=True, slots=True)
class _Numbers:
    def __add__(self, other: Self) -> Self:
        names = [one.name for one in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True)
class Counts(_Numbers):
    """Sessions that are over. `shown` is the sum of the five outcomes below it.

    `intent` is the sum of `shown`, `withheld` and those of which nothing was shown for another
    reason: nothing was above the threshold, or the page never showed what was found.
    """

    intent: int = 0
    withheld: int = 0
    suggested: int = 0
    shown: int = 0
    opened: int = 0
    confirmed: int = 0
    assumed: int = 0
    sent: int = 0
    reversed: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class OpenSessions(_Numbers):
    """Sessions less than 24 hours old, as they stand; they are in no other figure."""

    sessions: int = 0
    shown: int = 0
    confirmed: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Arms(_Numbers):
    """Sessions that are over for whose text something was found, suggested or withheld.

    Sent is whoever sent the form in the session, or after its beginning in another one.
    """

    suggested: int = 0
    suggested_sent: int = 0
    withheld: int = 0
    withheld_sent: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """All sessions of one form and language that began on one day, UTC; `bots` are in it alone."""

    form: str
    locale: str
    day: date
    counts: Counts = field(default_factory=Counts)
    open: OpenSessions = field(default_factory=OpenSessions)
    arms: Arms = field(default_factory=Arms)
    bots: int = 0
