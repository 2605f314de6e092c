"""Makes the gap report anew: reads the log, groups questions, keeps numbers, proposes kinds, ranks.

Nothing here holds the database for long: the log is read a day at a time, what takes time is done
between transactions, and what an editor changed meanwhile is left as they made it.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from portal.event_types import Clock
from portal.figures.rollup import roll_up
from portal.gaps import kinds, places
from portal.gaps.changes import asked_of
from portal.gaps.cluster import cluster
from portal.gaps.definitions import PERIOD, SHOWN
from portal.gaps.encoding import figures_to, reasons_of
from portal.gaps.later import Later, read_outdated, read_steps, reworded, together
from portal.gaps.live import look_again
from portal.gaps.names import Namer
from portal.gaps.rank import figures_of, reach
from portal.gaps.read_log import read_log
from portal.gaps.spelt import first_right
from portal.gaps.store import latest_run
from portal.gaps.tables import GAP_QUESTIONS, GAP_RUNS, GAPS, UNRESOLVED
from portal.gaps.types import SEVERITY, Figures, Run
from portal.gaps.vectors import vectors_of
from portal.transactions import transaction
from search.errors import KnowledgeBaseError
from search.types import Embedder, Vectors

if TYPE_CHECKING:
    from portal.services import SearchLibrary

Progress = Callable[[str, int, int], None]
STAGES = ("read", "encode", "group", "name", "kinds")
"""What `progress` names, in their order."""
MOST_QUESTIONS = 20_000
"""Different questions that are grouped, those of most visitors first."""
_KINDS_AT_ONCE = 75
"""Gaps whose kinds are thought about in one refresh, a few searches each; others keep theirs."""
_SEARCHED = 3  # questions of a gap
_ALONE = 2  # visitors; the kind of a gap of fewer is told from one question
_MOST_NEXT = 2000
"""Different questions that visitors asked next, those of most first: each is encoded once."""
_CHUNK = 200  # rows written in one transaction, which keeps visitors' events waiting


@dataclass(slots=True)
class Question:
    """One question of the period, whoever asked it."""

    key: str
    normalised: str
    texts: Counter[str] = field(default_factory=Counter)
    locales: Counter[str] = field(default_factory=Counter)
    visitors: set[str] = field(default_factory=set)
    searches: int = 0
    reasons: int = 0
    last_seen: datetime | None = None

    @property
    def text(self) -> str:
        """As most wrote it."""
        return min(self.texts, key=lambda text: (-self.texts[text], text))

    @property
    def locale(self) -> str:
        return min(self.locales, key=lambda locale: (-self.locales[locale], locale))


def refresh(
    engine: sa.Engine,
    library: SearchLibrary,
    embedder: Embedder,
    clock: Clock,
    progress: Progress = lambda _stage, _done, _total: None,
    *,
    cache: Path | None = None,
    again: bool = False,
) -> Run:
    """Bring the report up to the present moment and say what was done.

    `again` reads the whole log, not only the days since the last time. Without an index kinds stay
    as they were. Raises `EventsUnavailable` and `ModelUnavailable`; the report is then as before,
    or partly newer, and the next refresh puts it right.
    """
    began = time.perf_counter()
    now = clock()
    since = now - PERIOD
    roll_up(engine, now, _stage(progress, "figures"))
    with transaction(engine, "read the last refresh") as connection:
        last = latest_run(connection)
    read_log(
        engine, since=now - reach(PERIOD.days), now=now, progress=_stage(progress, "read"),
        last=None if again or last is None else last.at,
    )  # fmt: skip
    questions, unresolved = _questions(engine, since)
    weighty = questions[:MOST_QUESTIONS]
    texts = [question.text for question in weighty]
    with transaction(engine, "read what visitors asked next") as connection:
        steps = read_steps(connection, since)
    asked = [text for text, _ in Counter(step.asked for step in steps).most_common(_MOST_NEXT)]
    encoded = vectors_of([*texts, *asked], embedder, cache, _stage(progress, "encode"))
    vectors = encoded[: len(texts)]
    normalised = {question.key: question.normalised for question in weighty}
    words = [*normalised.values(), *asked]
    later = reworded(steps, normalised, dict(zip(words, encoded, strict=True)))
    progress("group", 0, len(texts))
    labels = cluster(texts, vectors)
    groups: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(labels.tolist()):
        groups[label].append(row)
    progress("group", len(texts), len(texts))
    new = places.store(engine, weighty, [groups[label] for label in sorted(groups)], now)
    _name(engine, library, weighty, vectors, _stage(progress, "name"))
    figures = _count(engine, now)
    generation = _propose(
        engine, library, weighty, figures, later, now, _stage(progress, "kinds")
    )  # fmt: skip
    run = Run(now, since, len(weighty), unresolved, len(figures), len(new),
              round(time.perf_counter() - began, 3), generation)  # fmt: skip
    with transaction(engine, "finish the refresh of gaps", writes=True) as connection:
        connection.execute(sa.insert(GAP_RUNS).values(asdict(run)))
    look_again(engine, now)
    return run


def _stage(progress: Progress, name: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(name, done, total)


def _questions(engine: sa.Engine, since: datetime) -> tuple[list[Question], int]:
    """The questions of the period, the weightiest first, and how many rows they are made of."""
    u = UNRESOLVED.c
    query = sa.select(
        u.question, u.normalised, u.text, u.locale, u.visitor, u.searches, u.reasons, u.at
    ).where(u.at > since)
    found: dict[str, Question] = {}
    rows = 0
    with transaction(engine, "read unresolved questions") as connection:
        for key, normalised, text, locale, visitor, searches, reasons, at in connection.execute(
            query
        ):
            rows += 1
            one = found.get(key)
            if one is None:
                one = found[key] = Question(key, normalised)
            one.texts[text] += 1
            one.locales[locale] += 1
            one.visitors.add(visitor)
            one.searches += searches
            one.reasons |= reasons
            if one.last_seen is None or at > one.last_seen:
                one.last_seen = at
    order = sorted(found.values(), key=lambda one: (-len(one.visitors), -_worst(one), one.key))
    return order, rows


def _worst(question: Question) -> float:
    return max(SEVERITY[reason] for reason in reasons_of(question.reasons))


def _name(
    engine: sa.Engine,
    library: SearchLibrary,
    questions: Sequence[Question],
    vectors: Vectors,
    progress: Callable[[int, int], None],
) -> None:
    """Name every gap of the period after its questions, where they are other than before."""
    rows = {question.key: row for row, question in enumerate(questions)}
    with transaction(engine, "read gaps") as connection:
        placed = connection.execute(sa.select(GAP_QUESTIONS.c.key, GAP_QUESTIONS.c.gap)).all()
        known = {
            row.number: row
            for row in connection.execute(
                sa.select(GAPS.c.number, GAPS.c.name, GAPS.c.locale, GAPS.c.typical)
            )
        }
    own: dict[int, list[int]] = defaultdict(list)
    for key, gap in placed:
        if key in rows:
            own[gap].append(rows[key])
    try:
        reader = library.reader
    except KnowledgeBaseError:
        reader = None  # nothing is published yet
    namer = Namer([question.text for question in questions], choose=first_right(reader))
    changed = []
    for done, (gap, places_) in enumerate(sorted(own.items())):
        if done % 50 == 0:
            progress(done, len(own))
        chosen = sorted(places_)
        texts = [questions[row].text for row in chosen]
        counts = [len(questions[row].visitors) for row in chosen]
        name = namer.name_of(texts, counts, np.asarray(vectors[chosen], np.float32))
        typical = [texts[place] for place in name.typical]
        before = known.get(gap)
        if before is None or (before.name, before.locale, before.typical) != (
            name.text, name.locale, typical,
        ):  # fmt: skip
            changed.append(
                {"number_": gap, "name_": name.text[:500], "locale_": name.locale,
                 "typical_": typical}
            )  # fmt: skip
    b = sa.bindparam
    update = (
        sa.update(GAPS)
        .where(GAPS.c.number == b("number_"))
        .values(name=b("name_"), locale=b("locale_"), typical=b("typical_", type_=sa.JSON))
    )
    _in_chunks(engine, update, changed)
    progress(len(own), len(own))


def _count(engine: sa.Engine, now: datetime) -> dict[int, Figures]:
    """Count every gap and store it; gives the figures of those that have visitors."""
    with transaction(engine, "count gaps") as connection:
        asked = asked_of(connection, now - reach(SHOWN.days))
        numbers = connection.scalars(sa.select(GAPS.c.number)).all()
    counted = {
        number: figures_of(asked.get(number, ()), now=now, days=SHOWN.days) for number in numbers
    }
    b = sa.bindparam
    update = (
        sa.update(GAPS)
        .where(GAPS.c.number == b("number_"))
        .values(figures=b("figures_", type_=sa.JSON))
    )
    rows = [{"number_": number, "figures_": figures_to(own)} for number, own in counted.items()]
    _in_chunks(engine, update, rows)
    return {number: own for number, own in counted.items() if own.visitors}


def _propose(
    engine: sa.Engine,
    library: SearchLibrary,
    questions: Sequence[Question],
    figures: dict[int, Figures],
    later: Mapping[str, Later],
    now: datetime,
    progress: Callable[[int, int], None],
) -> str:
    """Propose the kinds of the most pressing gaps whose facts have changed; gives the generation.

    One that an editor corrected keeps its kind and gets new evidence.
    """
    try:
        generation = library.generation
    except KnowledgeBaseError:
        return ""  # nothing is published yet, so nothing can be said
    since = now - PERIOD
    with transaction(engine, "read what visitors did") as connection:
        gaps = {row.number: row for row in connection.execute(sa.select(GAPS))}
        keys: dict[int, list[str]] = defaultdict(list)
        for key, gap in connection.execute(sa.select(GAP_QUESTIONS.c.key, GAP_QUESTIONS.c.gap)):
            keys[gap].append(key)
        outdated = read_outdated(connection, since)
    asked = {one.text: one for one in questions}
    due = []
    for number, own in figures.items():
        row = gaps[number]
        typical = row.typical[: _some(own)]
        known = [asked.get(text) for text in typical]
        facts = kinds.Facts(
            [(text, one.locale if one else row.locale)
             for text, one in zip(typical, known, strict=True)],
            own.visitors, own.reasons,
            together([later[key] for key in keys[number] if key in later]), outdated,
            asked_by=[len(one.visitors) if one else 1 for one in known],
            later_of=[later.get(one.key, Later()) if one else Later() for one in known],
        )  # fmt: skip
        mark = _mark(generation, facts)
        if mark != row.looked and facts.questions and row.merged_into is None:
            due.append((-own.score, number, facts, mark))
    due.sort(key=lambda one: one[:2])
    today = now.date()
    for done, (_score, number, facts, mark) in enumerate(due[:_KINDS_AT_ONCE]):
        progress(done, min(len(due), _KINDS_AT_ONCE))
        kind, evidence = kinds.propose(facts, library, today)
        values: dict[str, Any] = {"evidence": [asdict(one) for one in evidence], "looked": mark}
        with transaction(engine, "propose a kind", writes=True) as connection:
            here = sa.update(GAPS).where(GAPS.c.number == number)
            connection.execute(here.values(values))
            connection.execute(here.where(GAPS.c.kind_by == "").values(kind=kind))
    progress(min(len(due), _KINDS_AT_ONCE), min(len(due), _KINDS_AT_ONCE))
    return generation


def _some(figures: Figures) -> int:
    return _SEARCHED if figures.visitors > _ALONE else 1


def _mark(generation: str, facts: kinds.Facts) -> str:
    """Changes when what a kind is proposed from does; shares in tenths, not every count."""
    whole = max(1, facts.visitors)
    shares = sorted((reason, round(10 * count / whole)) for reason, count in facts.reasons.items())
    opened = facts.later.opened.most_common(1)
    replaced = sorted(kinds.replacements(facts))
    askers = max(1, sum(facts.asked_by))
    weights = [round(10 * visitors / askers) for visitors in facts.asked_by]
    said = repr((generation, facts.questions, weights, shares, opened[:1] and opened[0][0],
                 replaced, sorted(facts.outdated)))  # fmt: skip
    return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()


def _in_chunks(engine: sa.Engine, statement: sa.Update, rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _CHUNK):
        with transaction(engine, "write gaps", writes=True) as connection:
            connection.execute(statement, rows[start : start + _CHUNK])
