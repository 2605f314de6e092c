"""Sessions of forms counted by form, language and day.

The database says in a few bits what each session is, its outcome among them: that is
`portal.forms.outcomes` in SQL, and a test holds both to the same answer. Equal rows are counted
here, which is faster than SQLite sorts them into groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from portal.forms.counts import Arms, Counts, OpenSessions, Tally
from portal.forms.outcomes import Outcome
from portal.tables import FORM_SESSIONS as SESSIONS
from portal.tables import SUGGESTIONS

if TYPE_CHECKING:
    from portal.forms.figures import Selection

_DAY = len("2026-11-22")
_OUTCOMES = tuple(Outcome)
_Condition = sa.ColumnElement[bool]
_Numbers = Counts | OpenSessions | Arms
_KINDS: tuple[type[_Numbers], ...] = (Counts, OpenSessions, Arms)


@dataclass(frozen=True, slots=True)
class _Marks:
    """What is counted of a session; `sent` is in it, or by its visitor in a later one."""

    bot: bool
    young: bool
    held_out: bool
    found: bool
    shown: bool
    opened: bool
    sent: bool


_FLAGS = tuple(field.name for field in fields(_Marks))


def tally(connection: sa.Connection, selection: Selection, now: datetime) -> list[Tally]:
    """The sessions that began in the period, day by day."""
    s = SESSIONS.c
    sent_elsewhere = _sent_elsewhere()
    marks = {
        "bot": s.bot,
        "young": s.assumed_at > now,
        "held_out": s.held_out,
        "found": s.found_at.is_not(None),
        "shown": s.shown_at.is_not(None),
        "opened": s.opened_at.is_not(None),
        "sent": sa.or_(s.submitted_at.is_not(None), sent_elsewhere > s.started_at),
    }
    bits = _outcome(sent_elsewhere, now) * (1 << len(_FLAGS))
    for place, name in enumerate(_FLAGS):
        bits += sa.case((marks[name], 1 << place), else_=0)
    day = sa.func.substr(sa.type_coerce(s.started_at, sa.String), 1, _DAY)
    # One text for each session is fetched and counted in half the time that a row takes.
    slash = sa.literal("/")
    what = s.form + slash + s.locale + slash + day + slash + sa.cast(bits, sa.String)
    query = sa.select(what).where(*_chosen(SESSIONS, "started_at", selection))
    places: dict[str, dict[int, int]] = {}
    for key, sessions in Counter(connection.scalars(query).all()).items():
        place, _, number = key.rpartition("/")
        places.setdefault(place, {})[int(number)] = sessions
    return [_tally(place, counted) for place, counted in sorted(places.items())]


def count_unfollowed(connection: sa.Connection, selection: Selection) -> int:
    """Suggestions that were asked for without a session, of which nothing more can be known."""
    query = sa.select(sa.func.count()).where(
        *_chosen(SUGGESTIONS, "at", selection),
        SUGGESTIONS.c.session.is_(None),
        SUGGESTIONS.c.bot.is_(False),
    )
    return connection.scalar(query) or 0


def _tally(place: str, counted: Mapping[int, int]) -> Tally:
    form, locale, day = place.split("/")
    sums: dict[type[_Numbers], Counter[str]] = {kind: Counter() for kind in _KINDS}
    bots = 0
    for bits, sessions in counted.items():
        marks, counted_in = _read(bits)
        if marks.bot:
            bots += sessions
        for kind, name in counted_in:
            sums[kind][name] += sessions
    return Tally(
        form, locale, date.fromisoformat(day), Counts(**sums[Counts]),
        OpenSessions(**sums[OpenSessions]), Arms(**sums[Arms]), bots,
    )  # fmt: skip


@lru_cache(maxsize=1 << len(_FLAGS) + 3)
def _read(bits: int) -> tuple[_Marks, tuple[tuple[type[_Numbers], str], ...]]:
    """What the bits of a session say, and the fields that it is counted in."""
    marks = _Marks(*(bool(bits >> place & 1) for place in range(len(_FLAGS))))
    came = _OUTCOMES[bits >> len(_FLAGS)]
    if marks.bot:
        return marks, ()
    if marks.young:
        return marks, tuple((OpenSessions, name) for name in _as_it_stands(marks, came))
    counts = [(Counts, name) for name in _counted(marks, came)]
    return marks, (*counts, *((Arms, name) for name in _compared(marks)))


def _counted(marks: _Marks, came: Outcome) -> list[str]:
    """The fields of `Counts` that a session is one of."""
    names = ["intent"]
    if marks.held_out and not marks.shown:
        names.append("withheld")
    if marks.shown or (marks.found and not marks.held_out):
        names.append("suggested")
    if marks.shown:
        names += ["shown", came.value]
    if marks.opened:
        names.append("opened")
    return names


def _as_it_stands(marks: _Marks, came: Outcome) -> list[str]:
    """The fields of `OpenSessions` that a session is one of."""
    given = {"shown": marks.shown, "confirmed": came is Outcome.CONFIRMED, "sent": marks.sent}
    return ["sessions", *(name for name, holds in given.items() if holds)]


def _compared(marks: _Marks) -> list[str]:
    """The fields of `Arms` that a session is one of.

    One that was shown something although it is held out had its share changed while it typed.
    """
    if not marks.found or (marks.held_out and marks.shown):
        return []
    arm = "withheld" if marks.held_out else "suggested"
    return [arm, f"{arm}_sent"] if marks.sent else [arm]


def _sent_elsewhere() -> sa.ColumnElement[datetime]:
    """When the visitor of an unsent session last sent the same form. An empty key is nobody's."""
    s, other = SESSIONS.c, SESSIONS.alias("other")
    last = (
        sa.select(sa.func.max(other.c.submitted_at))
        .where(other.c.form == s.form, other.c.sent_by == s.visitor, other.c.bot.is_(False))
        .scalar_subquery()
    )
    return sa.case((sa.and_(s.submitted_at.is_(None), s.visitor != ""), last))


def _chosen(table: sa.Table, moment: str, selection: Selection) -> list[_Condition]:
    conditions = [table.c[moment] >= selection.since, table.c[moment] < selection.until]
    if selection.form is not None:
        conditions.append(table.c.form == selection.form)
    if selection.locale is not None:
        conditions.append(table.c.locale == selection.locale)
    return conditions


def _outcome(sent_elsewhere: sa.ColumnElement[datetime], now: datetime) -> Any:
    """The place in `Outcome`; a comparison with a missing moment is not true."""
    s = SESSIONS.c
    may_be_solved = sa.and_(
        s.shown_at.is_not(None),
        sa.or_(s.not_helpful_at.is_(None), s.helpful_at > s.not_helpful_at),
    )
    confirmed_first = s.resolved_at < s.submitted_at
    assumed_first = sa.and_(may_be_solved, s.submitted_at > s.assumed_at)
    submitted, resolved = s.submitted_at.is_not(None), s.resolved_at.is_not(None)
    place = {outcome: number for number, outcome in enumerate(_OUTCOMES)}
    return sa.case(
        (sa.and_(submitted, sa.or_(confirmed_first, assumed_first)), place[Outcome.REVERSED]),
        (submitted, place[Outcome.SENT]),
        (sa.and_(resolved, sent_elsewhere > s.resolved_at), place[Outcome.REVERSED]),
        (resolved, place[Outcome.CONFIRMED]),
        (sa.and_(may_be_solved, sent_elsewhere > s.started_at), place[Outcome.REVERSED]),
        (s.assumed_at > now, place[Outcome.PENDING]),
        (may_be_solved, place[Outcome.ASSUMED]),
        else_=place[Outcome.LEFT],
    )
