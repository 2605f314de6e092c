"""What the help centre had not written yet at a moment of a simulation, and what it let grow old.

No article is made up: some of those that are there count as written in the course of the
simulation. Before, the real search leaves them out, so that their questions are as unresolved as
they would have been.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from portal.simulate.engine import Engine
from portal.simulate.pool import Topic
from search.catalogue import Catalogue

_BEFORE = 0.4  # of the questions, at most, that other articles answer
_AFTER = 0.8  # of the questions, at least, that it answers


@dataclass(frozen=True, slots=True)
class Past:
    """`written` and `outgrown` are moments by article id: until the one there was no such article,
    from the other on it helps few of its readers."""

    written: Mapping[str, datetime] = field(default_factory=dict)
    outgrown: Mapping[str, datetime] = field(default_factory=dict)

    def hidden(self, at: datetime) -> frozenset[str]:
        """Articles that were written later."""
        return frozenset(name for name, moment in self.written.items() if at < moment)

    def is_outgrown(self, article: str, at: datetime) -> bool:
        """Whether what the article says is no longer so."""
        moment = self.outgrown.get(article)
        return moment is not None and at >= moment


def missed(
    topics: Sequence[Topic], engine: Engine, catalogue: Catalogue, count: int
) -> list[Topic]:
    """The first topics whose article makes the difference, each of another section.

    Fewer where the articles are few, or say the same several times.
    """
    found: list[Topic] = []
    sections: set[str] = set()
    for topic in topics:
        if len(found) == count:
            break
        section = _section(topic, catalogue)
        if section not in sections and _matters(topic, engine):
            found.append(topic)
            sections.add(section)
    return found


def asked_often(topics: Sequence[Topic], often: Sequence[Topic], place: int) -> list[Topic]:
    """All topics with their weights, some of them moved to a place among the weightiest."""
    others = [topic for topic in topics if topic not in often]
    order = [*others[:place], *often, *others[place:]]
    return [replace(topic, weight=one.weight) for topic, one in zip(order, topics, strict=True)]


def _section(topic: Topic, catalogue: Catalogue) -> str:
    locale = next(iter(topic.questions))
    article = catalogue.get(locale, topic.name)
    return article.section if article else ""


def _matters(topic: Topic, engine: Engine) -> bool:
    without = list(_answered(topic, engine, frozenset({topic.name})))
    if sum(without) > _BEFORE * len(without):
        return False
    present = list(_answered(topic, engine, frozenset()))
    return sum(present) >= _AFTER * len(present)


def _answered(topic: Topic, engine: Engine, hidden: frozenset[str]) -> Iterator[bool]:
    for locale, questions in topic.questions.items():
        for question in questions:
            yield engine.search(question, locale, hidden=hidden).resolved
