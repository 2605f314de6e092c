"""Stores which question is in which gap, and notes what split and what merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from portal.gaps import changes
from portal.gaps.identity import Known, Placed, place
from portal.gaps.tables import GAP_HISTORY, GAP_QUESTIONS, GAPS
from portal.gaps.types import State
from portal.transactions import transaction

if TYPE_CHECKING:
    from portal.gaps.refresh import Question

_CHUNK = 200


def store(
    engine: sa.Engine,
    questions: Sequence[Question],
    clusters: Sequence[Sequence[int]],
    now: datetime,
) -> list[int]:
    """Put every question where it belongs; `clusters` are places in `questions`. Gives new gaps.

    In short transactions. A gap that somebody changed since is left as it is: its questions are
    placed by the next refresh.
    """
    with transaction(engine, "read gaps") as connection:
        known = _known(connection)
        versions = _versions(connection)
    keys = [[questions[row].key for row in cluster] for cluster in clusters]
    weights = {question.key: len(question.visitors) for question in questions}
    placed = place(keys, weights, known)
    numbers, new = _make(engine, questions, clusters, placed, now)
    wanted = {key: numbers[cluster] for key, cluster in placed.moved.items()}
    for start in range(0, len(questions), _CHUNK):
        some = questions[start : start + _CHUNK]
        with transaction(engine, "place questions", writes=True) as connection:
            _write(connection, some, wanted, versions)
    _note(engine, placed, numbers, known, now)
    return new


def _known(connection: sa.Connection) -> Known:
    q, g, h = GAP_QUESTIONS.c, GAPS.c, GAP_HISTORY.c
    rows = connection.execute(sa.select(q.key, q.gap, q.pinned_by)).all()
    touched = connection.scalars(sa.select(h.gap).where(h.by != "").distinct()).all()
    moved_on = connection.scalars(sa.select(g.number).where(g.state != State.OPEN)).all()
    into = changes.merged_gaps(connection)
    return Known(
        {row.key: into.get(row.gap, row.gap) for row in rows},
        frozenset(row.key for row in rows if row.pinned_by),
        frozenset(touched) | frozenset(moved_on),
    )


def _versions(connection: sa.Connection) -> dict[int, int]:
    return dict(connection.execute(sa.select(GAPS.c.number, GAPS.c.version)).all())


def _make(
    engine: sa.Engine,
    questions: Sequence[Question],
    clusters: Sequence[Sequence[int]],
    placed: Placed,
    now: datetime,
) -> tuple[list[int], list[int]]:
    """The number of every cluster, -1 for one that needs none, and those that are new."""
    going = Counter(placed.moved.values())
    numbers, new = [], []
    with transaction(engine, "make gaps", writes=True) as connection:
        for cluster, number in enumerate(placed.numbers):
            if number is None and going[cluster]:
                first = questions[clusters[cluster][0]]
                number = changes.new_gap(
                    connection, name=first.text, locale=first.locale, at=now, typical=[first.text]
                )
                new.append(number)
            numbers.append(-1 if number is None else number)
    return numbers, new


def _write(
    connection: sa.Connection,
    questions: Sequence[Question],
    wanted: dict[str, int],
    versions: dict[int, int],
) -> None:
    q = GAP_QUESTIONS.c
    present = _versions(connection)
    into = changes.merged_gaps(connection)  # an editor may have merged what a question is to go to
    rows = connection.execute(
        sa.select(q.key, q.gap, q.pinned_by).where(q.key.in_([one.key for one in questions]))
    )
    here = {row.key: row for row in rows}
    added, changed = [], []
    for question in questions:
        row = here.get(question.key)
        values = _values(question)
        if row is None:
            if question.key in wanted:
                gap = wanted[question.key]
                added.append({**values, "gap": into.get(gap, gap), "pinned_by": ""})
            continue
        free = not row.pinned_by and present.get(row.gap) == versions.get(row.gap)
        gap = wanted.get(question.key, row.gap) if free else row.gap
        gap = into.get(gap, gap)
        changed.append({f"{name}_": value for name, value in {**values, "gap": gap}.items()})
    if added:
        connection.execute(sa.insert(GAP_QUESTIONS), added)
    if changed:
        names = [name.removesuffix("_") for name in changed[0] if name != "key_"]
        update = sa.update(GAP_QUESTIONS).where(q.key == sa.bindparam("key_"))
        values_of = {name: sa.bindparam(f"{name}_", type_=q[name].type) for name in names}
        connection.execute(update.values(values_of), changed)


def _values(question: Question) -> dict[str, Any]:
    return {
        "key": question.key,
        "text": question.text,
        "normalised": question.normalised,
        "locale": question.locale,
        "visitors": len(question.visitors),
        "searches": question.searches,
        "reasons": question.reasons,
        "last_seen": question.last_seen,
    }


def _note(
    engine: sa.Engine, placed: Placed, numbers: Sequence[int], known: Known, now: datetime
) -> None:
    """The history of splits and merges, and gaps that are a part of another one from now on."""
    with transaction(engine, "note splits and merges", writes=True) as connection:
        for cluster, gap in placed.split.items():
            moved = [key for key, to in placed.moved.items() if to == cluster]
            of_it = [key for key in moved if known.gaps.get(key) == gap]
            if not of_it:
                continue  # editors keep every question it came near: a gap of its own
            _both(connection, gap, "split", numbers[cluster], "split_from", len(of_it), now)
        gone = changes.merged_gaps(connection)
        for gap, cluster in placed.merged.items():
            into = gone.get(numbers[cluster], numbers[cluster])
            if gap not in gone and gap != into and _is_empty(connection, gap):
                moved = [key for key, to in placed.moved.items() if known.gaps.get(key) == gap]
                _both(connection, gap, "merged", into, "took", len(moved), now)
                connection.execute(
                    sa.update(GAPS).where(GAPS.c.number == gap).values(merged_into=into)
                )


def _both(
    connection: sa.Connection,
    gap: int,
    action: str,
    other: int,
    other_action: str,
    questions: int,
    now: datetime,
) -> None:
    versions: Collection[tuple[int, str, str, int]] = (
        (gap, action, "into", other),
        (other, other_action, "gap", gap),
    )
    for number, done, name, value in versions:
        row = changes.lock(connection, number, None)
        changes.change(
            connection, row, at=now, by="", action=done,
            detail={name: value, "questions": questions},
        )  # fmt: skip


def _is_empty(connection: sa.Connection, gap: int) -> bool:
    query = sa.select(sa.func.count()).where(GAP_QUESTIONS.c.gap == gap)
    return not connection.scalar(query)
