"""What kind of gap it is: proposed from what the articles say today and what visitors did.

A kind is a proposal with its evidence, shown with it; an editor's correction is never overruled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from portal.gaps.later import Later
from portal.gaps.types import Evidence, Kind, Reason
from search.types import Article, Response, Result

if TYPE_CHECKING:
    from portal.services import SearchLibrary

NEAR = 0.6
"""Cosine of the nearest sentence from which an article speaks of the question."""
NEAR_CONFIDENCE = 0.3
"""Confidence, below the threshold of an answer, that means the same of a question likelier to be
one of the articles' than outside of them. Without that it means it of three in ten questions of
simulated visitors that no article answers, with it of one in sixteen."""
FAR = 0.45
"""Cosine under which nothing in any article is like the question."""
OUTSIDE = -0.1
"""How much likelier than the articles' questions what is outside of them is, to say so."""
OPENED_SHARE = 0.2
"""Share of visitors who found an article in other words, that shows that there is one."""
OPENED_LEAST = 2
_MOST_WORDS = 5
_MOST_QUESTIONS = 3
_FAILED = (Reason.NOTHING, Reason.LOW_CONFIDENCE)
_UNHELPED = (Reason.NOT_HELPFUL, Reason.HANDED_OVER, Reason.SENT_ANYWAY, Reason.NO_CLICK)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a gap; `questions` are (text, locale), the most typical first."""

    questions: Sequence[tuple[str, str]]
    visitors: int
    reasons: Mapping[Reason, int]
    later: Later
    outdated: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one question finds today."""

    text: str
    response: Response
    first: Result | None
    similarity: float
    missing: tuple[str, ...]


def propose(facts: Facts, library: SearchLibrary, today: date) -> tuple[Kind, tuple[Evidence, ...]]:
    """The likeliest kind, and why. Raises the library's errors, such as `IndexMissing`."""
    seen = [_look(text, locale, library) for text, locale in facts.questions]
    answered = [one for one in seen if one.response.resolved and one.first is not None]
    if 2 * len(answered) > len(seen):
        return _of_answered(facts, answered, len(seen), today)
    foreign = [one for one in seen if one.first is not None and _is_foreign(one, one.first)]
    if 2 * len(foreign) > len(seen):
        return Kind.OTHER_LANGUAGE, (_about("other_language", foreign, len(seen)),)
    opened = _opened_later(facts, library)
    near = _of_one_article([one for one in seen if _is_near(one)])
    if opened is not None or 2 * len(near) > len(seen):
        return Kind.NOT_FOUND, _how_to_find(facts, opened, near, seen)
    outside = [one for one in seen if _is_outside(one)]
    if 2 * len(outside) > len(seen):
        return Kind.OUT_OF_SCOPE, (Evidence("outside", count=len(outside), of=len(seen)),)
    nearest = [one for one in seen if one.first is not None]
    if nearest:
        return Kind.NO_ARTICLE, (_about("nothing_near", nearest, len(seen)),)
    return Kind.NO_ARTICLE, (Evidence("nothing_found", count=len(seen), of=len(seen)),)


def _of_answered(
    facts: Facts, answered: Sequence[_Seen], asked: int, today: date
) -> tuple[Kind, tuple[Evidence, ...]]:
    """Questions that the articles answer today: why were they unresolved all the same?"""
    found = _about("answered_now", answered, asked)
    article = _first_article(answered)
    votes = facts.outdated.get(found.article, 0)
    if article is not None and (article.review_by < today or votes):
        said = [Evidence("voted_outdated", found.article, found.title, votes)] if votes else []
        if article.review_by < today:
            day = article.review_by.isoformat()
            said.append(Evidence("review_due", found.article, found.title, day=day))
        return Kind.OUTDATED, (found, *said)
    failed = sum(facts.reasons.get(reason, 0) for reason in _FAILED)
    unhelped = {reason: facts.reasons.get(reason, 0) for reason in _UNHELPED}
    if failed > sum(unhelped.values()):
        return Kind.NOT_FOUND, (found, Evidence("failed_then", count=failed, of=facts.visitors))
    said = [
        Evidence(f"reason_{reason}", found.article, found.title, count, facts.visitors)
        for reason, count in unhelped.items()
        if count
    ]
    return Kind.NOT_HELPFUL, (found, *said)


def _how_to_find(
    facts: Facts, opened: Evidence | None, near: Sequence[_Seen], seen: Sequence[_Seen]
) -> tuple[Evidence, ...]:
    """The article that exists, and what would let it be found: synonyms, words, questions."""
    evidence = [opened] if opened else []
    if near:
        evidence.append(_about("near_article", near, len(seen)))
    target = evidence[0]
    pairs = replacements(facts)
    evidence += [
        Evidence("synonym", target.article, target.title, facts.later.replaced[pair], synonym=pair)
        for pair in pairs
    ]
    missing = Counter(word for one in seen for word in one.missing)
    if missing:
        words = tuple(word for word, _ in missing.most_common(_MOST_WORDS))
        evidence.append(Evidence("words_missing", target.article, target.title, words=words))
    questions = tuple(one.text for one in seen[:_MOST_QUESTIONS])
    evidence.append(Evidence("add_questions", target.article, target.title, questions=questions))
    return tuple(evidence)


def replacements(facts: Facts) -> list[tuple[str, str]]:
    """What enough visitors called otherwise, to find it: (their first words, those that did)."""
    return [pair for pair, count in facts.later.replaced.most_common(3) if count >= OPENED_LEAST]


def _opened_later(facts: Facts, library: SearchLibrary) -> Evidence | None:
    """The article that visitors found in other words, if enough of them did."""
    for article, count in facts.later.opened.most_common(1):
        locale, _, article_id = article.partition(":")
        known = library.catalogue.get(locale, article_id)
        enough = count >= OPENED_LEAST and count >= OPENED_SHARE * facts.visitors
        if known is not None and enough:
            return Evidence("opened_later", article, known.title, count, facts.visitors)
    return None


def _look(text: str, locale: str, library: SearchLibrary) -> _Seen:
    response = library.search(text, locale=locale or None, limit=3, explain=True)
    first = response.results[0] if response.results else None
    why = first.explanation if first else None
    present = {term for term, _ in why.terms} if why else set()
    missing = tuple(term for term in response.trace.terms if term not in present)
    return _Seen(text, response, first, why.similarity if why else 0.0, _words(text, missing))


def _words(text: str, terms: Sequence[str]) -> tuple[str, ...]:
    """Terms, which are stems, as the words of the question that they stand for."""
    words = text.casefold().split()
    found = []
    for term in terms:
        spelt = next((word.strip("?!.,;:\"'()") for word in words if word.startswith(term)), term)
        found.append(spelt)
    return tuple(dict.fromkeys(word for word in found if word.isalpha()))


def _is_foreign(one: _Seen, first: Result) -> bool:
    return first.translated and (one.response.resolved or _is_near(one))


def _of_one_article(near: Sequence[_Seen]) -> list[_Seen]:
    """Those near the article, in any language, that most are near: each near another is none."""
    counts = Counter(one.first.article.id for one in near if one.first)
    most = next((name for name, _ in counts.most_common(1)), "")
    return [one for one in near if one.first and one.first.article.id == most]


def _is_near(one: _Seen) -> bool:
    if one.first is None or one.similarity >= NEAR:
        return one.first is not None
    within = one.response.trace.features.get("inside", 0.0) > 0
    return within and one.response.confidence >= NEAR_CONFIDENCE


def _is_outside(one: _Seen) -> bool:
    if one.first is None:
        return False
    return one.similarity < FAR and one.response.trace.features.get("inside", 0.0) <= OUTSIDE


def _first_article(seen: Sequence[_Seen]) -> Article | None:
    return _commonest(seen)[0]


def _about(key: str, seen: Sequence[_Seen], asked: int) -> Evidence:
    """The article that stands first for most of some questions, and for how many."""
    article, count = _commonest(seen)
    if article is None:
        return Evidence(key, count=0, of=asked)
    return Evidence(key, f"{article.locale}:{article.id}", article.title, count, asked)


def _commonest(seen: Sequence[_Seen]) -> tuple[Article | None, int]:
    articles = {(r.article.locale, r.article.id): r.article for one in seen if (r := one.first)}
    if not articles:
        return None, 0
    counts = Counter((r.article.locale, r.article.id) for one in seen if (r := one.first))
    key, count = counts.most_common(1)[0]
    return articles[key], count
