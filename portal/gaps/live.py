"""Looks at live traffic for gaps with a published article, and closes or reopens them by it.

A gap's traffic are the settled questions that belong to it, word for word, and for an article that
was written for it (no search had found it before) also the questions whose answer or first result
it has become: they are close to the gap's, in whatever words. What is still unresolved in new words
joins the gap with every refresh, so both kinds of new words are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from portal.gaps.changes import change_state
from portal.gaps.definitions import JUDGED_AFTER
from portal.gaps.evidence import BEFORE, Counts, Evidence, Sight, Verdict, count
from portal.gaps.reasons import settled, unresolved_questions
from portal.gaps.tables import GAP_HISTORY, GAP_QUESTIONS, GAPS
from portal.gaps.types import Reason, State
from portal.proof.tables import PROOF_LIVE
from portal.tables import SEARCH_RESULTS, SEARCHES

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


def look_again(connection: sa.Connection, now: datetime) -> list[Look]:
    """Count the traffic of every published or closed gap, keep it, and change its state by it.

    In the caller's transaction, which must be a writer. Searches of the last half hour are left
    out: whether their results are wanted is not known yet.
    """
    watched = _watched(connection)
    if not watched:
        return []
    until = now - JUDGED_AFTER
    sights = _sights(connection, watched, until=until, now=now)
    looks = []
    for gap in watched:
        counts = count(
            sights.get(gap.number, ()), published=gap.published, closed=gap.closed, now=now
        )
        evidence = Evidence.of(counts)
        verdict = evidence.verdict(closed=gap.closed is not None)
        closed = gap.closed or now if verdict == "closed" else None
        look = Look(gap.number, now, gap.published, closed, verdict, evidence)
        _keep(connection, look)
        if verdict == "reopened" or (verdict == "closed" and gap.closed is None):
            change_state(
                connection, gap.number, State(verdict), at=now,
                detail={"evidence": asdict(counts)},
            )  # fmt: skip
        looks.append(look)
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
        sa.select(g.number, g.article, g.state, g.state_at, published.c.at)
        .select_from(sa.outerjoin(GAPS, published, published.c.gap == g.number))
        .where(g.state.in_(_LOOKED_AT), g.merged_into.is_(None))
    )
    return [
        _Watched(
            row.number, row.article, row.at or row.state_at,
            row.state_at if row.state == State.CLOSED else None,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _sights(
    connection: sa.Connection, watched: Collection[_Watched], *, until: datetime, now: datetime
) -> Mapping[int, list[Sight]]:
    """Everything that was asked of the gaps, from `BEFORE` the first of their articles on."""
    since = min(gap.published for gap in watched) - BEFORE
    owners = _owners(connection, [gap.number for gap in watched])
    by_article = _new_articles(connection, watched, since)
    unresolved = {
        (one.visitor, one.normalised): one
        for one in unresolved_questions(connection, since=since, until=until, now=now)
    }
    found: dict[int, list[Sight]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    for row in connection.execute(_asked(since, until, list(owners), list(by_article))):
        gap = owners.get(row.normalised)
        if gap is None:
            owner = by_article.get(row.answer_article) or by_article.get(row.top_article)
            if owner is None or row.at < owner.published:
                continue
            gap = owner.number
        key = (row.visitor, row.normalised)
        seen.add(key)
        why = unresolved[key].reasons if key in unresolved else ()
        handed = Reason.HANDED_OVER in why
        found[gap].append(Sight(row.at, row.visitor, row.normalised, bool(why), handed))
    for key, one in unresolved.items():  # passed on, or sent with a form, without a search
        if key not in seen and (gap := owners.get(one.normalised)) is not None:
            handed = Reason.HANDED_OVER in one.reasons
            found[gap].append(Sight(one.at, one.visitor, one.normalised, True, handed))
    return found


def _owners(connection: sa.Connection, gaps: list[int]) -> dict[str, int]:
    """The gap of every question, normalised, that belongs to one of them."""
    q = GAP_QUESTIONS.c
    query = sa.select(q.normalised, q.gap).where(q.gap.in_(gaps))
    return dict(connection.execute(query).tuples().all())


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
    known = dict(connection.execute(first).tuples().all())
    return {
        article: gap
        for article, gap in wanted.items()
        if article not in known or known[article] >= gap.published
    }


def _asked(
    since: datetime, until: datetime, texts: list[str], articles: list[str]
) -> sa.Select[Any]:
    """Settled questions that are one of the texts, or were led to one of the articles."""
    rows = settled(since, until)
    r, top = rows.c, SEARCH_RESULTS.c
    first = sa.and_(top.search_id == r.id, top.position == 1)
    return (
        sa.select(
            r.at, r.visitor, r.normalised, SEARCHES.c.answer_article,
            top.article_id.label("top_article"),
        )
        .select_from(
            rows.join(SEARCHES, SEARCHES.c.id == r.id).outerjoin(SEARCH_RESULTS, first)
        )
        .where(
            sa.or_(
                r.normalised.in_(texts),
                SEARCHES.c.answer_article.in_(articles),
                top.article_id.in_(articles),
            )
        )
    )  # fmt: skip


def _keep(connection: sa.Connection, look: Look) -> None:
    connection.execute(sa.delete(PROOF_LIVE).where(PROOF_LIVE.c.gap == look.gap))
    connection.execute(
        sa.insert(PROOF_LIVE).values(
            gap=look.gap, at=look.at, published_at=look.published_at, closed_at=look.closed_at,
            verdict=look.verdict, counts=asdict(look.evidence.counts),
        )
    )  # fmt: skip
