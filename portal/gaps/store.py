"""The gap report as pages, feeds and commands read it, and what editors do to it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.event_types import Clock
from portal.gaps import changes
from portal.gaps.definitions import SHOWN
from portal.gaps.encoding import bits_of, entry_from, gap_from, question_from, reasons_of
from portal.gaps.rank import WEEKS, figures_of, reach
from portal.gaps.tables import GAP_HISTORY, GAP_QUESTIONS, GAP_RUNS, GAPS, UNRESOLVED
from portal.gaps.types import (
    UNDER_WAY,
    Entry,
    Figures,
    Gap,
    GapQuestion,
    GapRefused,
    GapUnknown,
    Kind,
    Reason,
    Run,
    State,
)
from portal.storable import clean
from portal.transactions import transaction
from search.cache import Cache

NOTE_LIMIT = 2000
REASON_LIMIT = 500
NOBODY = "-"
"""In `GapFilter.owner`: gaps that nobody owns."""


@dataclass(frozen=True, slots=True)
class GapFilter:
    """Which gaps, and counted over what; empty fields ask for everything.

    `days` is the period before the last refresh. `locale`, `platform` and `reason` choose what is
    counted, so a gap of which nothing is left is not listed; the others choose gaps. `least` is
    the number of visitors a gap must have had in the period.
    """

    days: int = SHOWN.days
    locale: str = ""
    platform: str = ""
    reason: Reason | None = None
    kind: Kind | None = None
    owner: str = ""
    states: tuple[State, ...] = UNDER_WAY
    spikes: bool = False
    least: int = 1

    @property
    def counts_all(self) -> bool:
        """Whether it asks for the figures that every refresh stores."""
        return self.days == SHOWN.days and not (self.locale or self.platform or self.reason)


_WORKED_ON = (State.DRAFTED, State.PUBLISHED)
_WAITING = (State.OPEN, State.REOPENED)
_MOST_REMEMBERED = 16  # filters of the latest refresh
_NOTHING = Figures(weeks=(0,) * WEEKS)
_Row = sa.Row[Any]
# `GapStore.list` hides the type of the same name from the annotations of the class.
_Gaps = list[Gap]
_Entries = list[Entry]
_Questions = list[GapQuestion]
_Names = list[str]
EVERYTHING = GapFilter(states=tuple(State), least=0)


@dataclass(frozen=True, slots=True)
class Ask:
    """One row behind a figure: what a visitor asked, when, and what came of it."""

    event: str
    source: str
    at: datetime
    text: str
    key: str
    gap: int
    locale: str
    platform: str | None
    channel: str
    reasons: tuple[Reason, ...]
    searches: int
    confidence: float
    top_article: str | None


_Asks = list[Ask]


class GapStore:
    """Gaps in the database of the log. Everything may raise `EventsUnavailable`.

    Writers raise `GapUnknown`, `GapRefused`, and `GapChanged` when `version` is not the present
    one: somebody else was first. They give the gap as it is afterwards.
    """

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._figures: Cache[Hashable, Mapping[int, Figures]] = Cache(_MOST_REMEMBERED)

    # reading

    def list(self, chosen: GapFilter = GapFilter()) -> _Gaps:
        """The gaps that are chosen, the most pressing first."""
        g = GAPS.c
        query = sa.select(GAPS).where(g.merged_into.is_(None), g.state.in_(chosen.states))
        if chosen.kind is not None:
            query = query.where(g.kind == chosen.kind)
        if chosen.owner:
            query = query.where(g.owner == ("" if chosen.owner == NOBODY else chosen.owner))
        sizes = sa.select(GAP_QUESTIONS.c.gap, sa.func.count()).group_by(GAP_QUESTIONS.c.gap)
        with transaction(self._engine, "read gaps") as connection:
            rows = connection.execute(query).all()
            questions: dict[int, int] = dict(connection.execute(sizes).all())
            own = None if chosen.counts_all else self._count(connection, chosen)
        gaps = [
            gap_from(
                row,
                questions=questions.get(row.number, 0),
                figures=None if own is None else own.get(row.number, _NOTHING),
            )
            for row in rows
        ]
        gaps = [
            gap for gap in gaps if gap.visitors >= chosen.least and (gap.spike or not chosen.spikes)
        ]
        return sorted(gaps, key=lambda gap: (-gap.score, -gap.visitors, gap.number))

    def get(self, number: int) -> Gap:
        """One gap, also one that was merged into another. Raises `GapUnknown`."""
        count = sa.select(sa.func.count()).where(GAP_QUESTIONS.c.gap == number)
        with transaction(self._engine, "read a gap") as connection:
            row = connection.execute(sa.select(GAPS).where(GAPS.c.number == number)).one_or_none()
            questions = connection.scalar(count) or 0
        if row is None:
            raise GapUnknown(f"gap {number} is unknown; `kb gaps` lists those that there are")
        return gap_from(row, questions=questions)

    def history(self, number: int) -> _Entries:
        """What happened to a gap, the latest first."""
        query = (
            sa.select(GAP_HISTORY)
            .where(GAP_HISTORY.c.gap == number)
            .order_by(GAP_HISTORY.c.id.desc())
        )
        with transaction(self._engine, "read a gap's history") as connection:
            return [entry_from(row) for row in connection.execute(query)]

    def questions(self, number: int) -> _Questions:
        """The questions of a gap, those of most visitors first."""
        q = GAP_QUESTIONS.c
        query = sa.select(GAP_QUESTIONS).where(q.gap == number)
        query = query.order_by(q.visitors.desc(), q.last_seen.desc(), q.key)
        with transaction(self._engine, "read a gap's questions") as connection:
            return [question_from(row) for row in connection.execute(query)]

    def asks(self, number: int, chosen: GapFilter = EVERYTHING, *, limit: int = 500) -> _Asks:
        """The rows behind a gap's figures, the latest first."""
        u, q = UNRESOLVED.c, GAP_QUESTIONS.c
        with transaction(self._engine, "read what was asked") as connection:
            since = self._counted_at(connection) - timedelta(days=chosen.days)
            rows = connection.execute(
                sa.select(UNRESOLVED, q.text, q.gap)
                .select_from(sa.join(UNRESOLVED, GAP_QUESTIONS, q.key == u.question))
                .where(q.gap == number, u.at > since, *_counted(chosen))
                .order_by(u.at.desc(), u.event)
                .limit(limit)
            ).all()
        return [_ask(row) for row in rows]

    def owners(self) -> _Names:
        """Everybody who owns a gap."""
        query = sa.select(GAPS.c.owner).where(GAPS.c.owner != "").distinct()
        with transaction(self._engine, "read owners") as connection:
            return sorted(connection.scalars(query))

    def platforms(self) -> _Names:
        """Every platform that unresolved questions were asked about."""
        query = sa.select(UNRESOLVED.c.platform).where(UNRESOLVED.c.platform.is_not(None))
        with transaction(self._engine, "read platforms") as connection:
            return sorted(connection.scalars(query.distinct()))

    def merged(self) -> dict[int, int]:
        """The gap that holds the questions now, by the number of each that was merged."""
        with transaction(self._engine, "read merged gaps") as connection:
            return changes.merged_gaps(connection)

    def shown_first(self) -> dict[int, tuple[float, str | None]]:
        """By gap: the mean confidence, 0 to 1, and the article that stood first most often."""
        u, q = UNRESOLVED.c, GAP_QUESTIONS.c
        query = (
            sa.select(q.gap, u.top_article, sa.func.count(), sa.func.sum(u.confidence))
            .select_from(sa.join(UNRESOLVED, GAP_QUESTIONS, q.key == u.question))
            .group_by(q.gap, u.top_article)
        )
        counts: dict[int, list[tuple[int, str, float]]] = {}
        with transaction(self._engine, "read what was shown") as connection:
            for gap, article, count, confidence in connection.execute(query):
                counts.setdefault(gap, []).append((count, article or "", confidence))
        return {
            gap: (
                sum(one[2] for one in own) / sum(one[0] for one in own),
                max(own)[1] or None,
            )
            for gap, own in counts.items()
        }

    def last_run(self) -> Run | None:
        """The latest refresh, None before the first."""
        with transaction(self._engine, "read the last refresh") as connection:
            return latest_run(connection)

    # what editors do

    def assign(
        self, number: int, owner: str, *, by: str, version: int, due: date | None = None
    ) -> Gap:
        """Give a gap to somebody, "" to nobody, with a day by which it is due or none."""
        owner = owner.strip()[:100]
        with self._changing(number, version) as (connection, row):
            self._change(connection, row, by, "assigned",
                         {"owner": owner, "due": due.isoformat() if due else ""},
                         {"owner": owner, "due": due.isoformat() if due else None})  # fmt: skip
        return self.get(number)

    def set_due(self, number: int, due: date | None, *, by: str, version: int) -> Gap:
        """Change the day alone."""
        day = due.isoformat() if due else None
        with self._changing(number, version) as (connection, row):
            self._change(connection, row, by, "due", {"due": day or ""}, {"due": day})
        return self.get(number)

    def note(self, number: int, text: str, *, by: str, version: int) -> Gap:
        """Leave a note in the history; personal data is taken out of it."""
        text = clean(text.strip(), NOTE_LIMIT)
        if not text:
            raise GapRefused("a note needs words", "note_empty")
        with self._changing(number, version) as (connection, row):
            self._change(connection, row, by, "note", {"text": text})
        return self.get(number)

    def ignore(self, number: int, because: str, *, by: str, version: int) -> Gap:
        """Take a gap off the queue, and say why: whoever meets it again has to know."""
        because = clean(because.strip(), REASON_LIMIT)
        if not because:
            raise GapRefused("say why the gap is ignored", "ignore_empty")
        with self._changing(number, version) as (connection, row):
            self._change(
                connection, row, by, State.IGNORED, {"from": row.state, "because": because},
                {"state": State.IGNORED, "state_at": self._clock(), "ignored_because": because},
            )  # fmt: skip
        return self.get(number)

    def reopen(self, number: int, *, by: str, version: int) -> Gap:
        """Put a gap back on the queue, open as at first."""
        return self.set_state(number, State.OPEN, by=by, version=version)

    def correct_kind(self, number: int, kind: Kind | None, *, by: str, version: int) -> Gap:
        """Say what kind of gap it is, which no refresh changes again; None: propose it again."""
        with self._changing(number, version) as (connection, row):
            values = {"kind": kind or row.kind, "kind_by": by if kind else ""}
            detail = {"from": row.kind, "kind": kind or ""}
            self._change(connection, row, by, "kind", detail, values)
        return self.get(number)

    def set_state(
        self, number: int, state: State, *, by: str, version: int, article: str | None = None
    ) -> Gap:
        """Move a gap on, with the article (`locale:id`) that is meant to close it."""
        with self._changing(number, version) as (connection, _row):
            changes.change_state(
                connection, number, state, at=self._clock(), by=by, version=version,
                article=article,
            )  # fmt: skip
        return self.get(number)

    def merge(self, number: int, into: int, *, by: str, version: int) -> Gap:
        """Put every question of a gap into another; gives that one.

        The questions stay there whatever they are like. A gap without an article gets that of the
        other; one that nothing was done about is then as far on as that.
        """
        if number == into:
            raise GapRefused(
                "a gap cannot be merged with itself; give the number of another one", "merge_self"
            )
        with self._changing(number, version) as (connection, row):
            other = changes.lock(connection, into, None)
            if row.merged_into is not None or other.merged_into is not None:
                raise GapRefused(
                    "one of the two gaps is a part of another one already", "merged_before"
                )
            keys = _keys(connection, number)
            changes.put_questions(connection, keys, into, pinned_by=by)
            detail = {"into": into, "questions": len(keys), "keys": keys}
            self._change(connection, row, by, "merged", detail, {"merged_into": into})
            took: dict[str, object] = {"gap": number, "questions": len(keys)}
            carried: dict[str, object] = {}
            if row.article is not None and other.article is None:
                took["article"] = carried["article"] = row.article
                if row.state in _WORKED_ON and other.state in _WAITING:
                    took |= {"from": other.state, "state": row.state}
                    carried |= {"state": row.state, "state_at": row.state_at}
            self._change(connection, other, by, "took", took, carried)
            now = self._counted_at(connection)
        changes.recount(self._engine, [number, into], now)
        return self.get(into)

    def unmerge(self, number: int, *, by: str, version: int) -> Gap:
        """Make a gap that an editor has merged what it was, with owner, due date and state.

        Its questions come back, but for those that were moved since. What the other gap got of
        it leaves that again, unless it has gone on since.
        """
        with self._changing(number, version) as (connection, row):
            merged = _last_merge(connection, row)
            into = changes.merged_gaps(connection)[number]
            other = changes.lock(connection, into, None)
            there = set(_keys(connection, into))
            keys = [key for key in _texts(merged.detail.get("keys")) if key in there]
            changes.put_questions(connection, keys, number, pinned_by=by)
            detail = {"gap": into, "questions": len(keys)}
            self._change(connection, row, by, "unmerged", detail, {"merged_into": None})
            gave: dict[str, object] = {"gap": number, "questions": len(keys)}
            returned = _carried(connection, other, number, merged.id)
            if "state" in returned:
                returned["state_at"] = self._clock()
            self._change(connection, other, by, "gave_back", gave, returned)
            now = self._counted_at(connection)
        changes.recount(self._engine, [number, into], now)
        return self.get(number)

    def can_unmerge(self, number: int) -> bool:
        """Whether an editor has merged the gap, and it is known with which questions."""
        with transaction(self._engine, "read how a gap was merged") as connection:
            row = connection.execute(sa.select(GAPS).where(GAPS.c.number == number)).one_or_none()
            if row is None:
                return False
            try:
                _last_merge(connection, row)
            except GapRefused:
                return False
        return True

    def parts(self, number: int) -> _Gaps:
        """The gaps that were merged into this one, also by way of another."""
        with transaction(self._engine, "read the parts of a gap") as connection:
            into = changes.merged_gaps(connection)
            own = [part for part, whole in into.items() if whole == number]
            query = sa.select(GAPS).where(GAPS.c.number.in_(own)).order_by(GAPS.c.number)
            return [gap_from(row) for row in connection.execute(query)]

    def split(self, number: int, keys: Collection[str], *, by: str, version: int) -> Gap:
        """Make a gap of its own of some questions of a gap; gives the new one."""
        with self._changing(number, version) as (connection, row):
            chosen = _some_of(connection, number, keys, leave_some=True)
            new = changes.new_gap(
                connection, name=row.name, locale=row.locale, at=self._clock(), kind=Kind(row.kind)
            )
            changes.put_questions(connection, chosen, new, pinned_by=by)
            detail = {"into": new, "questions": len(chosen)}
            self._change(connection, row, by, "split", detail)
            changes.note(
                connection, new, at=self._clock(), by=by, action="split_from", version=1,
                detail={"gap": number, "questions": len(chosen)},
            )  # fmt: skip
            now = self._counted_at(connection)
            changes.name_after_questions(connection, new)
        changes.recount(self._engine, [number, new], now)
        return self.get(new)

    def move(self, number: int, keys: Collection[str], to: int, *, by: str, version: int) -> Gap:
        """Put questions of a gap into another, where they stay; gives the one they left."""
        if number == to:
            raise GapRefused(
                "the questions are in this gap already; give the number of another", "move_self"
            )
        with self._changing(number, version) as (connection, row):
            other = changes.lock(connection, to, None)
            if other.merged_into is not None:
                raise GapRefused(
                    f"gap {to} is a part of gap {other.merged_into}; move them there",
                    "move_merged", gap=to, into=other.merged_into,
                )  # fmt: skip
            chosen = _some_of(connection, number, keys, leave_some=False)
            changes.put_questions(connection, chosen, to, pinned_by=by)
            moved = {"keys": chosen, "questions": len(chosen)}
            self._change(connection, row, by, "moved", {**moved, "to": to})
            self._change(connection, other, by, "received", {**moved, "from": number})
            now = self._counted_at(connection)
        changes.recount(self._engine, [number, to], now)
        return self.get(number)

    @contextlib.contextmanager
    def _changing(self, number: int, version: int) -> Iterator[tuple[sa.Connection, _Row]]:
        with transaction(self._engine, "change a gap", writes=True) as connection:
            yield connection, changes.lock(connection, number, version)

    def _change(
        self,
        connection: sa.Connection,
        row: _Row,
        by: str,
        action: str,
        detail: Mapping[str, object],
        values: Mapping[str, object] | None = None,
    ) -> None:
        changes.change(
            connection, row, at=self._clock(), by=by, action=action, detail=detail, values=values
        )

    def _count(self, connection: sa.Connection, chosen: GapFilter) -> Mapping[int, Figures]:
        """Figures that no refresh stores, counted once for each refresh, purge and move."""
        now = self._counted_at(connection)
        state = sa.select(
            sa.select(sa.func.min(UNRESOLVED.c.at)).scalar_subquery(),
            sa.select(sa.func.max(GAP_HISTORY.c.id)).scalar_subquery(),
        )
        what = (chosen.days, chosen.locale, chosen.platform, chosen.reason)
        key = (now, *what, *connection.execute(state).one())
        if (known := self._figures.get(key)) is not None:
            return known
        asked = changes.asked_of(connection, now - reach(chosen.days), where=_counted(chosen))
        figures = {gap: figures_of(own, now=now, days=chosen.days) for gap, own in asked.items()}
        self._figures.put(key, figures)
        return figures

    def _counted_at(self, connection: sa.Connection) -> datetime:
        """The moment that figures are counted up to: the last refresh."""
        run = latest_run(connection)
        return run.at if run else self._clock()


def latest_run(connection: sa.Connection) -> Run | None:
    """The latest refresh, None before the first."""
    query = sa.select(GAP_RUNS).order_by(GAP_RUNS.c.at.desc(), GAP_RUNS.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Run(**{k: v for k, v in row.items() if k != "id"})


def _counted(chosen: GapFilter) -> list[sa.ColumnElement[bool]]:
    """What the rows that are counted must be like."""
    u, conditions = UNRESOLVED.c, []
    if chosen.locale:
        conditions.append(u.locale == chosen.locale)
    if chosen.platform:
        conditions.append(u.platform == chosen.platform)
    if chosen.reason is not None:
        conditions.append(u.reasons.bitwise_and(bits_of([chosen.reason])) != 0)
    return conditions


def _keys(connection: sa.Connection, number: int) -> list[str]:
    query = sa.select(GAP_QUESTIONS.c.key).where(GAP_QUESTIONS.c.gap == number)
    return sorted(connection.scalars(query))


def _some_of(
    connection: sa.Connection, number: int, keys: Collection[str], *, leave_some: bool
) -> list[str]:
    """The given keys that are of the gap. Raises `GapRefused` for none, or for too many."""
    own = _keys(connection, number)
    chosen = [key for key in own if key in set(keys)]
    if not chosen:
        raise GapRefused("choose at least one question of this gap", "none_chosen")
    if leave_some and len(chosen) == len(own):
        raise GapRefused("leave at least one question, or the gap would be empty", "all_chosen")
    return chosen


def _last_merge(connection: sa.Connection, row: _Row) -> Entry:
    """How an editor merged a gap. Raises `GapRefused` where none did, or it is not known how."""
    entry = _entry(connection, row.number, "merged")
    if row.merged_into is None or entry is None or not entry.by or "keys" not in entry.detail:
        raise GapRefused(
            f"gap {row.number} has no merge to take back; what a refresh merged can be split off",
            "unmerge_none",
        )
    return entry


def _entry(
    connection: sa.Connection, number: int, action: str, after: int = 0, **like: object
) -> Entry | None:
    """The latest entry of that kind, with these details."""
    h = GAP_HISTORY.c
    query = (
        sa.select(GAP_HISTORY)
        .where(h.gap == number, h.action == action, h.id > after)
        .order_by(h.id.desc())
    )
    entries = map(entry_from, connection.execute(query))
    return next(
        (
            one
            for one in entries
            if all(one.detail.get(key) == value for key, value in like.items())
        ),
        None,
    )


def _carried(connection: sa.Connection, other: _Row, number: int, merge: int) -> dict[str, object]:
    """What a gap has by a merge alone, as it was before; nothing where it has gone on since."""
    took = _entry(connection, other.number, "took", merge, gap=number)
    detail = took.detail if took else {}
    if "article" not in detail or detail["article"] != other.article:
        return {}
    if "state" not in detail:
        return {"article": None}
    if detail["state"] != other.state:
        return {}
    return {"article": None, "state": detail["from"]}


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _ask(row: Any) -> Ask:
    return Ask(
        row.event, row.source, row.at, row.text, row.question, row.gap, row.locale, row.platform,
        row.channel, reasons_of(row.reasons), row.searches, row.confidence, row.top_article,
    )  # fmt: skip
