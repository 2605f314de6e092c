"""Looks at live traffic for gaps with a published article, and closes or reopens them by it.

A gap's traffic are the settled questions that belong to it, word for word, and for an article that
was written for it alone (no search had found it before it was first published) also the questions
whose answer or first result it has become: they are close to the gap's, in whatever words. What is
still unresolved in new words joins the gap with every refresh, so both kinds of new words count.

Of an article that was there before, or that closes several gaps, new words that are answered cannot
be told to be the gap's. There only the words that belonged to the gap when the article was
published count, before and after, or those that fail would count alone.

What was asked before an article is counted once and kept with the words (`portal.proof.tables`):
the report forgets what is unresolved earlier than the log forgets searches.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from portal.gaps.changes import change_state
from portal.gaps.definitions import FOLLOWED_FOR, JUDGED_AFTER
from portal.gaps.encoding import key_of, reasons_of
from portal.gaps.evidence import (
    BEFORE,
    Before,
    Counts,
    Evidence,
    Sight,
    Verdict,
    count,
    count_before,
)
from portal.gaps.read_log import kept_since
from portal.gaps.reasons import went_on
from portal.gaps.tables import GAP_HISTORY, GAP_QUESTIONS, GAPS, UNRESOLVED
from portal.gaps.types import GapChanged, Reason, State
from portal.proof.tables import PROOF_LIVE
from portal.tables import SEARCH_RESULTS, SEARCHES
from portal.transactions import transaction

_LOOKED_AT = (State.PUBLISHED, State.CLOSED)
_SETTLED = FOLLOWED_FOR + JUDGED_AFTER  # what was asked until a publishing is known by then


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
    """A gap; `first` is when its article was first published for it, `published` the last time."""

    number: int
    article: tuple[str, str] | None  # language and id
    first: datetime
    published: datetime
    closed: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class _Baseline:
    """A gap when its article was published: what was counted before, the keys of its words, and
    whether the article was new."""

    before: Before
    words: frozenset[str]
    new: bool

    def as_json(self) -> dict[str, Any]:
        before = asdict(self.before) | {"asked": sorted(self.before.asked)}
        return {"before": before, "words": sorted(self.words), "new": self.new}

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> _Baseline:
        before = said["before"]
        return cls(
            Before(**{**before, "asked": frozenset(before["asked"])}),
            frozenset(said["words"]),
            said["new"],
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """All that is known of one gap; `alone`: no other gap is to be closed by its article."""

    sights: Sequence[Sight]
    words: frozenset[str]
    new: bool
    alone: bool
    kept: _Baseline | None


def look_again(engine: sa.Engine, now: datetime) -> list[Look]:
    """Count the traffic of every published or closed gap, keep it, and change its state by it.

    Reads in one transaction and writes in another, which is short; a gap that an editor changes in
    between keeps its state until the next look. Searches of the last half hour are left out:
    whether their results are wanted is not known yet. Raises `EventsUnavailable`.
    """
    with transaction(engine, "look at the traffic of gaps") as connection:
        watched = _watched(connection)
        seen = _seen(connection, watched, now) if watched else {}
    if not watched:
        return []
    looks = [_look(gap, seen[gap.number], now) for gap in watched]
    with transaction(engine, "keep what was seen of gaps", writes=True) as connection:
        for gap, (look, baseline) in zip(watched, looks, strict=True):
            _keep(connection, look, baseline)
            if look.verdict == "reopened" or (look.verdict == "closed" and gap.closed is None):
                with contextlib.suppress(GapChanged):
                    change_state(
                        connection, gap.number, State(look.verdict), at=now, version=gap.version,
                        detail={"evidence": asdict(look.evidence.counts)},
                    )  # fmt: skip
    return [look for look, _baseline in looks]


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
    gaps = connection.execute(
        sa.select(g.number, g.article, g.state, g.state_at, g.version).where(
            g.state.in_(_LOOKED_AT), g.merged_into.is_(None)
        )
    ).all()
    first: dict[tuple[int, str], datetime] = {}
    last: dict[int, datetime] = {}
    named: dict[int, str] = {}
    history = (
        sa.select(h.gap, h.at, h.action, h.detail)
        .where(h.gap.in_([row.number for row in gaps]))
        .order_by(h.id)
    )
    for gap, at, action, detail in connection.execute(history):
        named[gap] = detail.get("article") or named.get(gap, "")
        if action == State.PUBLISHED:
            first.setdefault((gap, named[gap]), at)
            last[gap] = at
    watched = []
    for row in gaps:
        published = last.get(row.number, row.state_at)
        if row.state == State.PUBLISHED:
            published = max(published, row.state_at)  # carried over from a gap merged into it
        locale, _colon, name = (row.article or "").partition(":")
        watched.append(
            _Watched(
                row.number, (locale, name) if name else None,
                first.get((row.number, row.article or ""), published), published,
                row.state_at if row.state == State.CLOSED else None, row.version,
            )
        )  # fmt: skip
    return watched


def _look(gap: _Watched, seen: _Seen, now: datetime) -> tuple[Look, _Baseline]:
    kept = seen.kept
    words, new = (kept.words, kept.new) if kept else (seen.words, seen.new)
    sights = [one for one in seen.sights if (new and seen.alone) or one.question in words]
    before = kept.before if kept else count_before(sights, published=gap.published)
    counts = count(sights, published=gap.published, closed=gap.closed, now=now, before=before)
    evidence = Evidence.of(counts)
    verdict = evidence.verdict(closed=gap.closed is not None)
    closed = gap.closed or now if verdict == "closed" else None
    look = Look(gap.number, now, gap.published, closed, verdict, evidence)
    return look, _Baseline(before, words, new)


def _seen(
    connection: sa.Connection, watched: Collection[_Watched], now: datetime
) -> Mapping[int, _Seen]:
    """Everything that was asked of the gaps, from `BEFORE` the first of their articles on, as far
    as the report has kept what is unresolved of it."""
    oldest = kept_since(now)
    since = max(min(gap.published for gap in watched) - BEFORE, oldest)
    sights = _sights(connection, watched, since=since, until=now - JUDGED_AFTER)
    closing = Counter(gap.article for gap in watched)
    known = _known_before(connection, watched)
    later = _first_unresolved(connection, watched)
    kept = _kept(connection, watched, oldest)
    words: dict[int, set[str]] = defaultdict(set)
    published = {gap.number: gap.published for gap in watched}
    for text, number in _owners(connection, list(published)).items():
        if text not in later or later[text] < published[number]:
            words[number].add(key_of(text))
    return {
        gap.number: _Seen(
            sights.get(gap.number, ()), frozenset(words[gap.number]), gap.number not in known,
            gap.article is not None and closing[gap.article] == 1, kept.get(gap.number),
        )
        for gap in watched
    }  # fmt: skip


def _sights(
    connection: sa.Connection, watched: Collection[_Watched], *, since: datetime, until: datetime
) -> Mapping[int, list[Sight]]:
    closing = Counter(gap.article for gap in watched)
    by_article = {gap.article: gap for gap in watched if gap.article and closing[gap.article] == 1}
    own = sa.select(GAP_QUESTIONS.c.normalised).where(
        GAP_QUESTIONS.c.gap.in_([gap.number for gap in watched])
    )
    owners = _owners(connection, [gap.number for gap in watched])
    unresolved = _unresolved(connection, since, until)
    found: dict[int, list[Sight]] = defaultdict(list)
    for row in _settled(connection, since, until, own, [name for _locale, name in by_article]):
        key = (row.visitor, row.normalised)
        gap = owners.get(row.normalised)
        if gap is None:
            # The log has no language of an answer: that of the result, where it is the first one.
            at_top = row.answer_article == row.top_article
            answer = (row.top_locale if at_top else row.locale, row.answer_article)
            owner = by_article.get(answer) or by_article.get((row.top_locale, row.top_article))
            if owner is None or row.at < owner.first:
                continue
            gap = owner.number
        why = unresolved.pop(key, None)
        found[gap].append(_sight(row.at, *key, why))
    for (visitor, normalised), why in unresolved.items():
        # Passed on, or sent with a form, without a search of the same words.
        if (gap := owners.get(normalised)) is not None:
            found[gap].append(_sight(why.at, visitor, normalised, why))
    return found


def _sight(at: datetime, visitor: str, normalised: str, why: _Why | None) -> Sight:
    return Sight(at, visitor, key_of(normalised), why is not None, bool(why and why.handed_over))


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
            s.at, s.visitor, s.channel, s.normalised, s.mode, s.locale, s.answer_article,
            top.article_id.label("top_article"), top.locale.label("top_locale"),
            meant.label("meant"),
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


def _known_before(connection: sa.Connection, watched: Collection[_Watched]) -> set[int]:
    """Gaps whose article a search had found before it was first published for them."""
    r = SEARCH_RESULTS.c
    query = (
        sa.select(r.locale, r.article_id, sa.func.min(SEARCHES.c.at, type_=SEARCHES.c.at.type))
        .select_from(sa.join(SEARCH_RESULTS, SEARCHES, SEARCHES.c.id == r.search_id))
        .where(
            SEARCHES.c.at >= min(gap.first for gap in watched) - BEFORE,
            r.article_id.in_([gap.article[1] for gap in watched if gap.article]),
        )
        .group_by(r.locale, r.article_id)
    )
    known = {(locale, name): at for locale, name, at in connection.execute(query)}
    return {
        gap.number
        for gap in watched
        if gap.article is not None and gap.article in known and known[gap.article] < gap.first
    }


def _first_unresolved(
    connection: sa.Connection, watched: Collection[_Watched]
) -> dict[str, datetime]:
    """When the gaps' questions were first unresolved, as far as that is kept."""
    u, q = UNRESOLVED.c, GAP_QUESTIONS.c
    query = (
        sa.select(q.normalised, sa.func.min(u.at, type_=u.at.type))
        .select_from(sa.join(UNRESOLVED, GAP_QUESTIONS, q.key == u.question))
        .where(q.gap.in_([gap.number for gap in watched]))
        .group_by(q.normalised)
    )
    return dict(connection.execute(query).all())


def _kept(
    connection: sa.Connection, watched: Collection[_Watched], oldest: datetime
) -> dict[int, _Baseline]:
    """What was counted before the articles, by gap; counted anew while something may be missing,
    unless what it was counted from is forgotten."""
    published = {gap.number: gap.published for gap in watched}
    p = PROOF_LIVE.c
    query = sa.select(p.gap, p.at, p.published_at, p.baseline).where(p.gap.in_(list(published)))
    return {
        row.gap: _Baseline.of(row.baseline)
        for row in connection.execute(query)
        if row.published_at == published[row.gap]
        and (row.at >= row.published_at + _SETTLED or row.published_at - BEFORE < oldest)
    }


def _keep(connection: sa.Connection, look: Look, baseline: _Baseline) -> None:
    connection.execute(sa.delete(PROOF_LIVE).where(PROOF_LIVE.c.gap == look.gap))
    connection.execute(
        sa.insert(PROOF_LIVE).values(
            gap=look.gap, at=look.at, published_at=look.published_at, closed_at=look.closed_at,
            verdict=look.verdict, counts=asdict(look.evidence.counts), baseline=baseline.as_json(),
        )
    )  # fmt: skip
