"""Question in, results and perhaps an answer out: composes the engines over one generation."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from search.advanced import parse
from search.answer import extract_answer
from search.confidence import BARE, Calibration, describe, shipped_calibrations
from search.errors import QueryRejected
from search.evidence import PIECES, Evidence, gather
from search.focus import Focus, find_places
from search.generation import Generation
from search.query import Question, analyse
from search.ranking import Feature, Ranking, shipped_ranking
from search.snippet import snippet
from search.types import (
    LOCALES,
    Article,
    Embedder,
    Explanation,
    Filters,
    Response,
    Result,
    Rows,
    Trace,
)

_OF_A_TOPIC = 0.5  # what is left of the confidence
_MORE = 10  # candidates beyond those that are shown; the confidence compares the first with them
_NO_FILTERS = Filters()
_FLOOR = 0.2  # of the confidence, for questions that share no word with any article
MODES = ("hybrid", "keyword", "vector")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An article among the candidates."""

    place: int
    """Where the evidence has what earned the score."""
    row: int
    """The article that is shown: that one, or its translation for the reader."""
    score: float


@dataclass(frozen=True, slots=True)
class _Search:
    """One search under way."""

    question: Question
    reader: str
    mode: str
    evidence: Evidence
    degraded: tuple[str, ...] = ()


class Searcher:
    """Searches one generation. Safe to share between threads."""

    def __init__(
        self,
        generation: Generation,
        embedder: Embedder,
        *,
        ranking: Ranking | None = None,
        calibrations: Mapping[str, Calibration] | None = None,
    ) -> None:
        self.generation = generation
        self.embedder = embedder
        self.ranking = ranking or shipped_ranking()
        self.calibrations = calibrations or shipped_calibrations()

    def search(
        self,
        query: str,
        *,
        locale: str | None = None,
        filters: Filters = Filters(),  # noqa: B008 (frozen)
        limit: int = 10,
        mode: str = "hybrid",
        explain: bool = False,
        exact: bool = False,
        hidden: Collection[str] = (),
    ) -> Response:
        """Answer a question for a reader of `locale` (guessed from the question when None).

        Operators restrict what is found: "a phrase", prefix*, title:word, -word, AND, OR.
        `exact` takes every word as it stands, however misspelt it seems; articles whose ids are
        `hidden` are left out, which shows what would be found if they had not been written.

        Raises `QueryRejected` for a question, mode, locale or filter that cannot be used, and
        `IndexDamaged` where operators need postings that cannot be read.
        """
        started = time.perf_counter()
        advanced = parse(query, self.generation.tokeniser)
        question = self.analyse(advanced.words if advanced else query, exact=exact)
        reader = locale or question.locale
        self._check(reader, mode, filters)
        only = None if advanced is None else self.generation.whoosh.matching(advanced)[0]
        analysed = time.perf_counter()
        search = self._gather(question, reader, mode, only, wanted=limit + _MORE)
        scores = self._scores(search)
        candidates = self._candidates(search, scores, filters, hidden, limit + _MORE)
        features = describe(
            self.generation, question, search.evidence, [c.place for c in candidates],
            [c.score for c in candidates], self.ranking.longness(question.words),
        )  # fmt: skip
        calibration = self.calibrations[question.locale if search.evidence.shape.taught else BARE]
        confidence = calibration.probability(features) if candidates else 0.0
        if _is_topic(search, candidates):
            confidence *= _OF_A_TOPIC
        if confidence < _FLOOR and not search.evidence.shares_words:
            candidates = []  # vectors always have a neighbour; this one means nothing
        sure = bool(candidates) and confidence >= calibration.threshold
        ranked = time.perf_counter()
        shown = candidates[:limit]
        places = find_places(
            self.generation, question, search.evidence, [candidate.row for candidate in shown]
        )
        results = tuple(
            self._result(search, candidate, found, explain=explain)
            for candidate, found in zip(shown, places, strict=True)
        )
        answer = extract_answer(results[0].article, places[0], filters) if sure else None
        gathered = search.evidence.timings_ms
        timings = {
            "analyse": (analysed - started) * 1000,
            **gathered,
            "rank": (ranked - analysed) * 1000 - sum(gathered.values()),
            "present": (time.perf_counter() - ranked) * 1000,
        }
        return Response(
            query, reader, results, answer, confidence, answer is not None,
            self._trace(search, features, timings), self.generation.name,
        )  # fmt: skip

    def analyse(self, query: str, *, exact: bool = False) -> Question:
        """Take a question apart with what this generation knows of its language.

        Raises `QueryRejected` when it is too long.
        """
        generation = self.generation
        return analyse(
            query, generation.tokeniser, thesaurus=generation.thesaurus,
            reader=None if exact else generation.reader,
        )  # fmt: skip

    def _check(self, locale: str, mode: str, filters: Filters) -> None:
        taxonomy = self.generation.catalogue.taxonomy
        for name, value, allowed in (
            ("locale", locale, LOCALES),
            ("mode", mode, MODES),
            ("section", filters.section, taxonomy.sections),
            ("platform", filters.platform, taxonomy.platforms),
            ("locale", filters.locale, LOCALES),
        ):
            if value is not None and value not in allowed:
                raise QueryRejected(
                    f"{name}: {value!r} is unknown; use one of {', '.join(allowed)}"
                )

    def _gather(
        self,
        question: Question,
        reader: str,
        mode: str,
        only: Rows | None = None,
        *,
        wanted: int = 0,
    ) -> _Search:
        embedder = None if mode == "keyword" else self.embedder
        try:
            evidence = gather(self.generation, embedder, question, only=only, wanted=wanted)
            return _Search(question, reader, mode, evidence)
        except Exception as error:  # whatever breaks on the vectors' side, words still answer
            if embedder is None:
                raise
            _log.exception("vector engine failed; answering by keywords")
            evidence = gather(self.generation, None, question, only=only, wanted=wanted)
            reason = f"vector engine failed: {type(error).__name__}"
            return _Search(question, reader, "keyword", evidence, (reason,))

    def _scores(self, search: _Search) -> Feature:
        return self.ranking.combine(
            search.evidence.features, search.evidence.shape, mode=search.mode
        )

    def _candidates(
        self,
        search: _Search,
        scores: Feature,
        filters: Filters,
        hidden: Collection[str],
        limit: int,
    ) -> list[_Candidate]:
        """Best first, one an article, translations collapsed to the reader's language."""
        generation, evidence = self.generation, search.evidence
        catalogue = generation.catalogue
        rows = evidence.articles.tolist()
        identities = generation.identity[evidence.articles].tolist()
        values = scores.tolist()
        filtered = filters != _NO_FILTERS
        seen: set[int] = set()
        chosen: list[_Candidate] = []
        for place in np.lexsort((evidence.articles, -scores)).tolist():
            identity = identities[place]
            if identity in seen:
                continue
            # Whatever language has earned the score, the reader gets their own where there is one.
            row = catalogue.in_language(rows[place], filters.locale or search.reader)
            if (hidden and catalogue.columns.ids[row] in hidden) or (
                filtered and not _passes(catalogue.at(row), filters)
            ):
                continue
            seen.add(identity)
            chosen.append(_Candidate(place, row, values[place]))
            if len(chosen) == limit:
                break
        return chosen

    def _result(
        self, search: _Search, candidate: _Candidate, found: Focus, *, explain: bool
    ) -> Result:
        generation = self.generation
        article = generation.catalogue.at(candidate.row)
        passage = found.passage
        return Result(
            article=article,
            passage=passage,
            score=candidate.score,
            snippet=snippet(
                passage, found.sentences[0], search.question.terms.keys(), generation.tokeniser
            ),
            translated=article.locale != search.reader,
            explanation=self._explain(search, candidate, found) if explain else None,
        )

    def _explain(self, search: _Search, candidate: _Candidate, found: Focus) -> Explanation:
        question, evidence, row = search.question, search.evidence, found.passage_row
        keyword = self.generation.keyword
        terms = keyword.explain("passage", question.terms, row)
        for name, parts, weight in (
            ("passage_grams", question.grams, 1.0),
            ("passage_pieces", question.pieces, PIECES),
        ):
            for part, score in keyword.explain(name, parts, row).items():
                terms[f"~{part}"] = weight * score  # a part may be spelt like a word
        weighed = self.ranking.parts(evidence.features, evidence.shape, mode=search.mode)
        return Explanation(
            passage_id=found.passage.id,
            score=candidate.score,
            keyword=float(evidence.passage_keyword[row]),
            similarity=float(evidence.similarity[candidate.place]),
            terms=tuple(sorted(terms.items(), key=lambda item: -item[1])),
            features={
                name: float(values[candidate.place]) for name, values in evidence.features.items()
            },
            parts={name: float(values[candidate.place]) for name, values in weighed.items()},
        )

    def _trace(
        self, search: _Search, features: dict[str, float], timings: dict[str, float]
    ) -> Trace:
        question = search.question
        return Trace(
            normalised=question.normalised,
            sentences=question.sentences,
            terms=tuple(question.terms),
            changes=question.changes,
            doubts=question.doubts,
            synonyms={
                phrase.found: tuple(substitute.text for substitute in phrase.substitutes)
                for phrase in question.alternatives
            },
            mode=search.mode,
            vector_weight=self.ranking.vector_weight(search.evidence.shape),
            features=features,
            degraded=search.degraded,
            timings_ms=timings,
        )


def _passes(article: Article, filters: Filters) -> bool:
    return (
        filters.section in (None, article.section)
        and filters.locale in (None, article.locale)
        and (filters.platform is None or filters.platform in article.platforms)
    )


def _is_topic(search: _Search, candidates: list[_Candidate]) -> bool:
    """Whether one word was asked that stands in several titles: any of them may be meant."""
    if search.question.words > 1:
        return False
    titled = search.evidence.features["title_words"]
    return sum(bool(titled[candidate.place] > 0) for candidate in candidates) > 1
