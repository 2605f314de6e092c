"""What is known of one filling-in of a form, gathered from its events in whatever order.

Every field is an earliest or a latest moment, or a mark that is never taken back. So gathering is
commutative, associative and idempotent: events may come late, twice and in any order, and the
same is known in the end. That is also what makes it safe to keep only the sum in the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce

from portal.forms.types import FormEvent, SuggestionEvent

OPEN_FOR = timedelta(hours=24)
"""How long after its beginning a session may still be sent before it counts as left."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One session; moments are None where nothing of the kind is known.

    `visitor` is who began it and `sent_by` who first sent it, empty where nobody is known,
    `locale` the first language that was named, `found_at` when something above the threshold was
    first found, withheld or not. The moments are the first of their kind, but the last of
    `helpful_at` and `not_helpful_at`: there the last word counts.
    """

    started_at: datetime
    visitor: str
    locale: str = ""
    locale_at: datetime | None = None
    found_at: datetime | None = None
    shown_at: datetime | None = None
    opened_at: datetime | None = None
    helpful_at: datetime | None = None
    not_helpful_at: datetime | None = None
    resolved_at: datetime | None = None
    submitted_at: datetime | None = None
    sent_by: str = ""
    held_out: bool = False
    bot: bool = False

    @property
    def assumed_at(self) -> datetime:
        """When it counts as left, if it has not been sent by then."""
        return self.started_at + OPEN_FOR


def facts_of(event: SuggestionEvent | FormEvent) -> Facts:
    """What one event says of its session."""
    named = event.at if event.locale else None
    if isinstance(event, SuggestionEvent):
        return Facts(
            event.at, event.visitor, event.locale, named,
            found_at=event.at if event.items else None, held_out=event.held_out, bot=event.bot,
        )  # fmt: skip
    seen = event.kind != "submitted"  # nobody can judge or open what was not shown
    return Facts(
        event.at, event.visitor, event.locale, named, bot=event.bot,
        shown_at=event.at if seen else None,
        opened_at=event.at if event.kind == "opened" else None,
        helpful_at=event.at if event.kind == "helpful" else None,
        not_helpful_at=event.at if event.kind == "not_helpful" else None,
        resolved_at=event.at if event.kind == "resolved" else None,
        submitted_at=event.at if event.kind == "submitted" else None,
        sent_by=event.visitor if event.kind == "submitted" else "",
    )  # fmt: skip


def gather(events: Iterable[SuggestionEvent | FormEvent]) -> Facts:
    """What all events of one session say. Raises `TypeError` without any."""
    return reduce(merge, map(facts_of, events))


def merge(a: Facts, b: Facts) -> Facts:
    """What two parts of one session say together."""
    started_at, visitor = min((a.started_at, a.visitor), (b.started_at, b.visitor))
    named = [(f.locale_at, f.locale) for f in (a, b) if f.locale_at is not None]
    locale_at, locale = min(named) if named else (None, "")
    sent = [(f.submitted_at, f.sent_by) for f in (a, b) if f.submitted_at is not None]
    submitted_at, sent_by = min(sent) if sent else (None, "")
    return Facts(
        started_at, visitor, locale, locale_at,
        found_at=_first(a.found_at, b.found_at),
        shown_at=_first(a.shown_at, b.shown_at),
        opened_at=_first(a.opened_at, b.opened_at),
        helpful_at=_last(a.helpful_at, b.helpful_at),
        not_helpful_at=_last(a.not_helpful_at, b.not_helpful_at),
        resolved_at=_first(a.resolved_at, b.resolved_at),
        submitted_at=submitted_at,
        sent_by=sent_by,
        held_out=a.held_out or b.held_out,
        bot=a.bot or b.bot,
    )  # fmt: skip


def _first(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _last(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
