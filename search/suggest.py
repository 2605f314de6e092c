"""A text typed into a form in, the few articles that may settle it out, or none."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from search.errors import QueryRejected
from search.focus import find_places
from search.searcher import Searcher
from search.suggest_weigh import Candidate, Merging, Weighed, shipped_merging, weigh
from search.taxonomy import Label
from search.text import guess_locale, join_sentences, normalise
from search.types import LOCALES, Article, Passage, PolicyClause

MOST = 3
"""Suggestions at once."""
_OPENING = 1.3
"""Who tells a story asks for no one section: read on the texts of tests/golden/suggest, the opening
was the better excerpt of most."""
THRESHOLD = 0.5
"""The least confidence where a form names none."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An article that may settle what was written, and the sentences of it that say so."""

    article: Article
    passage: Passage
    excerpt: str
    """One or two sentences of the passage, word for word."""
    confidence: float
    """The chance, 0 to 1, that this article settles it."""
    policy: PolicyClause | None
    """Its rule for the platform and the reason, where it has one."""
    translated: bool
    """True when the article is in another language than the reader's and has no translation."""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What was found for a text, best first; nothing where nothing is likely enough."""

    items: tuple[Suggestion, ...]
    confidence: float
    """That of the likeliest article, shown or not; 0 where there is none."""
    locale: str
    """The reader's language."""
    reason: str | None
    """The key of the taxonomy that was meant, None where none was."""
    platform: str | None
    sentences: tuple[str, ...]
    """The sentences that were compared, in their order."""
    generation: str
    degraded: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)


def suggest(
    searcher: Searcher,
    text: str,
    *,
    locale: str | None = None,
    reason: str | None = None,
    platform: str | None = None,
    limit: int = MOST,
    threshold: float = THRESHOLD,
    merging: Merging | None = None,
) -> Suggestions:
    """Articles for a form's text, from which personal data has been removed.

    `reason` and `platform` are keys of the taxonomy or what readers see of them in any language;
    forms have values of their own, so what is not known is left aside. Raises `QueryRejected` for
    a locale that is not known.
    """
    started = time.perf_counter()
    if locale is not None and locale not in LOCALES:
        raise QueryRejected(f"locale: {locale!r} is unknown; use one of {', '.join(LOCALES)}")
    merging = merging or shipped_merging()
    generation = searcher.generation
    taxonomy = generation.catalogue.taxonomy
    reason = known_key(taxonomy.reasons, reason)
    platform = known_key(taxonomy.platforms, platform)
    weighed = weigh(
        searcher, text, locale=locale, reason=reason, platform=platform, merging=merging
    )
    if weighed is None:
        return Suggestions(
            (), 0.0, locale or guess_locale(text), reason, platform, (), generation.name
        )
    reader = locale or weighed.question.locale
    judged = weighed.judged(merging)
    ranked = time.perf_counter()
    sure = [found for found in judged if found[1] >= threshold][: min(limit, MOST)]
    items = _present(searcher, weighed, sure, reader, reason, platform)
    gathered = weighed.evidence.timings_ms
    return Suggestions(
        items=items,
        confidence=max((chance for _, chance in judged), default=0.0),
        locale=reader,
        reason=reason,
        platform=platform,
        sentences=weighed.question.sentences,
        generation=generation.name,
        degraded=weighed.degraded,
        timings_ms={
            **gathered,
            "rank": (ranked - started) * 1000 - sum(gathered.values()),
            "present": (time.perf_counter() - ranked) * 1000,
        },
    )


def known_key(labels: Mapping[str, Label], value: str | None) -> str | None:
    """The key of a label by its key or by its title in any language, or None."""
    wanted = normalise(value or "")
    if not wanted:
        return None
    return next(
        (
            key
            for key, label in labels.items()
            if wanted == key or wanted in map(normalise, label.titles.values())
        ),
        None,
    )


def rule_for(
    article: Article, passage: Passage, reason: str | None, platform: str | None
) -> PolicyClause | None:
    """The clause of an article for a reason and a platform; of several the one the passage states.

    Where neither is known, only what the passage states or an article with a single clause says
    can be meant.
    """
    clauses = [
        clause
        for clause in article.policy
        if (platform is None or platform in clause.platforms)
        and (reason is None or reason in clause.reasons)
    ]
    stated = [clause for clause in clauses if clause.section == passage.anchor]
    if stated and (len(stated) == 1 or reason is not None):
        return stated[0]
    return clauses[0] if len(clauses) == 1 or (clauses and reason and platform) else None


def _present(
    searcher: Searcher,
    weighed: Weighed,
    sure: Sequence[tuple[Candidate, float]],
    reader: str,
    reason: str | None,
    platform: str | None,
) -> tuple[Suggestion, ...]:
    generation = searcher.generation
    places = find_places(
        generation, weighed.question, weighed.evidence, [candidate.row for candidate, _ in sure],
        opening=_OPENING,
    )  # fmt: skip
    items = []
    for (candidate, chance), place in zip(sure, places, strict=True):
        article, passage = generation.catalogue.at(candidate.row), place.passage
        items.append(
            Suggestion(
                article=article,
                passage=passage,
                excerpt=join_sentences(
                    [passage.sentences[number] for number in place.sentences], passage.locale
                ).rstrip(";；"),
                confidence=chance,
                policy=rule_for(article, passage, reason, platform),
                translated=article.locale != reader,
            )
        )
    return tuple(items)
