"""What the gap report is made of, and how much each reason weighs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from search.errors import KnowledgeBaseError


class Reason(StrEnum):
    """Why a settled question counts as unresolved; `portal.gaps.reasons` defines each."""

    NOTHING = "nothing"
    LOW_CONFIDENCE = "low_confidence"
    NO_CLICK = "no_click"
    NOT_HELPFUL = "not_helpful"
    HANDED_OVER = "handed_over"
    SENT_ANYWAY = "sent_anyway"


SEVERITY: Mapping[Reason, float] = {
    Reason.NOTHING: 1.0,
    Reason.LOW_CONFIDENCE: 0.7,
    Reason.NO_CLICK: 0.4,
    Reason.NOT_HELPFUL: 0.8,
    Reason.HANDED_OVER: 1.0,
    Reason.SENT_ANYWAY: 0.8,
}
"""How much one visitor weighs to whom this happened; where several did, the largest counts."""


class Kind(StrEnum):
    """What is wrong, and so what would mend it."""

    NO_ARTICLE = "no_article"
    NOT_FOUND = "not_found"
    NOT_HELPFUL = "not_helpful"
    OTHER_LANGUAGE = "other_language"
    OUTDATED = "outdated"
    OUT_OF_SCOPE = "out_of_scope"


class State(StrEnum):
    """Where a gap stands; only evidence makes it closed or reopened (`portal.gaps.live`)."""

    OPEN = "open"
    IGNORED = "ignored"
    DRAFTED = "drafted"
    PUBLISHED = "published"
    CLOSED = "closed"
    REOPENED = "reopened"


UNDER_WAY = (State.OPEN, State.REOPENED, State.DRAFTED, State.PUBLISHED)
"""States of gaps that still ask for something; the queue shows these unless told otherwise."""

Source = Literal["search", "handover", "form"]


class GapUnknown(KnowledgeBaseError):
    """No gap has this number."""

    exit_code = 2
    status = 404


class GapChanged(KnowledgeBaseError):
    """Somebody changed the gap since it was shown; `changes` are the entries they made."""

    exit_code = 2
    status = 409

    def __init__(self, message: str, changes: tuple[Entry, ...] = ()) -> None:
        super().__init__(message)
        self.changes = changes


class GapRefused(KnowledgeBaseError):
    """What was asked of a gap makes no sense, such as merging it with itself.

    `code` is a word for it, by which pages say the same in the reader's language with `values`.
    """

    exit_code = 2
    status = 422

    def __init__(self, message: str, code: str = "", **values: object) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class UnresolvedQuestion:
    """One visitor's settled question that found no answer, however often they repeated it.

    `id` is that of the last search, hand-over or form session behind it; `reasons` the most
    severe first. `confidence` is 0 to 1, `top_article` and `top_locale` what stood first.
    """

    source: Source
    id: str
    at: datetime
    visitor: str
    locale: str
    platform: str | None
    channel: str
    text: str
    normalised: str
    reasons: tuple[Reason, ...]
    searches: int = 1
    confidence: float = 0.0
    top_article: str | None = None
    top_locale: str | None = None

    @property
    def severity(self) -> float:
        """The largest severity of its reasons, 0.4 to 1."""
        return max(SEVERITY[reason] for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a kind was proposed: a key that pages translate, and what it speaks of.

    `article` is `locale:id`; `words` are what the article lacks, `synonym` what it says instead.
    Of typical questions `count` of `of` are meant, and of their visitors `visitors` of
    `of_visitors`, who decide; a visitor counts for each of the questions.
    """

    key: str
    article: str = ""
    title: str = ""
    count: int = 0
    of: int = 0
    words: tuple[str, ...] = ()
    synonym: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    day: str = ""
    visitors: int = 0
    of_visitors: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted of a gap in a period.

    `visitors` are distinct, `before` those of the period of equal length before it; `weeks` are
    distinct visitors in each of the last twelve weeks, the oldest first. `saved` are form
    requests that were sent although the form suggested articles: at most so many would a good
    answer have saved. `spike` says that the last seven days had at least twice the visitors of the
    seven before, and at least `portal.gaps.rank.SPIKE_LEAST`.
    """

    visitors: int = 0
    searches: int = 0
    before: int = 0
    score: float = 0.0
    severity: float = 0.0
    spike: bool = False
    saved: int = 0
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    locales: Mapping[str, int] = field(default_factory=dict)
    platforms: Mapping[str, int] = field(default_factory=dict)
    weeks: tuple[int, ...] = ()
    first_seen: datetime | None = None
    last_seen: datetime | None = None

    @property
    def recency(self) -> float:
        """The third factor of the score, 0 to 1: what is left of it by the half-life."""
        weight = self.visitors * self.severity
        return self.score / weight if weight else 0.0

    @property
    def trend(self) -> float | None:
        """Growth against the period before, .5 for half as many again; None without a before."""
        return self.visitors / self.before - 1 if self.before else None


@dataclass(frozen=True, slots=True)
class Gap:
    """A cluster of questions that mean the same and were not answered.

    `kind_by` is the editor who corrected the kind, empty while it is proposed. `typical` are its
    most typical questions. `article` (`locale:id`) is the one meant to close it. Every change by
    an editor raises `version`; a writer names the one it has seen.
    """

    number: int
    name: str
    locale: str
    state: State
    kind: Kind
    version: int
    figures: Figures
    typical: tuple[str, ...] = ()
    questions: int = 0
    kind_by: str = ""
    evidence: tuple[Evidence, ...] = ()
    owner: str = ""
    due: date | None = None
    article: str | None = None
    ignored_because: str = ""
    merged_into: int | None = None
    made_at: datetime | None = None
    state_at: datetime | None = None

    @property
    def visitors(self) -> int:
        return self.figures.visitors

    @property
    def searches(self) -> int:
        return self.figures.searches

    @property
    def score(self) -> float:
        return self.figures.score

    @property
    def trend(self) -> float | None:
        return self.figures.trend

    @property
    def spike(self) -> bool:
        return self.figures.spike

    @property
    def reasons(self) -> Mapping[Reason, int]:
        return self.figures.reasons

    @property
    def locales(self) -> Mapping[str, int]:
        return self.figures.locales

    @property
    def last_seen(self) -> datetime | None:
        return self.figures.last_seen


@dataclass(frozen=True, slots=True)
class GapQuestion:
    """One question of a gap, however many asked it.

    `key` names it in addresses and forms. `held_out` marks a stable half by hash that no draft
    may use, so that proof can say what became of questions nobody wrote for. `pinned_by` is the
    editor who put it where it is.
    """

    key: str
    text: str
    normalised: str
    locale: str
    visitors: int
    searches: int
    last_seen: datetime
    reasons: tuple[Reason, ...]
    held_out: bool
    pinned_by: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a gap's history; `by` is empty where the portal itself did it."""

    id: int
    at: datetime
    gap: int
    by: str
    action: str
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One refresh of the report, and what it took."""

    at: datetime
    since: datetime
    questions: int
    unresolved: int
    gaps: int
    new: int
    seconds: float
    generation: str = ""


def same_article(one: str | None, other: str | None) -> bool:
    """Whether two `locale:id` are one article, in whichever language."""
    names = {(name or "").partition(":")[2] for name in (one, other)}
    return len(names) == 1 and names != {""}
