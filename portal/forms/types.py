"""What is remembered of a form that suggests articles, and the seam another log plugs in at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from portal.forms.figures import Figures, Selection

EventKind = Literal["shown", "opened", "helpful", "not_helpful", "resolved", "submitted"]
"""What can happen to a form; `resolved` is "this solved it", `submitted` that it was sent."""

EVENT_KINDS: tuple[EventKind, ...] = (
    "shown", "opened", "helpful", "not_helpful", "resolved", "submitted",
)  # fmt: skip


class SuggestedItem(NamedTuple):
    """One article that was suggested, or withheld; `score` is its confidence, 0 to 1."""

    article_id: str
    locale: str
    anchor: str
    score: float


@dataclass(frozen=True, slots=True)
class SuggestionEvent:
    """A text that was typed into a form, and what was found for it.

    `session` is one filling-in of the form, as the page names it; without one what comes of the
    text cannot be followed. `items` are what was above the form's threshold, best first, also
    when `held_out` says that they were withheld: only so are both shares compared like for like.
    `visitor` is empty where nobody is known, as where a program asks for many people.
    `text` may be as it was typed; it is redacted before it is written.
    """

    id: str
    at: datetime
    session: str | None
    visitor: str
    form: str
    locale: str
    text: str
    reason: str | None
    platform: str | None
    confidence: float
    resolved: bool
    held_out: bool
    generation: str
    duration_ms: float
    bot: bool
    items: tuple[SuggestedItem, ...] = ()


@dataclass(frozen=True, slots=True)
class FormEvent:
    """Something that happened to a form; the same `id` twice is one event.

    `locale` is that of the form, or empty when nobody said: a session takes it from whatever of
    it says. `position` is the place of `article` among what was suggested, from 1.
    """

    id: str
    at: datetime
    session: str
    form: str
    visitor: str
    locale: str
    kind: EventKind
    suggestion_id: str | None = None
    article: str | None = None
    position: int | None = None
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Trail:
    """Articles of a session by id, each once, in the order they were first shown or opened."""

    shown: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()


class FormLog(Protocol):
    """Remembers what forms showed and what came of it.

    `services().form_log` never raises from a writer, and its readers give nothing when the
    database fails; `figures` and `purge` raise `EventsUnavailable`, as half a figure is a lie.
    """

    def record_suggestion(self, event: SuggestionEvent) -> None: ...

    def record_event(self, event: FormEvent) -> None: ...

    def trail(self, form: str, session: str) -> Trail:
        """What a session was shown and what it opened, for whoever takes its request over."""
        ...

    def figures(self, selection: Selection) -> Figures:
        """What came of the sessions that began in a period."""
        ...

    def purge(self, before: datetime) -> int:
        """Forget everything older; gives the number of suggestions and events removed."""
        ...
