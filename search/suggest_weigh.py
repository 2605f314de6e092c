"""What the searcher says of a form's text and of its sentences, merged for each article.

Evidence is gathered as for a question: once for the whole text, and once for each of its most
telling sentences, all of them encoded in one call. What the whole says finds an article whose words
are spread over the story; what one sentence says lifts the article that a long story hides.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from search.bm25 import idf
from search.cache import Cache, RememberingEmbedder
from search.confidence import BARE, describe
from search.evidence import Evidence, gather, question_texts
from search.generation import Generation
from search.query import Question
from search.ranking import Feature
from search.searcher import Searcher
from search.suggest_text import most_telling, read_sentences
from search.text import MAX_QUERY, guess_locale
from search.types import Article, Embedder, Rows

_SENTENCES = 8  # compared one by one; the others only lend their words
_PARTS = 2  # sentences searched for by themselves
_FOUND = 16  # articles the whole text finds, among which its sentences choose
_SPREAD = 12  # of these, whose scores set the scale
_COMPARED = 10  # articles a confidence compares its own with
_JUDGED = 4  # articles whose confidence is computed
_SURE = 1e-3  # a probability never counts as nearer to 0 or 1 than this
_TEXTS = 64  # that one call may bring
_LEAST = 1e-6
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Merging:
    """The numbers of `search/data/suggest.json`; benchmarks/suggest.py fits and judges them."""

    sentences: float
    """The share of the sentences in the merged score; the rest is the whole text's."""
    about: float
    """What is added to the merged score of an article for each of reason and platform that it is
    about, and taken from it where it is about other platforms: little, so that neither hides a
    clearly better match."""
    likely: float
    """Weight of what the calibration of questions says of an article, in log odds."""
    gap: float
    """Weight of its distance from the best merged score; at most 0."""
    about_odds: float
    """The same in its log odds."""
    intercept: float

    def probability(self, likely: float, gap: float, about: int) -> float:
        """The chance, 0 to 1, that an article settles a text."""
        known = min(max(likely, _SURE), 1 - _SURE)
        odds = math.log(known / (1 - known))
        logit = self.intercept + self.likely * odds + self.gap * gap + self.about_odds * about
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@lru_cache(maxsize=1)
def shipped_merging() -> Merging:
    """The numbers in the distribution."""
    text = (importlib.resources.files("search.data") / "suggest.json").read_text("utf-8")
    return Merging(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article that was weighed, and what its confidence is made of."""

    row: int
    """The article that is shown: the one found, or its translation for the reader."""
    score: float
    """Merged, 0 to 1, before reason and platform."""
    about: int
    """How many of reason and platform it is about, one less where it is about others."""
    likely: float
    """What the calibration of questions says of it."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A text taken apart and its candidates in order, before anything is judged enough."""

    question: Question
    """The whole text; its `sentences` are the most telling ones."""
    evidence: Evidence
    candidates: tuple[Candidate, ...]
    degraded: tuple[str, ...] = ()

    def judged(self, merging: Merging) -> list[tuple[Candidate, float]]:
        """The candidates, each with the chance that it settles the text."""
        best = max((each.score for each in self.candidates), default=0.0)
        return [
            (each, merging.probability(each.likely, best - each.score, each.about))
            for each in self.candidates
        ]


def weigh(
    searcher: Searcher,
    text: str,
    *,
    locale: str | None,
    reason: str | None,
    platform: str | None,
    merging: Merging,
    most: int = _JUDGED,
) -> Weighed | None:
    """At most `most` candidates for a text, best first; None for a text that says nothing.

    `reason` and `platform` are keys of the taxonomy.
    """
    sentences = read_sentences(text)
    if not sentences:
        return None
    generation = searcher.generation

    def information(sentence: str) -> float:
        return _information(generation, sentence)

    telling = most_telling(sentences, information, most=_SENTENCES)
    whole = "\n".join([*_named(generation, platform, sentences), *sentences])
    if len(whole) > MAX_QUERY:
        whole = "\n".join(most_telling(sentences, information, most=4 * _SENTENCES))[:MAX_QUERY]
    question = dataclasses.replace(searcher.analyse(whole), sentences=tuple(telling))
    parts = most_telling(telling, information, most=_PARTS) if len(telling) > 1 else []
    questions = [question, *map(searcher.analyse, parts)]
    evidences, degraded = _gather(searcher, questions)
    mode = "keyword" if degraded else "hybrid"
    scores = [
        searcher.ranking.combine(found.features, found.shape, mode=mode) for found in evidences
    ]
    evidence = evidences[0]
    if not evidence.shares_words:
        # Vectors always have a neighbour; without a word in common it means nothing.
        return Weighed(question, evidence, (), degraded)
    places = _best_places(generation, evidence, scores[0])
    merged = _merge(evidences, scores, places, list(map(information, parts)), merging.sentences)
    order = _order(searcher, evidence, places, merged, (reason, platform), merging)[:most]
    reader = locale or question.locale
    likely = _likelihoods(searcher, question, evidence, scores[0], places, order)
    candidates = tuple(
        Candidate(
            generation.catalogue.in_language(int(evidence.articles[places[number]]), reader),
            merged[number], about, chance,
        )
        for (number, about), chance in zip(order, likely, strict=True)
    )  # fmt: skip
    return Weighed(question, evidence, candidates, degraded)


def _named(generation: Generation, platform: str | None, sentences: Sequence[str]) -> list[str]:
    """The platform in words, as if it had been written, where most articles are about another.

    Who chose it from a list does not write it again, and its own articles are found by its name.
    """
    catalogue = generation.catalogue
    if platform is None or catalogue.platform_shares.get(platform, 0.0) > 0.5:
        return []
    return [catalogue.taxonomy.platforms[platform].title(guess_locale("\n".join(sentences)))]


def _information(generation: Generation, sentence: str) -> float:
    """How much a sentence says of what articles are about: the IDF of its words that they have."""
    keyword = generation.keyword
    size = keyword.size("article")
    return sum(
        idf(size, frequency)
        for term in set(generation.tokeniser.content_terms(sentence))
        if (frequency := keyword.document_frequency("article", term))
    )


def _gather(
    searcher: Searcher, questions: Sequence[Question]
) -> tuple[list[Evidence], tuple[str, ...]]:
    """Evidence for the whole text, then for each sentence among what the whole has found."""
    embedder = RememberingEmbedder(searcher.embedder, Cache(_TEXTS))
    try:
        texts = [text for question in questions for text in question_texts(question)]
        began = time.perf_counter()
        embedder.encode_queries(list(dict.fromkeys(texts)))
        milliseconds = (time.perf_counter() - began) * 1000
        evidences = _gather_with(searcher, questions, embedder)
        evidences[0].timings_ms["encode"] = milliseconds
        return evidences, ()
    except Exception as error:  # whatever breaks on the vectors' side, words still answer
        _log.exception("vector engine failed; suggesting by keywords")
        reason = f"vector engine failed: {type(error).__name__}"
        return _gather_with(searcher, questions, None), (reason,)


def _gather_with(
    searcher: Searcher, questions: Sequence[Question], embedder: Embedder | None
) -> list[Evidence]:
    generation = searcher.generation
    whole = gather(generation, embedder, questions[0])
    mode = "hybrid" if embedder else "keyword"
    scores = searcher.ranking.combine(whole.features, whole.shape, mode=mode)
    best = np.sort(np.argsort(-scores, kind="stable")[:_FOUND])
    among: Rows = whole.articles[best]
    return [whole, *(gather(generation, embedder, part, only=among) for part in questions[1:])]


def _best_places(generation: Generation, evidence: Evidence, scores: Feature) -> list[int]:
    """Places of the best articles of the whole text, one for all translations of an article."""
    seen: set[int] = set()
    places: list[int] = []
    for place in np.lexsort((evidence.articles, -scores)).tolist():
        identity = int(generation.identity[evidence.articles[place]])
        if identity not in seen:
            seen.add(identity)
            places.append(place)
        if len(places) == _FOUND:
            break
    return places


def _merge(
    evidences: Sequence[Evidence],
    scores: Sequence[Feature],
    places: Sequence[int],
    weights: Sequence[float],
    share: float,
) -> list[float]:
    """The merged score of each place, 0 to 1: the whole's, and the mean of its sentences'.

    Each is scaled to its own best and worst of `_SPREAD`, because scores grow with the length of
    what is asked; sentences count by what they say.
    """
    articles = evidences[0].articles[list(places)]
    whole = _scaled(scores[0][list(places)])
    total = sum(weights)
    parts = np.zeros(len(places), np.float32)
    for evidence, found, weight in zip(evidences[1:], scores[1:], weights, strict=True):
        own = np.zeros(len(places), np.float32)
        rows = np.minimum(np.searchsorted(evidence.articles, articles), len(found) - 1)
        known = evidence.articles[rows] == articles if len(found) else np.zeros(len(places), bool)
        own[known] = found[rows[known]]
        parts += np.float32(weight / total) * _scaled(own)
    merged: list[float] = ((1 - share) * whole + share * parts if total > 0 else whole).tolist()
    return merged


def _scaled(scores: Feature) -> Feature:
    ordered = np.sort(scores)[::-1]
    low, high = ordered[min(len(ordered), _SPREAD) - 1], ordered[0]
    scaled: Feature = np.clip((scores - low) / max(float(high - low), _LEAST), 0, 1)
    return scaled


def _order(
    searcher: Searcher,
    evidence: Evidence,
    places: Sequence[int],
    merged: Sequence[float],
    asked: tuple[str | None, str | None],
    merging: Merging,
) -> list[tuple[int, int]]:
    """Numbers in `places`, best first, each with how much its article is about."""
    catalogue = searcher.generation.catalogue
    about = [_about(catalogue.at(int(evidence.articles[place])), *asked) for place in places]
    ordered = sorted(
        range(len(places)), key=lambda number: -(merged[number] + merging.about * about[number])
    )
    return [(number, about[number]) for number in ordered]


def _about(article: Article, reason: str | None, platform: str | None) -> int:
    """-1 to 2: what holds on one platform only may be wrong on another, so that counts against."""
    elsewhere = platform is not None and bool(article.platforms)
    fits = platform in article.platforms
    return (reason in article.reasons) + (fits if fits or not elsewhere else -1)


def _likelihoods(
    searcher: Searcher,
    question: Question,
    evidence: Evidence,
    scores: Feature,
    places: Sequence[int],
    order: Sequence[tuple[int, int]],
) -> list[float]:
    """What the calibration of questions says of each, as if it had come first."""
    calibration = searcher.calibrations[question.locale if evidence.shape.taught else BARE]
    longness = searcher.ranking.longness(question.words)
    chances = []
    for number, _ in order:
        place = places[number]
        others = [other for other in places[:_COMPARED] if other != place]
        compared = [place, *others]
        features = describe(
            searcher.generation, question, evidence, compared,
            [float(scores[other]) for other in compared], longness,
        )  # fmt: skip
        chances.append(calibration.probability(features))
    return chances
