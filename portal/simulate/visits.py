"""How simulated visitors behave. Chances are made up, and good for looking at pages only."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from portal.event_types import Handover, SearchEvent, View, Vote
from portal.forms.types import EventKind, FormEvent, SuggestionEvent
from portal.simulate import PREFIX
from portal.simulate.engine import Engine, Found
from portal.simulate.past import Past
from portal.simulate.pool import Topic, misspelt

Event = SearchEvent | View | Vote | Handover | SuggestionEvent | FormEvent

_REASONS = ("not-clear", "wrong", "outdated", "not-my-case", "too-long")
_MESSAGES = {
    "en": ("I could not find this anywhere, please help.", "Please answer by mail.", ""),
    "zh-Hans": ("找了半天没找到，麻烦帮忙看看。", "请尽快回复，谢谢。", ""),
}
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_WEAK = 5  # articles
_SLOW = 9  # one question in so many is typed where every key asks


@dataclass(frozen=True, slots=True)
class Season:
    """What is asked about: topics and how likely each is at present."""

    topics: Sequence[Topic]
    weights: Sequence[float]


class Crowd:
    """Makes visits; the same `rng` makes the same ones."""

    def __init__(
        self,
        engine: Engine,
        articles: Sequence[Topic],
        rng: random.Random,
        platforms: Sequence[str],
        past: Past = Past(),  # noqa: B008 (frozen)
    ) -> None:
        self._engine = engine
        self._rng = rng
        self._platforms = platforms
        self._past = past
        self._articles = Season(articles, [topic.weight for topic in articles])
        popular = [topic.name for topic in articles[: 4 * _WEAK]]
        self._weak = set(rng.sample(popular, min(_WEAK, len(popular)))) - set(past.written)
        """Articles that help few of their readers."""

    def visit(self, at: datetime, unanswered: Season) -> Iterator[Event]:
        """What one visitor does from a moment on, in the order of time."""
        rng = self._rng
        visitor = f"{PREFIX}{rng.getrandbits(48):012x}"
        locale = "en" if rng.random() < 0.58 else "zh-Hans"
        kind = rng.random()
        if kind < 0.04:
            yield from self._program(at, visitor, locale)
            return
        season = unanswered if rng.random() < 0.24 else self._articles
        topic = rng.choices(season.topics, season.weights)[0]
        if locale not in topic.questions:
            locale = next(iter(topic.questions))
        if topic.article in self._past.hidden(at):
            topic = replace(topic, article=None)
        if kind < 0.12 and topic.article is not None:
            yield self._view(at, visitor, topic.article, locale)
            return
        if kind < 0.21:
            yield from self._form(at, visitor, locale, topic)
            return
        yield from self._questions(at, visitor, locale, topic)

    def _questions(self, at: datetime, visitor: str, locale: str, topic: Topic) -> Iterator[Event]:
        rng = self._rng
        channel = rng.choices(("page", "typed", "api"), (84, 10, 6))[0]
        platform = rng.choice(self._platforms) if rng.random() < 0.08 else None
        questions = list(topic.questions[locale])
        rng.shuffle(questions)
        for number, question in enumerate(questions[: rng.choices((1, 2, 3), (62, 28, 10))[0]]):
            text = misspelt(question) if rng.random() < 0.1 else question
            if number == 0 and channel == "typed" and hash_of(question) % _SLOW == 0:
                for part in (0.4, 0.7):
                    typed = text[: int(len(text) * part)].rstrip()
                    found = self._find(typed, locale, at)
                    yield self._search(at, visitor, typed, channel, None, found)
                    at += timedelta(seconds=rng.uniform(0.6, 2.5))
            found = self._find(text, locale, at, platform)
            search = self._search(at, visitor, text, channel, platform, found)
            yield search
            if rng.random() < 0.05:
                at += timedelta(seconds=rng.uniform(40, 900))
                search = self._search(at, visitor, text, channel, platform, found)
                yield search
            done = yield from self._reaction(search, topic)
            if done:
                return
            at = search.at + timedelta(seconds=rng.uniform(7, 80))

    def _reaction(self, search: SearchEvent, topic: Topic) -> Generator[Event, None, bool]:
        """What follows a page of results; returns whether the visit is over."""
        rng = self._rng
        luck = rng.random()
        if topic.article is not None and self._past.is_outgrown(topic.article, search.at):
            names = [one.article_id for one in search.results]
            if luck < 0.85 and topic.article in names:
                yield from self._disappointed(search, names.index(topic.article))
                return True
            luck = rng.random()
        if search.answer_article is not None and topic.article is not None:
            if luck < 0.55:
                if rng.random() < 0.14:
                    yield self._vote(search, search.answer_article, search.locale)
                return luck < 0.48
            opens = luck < 0.85
        else:
            opens = luck < (0.72 if search.resolved else 0.3)
        if opens and search.results and search.channel != "api":
            place = min(int(rng.expovariate(0.9)), len(search.results) - 1)
            result = search.results[place]
            view = self._view(search.at + timedelta(seconds=rng.uniform(4, 25)), search.visitor,
                              result.article_id, result.locale, search, place + 1)  # fmt: skip
            yield view
            weak = result.article_id in self._weak or topic.article is None
            if rng.random() < 0.2:
                yield self._vote(search, result.article_id, result.locale)
            if rng.random() < (0.14 if weak else 0.015):
                yield self._handover(search, (result.article_id,))
                return True
            return rng.random() < (0.4 if weak else 0.9)
        if not search.resolved and rng.random() < 0.1:
            yield self._handover(search, ())
            return True
        return rng.random() < 0.45

    def _disappointed(self, search: SearchEvent, place: int) -> Iterator[Event]:
        """Reads what is no longer so: asks a person, or votes."""
        rng = self._rng
        at = search.at + timedelta(seconds=rng.uniform(4, 25))
        read = search.results[place]
        yield self._view(at, search.visitor, read.article_id, read.locale, search, place + 1)
        if rng.random() < 0.45:
            yield self._handover(search, (read.article_id,))
            return
        at += timedelta(seconds=rng.uniform(30, 200))
        reason = rng.choices(_REASONS, (1, 3, 8, 1, 0))[0]
        yield Vote(self._id(at), at, search.visitor, read.article_id, read.locale, False, reason,
                   search_id=search.id)  # fmt: skip

    def _form(self, at: datetime, visitor: str, locale: str, topic: Topic) -> Iterator[Event]:
        rng = self._rng
        text = rng.choice(topic.questions[locale])
        offered = self._engine.suggest(text, locale, hidden=self._past.hidden(at))
        session = f"{PREFIX}{rng.getrandbits(64):016x}"
        suggestion = SuggestionEvent(
            self._id(at), at, session, visitor, "request", locale, text, None, None,
            offered.confidence, bool(offered.items), False, offered.generation,
            rng.uniform(6, 40), False, offered.items,
        )  # fmt: skip
        yield suggestion
        kinds: list[EventKind] = []
        if offered.items:
            kinds.append("shown")
            if rng.random() < 0.35:
                kinds.append("opened")
            if rng.random() < (0.3 if topic.article else 0.05):
                kinds.append("resolved")
        if "resolved" not in kinds and rng.random() < 0.6:
            kinds.append("submitted")
        for kind in kinds:
            at += timedelta(seconds=rng.uniform(3, 60))
            first = offered.items[0].article_id if kind in ("opened", "resolved") else None
            yield FormEvent(
                self._id(at), at, session, "request", visitor, locale, kind,
                suggestion.id if offered.items else None, first, 1 if first else None,
            )  # fmt: skip

    def _program(self, at: datetime, visitor: str, locale: str) -> Iterator[Event]:
        """A crawler, which says that it is one."""
        rng = self._rng
        for topic in rng.sample(list(self._articles.topics), min(4, len(self._articles.topics))):
            if locale not in topic.questions:
                continue
            text = topic.questions[locale][0]
            found = self._find(text, locale, at)
            yield self._search(at, visitor, text, "page", None, found, bot=True)
            at += timedelta(seconds=rng.uniform(1, 4))

    def _find(self, text: str, locale: str, at: datetime, platform: str | None = None) -> Found:
        return self._engine.search(text, locale, platform, hidden=self._past.hidden(at))

    def _search(
        self, at: datetime, visitor: str, text: str, channel: str, platform: str | None,
        found: Found, *, bot: bool = False,
    ) -> SearchEvent:  # fmt: skip
        return SearchEvent(
            self._id(at), at, visitor, found.locale, text, channel, found.mode, found.confidence,
            found.resolved, found.answer, None, platform, found.generation, found.duration_ms, bot,
            found.results,
        )  # fmt: skip

    def _view(
        self, at: datetime, visitor: str, article: str, locale: str,
        search: SearchEvent | None = None, position: int | None = None,
    ) -> View:  # fmt: skip
        search_id = search.id if search else None
        return View(self._id(at), at, visitor, article, locale, search_id, position)

    def _vote(self, search: SearchEvent, article: str, locale: str) -> Vote:
        rng = self._rng
        at = search.at + timedelta(seconds=rng.uniform(30, 200))
        helpful = rng.random() < (0.35 if article in self._weak else 0.86)
        reason = None if helpful else rng.choices(_REASONS, (5, 2, 3, 6, 1))[0]
        return Vote(self._id(at), at, search.visitor, article, locale, helpful, reason,
                    search_id=search.id)  # fmt: skip

    def _handover(self, search: SearchEvent, read: tuple[str, ...]) -> Handover:
        rng = self._rng
        at = search.at + timedelta(seconds=rng.uniform(60, 400))
        letters = "".join(rng.choice(_LETTERS) for _ in range(8))
        message = rng.choice(_MESSAGES[search.locale])
        return Handover(self._id(at), f"HO-{letters[:4]}-{letters[4:]}", at, search.visitor,
                        search.locale, search.query, read, message, True)  # fmt: skip

    def _id(self, at: datetime) -> str:
        """As `portal.log_search` makes them, in the order of time."""
        return f"{int(at.timestamp() * 1000):012x}{self._rng.getrandbits(80):020x}"


def hash_of(text: str) -> int:
    """A number for a text that is the same in every process."""
    return sum(ord(letter) * (place + 1) for place, letter in enumerate(text))
