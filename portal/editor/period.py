"""The period and the filters that the pages of figures share, as the address has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import request

from portal.figures.read import Selection
from portal.i18n import current_locale
from portal.services import services
from search.types import LOCALES

PERIODS = (7, 30, 90, 365)
"""Days that can be chosen."""
DEFAULT = 30
MOST_ROWS = 30_000
"""Events of days that are not added up yet which a page counts while somebody waits: a second."""
NO_PLATFORM = "none"
"""Asks for questions that named no platform, which are an empty text in the figures."""
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks for; empty texts ask for everything."""

    days: int
    locale: str
    platform: str
    channel: str

    def query(self, **others: Any) -> dict[str, Any]:
        """Arguments for an address; those that say nothing are left out."""
        given = {
            "days": self.days, "locale": self.locale, "platform": self.platform,
            "channel": self.channel, **others,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value}

    def selection(self, now: datetime) -> Selection:
        """The days that are meant, today included."""
        last = now.astimezone(UTC).date()
        platform = "" if self.platform == NO_PLATFORM else self.platform or None
        first = last - timedelta(days=self.days - 1)
        return Selection(first, last, self.locale or None, platform, self.channel or None)


def chosen() -> Chosen:
    """Read from the present request; what makes no sense is as if it were not there."""
    days = request.args.get("days", type=int)
    locale = request.args.get("locale", "")
    return Chosen(
        days=days if days in PERIODS else DEFAULT,
        locale=locale if locale in LOCALES else "",
        platform=request.args.get("platform", "")[:_LONGEST],
        channel=request.args.get("channel", "")[:_LONGEST],
    )


def platform_names() -> dict[str, str]:
    """Every platform of the taxonomy in the reader's language."""
    platforms = services().library.catalogue.taxonomy.platforms
    return {key: label.title(current_locale()) for key, label in platforms.items()}


def step_of(day: date, days: int) -> date:
    """The day a point of a chart stands for: of long periods, the Monday of its week."""
    return day - timedelta(days=day.weekday()) if days >= PERIODS[2] else day
