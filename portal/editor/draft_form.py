"""What the form for a draft proposes: its title, its section, its language, and its questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from portal.drafts.spelling import Spelling
from portal.drafts.title import default_title
from portal.gaps.spelt import has_slip
from portal.gaps.types import Gap, GapQuestion, Kind
from portal.services import services
from search.errors import KnowledgeBaseError
from search.text import guess_locale, normalise
from search.types import LOCALES

_ASKED = 3  # questions that nearness is told by
_NEAREST = 5  # articles of each


@dataclass(frozen=True)
class Proposal:
    """Proposed for an article that is to close a gap; a page or a post makes one."""

    gap: Gap
    questions: Sequence[GapQuestion]

    @cached_property
    def locale(self) -> str:
        """The gap's language, unless nothing may be used of what was asked in it."""
        if self.gap.kind == Kind.OTHER_LANGUAGE or self._used(self.gap.locale):
            return self.gap.locale
        return next((locale for locale in LOCALES if self._used(locale)), self.gap.locale)

    @cached_property
    def section(self) -> str:
        """Where the article belongs: with the one that the evidence names, else where most of what
        is near stands, the nearest counting most; empty where no section has half of that."""
        if self.gap.kind not in (Kind.NO_ARTICLE, Kind.OUT_OF_SCOPE) and (named := self._named()):
            return named
        votes = self._votes()
        section, most = max(votes.items(), key=itemgetter(1), default=("", 0.0))
        return section if most >= sum(votes.values()) / 2 else ""

    def title(self, locale: str) -> str:
        """A title in a language; never empty, and of no question that is held out."""
        name = self.gap.name if guess_locale(self.gap.name) == locale else ""
        return default_title(
            name, self._used(locale), self._spelling, locale=locale, gap=self.gap.number
        )

    def title_of(self, typed: str, locale: str) -> str:
        """What was typed, unless it is what stood there in another language than was chosen."""
        others = {normalise(self.title(other)) for other in LOCALES if other != locale}
        return typed if typed and normalise(typed) not in others else self.title(locale)

    def tests(self, locale: str) -> tuple[str, ...]:
        """The article's own questions: those asked in its language that are not held out, as they
        are spelt, and no misspelt copies of others."""
        used = self._used(locale)
        return tuple(
            self._spelling.corrected(text) for text in used if not self._spelling.is_copy(text)
        )

    def is_misspelt(self, text: str) -> bool:
        """Whether a question is better left out of an article for how it is spelt."""
        return not self._spelling.is_clean(text) or has_slip(text)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling([one.text for one in self.questions], services().library.reader)

    def _used(self, locale: str) -> list[str]:
        used = [one.text for one in self.questions
                if not one.held_out and guess_locale(one.text) == locale]  # fmt: skip
        return sorted(used, key=lambda text: text not in self.gap.typical)

    def _named(self) -> str:
        catalogue = services().library.catalogue
        for evidence in self.gap.evidence:
            locale, _colon, name = evidence.article.partition(":")
            if name and (article := catalogue.get(locale, name)):
                return article.section
        return ""

    def _votes(self) -> dict[str, float]:
        texts = [self.gap.name, *self.gap.typical, *(one.text for one in self.questions)]
        votes: dict[str, float] = defaultdict(float)
        for text in list(dict.fromkeys(texts))[:_ASKED]:
            try:
                found = services().library.search(text, locale=self.gap.locale, limit=_NEAREST)
            except KnowledgeBaseError:
                continue  # too long a question: the others will do
            for place, result in enumerate(found.results, 1):
                votes[result.article.section] += 1 / place
        return votes
