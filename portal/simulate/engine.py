"""The real searcher behind simulated visitors: each distinct question is asked once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portal.event_types import ShownResult
from portal.forms.types import SuggestedItem
from search.searcher import Searcher
from search.suggest import THRESHOLD, suggest
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
        self._found: dict[tuple[str, str, str | None, frozenset[str]], Found] = {}
        self._offered: dict[tuple[str, str, frozenset[str]], Offered] = {}

    def search(
        self,
        text: str,
        locale: str,
        platform: str | None = None,
        *,
        hidden: frozenset[str] = frozenset(),
    ) -> Found:
        """As the page of results asks; articles whose ids are `hidden` were not written yet."""
        if hidden:
            # Most questions show none of them, and without them show the same.
            present = self.search(text, locale, platform)
            if hidden.isdisjoint(result.article_id for result in present.results):
                return present
        key = (text, locale, platform, hidden)
        if key not in self._found:
            if not hidden:
                self._asked()
            found = self._searcher.search(
                text, locale=locale, filters=Filters(platform=platform), hidden=hidden
            )
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

    def suggest(self, text: str, locale: str, *, hidden: frozenset[str] = frozenset()) -> Offered:
        """As a form asks."""
        if hidden:
            present = self.suggest(text, locale)
            if hidden.isdisjoint(item.article_id for item in present.items):
                return present
        key = (text, locale, hidden)
        if key not in self._offered:
            if not hidden:
                self._asked()
            least = 0.0 if hidden else THRESHOLD  # what is left out makes room for others
            found = suggest(self._searcher, text, locale=locale, threshold=least)
            items = [item for item in found.items if item.article.id not in hidden]
            best = max((item.confidence for item in items), default=0.0)
            self._offered[key] = Offered(
                best if hidden else found.confidence, found.generation,
                tuple(
                    SuggestedItem(
                        item.article.id, item.article.locale, item.passage.anchor, item.confidence
                    )
                    for item in items
                    if item.confidence >= THRESHOLD
                ),
            )  # fmt: skip
        return self._offered[key]
