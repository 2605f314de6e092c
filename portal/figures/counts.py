"""Counts that add up, and the shares made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date
from typing import NamedTuple

from portal.forms.intervals import Share, wilson
from portal.gaps.types import Reason


class Group(NamedTuple):
    """Whose counts these are; `platform` is empty where none was named."""

    locale: str
    platform: str
    channel: str


@dataclass(slots=True)
class Counts:
    """Whole numbers of one group and day, or of any sum of them; see `definitions`.

    `searches` are rows of the log, of which `bots` came from programs; what is in neither `bots`
    nor `questions` was typed on, repeated, blank, or asked while meaning could not be searched.
    """

    searches: int = 0
    bots: int = 0
    questions: int = 0
    visitors: int = 0
    answered: int = 0
    elsewhere: int = 0
    unresolved: int = 0
    nothing: int = 0
    low_confidence: int = 0
    no_click: int = 0
    not_helpful: int = 0
    handed_over: int = 0
    sent_anyway: int = 0
    tracked: int = 0
    clicked: int = 0
    exits: int = 0
    refined: int = 0
    reads: int = 0
    helpful: int = 0
    unhelpful: int = 0
    handovers: int = 0

    @property
    def asked(self) -> int:
        """Questions in the search and elsewhere."""
        return self.questions + self.elsewhere

    @property
    def votes(self) -> int:
        return self.helpful + self.unhelpful

    @property
    def left_out(self) -> int:
        """Searches of people that are no question of their own."""
        return self.searches - self.bots - self.questions

    def add(self, other: Counts) -> None:
        """Add another group or day to this."""
        for name in NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))


NAMES: tuple[str, ...] = tuple(one.name for one in fields(Counts))
REASONS: tuple[Reason, ...] = tuple(Reason)
RATES: dict[str, tuple[str, str]] = {
    "answered": ("answered", "questions"),
    "unresolved": ("unresolved", "asked"),
    **{reason.value: (reason.value, "asked") for reason in REASONS},
    "clicked": ("clicked", "tracked"),
    "helpful": ("helpful", "votes"),
    "exits": ("exits", "questions"),
    "refined": ("refined", "questions"),
}
"""What each rate counts, and what it is a share of."""


def rates(counts: Counts) -> dict[str, Share | None]:
    """Every rate with its interval; None where it would be one of nothing."""
    return {
        name: wilson(getattr(counts, part), getattr(counts, whole))
        for name, (part, whole) in RATES.items()
    }


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of any number of counts."""
    made = Counts()
    for one in counts:
        made.add(one)
    return made


@dataclass(slots=True)
class ArticleCounts:
    """What happened to one article in one language; `reasons` of latest votes that say no.

    `handovers` are those of visitors who had read it before, `clicks` the reads from a search.
    """

    reads: int = 0
    clicks: int = 0
    helpful: int = 0
    unhelpful: int = 0
    handovers: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: ArticleCounts) -> None:
        """Add another day to this."""
        for name in ARTICLE_NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)


ARTICLE_NAMES: tuple[str, ...] = ("reads", "clicks", "helpful", "unhelpful", "handovers")


@dataclass(slots=True)
class Asked:
    """How many visitors asked a question, and for how many of them it is unresolved."""

    questions: int = 0
    unresolved: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """Everything about one day. `texts` has one spelling of each normalised question."""

    day: date
    groups: dict[Group, Counts]
    articles: dict[tuple[str, str], ArticleCounts]
    questions: dict[tuple[str, Group], Asked]
    texts: dict[str, str]
