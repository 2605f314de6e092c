"""Which settled questions of the log are unresolved, and why: `portal.gaps.definitions`.

The database tells settled questions from keystrokes and repeats and finds those that may be
unresolved; only these are read, so a million events are no more work than their unresolved part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from portal.gaps.definitions import FOLLOWED_FOR, JUDGED_AFTER, READ_AFTER, SETTLED_AFTER, TRACKED
from portal.gaps.reasons_elsewhere import Passed, passed_on, sent_anyway
from portal.gaps.types import SEVERITY, Reason, UnresolvedQuestion
from portal.tables import HANDOVERS, SEARCH_RESULTS, SEARCHES, VIEWS, VOTES, UtcTime


def went_on(text: str, at: datetime, next_text: str | None, next_at: datetime | None) -> bool:
    """Whether a visitor's next search shows that this one was not written to its end yet."""
    if next_text is None or next_at is None or next_at - at > SETTLED_AFTER:
        return False
    return next_text.startswith(text) or text.startswith(next_text)


def settled(since: datetime, until: datetime) -> sa.Subquery:
    """Every settled question asked from `since` to before `until`, one row a visitor and question.

    `id` is its last search; `asked` how often it was, `clicked`, `voted_no` and `voted_yes` 0 or 1
    over all of them, `asked_on` 1 where something else was asked before the answer can have been
    read. Whole days, UTC, need nothing from outside: visitors' keys change at midnight.
    """
    searches = SEARCHES.c
    turn: dict[str, Any] = {
        "partition_by": (searches.visitor, searches.channel),
        "order_by": (searches.at, searches.id),
    }
    asked = (
        sa.select(
            searches.id, searches.at, searches.visitor, searches.channel, searches.normalised,
            searches.mode, searches.resolved, searches.answer_article.is_not(None).label("answer"),
            sa.func.lead(searches.normalised).over(**turn).label("next_text"),
            sa.func.lead(searches.at, type_=UtcTime()).over(**turn).label("next_at"),
        )
        .where(searches.bot.is_(False), searches.at >= since, searches.at < until)
        .subquery("asked")
    )  # fmt: skip
    a = asked.c
    clicks = sa.select(VIEWS.c.search_id).where(
        VIEWS.c.search_id.is_not(None), VIEWS.c.bot.is_(False),
        VIEWS.c.at >= since, VIEWS.c.at < until + FOLLOWED_FOR,
    )  # fmt: skip
    judged = (
        sa.select(
            a.id, a.at, a.visitor, a.channel, a.normalised, a.resolved, a.answer,
            _one(sa.not_(_went_on(a))).label("written"),
            _one(_asked_on(a)).label("asked_on"),
            _one(a.id.in_(clicks)).label("clicked"),
            _one(a.id.in_(_latest_votes(since, until, helpful=False))).label("voted_no"),
            _one(a.id.in_(_latest_votes(since, until, helpful=True))).label("voted_yes"),
        )
        .where(a.normalised != "", a.mode == "hybrid")
        .subquery("judged")
    )  # fmt: skip
    j = judged.c
    # One window for all of them: the database then sorts once.
    same: dict[str, Any] = {
        "partition_by": (j.visitor, j.normalised),
        "order_by": (j.written.desc(), j.at.desc(), j.id.desc()),
    }
    every: dict[str, Any] = {**same, "rows": (None, None)}
    counted = sa.select(
        j.id, j.at, j.visitor, j.channel, j.normalised, j.resolved, j.answer, j.asked_on,
        j.written,
        sa.func.row_number().over(**same).label("turn"),
        *(sa.func.max(j[name]).over(**every).label(name)
          for name in ("clicked", "voted_no", "voted_yes")),
        sa.func.sum(j.written).over(**every).label("asked"),
    ).subquery("counted")  # fmt: skip
    return sa.select(counted).where(counted.c.turn == 1, counted.c.written == 1).subquery("settled")


def unresolved_questions(
    connection: sa.Connection,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    asked: Iterable[Any] | None = None,
) -> list[UnresolvedQuestion]:
    """The unresolved among the settled questions, and those passed on or sent elsewhere.

    One for each visitor and question, in the order of time. `now` decides which are too young to
    say that nobody clicked. `asked` are the rows of `settled_questions` of the same time, where
    they have been read already.
    """
    passed = passed_on(connection, since, until)
    found: dict[tuple[str, str], UnresolvedQuestion] = {}
    if asked is None:
        asked = connection.execute(_candidates(since, until, now))
    for row in asked:
        key = (row.visitor, row.normalised)
        reasons = _reasons(row, handed_over=passed.pop(key, None) is not None)
        if reasons:
            found[key] = UnresolvedQuestion(
                "search", row.id, row.at, row.visitor, row.locale, row.platform, row.channel,
                row.query, row.normalised, reasons, int(row.asked), row.confidence,
                row.top_article, row.top_locale,
            )  # fmt: skip
    elsewhere = [*_own_questions(passed), *sent_anyway(connection, since, until)]
    for question in elsewhere:
        key = (question.visitor, question.normalised)
        found[key] = _together(found[key], question) if key in found else question
    return sorted(found.values(), key=lambda question: (question.at, question.id))


def settled_counts(
    connection: sa.Connection, *, since: datetime, until: datetime
) -> dict[tuple[str, str, str | None, str], int]:
    """How many settled questions there were, by day (UTC), locale, platform and channel.

    What a share of unresolved questions is a share of; hand-overs and forms that no search led to
    are in `unresolved_questions` and not in here.
    """
    rows = settled(since, until)
    day = sa.func.substr(sa.type_coerce(rows.c.at, sa.String), 1, len("2026-11-22"))
    group = (day, SEARCHES.c.locale, SEARCHES.c.platform, SEARCHES.c.channel)
    query = (
        sa.select(*group, sa.func.count())
        .select_from(rows.join(SEARCHES, SEARCHES.c.id == rows.c.id))
        .group_by(*group)
    )
    return {(day, locale, platform, channel): count
            for day, locale, platform, channel, count in connection.execute(query)}  # fmt: skip


def by_severity(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each reason once, the most severe first."""
    return tuple(sorted(set(reasons), key=lambda reason: (-SEVERITY[reason], reason)))


def settled_questions(since: datetime, until: datetime, now: datetime) -> sa.Select[Any]:
    """Every settled question with its search, what stood first in its results, and whether nobody
    took notice of them."""
    return _with_results(settled(since, until), now)


def _candidates(since: datetime, until: datetime, now: datetime) -> sa.Select[Any]:
    """The settled questions that may be unresolved."""
    rows = settled(since, until)
    r = rows.c
    passing = sa.select(HANDOVERS.c.visitor).where(HANDOVERS.c.at >= since, HANDOVERS.c.at < until)
    return _with_results(rows, now).where(
        sa.or_(
            r.resolved.is_(False), r.voted_no == 1, _ignored(r, now), r.visitor.in_(passing)
        )
    )  # fmt: skip


def _ignored(r: Any, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        r.resolved,
        r.clicked + r.voted_no + r.voted_yes == 0,
        r.channel.in_(TRACKED),
        r.at <= now - JUDGED_AFTER,
        sa.or_(r.answer.is_(False), r.asked_on == 1),
    )


def _with_results(rows: sa.Subquery, now: datetime) -> sa.Select[Any]:
    r, searches, first = rows.c, SEARCHES.c, SEARCH_RESULTS.c
    top = sa.and_(first.search_id == r.id, first.position == 1)
    columns = (
        r.id, r.at, r.visitor, r.channel, r.normalised, r.resolved, r.answer, r.asked, r.clicked,
        r.voted_no, _one(_ignored(r, now)).label("ignored"),
        searches.query, searches.locale, searches.platform, searches.confidence,
        first.article_id.label("top_article"), first.locale.label("top_locale"),
    )  # fmt: skip
    joined = rows.join(SEARCHES, searches.id == r.id).outerjoin(SEARCH_RESULTS, top)
    return sa.select(*columns).select_from(joined)


def _reasons(row: Any, *, handed_over: bool) -> tuple[Reason, ...]:
    reasons = []
    if handed_over:
        reasons.append(Reason.HANDED_OVER)
    if row.voted_no:
        reasons.append(Reason.NOT_HELPFUL)
    if not row.resolved:
        reasons.append(Reason.NOTHING if row.top_article is None else Reason.LOW_CONFIDENCE)
    elif row.ignored:
        reasons.append(Reason.NO_CLICK)
    return by_severity(reasons)


def _own_questions(passed: dict[tuple[str, str], Passed]) -> list[UnresolvedQuestion]:
    """Questions that were passed on without a settled search of the same words before."""
    return [
        UnresolvedQuestion(
            "handover", one.reference, one.at, visitor, one.locale, None, "handover", one.text,
            normalised, (Reason.HANDED_OVER,),
        )
        for (visitor, normalised), one in passed.items()
        if one.text
    ]  # fmt: skip


def _together(a: UnresolvedQuestion, b: UnresolvedQuestion) -> UnresolvedQuestion:
    """One visitor's question that two things happened to; the search tells more than the rest."""
    return replace(
        a,
        at=max(a.at, b.at),
        reasons=by_severity([*a.reasons, *b.reasons]),
        platform=a.platform or b.platform,
    )


def _latest_votes(since: datetime, until: datetime, *, helpful: bool) -> sa.Select[Any]:
    """Searches that led to votes which the same visitor did not change later."""
    turn = sa.func.row_number().over(
        partition_by=(VOTES.c.visitor, VOTES.c.article_id, VOTES.c.locale),
        order_by=(VOTES.c.at.desc(), VOTES.c.id.desc()),
    )
    votes = (
        sa.select(VOTES.c.search_id, VOTES.c.helpful, turn.label("turn"))
        .where(VOTES.c.at >= since, VOTES.c.at < until + FOLLOWED_FOR)
        .subquery()
    )
    return sa.select(votes.c.search_id).where(
        votes.c.turn == 1, votes.c.helpful.is_(helpful), votes.c.search_id.is_not(None)
    )


def _went_on(asked: Any) -> sa.ColumnElement[bool]:
    """`went_on` in the database; false without a next search."""
    text, after = asked.normalised, asked.next_text
    length = sa.func.length
    more = sa.func.substr(after, 1, length(text)) == text
    less = sa.func.substr(text, 1, length(after)) == after
    return sa.func.coalesce(
        sa.and_(
            sa.or_(more, less),
            _Seconds(asked.at, asked.next_at) <= SETTLED_AFTER.total_seconds(),
        ),
        sa.false(),
    )


def _asked_on(asked: Any) -> sa.ColumnElement[bool]:
    return sa.and_(
        asked.next_text != asked.normalised,
        _Seconds(asked.at, asked.next_at) <= READ_AFTER.total_seconds(),
    )


def _one(condition: Any) -> sa.Case[int]:
    return sa.case((condition, 1), else_=0)


class _Seconds(FunctionElement[float]):
    """Seconds from one moment, as `UtcTime` stores it, to another, to the millisecond."""

    inherit_cache = True
    type = sa.Float()


@compiles(_Seconds)
def _seconds(element: _Seconds, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(part, **options) for part in element.clauses)
    return f"EXTRACT(EPOCH FROM CAST({end} AS timestamptz) - CAST({start} AS timestamptz))"


@compiles(_Seconds, "sqlite")
def _seconds_sqlite(element: _Seconds, compiler: Any, **options: Any) -> str:
    start, end = (compiler.process(part, **options) for part in element.clauses)
    return f"ROUND((julianday({end}) - julianday({start})) * 86400.0, 3)"
