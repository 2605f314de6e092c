"""Question in, results and perhaps an answer out: composes the engines over one generation."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from search.answer import extract_answer
from search.confidence import Calibration, shipped_calibrations
from search.errors import QueryRejected
from search.fusion import Fused, fuse, keyword_weight
from search.generation import Generation
from search.query import Question, analyse
from search.snippet import snippet
from search.text import guess_locale
from search.types import (
    LOCALES,
    Article,
    Embedder,
    Explanation,
    Filters,
    Response,
    Result,
    Rows,
    Scores,
    Trace,
    Vectors,
)

MODES = ("hybrid", "keyword", "vector")
_KEYWORD_CANDIDATES = 200
_VECTOR_CANDIDATES = 400
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Work:
    """What the stages of one search hand on to each other."""

    question: Question
    locale: str
    mode: str
    keyword: tuple[Rows, Scores]
    similarity: tuple[Rows, Scores]
    best_sentence: dict[int, int] = field(default_factory=dict)
    query_vectors: Vectors | None = None
    degraded: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An article's best passage among the fused rows."""

    article_row: int
    passage_row: int
    score: float
    keyword: float
    similarity: float


_NOTHING = (np.empty(0, np.int64), np.empty(0, np.float32))


class Searcher:
    """Searches one generation. Safe to share between threads."""

    def __init__(
        self,
        generation: Generation,
        embedder: Embedder,
        *,
        calibrations: Mapping[str, Calibration] | None = None,
    ) -> None:
        self.generation = generation
        self._embedder = embedder
        self._calibrations = calibrations or shipped_calibrations()

    def search(
        self,
        query: str,
        *,
        locale: str | None = None,
        filters: Filters = Filters(),  # noqa: B008 (frozen)
        limit: int = 10,
        mode: str = "hybrid",
        explain: bool = False,
    ) -> Response:
        """Answer a question for a reader of `locale` (guessed from the question when None).

        Raises `QueryRejected` for a question, mode, locale or filter that cannot be used.
        """
        reader = locale or guess_locale(query)
        self._check(reader, mode, filters)
        work = self._retrieve(analyse(query, self.generation.tokeniser), reader, mode)
        weight = keyword_weight(len(work.question.sentences), mode=mode)
        if work.degraded:
            weight = 1.0
        fused = fuse(work.keyword, work.similarity, weight=weight)
        candidates = self._group(fused, work, filters)
        features = self._features(work, candidates)
        calibration = self._calibrations[reader]
        confidence = calibration.probability(features) if candidates else 0.0
        resolved = bool(candidates) and confidence >= calibration.threshold
        results = tuple(self._result(c, work, explain=explain) for c in candidates[:limit])
        answer = None
        if resolved:
            best = results[0]
            answer = extract_answer(
                self.generation, work.question, best.article, candidates[0].passage_row,
                work.query_vectors, filters,
            )  # fmt: skip
        trace = Trace(
            normalised=work.question.normalised,
            sentences=work.question.sentences,
            terms=work.question.keyword_terms,
            mode=mode,
            keyword_weight=weight,
            features=features,
            degraded=tuple(work.degraded),
            timings_ms=work.timings,
        )
        return Response(
            query, reader, results, answer, confidence, answer is not None, trace,
            self.generation.name,
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

    def _retrieve(self, question: Question, locale: str, mode: str) -> _Work:
        work = _Work(question, locale, mode, _NOTHING, _NOTHING)
        if mode != "vector":
            started = time.perf_counter()
            work.keyword = self.generation.keyword.search(
                question.keyword_terms, limit=_KEYWORD_CANDIDATES
            )
            work.timings["keyword"] = (time.perf_counter() - started) * 1000
        if mode != "keyword" and question.sentences:
            try:
                self._retrieve_vectors(work)
            except Exception as error:  # whatever breaks there, words still answer
                _log.exception("vector engine failed; answering by keywords")
                work.similarity = _NOTHING
                work.query_vectors = None
                work.degraded.append(f"vector engine failed: {type(error).__name__}")
                if mode == "vector":
                    work.keyword = self.generation.keyword.search(
                        question.keyword_terms, limit=_KEYWORD_CANDIDATES
                    )
        return work

    def _retrieve_vectors(self, work: _Work) -> None:
        generation = self.generation
        sentences = work.question.sentences
        started = time.perf_counter()
        work.query_vectors = self._embedder.encode_queries(list(sentences))
        encoded = time.perf_counter()
        rows, similarities = generation.vectors.search(work.query_vectors, limit=_VECTOR_CANDIDATES)
        # A long sentence says more than "Hello." does.
        weights = np.sqrt([max(1, len(sentence)) for sentence in sentences])
        weights /= weights.sum()
        best: dict[int, npt.NDArray[np.float32]] = {}
        floor = similarities.min(axis=1, initial=1.0)  # what an absent passage can have at most
        strongest: dict[int, float] = {}
        for number in range(len(sentences)):
            for row, similarity in zip(rows[number], similarities[number], strict=True):
                passage = int(generation.units.passage[row])
                scores = best.setdefault(passage, floor.copy())
                scores[number] = max(scores[number], similarity)
                weighted = float(similarity * weights[number])
                if weighted > strongest.get(passage, -math.inf):
                    strongest[passage] = weighted
                    work.best_sentence[passage] = int(generation.units.sentence[row])
        passages = np.fromiter(best, np.int64, len(best))
        combined = np.array([float(scores @ weights) for scores in best.values()], np.float32)
        work.similarity = (passages, combined)
        work.timings["encode"] = (encoded - started) * 1000
        work.timings["vector"] = (time.perf_counter() - encoded) * 1000

    def _group(self, fused: Fused, work: _Work, filters: Filters) -> list[_Candidate]:
        """One candidate an article, translations collapsed to the reader's language."""
        generation = self.generation
        catalogue = generation.catalogue
        best: dict[int, _Candidate] = {}
        for row, score, keyword, similarity in zip(
            fused.rows, fused.scores, fused.keyword, fused.similarity, strict=True
        ):
            owner = int(generation.passage_article[row])
            if owner not in best and _passes(catalogue.at(owner), filters):
                best[owner] = _Candidate(
                    owner, int(row), float(score), float(keyword), float(similarity)
                )
        chosen: dict[str, _Candidate] = {}
        for candidate in best.values():
            article = catalogue.at(candidate.article_row)
            present = chosen.get(article.id)
            if present is None:
                chosen[article.id] = candidate
                continue
            if article.locale == work.locale:
                # The reader's own language stands for the article, at the better of the scores.
                score = max(candidate.score, present.score)
                chosen[article.id] = _Candidate(
                    candidate.article_row, candidate.passage_row, score,
                    candidate.keyword, candidate.similarity,
                )  # fmt: skip
        return sorted(chosen.values(), key=lambda c: (-c.score, c.passage_row))

    def _features(self, work: _Work, candidates: list[_Candidate]) -> dict[str, float]:
        """What the confidence is calculated from, each about 0 to 1."""
        if not candidates:
            return {}
        first = candidates[0]
        second = candidates[1].score if len(candidates) > 1 else 0.0
        return {
            "similarity": first.similarity,
            "coverage": self._coverage(work.question, first.passage_row),
            "margin": first.score - second,
        }

    def _coverage(self, question: Question, row: int) -> float:
        """The share of the question's informative words, by IDF, that the passage has."""
        keyword = self.generation.keyword
        total = found = 0.0
        present = keyword.explain(question.terms, row)
        for term in question.terms:
            frequency = keyword.document_frequency(term)
            weight = math.log((keyword.count + 1) / (frequency + 0.5))
            total += weight
            found += weight if term in present else 0.0
        return found / total if total > 0 else 0.0

    def _result(self, candidate: _Candidate, work: _Work, *, explain: bool) -> Result:
        generation = self.generation
        article = generation.catalogue.at(candidate.article_row)
        passage = generation.passage(candidate.passage_row)
        sentence = min(work.best_sentence.get(candidate.passage_row, 0), len(passage.sentences) - 1)
        explanation = None
        if explain:
            terms = generation.keyword.explain(work.question.keyword_terms, candidate.passage_row)
            explanation = Explanation(
                passage.id, candidate.score, candidate.keyword, candidate.similarity,
                tuple(sorted(terms.items(), key=lambda item: -item[1])),
                passage.sentences[sentence],
            )  # fmt: skip
        return Result(
            article=article,
            passage=passage,
            score=candidate.score,
            snippet=snippet(passage, sentence, work.question.terms, generation.tokeniser),
            translated=article.locale != work.locale,
            explanation=explanation,
        )


def _passes(article: Article, filters: Filters) -> bool:
    return (
        filters.section in (None, article.section)
        and filters.locale in (None, article.locale)
        and (filters.platform is None or filters.platform in article.platforms)
    )
