"""The real searcher behind simulated visitors: each distinct question is asked once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portal.event_types import ShownResult
from portal.forms.types import SuggestedItem
from search.searcher import Searcher
from search.suggest import suggest
from search.types import Filters

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What the page would have shown for a question."""

    locale: str
    mode: str
    confidence: float
    resolved: bool
    answer: str | None
    generation: str
    duration_ms: float
    results: tuple[ShownResult, ...]


@dataclass(frozen=True, slots=True)
class Offered:
    """What a form would have suggested for a text."""

    confidence: float
    generation: str
    items: tuple[SuggestedItem, ...]


class Engine:
    """Asks and remembers. `asked` hears of every question that is new."""

    def __init__(self, searcher: Searcher, asked: Callable[[], None] = lambda: None) -> None:
        self._searcher = searcher
        self._asked = asked
        self._found: dict[tuple[str, str, str | None], Found] = {}
        self._offered: dict[tuple[str, str], Offered] = {}

    def search(self, text: str, locale: str, platform: str | None = None) -> Found:
        """As the page of results asks."""
        key = (text, locale, platform)
        if key not in self._found:
            self._asked()
            found = self._searcher.search(text, locale=locale, filters=Filters(platform=platform))
            self._found[key] = Found(
                found.locale, found.trace.mode, found.confidence, found.resolved,
                found.answer.article.id if found.answer else None, found.generation,
                sum(found.trace.timings_ms.values()),
                tuple(
                    ShownResult(r.article.id, r.article.locale, r.passage.anchor, r.score)
                    for r in found.results[:_SHOWN]
                ),
            )  # fmt: skip
        return self._found[key]

    def suggest(self, text: str, locale: str) -> Offered:
        """As a form asks."""
        key = (text, locale)
        if key not in self._offered:
            self._asked()
            found = suggest(self._searcher, text, locale=locale)
            self._offered[key] = Offered(
                found.confidence, found.generation,
                tuple(
                    SuggestedItem(
                        item.article.id, item.article.locale, item.passage.anchor, item.confidence
                    )
                    for item in found.items
                ),
            )  # fmt: skip
        return self._offered[key]
