"""Lists that help a visitor to start: real questions, and the articles most read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from portal.help import log
from portal.services import services
from search.catalogue import Catalogue
from search.types import Article

_EXAMPLES = 4
_EXAMPLE_LENGTH = {"en": 48, "zh-Hans": 18}
_POPULAR = 6
_PERIOD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class StartingPoints:
    """Articles to begin with; `measured` when readers chose them, not we."""

    articles: tuple[Article, ...]
    measured: bool


def example_questions(catalogue: Catalogue, locale: str) -> list[str]:
    """Short questions of customers, one from each of the first sections; others every day."""
    longest = _EXAMPLE_LENGTH.get(locale, 40)
    day = services().clock().toordinal()
    picked = []
    for turn, (_label, articles) in enumerate(catalogue.sections(locale)):
        questions = [
            question
            for article in articles
            for question in article.questions
            if len(question) <= longest
        ]
        if questions:
            picked.append(questions[(day * 7 + turn) % len(questions)])
    return picked[:_EXAMPLES]


def starting_points(catalogue: Catalogue, locale: str) -> StartingPoints:
    """What was read most in the last 30 days, else the broadest article of each section."""
    read = [
        article
        for article_id in log.popular(locale, period=_PERIOD, limit=_POPULAR)
        if (article := catalogue.get(locale, article_id)) is not None
    ]
    if len(read) >= _POPULAR // 2:
        return StartingPoints(tuple(read), measured=True)
    broadest = [max(articles, key=_breadth) for _label, articles in catalogue.sections(locale)]
    return StartingPoints(tuple(broadest[:_POPULAR]), measured=False)


def _breadth(article: Article) -> tuple[int, int]:
    """An article that serves many reasons is a better start than the first of the alphabet."""
    return len(article.reasons), len(article.questions)
