"""Looks at live traffic for gaps with a published article, and closes or reopens them by it.

A gap's traffic are the settled questions that belong to it, word for word, and for an article that
was written for it (no search had found it before) also the questions whose answer or first result
it has become: they are close to the gap's, in whatever words. What is still unresolved in new words
joins the gap with every refresh, so both kinds of new words are counted.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from portal.gaps.changes import change_state
from portal.gaps.definitions import JUDGED_AFTER
from portal.gaps.encoding import reasons_of
from portal.gaps.evidence import BEFORE, Counts, Evidence, Sight, Verdict, count
from portal.gaps.reasons import went_on
from portal.gaps.tables import GAP_HISTORY, GAP_QUESTIONS, GAPS, UNRESOLVED
from portal.gaps.types import GapChanged, Reason, State
from portal.proof.tables import PROOF_LIVE
from portal.tables import SEARCH_RESULTS, SEARCHES
from portal.transactions import transaction

_LOOKED_AT = (State.PUBLISHED, State.CLOSED)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of one gap at `at`; `closed_at` is None unless it is closed."""

    gap: int
    at: datetime
    published_at: datetime
    closed_at: datetime | None
    verdict: Verdict
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class _Watched:
    number: int
    article: str | None
    published: datetime
    closed: datetime | None
    version: int


def look_again(engine: sa.Engine, now: datetime) -> list[Look]:
    """Count the traffic of every published or closed gap, keep it, and change its state by it.

    Reads in one transaction and writes in another, which is short; a gap that an editor changes in
    between keeps its state until the next look. Searches of the last half hour are left out:
    whether their results are wanted is not known yet. Raises `EventsUnavailable`.
    """
    with transaction(engine, "look at the traffic of gaps") as connection:
        watched = _watched(connection)
        sights = _sights(connection, watched, until=now - JUDGED_AFTER) if watched else {}
    looks = [_look(gap, sights.get(gap.number, ()), now) for gap in watched]
    if not watched:
        return []
    with transaction(engine, "keep what was seen of gaps", writes=True) as connection:
        for gap, look in zip(watched, looks, strict=True):
            _keep(connection, look)
            if look.verdict == "reopened" or (look.verdict == "closed" and gap.closed is None):
                with contextlib.suppress(GapChanged):
                    change_state(
                        connection, gap.number, State(look.verdict), at=now, version=gap.version,
                        detail={"evidence": asdict(look.evidence.counts)},
                    )  # fmt: skip
    return looks


def last_look(connection: sa.Connection, gap: int) -> Look | None:
    """What was last seen of a gap."""
    row = connection.execute(sa.select(PROOF_LIVE).where(PROOF_LIVE.c.gap == gap)).first()
    return None if row is None else look_of(row)


def look_of(row: Any) -> Look:
    """A row of the table as it was seen."""
    return Look(
        row.gap, row.at, row.published_at, row.closed_at, row.verdict,
        Evidence.of(Counts(**row.counts)),
    )  # fmt: skip


def _watched(connection: sa.Connection) -> list[_Watched]:
    g, h = GAPS.c, GAP_HISTORY.c
    published = (
        sa.select(h.gap, sa.func.max(h.at, type_=h.at.type).label("at"))
        .where(h.action == State.PUBLISHED)
        .group_by(h.gap)
        .subquery()
    )
    query = (
        sa.select(g.number, g.article, g.state, g.state_at, g.version, published.c.at)
        .select_from(sa.outerjoin(GAPS, published, published.c.gap == g.number))
        .where(g.state.in_(_LOOKED_AT), g.merged_into.is_(None))
    )
    return [
        _Watched(
            row.number, row.article, row.at or row.state_at,
            row.state_at if row.state == State.CLOSED else None, row.version,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _look(gap: _Watched, sights: Iterable[Sight], now: datetime) -> Look:
    counts = count(sights, published=gap.published, closed=gap.closed, now=now)
    evidence = Evidence.of(counts)
    verdict = evidence.verdict(closed=gap.closed is not None)
    closed = gap.closed or now if verdict == "closed" else None
    return Look(gap.number, now, gap.published, closed, verdict, evidence)


def _sights(
    connection: sa.Connection, watched: Collection[_Watched], *, until: datetime
) -> Mapping[int, list[Sight]]:
    """Everything that was asked of the gaps, from `BEFORE` the first of their articles on."""
    since = min(gap.published for gap in watched) - BEFORE
    by_article = _new_articles(connection, watched, since)
    own = sa.select(GAP_QUESTIONS.c.normalised).where(
        GAP_QUESTIONS.c.gap.in_([gap.number for gap in watched])
    )
    owners = _owners(connection, [gap.number for gap in watched])
    unresolved = _unresolved(connection, since, until)
    found: dict[int, list[Sight]] = defaultdict(list)
    for row in _settled(connection, since, until, own, list(by_article)):
        key = (row.visitor, row.normalised)
        gap = owners.get(row.normalised)
        if gap is None:
            owner = by_article.get(row.answer_article) or by_article.get(row.top_article)
            if owner is None or row.at < owner.published:
                continue
            gap = owner.number
        why = unresolved.pop(key, None)
        found[gap].append(Sight(row.at, *key, why is not None, why.handed_over if why else False))
    for (visitor, normalised), why in unresolved.items():
        # Passed on, or sent with a form, without a search of the same words.
        if (gap := owners.get(normalised)) is not None:
            found[gap].append(Sight(why.at, visitor, normalised, True, why.handed_over))
    return found


@dataclass(frozen=True, slots=True)
class _Why:
    at: datetime
    handed_over: bool


def _unresolved(
    connection: sa.Connection, since: datetime, until: datetime
) -> dict[tuple[str, str], _Why]:
    """What the report has as unresolved, by visitor and question."""
    u = UNRESOLVED.c
    query = sa.select(u.visitor, u.normalised, u.at, u.reasons).where(u.at >= since, u.at < until)
    return {
        (visitor, normalised): _Why(at, Reason.HANDED_OVER in reasons_of(bits))
        for visitor, normalised, at, bits in connection.execute(query)
    }


def _settled(
    connection: sa.Connection,
    since: datetime,
    until: datetime,
    texts: sa.Select[tuple[str]],
    articles: list[str],
) -> Iterable[Any]:
    """The last settled search of every visitor and question that is one of the texts, or that led
    to one of the articles; as `portal.gaps.reasons.settled`, of these visitors alone."""
    s, top = SEARCHES.c, SEARCH_RESULTS.c
    led = sa.select(top.search_id).where(top.position == 1, top.article_id.in_(articles))
    period = (s.at >= since, s.at < until, s.bot.is_(False))
    meant = sa.or_(s.normalised.in_(texts), s.answer_article.in_(articles), s.id.in_(led))
    visitors = sa.select(s.visitor).where(*period, meant)
    first = sa.and_(top.search_id == s.id, top.position == 1)
    rows = connection.execute(
        sa.select(
            s.at, s.visitor, s.channel, s.normalised, s.mode, s.answer_article,
            top.article_id.label("top_article"), meant.label("meant"),
        )
        .select_from(sa.outerjoin(SEARCHES, SEARCH_RESULTS, first))
        .where(*period, s.visitor.in_(visitors))
        .order_by(s.visitor, s.channel, s.at, s.id)
    ).all()  # fmt: skip
    last: dict[tuple[str, str], Any] = {}
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        same = after is not None and (after.visitor, after.channel) == (row.visitor, row.channel)
        text, at = (after.normalised, after.at) if after is not None and same else (None, None)
        if not row.meant or not row.normalised or row.mode != "hybrid":
            continue
        if not went_on(row.normalised, row.at, text, at):
            known = last.get((row.visitor, row.normalised))
            if known is None or known.at <= row.at:
                last[row.visitor, row.normalised] = row
    return last.values()


def _owners(connection: sa.Connection, gaps: list[int]) -> dict[str, int]:
    """The gap of every question, normalised, that belongs to one of them."""
    q = GAP_QUESTIONS.c
    query = sa.select(q.normalised, q.gap).where(q.gap.in_(gaps))
    return dict(connection.execute(query).all())


def _new_articles(
    connection: sa.Connection, watched: Collection[_Watched], since: datetime
) -> dict[str, _Watched]:
    """Gaps by the id of their article, for those that no search had found before."""
    wanted = {gap.article.partition(":")[2]: gap for gap in watched if gap.article}
    first = (
        sa.select(SEARCH_RESULTS.c.article_id, sa.func.min(SEARCHES.c.at, type_=SEARCHES.c.at.type))
        .select_from(sa.join(SEARCH_RESULTS, SEARCHES, SEARCHES.c.id == SEARCH_RESULTS.c.search_id))
        .where(SEARCHES.c.at >= since, SEARCH_RESULTS.c.article_id.in_(list(wanted)))
        .group_by(SEARCH_RESULTS.c.article_id)
    )
    known = dict(connection.execute(first).all())
    return {
        article: gap
        for article, gap in wanted.items()
        if article not in known or known[article] >= gap.published
    }


def _keep(connection: sa.Connection, look: Look) -> None:
    connection.execute(sa.delete(PROOF_LIVE).where(PROOF_LIVE.c.gap == look.gap))
    connection.execute(
        sa.insert(PROOF_LIVE).values(
            gap=look.gap, at=look.at, published_at=look.published_at, closed_at=look.closed_at,
            verdict=look.verdict, counts=asdict(look.evidence.counts),
        )
    )  # fmt: skip
