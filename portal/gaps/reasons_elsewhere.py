"""Questions whose searches do not tell that they found no answer: hand-overs and sent forms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from portal.gaps.definitions import JUDGED_AFTER
from portal.gaps.types import Reason, UnresolvedQuestion
from portal.personal import PLACEHOLDER
from portal.redact import shorten
from portal.tables import FORM_SESSIONS, HANDOVERS, SEARCHES, SUGGESTION_ITEMS, SUGGESTIONS
from search.text import normalise

_LONGEST = 500  # characters of a question


@dataclass(frozen=True, slots=True)
class Passed:
    """A hand-over; `text` is empty where it named no question and the last one asked is meant."""

    reference: str
    at: datetime
    locale: str
    text: str


def passed_on(
    connection: sa.Connection, since: datetime, until: datetime
) -> dict[tuple[str, str], Passed]:
    """Hand-overs by visitor and normalised question, the latest of each."""
    h = HANDOVERS.c
    rows = connection.execute(
        sa.select(h.reference, h.at, h.visitor, h.locale, h.query)
        .where(h.at >= since, h.at < until)
        .order_by(h.at, h.id)
    ).all()
    if not rows:
        return {}
    before = _asked(connection, since, until)
    passed = {}
    for row in rows:
        normalised, text = normalise(row.query), row.query
        if not _says_something(normalised):
            earlier = [(at, asked) for at, asked in before[row.visitor]
                       if at <= row.at <= at + JUDGED_AFTER]  # fmt: skip
            if not earlier:
                continue
            normalised, text = max(earlier)[1], ""
        passed[row.visitor, normalised] = Passed(row.reference, row.at, row.locale, text)
    return passed


def sent_anyway(
    connection: sa.Connection, since: datetime, until: datetime
) -> list[UnresolvedQuestion]:
    """The last texts of forms that were sent although articles had been shown."""
    f, s, item = FORM_SESSIONS.c, SUGGESTIONS.c, SUGGESTION_ITEMS.c
    top = sa.and_(item.suggestion_id == s.id, item.position == 1)
    query = (
        sa.select(
            f.form, f.session, f.visitor, f.submitted_at,
            s.locale, s.platform, s.text, s.confidence,
            item.article_id.label("top_article"), item.locale.label("top_locale"),
        )
        .select_from(
            sa.join(FORM_SESSIONS, SUGGESTIONS, sa.and_(f.form == s.form, f.session == s.session))
            .outerjoin(SUGGESTION_ITEMS, top)
        )
        .where(
            f.submitted_at >= since, f.submitted_at < until, f.shown_at <= f.submitted_at,
            f.bot.is_(False), s.bot.is_(False), s.at <= f.submitted_at,
        )
        .order_by(s.at, s.id)
    )  # fmt: skip
    found: dict[tuple[str, str], UnresolvedQuestion] = {}
    for row in connection.execute(query):
        text = shorten(row.text, _LONGEST)
        normalised = normalise(text)
        if _says_something(normalised):
            found[row.form, row.session] = UnresolvedQuestion(
                "form", row.session, row.submitted_at, row.visitor or row.session[:32],
                row.locale, row.platform, row.form, text, normalised, (Reason.SENT_ANYWAY,),
                confidence=row.confidence, top_article=row.top_article, top_locale=row.top_locale,
            )  # fmt: skip
    return list(found.values())


def _asked(
    connection: sa.Connection, since: datetime, until: datetime
) -> dict[str, list[tuple[datetime, str]]]:
    """What visitors who passed a question on had asked, and when."""
    s, h = SEARCHES.c, HANDOVERS.c
    visitors = sa.select(h.visitor).where(h.at >= since, h.at < until)
    query = sa.select(s.visitor, s.at, s.normalised).where(
        s.at >= since, s.at < until, s.visitor.in_(visitors),
        s.bot.is_(False), s.normalised != "", s.mode == "hybrid",
    )  # fmt: skip
    asked: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for visitor, at, normalised in connection.execute(query):
        asked[visitor].append((at, normalised))
    return asked


def _says_something(normalised: str) -> bool:
    """Whether more than what stands for personal data is left."""
    return any(map(str.isalnum, PLACEHOLDER.sub("", normalised)))
