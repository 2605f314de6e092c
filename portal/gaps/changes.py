"""What changes a gap: every change is in the history, none is lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from portal.gaps.definitions import SHOWN
from portal.gaps.encoding import entry_from, figures_to
from portal.gaps.rank import Asked, figures_of, reach
from portal.gaps.tables import GAP_HISTORY, GAP_QUESTIONS, GAPS, UNRESOLVED
from portal.gaps.types import Figures, GapChanged, GapRefused, GapUnknown, Kind, State
from portal.transactions import transaction

_TYPICAL = 3
_CHUNK = 500


def lock(connection: sa.Connection, number: int, version: int | None) -> sa.Row[Any]:
    """A gap's row, held until the transaction ends.

    Raises `GapUnknown`, and `GapChanged` unless `version` is the present one; None asks for any.
    """
    row = connection.execute(
        sa.select(GAPS).where(GAPS.c.number == number).with_for_update()
    ).one_or_none()
    if row is None:
        raise GapUnknown(f"gap {number} is unknown; `kb gaps` lists those that there are")
    if version is not None and version != row.version:
        since = connection.execute(
            sa.select(GAP_HISTORY)
            .where(GAP_HISTORY.c.gap == number, GAP_HISTORY.c.version > version)
            .order_by(GAP_HISTORY.c.id)
        )
        raise GapChanged(
            f"gap {number} was changed since it was shown; read it again and repeat what is still "
            "wanted",
            tuple(map(entry_from, since)),
        )
    return row


def change(
    connection: sa.Connection,
    row: sa.Row[Any],
    *,
    at: datetime,
    by: str,
    action: str,
    detail: Mapping[str, object] | None = None,
    values: Mapping[str, object] | None = None,
) -> int:
    """Set `values` of a locked gap and note it; gives the new version."""
    version = int(row.version) + 1
    connection.execute(
        sa.update(GAPS).where(GAPS.c.number == row.number).values(**(values or {}), version=version)
    )
    note(connection, row.number, at=at, by=by, action=action, detail=detail, version=version)
    return version


def note(
    connection: sa.Connection,
    number: int,
    *,
    at: datetime,
    by: str,
    action: str,
    version: int,
    detail: Mapping[str, object] | None = None,
) -> None:
    """One line of the history."""
    connection.execute(
        sa.insert(GAP_HISTORY).values(
            at=at, gap=number, by=by, action=action, version=version, detail=dict(detail or {})
        )
    )


def change_state(
    connection: sa.Connection,
    number: int,
    state: State,
    *,
    at: datetime,
    by: str = "",
    version: int | None = None,
    article: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Set the state; `article` stays what it is unless one is given. Nothing is noted for none.

    Raises `GapUnknown` and `GapChanged`.
    """
    row = lock(connection, number, version)
    if row.state == state and article in (None, row.article):
        return
    values: dict[str, object] = {"state": state, "state_at": at}
    if article is not None:
        values["article"] = article
    if state is not State.IGNORED:
        values["ignored_because"] = ""
    said = {"from": row.state, **({"article": article} if article else {}), **(detail or {})}
    change(connection, row, at=at, by=by, action=state, detail=said, values=values)


def new_gap(
    connection: sa.Connection,
    *,
    name: str,
    locale: str,
    at: datetime,
    typical: Sequence[str] = (),
    kind: Kind = Kind.NO_ARTICLE,
) -> int:
    """Make an open gap without questions; gives its number."""
    made = connection.execute(
        sa.insert(GAPS).values(
            name=name, locale=locale, state=State.OPEN, state_at=at, kind=kind, kind_by="",
            evidence=[], looked="", owner="", due=None, article=None, ignored_because="",
            merged_into=None, made_at=at, version=1, typical=list(typical),
            figures=figures_to(Figures()),
        )
    )  # fmt: skip
    key = made.inserted_primary_key
    if key is None:
        raise GapRefused("the database gave the new gap no number", "no_number")
    return int(key[0])


def merged_gaps(connection: sa.Connection) -> dict[int, int]:
    """The gap that holds the questions now, by the number of each that was merged."""
    g = GAPS.c
    query = sa.select(g.number, g.merged_into).where(g.merged_into.is_not(None))
    steps: dict[int, int] = dict(connection.execute(query).all())
    found = {}
    for number, into in steps.items():
        passed = {number}
        while into in steps and into not in passed:
            passed.add(into)
            into = steps[into]
        found[number] = into
    return found


def put_questions(
    connection: sa.Connection, keys: Collection[str], number: int, *, pinned_by: str
) -> None:
    """Put questions into a gap, where an editor who is named keeps them."""
    given = list(keys)
    for start in range(0, len(given), _CHUNK):
        connection.execute(
            sa.update(GAP_QUESTIONS)
            .where(GAP_QUESTIONS.c.key.in_(given[start : start + _CHUNK]))
            .values(gap=number, pinned_by=pinned_by)
        )


def name_after_questions(connection: sa.Connection, number: int) -> None:
    """Until the next refresh finds better ones, its most asked questions name and show a gap."""
    most = connection.execute(
        sa.select(GAP_QUESTIONS.c.text, GAP_QUESTIONS.c.locale)
        .where(GAP_QUESTIONS.c.gap == number)
        .order_by(GAP_QUESTIONS.c.visitors.desc(), GAP_QUESTIONS.c.key)
        .limit(_TYPICAL)
    ).all()
    if most:
        values = {"name": most[0].text, "locale": most[0].locale,
                  "typical": [row.text for row in most]}  # fmt: skip
        connection.execute(sa.update(GAPS).where(GAPS.c.number == number).values(**values))


def recount(engine: sa.Engine, numbers: Collection[int], now: datetime) -> None:
    """Count gaps anew after questions went from one to another, and nobody waits for the counting.

    Should it not be reached, the next refresh counts them. Raises `EventsUnavailable`.
    """
    with transaction(engine, "count gaps") as connection:
        asked = asked_of(connection, now - reach(SHOWN.days), gaps=numbers)
    counted = {
        number: figures_to(figures_of(asked.get(number, ()), now=now, days=SHOWN.days))
        for number in numbers
    }
    with transaction(engine, "write the figures of gaps", writes=True) as connection:
        for number, figures in counted.items():
            here = sa.update(GAPS).where(GAPS.c.number == number)
            connection.execute(here.values(figures=figures))


def asked_of(
    connection: sa.Connection,
    since: datetime,
    *,
    gaps: Collection[int] | None = None,
    where: Sequence[sa.ColumnElement[bool]] = (),
) -> dict[int, list[Asked]]:
    """What was asked after `since`, by gap; only of `gaps`, and where `where` holds."""
    u, q = UNRESOLVED.c, GAP_QUESTIONS.c
    query = (
        sa.select(q.gap, u.visitor, u.at, u.locale, u.platform, u.reasons, u.searches)
        .select_from(sa.join(UNRESOLVED, GAP_QUESTIONS, q.key == u.question))
        .where(u.at > since, *where)
    )
    if gaps is not None:
        query = query.where(q.gap.in_(list(gaps)))
    found: dict[int, list[Asked]] = {}
    for gap, *rest in connection.execute(query):
        found.setdefault(gap, []).append(Asked(*rest))
    return found
