"""How each article does: what its readers did and said, and what its upkeep asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from portal.drafts.find import Listed
from portal.figures.counts import ArticleCounts
from portal.forms.intervals import Share, wilson
from search.catalogue import Catalogue
from search.types import LOCALES, Article

DUE_SOON = 14
"""Days before its review is due that an article asks for it."""
FEW_VOTES = 5
"""Votes below which an article is not called unhelpful: they may be chance."""
UNHELPFUL = 0.7
"""An article of whose votes surely less than this share say yes does not help."""


@dataclass(frozen=True, slots=True)
class Health:
    """One article in one language.

    `days_left` until its review is due, below 0 when it is late. `missing` are languages it is
    not in, `older_than` those in which it was changed and verified since. `drafts` are files that
    wait to be published under its id.
    """

    article: Article
    counts: ArticleCounts
    helpful: Share | None
    days_left: int
    missing: tuple[str, ...]
    older_than: tuple[str, ...]
    drafts: tuple[str, ...]

    @property
    def votes(self) -> int:
        return self.counts.helpful + self.counts.unhelpful

    @property
    def needs(self) -> tuple[str, ...]:
        """What is to be done, by keys that the page translates."""
        unhelpful = self.helpful is not None and self.votes >= FEW_VOTES
        found = {
            "late": self.days_left < 0,
            "due": 0 <= self.days_left <= DUE_SOON,
            "missing": bool(self.missing),
            "older": bool(self.older_than),
            "unhelpful": unhelpful and self.helpful is not None and self.helpful.high < UNHELPFUL,
            "draft": bool(self.drafts),
        }
        return tuple(name for name, holds in found.items() if holds)


NEEDS = ("late", "due", "missing", "older", "unhelpful", "draft")


def _worst(one: Health) -> tuple[float, int]:
    """Surely unhelpful first, so that a single vote does not count for much; without votes last."""
    return (one.helpful.high, -one.votes) if one.helpful else (2.0, 0)


SORTS: Mapping[str, Callable[[Health], tuple[float, ...]]] = {
    "helpful": _worst,
    "votes": lambda one: (-one.votes,),
    "reads": lambda one: (-one.counts.reads,),
    "handovers": lambda one: (-one.counts.handovers,),
    "review": lambda one: (one.days_left,),
}
"""What the list can be sorted by, what needs somebody most first."""


def health(
    catalogue: Catalogue,
    counts: Mapping[tuple[str, str], ArticleCounts],
    drafts: Iterable[Listed],
    today: date,
) -> list[Health]:
    """Every published article, in the catalogue's order."""
    waiting: dict[tuple[str, str], list[str]] = {}
    for draft in drafts:
        if draft.status == "draft":
            waiting.setdefault((draft.id, draft.path.locale), []).append(str(draft.path))
    found = []
    for article in catalogue:
        others = catalogue.translations(article.id)
        own = counts.get((article.id, article.locale), ArticleCounts())
        found.append(
            Health(
                article, own, wilson(own.helpful, own.helpful + own.unhelpful),
                (article.review_by - today).days,
                tuple(locale for locale in LOCALES if locale not in others),
                tuple(
                    locale for locale, other in others.items()
                    if article.updated < min(other.updated, other.verified_on)
                ),
                tuple(waiting.get((article.id, article.locale), ())),
            )
        )  # fmt: skip
    return found
