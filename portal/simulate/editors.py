"""Editors who never were work the queue of a simulation, week by week, to the end of the loop.

What they do is made up. What comes of it is not: gaps are found, numbered, closed and reopened by
the refreshes and rules that real ones are, at the moments of the simulated past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from portal.gaps.refresh import refresh
from portal.gaps.store import GapStore
from portal.gaps.tables import GAP_QUESTIONS
from portal.gaps.types import UNDER_WAY, Gap, Kind, State
from portal.simulate import EDITORS
from portal.simulate.past import Past
from portal.simulate.pool import Topic
from portal.transactions import transaction
from search.catalogue import Catalogue
from search.reading import Reader
from search.searcher import Searcher
from search.text import normalise
from search.types import Filters, Response

if TYPE_CHECKING:
    from portal.services import SearchLibrary

MEETINGS = 7
"""Weeks before the last day that editors begin; they need a week of questions to begin with."""
LEAST_DAYS = 7 * (MEETINGS + 1)
"""A shorter simulation is too short for the loop."""
WRITTEN = 4
"""Articles that are written for gaps meanwhile."""
WEEK = timedelta(days=7)
_ANNA, _WEI = EDITORS
_OWN = 0.6  # of the visitors of a gap, from which it is one of a topic
_LEAST = 3  # visitors of a gap that is worth merging
_NO_SHOP_MATTER = ("wholesale", "app-trouble", "stores", "student-discount")
"""Topics whose gaps somebody may well ignore."""
_WRITTEN_LAST = timedelta(hours=3)
_WRITING = {
    _ANNA: "Nothing of ours answers this. Writing an article.",
    _WEI: "现有文章都没有回答这个问题，我来写一篇。",
}
_NOTES = {
    "waiting": "The warehouse has the facts; asked for them, the answer is due this week.",
    "branch": "草稿在单独的分支里写，合并后见。",
    "growing": "每周都在涨，下周的会上先讨论这个。",
    "again": "The rules have changed and the article has not. Rewriting it.",
}
_IGNORED = "No matter for the help centre: customer service answers this case by case."


@dataclass(frozen=True, slots=True)
class Writing:
    """An article that is written for a gap: `first` is the meeting that takes it on, in weeks
    before the last day, `at` when it is published."""

    topic: Topic
    first: int
    at: datetime
    by: str


def plan(topics: Sequence[Topic], today: datetime, now: datetime) -> tuple[list[Writing], Past]:
    """Who writes what and when, for topics whose article makes a difference, at most `WRITTEN`.

    The first article helps, grows old and has its gap reopened; the last is too new to tell.
    """
    times = [
        (7, meeting(today, 6), _ANNA), (6, meeting(today, 5), _WEI), (5, meeting(today, 3), _ANNA),
        (1, now - _WRITTEN_LAST, _WEI),
    ]  # fmt: skip
    writings = [
        Writing(topic, *when) for topic, when in zip(topics, times[: len(topics)], strict=True)
    ]
    written = {one.topic.name: one.at for one in writings}
    outgrown = {one.topic.name: meeting(today, 4) for one in writings[:1]}
    return writings, Past(written, outgrown)


def meeting(today: datetime, weeks: int) -> datetime:
    """When editors look at the queue: an hour after midnight, UTC, of a day so long before."""
    return today - weeks * WEEK + timedelta(hours=1)


class Editors:
    """Plays them; `meet` as soon as everything before the moment is in the log."""

    def __init__(
        self,
        engine: sa.Engine,
        searcher: Searcher,
        writings: Sequence[Writing],
        unanswered: Sequence[Topic],
        past: Past,
        today: datetime,
        *,
        cache: Path | None = None,
    ) -> None:
        self._engine = engine
        self._searcher = searcher
        self._writings = writings
        self._unanswered = unanswered
        self._past = past
        self._today = today
        self._cache = cache
        self._now = today
        self._written_for: dict[str, int] = {}
        self._store = GapStore(engine, lambda: self._now)

    def meet(self, weeks: int) -> None:
        """Refresh the report `weeks` before the last day, then work on it.

        Raises what a refresh raises.
        """
        self.refresh(meeting(self._today, weeks))
        for writing in self._writings:
            self._tidy(writing)
            if writing.first == weeks:
                self._take_on(writing)
            if writing.at == self._now:
                self._publish(writing)
        self._work(weeks)
        for writing in self._writings:
            if writing.first == weeks:
                self._draft(writing)
                if writing.at > meeting(self._today, 1):  # before anybody meets again
                    self._publish(writing)

    def refresh(self, now: datetime) -> None:
        """Bring the report up to a moment, as it was found then."""
        self._now = now
        library = cast("SearchLibrary", _Library(self._searcher, self._past.hidden(now)))
        refresh(
            self._engine, library, self._searcher.embedder, lambda: now, cache=self._cache
        )  # fmt: skip

    def _take_on(self, writing: Writing) -> None:
        """Makes one gap of the topic's, and promises the article."""
        gaps = self._gaps(writing.topic)
        if not gaps:
            return
        first = gaps[0]
        for other in gaps[1:]:
            if other.visitors >= _LEAST:
                self._store.merge(other.number, first.number, by=writing.by, version=other.version)
        self._give(first.number, writing.by, writing.at.date(), _WRITING[writing.by])
        self._written_for[writing.topic.name] = first.number

    def _draft(self, writing: Writing) -> None:
        self._now += timedelta(days=2, hours=8)
        self._move(writing, State.DRAFTED)

    def _publish(self, writing: Writing) -> None:
        self._now = writing.at
        self._move(writing, State.PUBLISHED)

    def _move(self, writing: Writing, state: State) -> None:
        gap = self._gap_of(writing)
        if gap is None:
            return  # too few have asked for there to be one
        languages = writing.topic.questions
        locale = gap.locale if gap.locale in languages else next(iter(languages))
        self._store.set_state(
            gap.number, state, by=writing.by, version=gap.version,
            article=gap.article or f"{locale}:{writing.topic.name}",
        )  # fmt: skip

    def _tidy(self, writing: Writing) -> None:
        """Moves what means something else out of a gap that an article is written for."""
        gap = self._gap_of(writing)
        for topic in self._unanswered if gap else ():
            elsewhere = [one for one in self._gaps(topic) if gap and one.number != gap.number]
            texts = {normalise(text) for texts in topic.questions.values() for text in texts}
            if gap is None or not elsewhere:
                continue
            questions = self._store.questions(gap.number)
            keys = [one.key for one in questions if one.normalised in texts]
            if keys:
                gap = self._store.move(
                    gap.number, keys, elsewhere[0].number, by=writing.by, version=gap.version
                )

    def _gap_of(self, writing: Writing) -> Gap | None:
        """The gap that an article is written for, once somebody has taken it on."""
        number = self._written_for.get(writing.topic.name)
        if number is None:
            return None
        return self._store.get(self._store.merged().get(number, number))

    def _work(self, weeks: int) -> None:
        """What else is done at a meeting, about questions that no article answers."""
        drafted, late, unlike, *_rest = self._unanswered
        growing = self._unanswered[-2]
        taken = {drafted.name, late.name, unlike.name, growing.name, self._unanswered[-1].name}
        day = meeting(self._today, weeks).date()
        if weeks == 4:
            self._ignore(taken)
            self._correct(unlike)
        if weeks == 3:
            for topic, by, note in ((drafted, _WEI, ""), (late, _ANNA, _NOTES["waiting"])):
                for gap in self._gaps(topic)[:1]:
                    self._give(gap.number, by, day + 2 * WEEK, note)
            self._merge(drafted, _WEI)
        if weeks == 1:
            for gap in self._gaps(drafted)[:1]:
                self._store.set_state(gap.number, State.DRAFTED, by=_WEI, version=gap.version)
                self._give(gap.number, _WEI, day + 2 * WEEK, _NOTES["branch"])
            for gap in self._gaps(growing)[:1]:
                self._give(gap.number, _WEI, day + 2 * WEEK, _NOTES["growing"])
            for writing in self._writings:
                written = self._gap_of(writing)
                if written is not None and written.state == State.REOPENED:
                    self._give(written.number, writing.by, day + 2 * WEEK, _NOTES["again"])

    def _ignore(self, taken: set[str]) -> None:
        topics = {topic.name: topic for topic in self._unanswered}
        for name in [name for name in (*_NO_SHOP_MATTER, *topics) if name not in taken]:
            found = self._gaps(topics[name]) if name in topics else []
            if found:
                gap = found[0]
                self._store.ignore(gap.number, _IGNORED, by=_ANNA, version=gap.version)
                return

    def _correct(self, preferred: Topic) -> None:
        """Nothing is written about any of these, whatever kind was proposed for one."""
        topics = sorted(self._unanswered, key=lambda topic: topic is not preferred)
        for topic in topics:
            for gap in self._gaps(topic):
                if gap.kind not in (Kind.NO_ARTICLE, Kind.OUT_OF_SCOPE):
                    self._store.correct_kind(
                        gap.number, Kind.NO_ARTICLE, by=_WEI, version=gap.version
                    )
                    return

    def _merge(self, topic: Topic, by: str) -> None:
        gaps = self._gaps(topic)
        for other in gaps[1:2]:
            self._store.merge(other.number, gaps[0].number, by=by, version=other.version)

    def _give(self, number: int, owner: str, due: date, note: str) -> None:
        gap = self._store.get(number)
        gap = self._store.assign(number, owner, by=owner, version=gap.version, due=due)
        if note:
            self._store.note(number, note, by=owner, version=gap.version)

    def _gaps(self, topic: Topic) -> list[Gap]:
        """The gaps that hold questions of a topic, that of most visitors first."""
        texts = (text for texts in topic.questions.values() for text in texts)
        q = GAP_QUESTIONS.c
        own = sa.func.sum(
            sa.case((q.normalised.in_(list(map(normalise, texts))), q.visitors), else_=0)
        )
        query = (
            sa.select(q.gap)
            .group_by(q.gap)
            .having(own > 0, own >= _OWN * sa.func.sum(q.visitors))
            .order_by(own.desc(), q.gap)
        )
        with transaction(self._engine, "find the gaps of a topic") as connection:
            numbers = connection.scalars(query).all()
        gaps = map(self._store.get, numbers)
        return [gap for gap in gaps if gap.state in UNDER_WAY and gap.merged_into is None]


@dataclass(frozen=True, slots=True)
class _Library:
    """The published articles without those that were written later, as a refresh asks them."""

    searcher: Searcher
    hidden: frozenset[str]

    @property
    def catalogue(self) -> Catalogue:
        return self.searcher.generation.catalogue

    @property
    def generation(self) -> str:
        """Another name for other articles, so that kinds are thought about again."""
        name = self.searcher.generation.name
        return f"{name} without {', '.join(sorted(self.hidden))}"[:100] if self.hidden else name

    @property
    def reader(self) -> Reader:
        return self.searcher.generation.reader

    def search(
        self, query: str, *, locale: str | None, filters: Filters = Filters(),  # noqa: B008
        limit: int = 10, mode: str = "hybrid", explain: bool = False, exact: bool = False,
    ) -> Response:  # fmt: skip
        return self.searcher.search(
            query, locale=locale, filters=filters, limit=limit, mode=mode, explain=explain,
            exact=exact, hidden=self.hidden,
        )  # fmt: skip
