"""What kind of gap it is: proposed from what the articles say today and what visitors did.

A kind is a proposal with its evidence, shown with it; an editor's correction is never overruled.
"Most" of a gap's typical questions are more than half of them, which more than half of their
visitors asked, so that one question among three decides nothing, a stray one least of all. Where
an article is meant it is most for one and the same article.
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
_IN_SIGHT = 3  # results
_FAILED = (Reason.NOTHING, Reason.LOW_CONFIDENCE)
_UNHELPED = (Reason.NOT_HELPFUL, Reason.HANDED_OVER, Reason.SENT_ANYWAY, Reason.NO_CLICK)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a gap; `questions` are (text, locale), the most typical first.

    Where it is known, `asked_by` says how many visitors asked each of them, and `later_of` what
    they found afterwards; `later` is that of all questions of the gap.
    """

    questions: Sequence[tuple[str, str]]
    visitors: int
    reasons: Mapping[Reason, int]
    later: Later
    outdated: Mapping[str, int]
    asked_by: Sequence[int] = ()
    later_of: Sequence[Later] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one question finds today; `opened` are ids of articles that its visitors found."""

    text: str
    visitors: int
    opened: frozenset[str]
    response: Response
    first: Result | None
    similarity: float
    missing: tuple[str, ...]


def propose(facts: Facts, library: SearchLibrary, today: date) -> tuple[Kind, tuple[Evidence, ...]]:
    """The likeliest kind, and why. Raises the library's errors, such as `IndexMissing`."""
    seen = _look_at(facts, library)
    answered = [one for one in seen if one.response.resolved and one.first is not None]
    of_one = _of_one_article(answered)
    if _are_most(of_one, seen):
        return _of_answered(facts, of_one, seen, today)
    foreign = [one for one in seen if one.first is not None and _is_foreign(one, one.first)]
    if _are_most(foreign, seen):
        return Kind.OTHER_LANGUAGE, (_about("other_language", foreign, seen),)
    found = _opened_later(facts, seen, library)
    near = _of_one_article([one for one in seen if _is_near(one)])
    if not _are_most(near, seen):
        near = []
    if found is not None or near:
        return Kind.NOT_FOUND, _how_to_find(facts, found, near, seen)
    if _are_most(answered, seen):
        return _of_several(facts, answered, seen)
    outside = [one for one in seen if _is_outside(one)]
    if _are_most(outside, seen):
        return Kind.OUT_OF_SCOPE, (_counted("outside", outside, seen),)
    unanswered = [one for one in seen if one.first is not None and not one.response.resolved]
    if nearest := unanswered or answered:
        return Kind.NO_ARTICLE, (_about("nothing_near", nearest, seen),)
    return Kind.NO_ARTICLE, (_counted("nothing_found", seen, seen),)


def _of_answered(
    facts: Facts, answered: Sequence[_Seen], seen: Sequence[_Seen], today: date
) -> tuple[Kind, tuple[Evidence, ...]]:
    """Questions that one article answers today: why were they unresolved all the same?"""
    found = _about("answered_now", answered, seen)
    article = _first_article(answered)
    votes = facts.outdated.get(found.article, 0)
    if article is not None and (article.review_by < today or votes):
        said = [Evidence("voted_outdated", found.article, found.title, votes)] if votes else []
        if article.review_by < today:
            day = article.review_by.isoformat()
            said.append(Evidence("review_due", found.article, found.title, day=day))
        return Kind.OUTDATED, (found, *said)
    failed, unhelped = _failed(facts), _unhelped(facts, found)
    if failed > sum(one.count for one in unhelped):
        return Kind.NOT_FOUND, (found, Evidence("failed_then", count=failed, of=facts.visitors))
    return Kind.NOT_HELPFUL, (found, *unhelped)


def _of_several(
    facts: Facts, answered: Sequence[_Seen], seen: Sequence[_Seen]
) -> tuple[Kind, tuple[Evidence, ...]]:
    """Questions that are answered today, each by another article: none is about what is asked."""
    article = _first_article(answered)
    found = _counted("answered_apart", answered, seen, article)
    return Kind.NO_ARTICLE, (found, *_unhelped(facts, found))


def _failed(facts: Facts) -> int:
    return sum(facts.reasons.get(reason, 0) for reason in _FAILED)


def _unhelped(facts: Facts, found: Evidence) -> list[Evidence]:
    """What visitors did who were answered, and not helped."""
    counts = {reason: facts.reasons.get(reason, 0) for reason in _UNHELPED}
    return [
        Evidence(f"reason_{reason}", found.article, found.title, count, facts.visitors)
        for reason, count in counts.items()
        if count
    ]


def _how_to_find(
    facts: Facts,
    found: tuple[Evidence, Sequence[_Seen]] | None,
    near: Sequence[_Seen],
    seen: Sequence[_Seen],
) -> tuple[Evidence, ...]:
    """The article that exists, and what would let it be found: synonyms, words, questions."""
    evidence = [found[0]] if found else []
    if near:
        evidence.append(_about("near_article", near, seen))
    target = evidence[0]
    own = found[1] if found else near
    evidence += [
        Evidence("synonym", target.article, target.title, facts.later.replaced[pair], synonym=pair)
        for pair in replacements(facts)
    ]
    missing = Counter(word for one in own for word in one.missing)
    if missing:
        words = tuple(word for word, _ in missing.most_common(_MOST_WORDS))
        evidence.append(Evidence("words_missing", target.article, target.title, words=words))
    # A question that is about something else would make the article answer it, and wrongly.
    questions = tuple(one.text for one in own)
    evidence.append(
        Evidence("add_questions", target.article, target.title, len(own), len(seen),
                 questions=questions)
    )  # fmt: skip
    return tuple(evidence)


def replacements(facts: Facts) -> list[tuple[str, str]]:
    """What enough visitors called otherwise, to find it: (their first words, those that did)."""
    return [pair for pair, count in facts.later.replaced.most_common(3) if count >= OPENED_LEAST]


def _opened_later(
    facts: Facts, seen: Sequence[_Seen], library: SearchLibrary
) -> tuple[Evidence, Sequence[_Seen]] | None:
    """The article that visitors found in other words, if enough of them did, and the questions
    that are about it: most are, as their visitors opened it too or the search has it in sight."""
    for article, count in facts.later.opened.most_common(1):
        locale, _, article_id = article.partition(":")
        known = library.catalogue.get(locale, article_id)
        enough = count >= OPENED_LEAST and count >= OPENED_SHARE * facts.visitors
        about = [one for one in seen if article_id in one.opened or _is_in_sight(one, article_id)]
        if known is not None and enough and _are_most(about, seen):
            return Evidence("opened_later", article, known.title, count, facts.visitors), about
    return None


def _is_in_sight(one: _Seen, article_id: str) -> bool:
    return any(result.article.id == article_id for result in one.response.results)


def _look_at(facts: Facts, library: SearchLibrary) -> list[_Seen]:
    asked_by = facts.asked_by or [1] * len(facts.questions)
    later_of = facts.later_of or [Later()] * len(facts.questions)
    return [
        _look(text, locale, max(1, visitors), later, library)
        for (text, locale), visitors, later in zip(facts.questions, asked_by, later_of, strict=True)
    ]


def _look(text: str, locale: str, visitors: int, later: Later, library: SearchLibrary) -> _Seen:
    response = library.search(text, locale=locale or None, limit=_IN_SIGHT, explain=True)
    first = response.results[0] if response.results else None
    why = first.explanation if first else None
    present = {term for term, _ in why.terms} if why else set()
    missing = tuple(term for term in response.trace.terms if term not in present)
    opened = frozenset(article.partition(":")[2] for article in later.opened)
    similarity = why.similarity if why else 0.0
    return _Seen(text, visitors, opened, response, first, similarity, _words(text, missing))


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


def _are_most(some: Sequence[_Seen], seen: Sequence[_Seen]) -> bool:
    """Whether these are more than half, of the questions and of those who asked them."""
    return 2 * len(some) > len(seen) and 2 * _visitors(some) > _visitors(seen)


def _visitors(seen: Sequence[_Seen]) -> int:
    return sum(one.visitors for one in seen)


def _of_one_article(some: Sequence[_Seen]) -> list[_Seen]:
    """Those with the article first, in any language, that most have: each another is none."""
    counts: Counter[str] = Counter()
    for one in some:
        if one.first:
            counts[one.first.article.id] += one.visitors
    most = next((name for name, _ in counts.most_common(1)), "")
    return [one for one in some if one.first and one.first.article.id == most]


def _is_near(one: _Seen) -> bool:
    if one.first is None or one.similarity >= NEAR:
        return one.first is not None
    within = one.response.trace.features.get("inside", 0.0) > 0
    return within and one.response.confidence >= NEAR_CONFIDENCE


def _is_outside(one: _Seen) -> bool:
    if one.first is None:
        return False
    return one.similarity < FAR and one.response.trace.features.get("inside", 0.0) <= OUTSIDE


def _first_article(some: Sequence[_Seen]) -> Article | None:
    """The article that stands first for most of some questions, in the language most read it."""
    counts: Counter[tuple[str, str]] = Counter()
    articles = {}
    for one in _of_one_article(some):
        if one.first:
            article = one.first.article
            articles[article.locale, article.id] = article
            counts[article.locale, article.id] += one.visitors
    return next((articles[key] for key, _ in counts.most_common(1)), None)


def _about(key: str, some: Sequence[_Seen], seen: Sequence[_Seen]) -> Evidence:
    """The article that stands first for most of some questions, and for how many of all."""
    return _counted(key, _of_one_article(some), seen, _first_article(some))


def _counted(
    key: str, some: Sequence[_Seen], seen: Sequence[_Seen], article: Article | None = None
) -> Evidence:
    """For how many of the questions something holds, and of their visitors."""
    name = f"{article.locale}:{article.id}" if article else ""
    title = article.title if article else ""
    return Evidence(
        key,
        name,
        title,
        len(some),
        len(seen),
        visitors=_visitors(some),
        of_visitors=_visitors(seen),
    )
