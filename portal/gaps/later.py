"""What visitors did after a question had failed: which other words led them to which article."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from portal.gaps.definitions import JUDGED_AFTER
from portal.gaps.tables import UNRESOLVED
from portal.tables import SEARCHES, VIEWS, VOTES
from search.text import HAN

OUTDATED_LEAST = 2
OUTDATED_SHARE = 1 / 3
SAME = 0.7
"""Cosine from which a question asked next is the same in other words. Of what simulated visitors
asked next, almost always something else on the topic, one in seventy comes so near."""
SAME_BUT_ONE = 0.5
"""The same of questions that differ in one stretch, and share at least as much as its length: of
those that are not the same, simulated visitors' stay below."""
_MOST_WORDS = 3
_MOST_HAN = 6
_HAN = re.compile(f"[{HAN}]")
_Pair = tuple[str, str]


@dataclass(slots=True)
class Later:
    """Of one question: visitors by the article (`locale:id`) they opened afterwards, and the
    words they had put in the place of which others by then."""

    opened: Counter[str] = field(default_factory=Counter)
    replaced: Counter[_Pair] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Step:
    """A visitor's failed `question` (its key), what they asked next, and what they opened then."""

    question: str
    asked: str
    article: str


def read_steps(connection: sa.Connection, since: datetime) -> list[Step]:
    """Searches that were answered, and a result of them opened, within `JUDGED_AFTER` of one by
    the same visitor that was not. What is opened without an answer, out of need, shows nothing."""
    u, s, v = UNRESOLVED.c, SEARCHES.c, VIEWS.c
    failed: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
    asked = sa.select(u.visitor, u.question, u.at).where(u.at > since, u.source == "search")
    for visitor, question, at in connection.execute(asked):
        failed[visitor].append((question, at))
    # Visitors are compared here: joined by visitor, for whom searches have no index, the database
    # would compare every question with every search.
    clicks = (
        sa.select(s.visitor, s.at, s.normalised, v.article_id, v.locale)
        .select_from(sa.join(VIEWS, SEARCHES, v.search_id == s.id))
        .where(v.at > since, s.resolved.is_(True), v.bot.is_(False))
        .order_by(v.at, v.id)
    )
    found: list[Step] = []
    seen: set[tuple[str, str, str]] = set()
    for visitor, again, normalised, article_id, locale in connection.execute(clicks):
        article = f"{locale}:{article_id}"
        for question, at in failed.get(visitor, ()):
            mark = (question, visitor, article)
            if not at < again <= at + JUDGED_AFTER or mark in seen:
                continue
            seen.add(mark)
            found.append(Step(question, normalised, article))
    return found


def reworded(
    steps: Sequence[Step],
    texts: Mapping[str, str],
    vectors: Mapping[str, npt.NDArray[Any]],
) -> dict[str, Later]:
    """By question key what visitors found by asking the same in other words.

    `texts` are the normalised questions by key; the unit `vectors` are by these texts, and by what
    was asked next. What has no vector is passed over.
    """
    found: dict[str, Later] = defaultdict(Later)
    for step in steps:
        before, after = texts.get(step.question, ""), step.asked
        if before not in vectors or after not in vectors:
            continue
        pair = difference(before, after)
        if float(np.dot(vectors[before], vectors[after])) < (SAME_BUT_ONE if pair else SAME):
            continue
        found[step.question].opened[step.article] += 1
        if pair:
            found[step.question].replaced[pair] += 1
    return dict(found)


def read_outdated(connection: sa.Connection, since: datetime) -> dict[str, int]:
    """Visitors who called an article outdated, by `locale:id`, where that says something.

    At least `OUTDATED_LEAST` and `OUTDATED_SHARE` of all who said why it did not help them.
    """
    called = sa.case((VOTES.c.reason == "outdated", VOTES.c.visitor))
    said, why = (sa.func.count(visitor.distinct()) for visitor in (called, VOTES.c.visitor))
    query = (
        sa.select(VOTES.c.locale, VOTES.c.article_id, said)
        .where(VOTES.c.at > since, VOTES.c.reason.is_not(None), VOTES.c.helpful.is_(False))
        .group_by(VOTES.c.locale, VOTES.c.article_id)
        .having(said >= OUTDATED_LEAST, said >= OUTDATED_SHARE * why)
    )
    return {f"{locale}:{article}": count for locale, article, count in connection.execute(query)}


def difference(before: str, after: str) -> _Pair | None:
    """The one stretch of words in which two normalised questions differ, as (old, new).

    None where they differ in more than may be two names of one thing, or share less than that:
    “有沙发展厅吗” and “奥莱店能停车吗” share how a question ends.
    """
    chinese = _HAN.search(before) is not None
    old, new = (list(text) if chinese else text.split() for text in (before, after))
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    if start + end == 0:
        return None
    pieces = [side[start : len(side) - end] for side in (old, new)]
    most = _MOST_HAN if chinese else _MOST_WORDS
    if not all(0 < len(piece) <= min(most, start + end) for piece in pieces):
        return None
    words = [("" if chinese else " ").join(piece).strip() for piece in pieces]
    return (words[0], words[1]) if all(map(_is_word, words)) else None


def together(parts: Sequence[Later]) -> Later:
    """The same of several questions."""
    return Later(
        sum((part.opened for part in parts), Counter()),
        sum((part.replaced for part in parts), Counter()),
    )


def _is_word(text: str) -> bool:
    return len(text) > 1 and any(map(str.isalpha, text))
