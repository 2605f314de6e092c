"""What both engines have to say for each candidate article, on scales that can be added."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from search.bm25 import idf
from search.generation import Generation, UnitKind
from search.query import Question
from search.ranking import LEARNED_FEATURES, VECTOR_FEATURES, Feature, Shape
from search.synonyms import WEIGHT
from search.text import simplify
from search.types import Embedder, KeywordEngine, Rows, Scores, Vectors
from search.vectors import products
from search.whitening import whiten

# What is taken from each side to be compared in full; more of any was no better on any set.
_NEAREST = 64  # units from the vector index, for each vector of the question
_NEAREST_ARTICLES = 24  # of those units, and
_MORE_ARTICLES = 8  # for each vector of the question, but never more than
_MOST_ARTICLES = 96
_KEYWORD_BEST = 32  # articles from the keyword index
_LIKELIEST = 16  # articles from the classifier
PIECES = 0.1  # what pieces of words weigh beside words
_FLAT = 0.04  # the least spread of cosines: few articles may be alike by chance
_MOST_READ = 60  # passages compared letter by letter; what stands in more of them is no quotation
_SHORTEST = 2  # characters of what may be a quotation
_LONGEST_QUOTED = 100  # words
_LEAST = 1e-6
_BRIEF_PAIRS = 7  # of Han characters; a longer run of them has been copied, or means to say more
_EDGES = " .,;:!?\"'()[]-…，。；：！？、“”‘’（）【】《》"


@dataclass(frozen=True, slots=True)
class Comparison:
    """All vectors of some articles beside those of the question; (n,) arrays over the vectors."""

    question: Vectors
    """(q, d) vectors of the whole question, then of its sentences where there are several."""
    articles: Rows
    """(m,) the articles, ascending."""
    units: Rows
    """Rows in the unit table, ascending."""
    starts: Rows
    """(m + 1,) where each article's begin; the last is their number."""
    cosines: Scores
    """(n, q)"""
    similarity: Scores
    """The best cosine of each."""
    residual: Scores
    """The same without what each shares with the title of its article."""

    @classmethod
    def of(cls, generation: Generation, question: Vectors, articles: Rows) -> Comparison:
        """Compare some articles, given in ascending order, with a question."""
        units, starts = generation.units_of(articles)
        cosines = generation.vectors.similarities(units, question)
        ends = np.append(starts, len(units))
        # A title is its article's first unit.
        to_title = np.repeat(cosines[starts], np.diff(ends), axis=0)
        residual = cosines - generation.units.title[units][:, None] * to_title
        return cls(
            question, articles, units, ends, cosines, cosines.max(axis=1), residual.max(axis=1)
        )


@dataclass(slots=True)
class Evidence:
    """Arrays over the candidate articles, (n,) each, in ascending order of `articles`."""

    articles: Rows
    features: dict[str, Feature] = field(default_factory=dict)
    """Vector features are standardised: 0 is the mean article for this question."""
    similarity: Scores = field(default_factory=lambda: np.empty(0, np.float32))
    """Cosine of the best sentence, question or title."""
    words: Scores = field(default_factory=lambda: np.empty(0, np.float32))
    """BM25 of article and title together; 0 where no word of the question stands."""
    shares_words: bool = False
    """Whether any article has a word of the question, or a piece of one."""
    passage_keyword: Scores = field(default_factory=lambda: np.empty(0, np.float32))
    """(passages,) BM25 of every passage."""
    compared: Comparison | None = None
    """The vectors of the candidates beside those of the question; None without vectors."""
    raw: dict[str, Feature] = field(default_factory=dict)
    """The vector features as cosines."""
    likelihood: Scores = field(default_factory=lambda: np.empty(0, np.float32))
    """What the classifier says of each article; 0 where it has not learned."""
    outside: float | None = None
    """What it says of the likeliest topic that no article is about, where it knows of any."""
    shape: Shape = field(default_factory=lambda: Shape(0, 0, 0, 0, 1, 1))
    timings_ms: dict[str, float] = field(default_factory=dict)


class KeywordEvidence:
    """What words say of every article; (articles,) arrays."""

    def __init__(self, generation: Generation, question: Question) -> None:
        keyword = generation.keyword

        def score(name: str) -> Scores:
            return score_field(generation, question, name)

        # A word or two stand in many texts by chance. Where articles list what they are asked,
        # those lists say better which is meant; only titles are chosen with as much care.
        brief = question.brevity > 0 and len(question.grams) < _BRIEF_PAIRS
        taught = generation.classifier.knows
        verbatim = _verbatim(generation, question, titles_only=brief and taught)
        in_pieces = keyword.scores("passage_pieces", question.pieces)
        self.passages = score("passage") + np.float32(PIECES) * in_pieces
        starts = generation.article_passages[:-1]
        ones = dict.fromkeys(question.terms, 1.0)
        self.features: dict[str, Feature] = {
            "passage_words": np.maximum.reduceat(self.passages, starts),
            "verbatim": verbatim,
            "named": verbatim / max(float(verbatim.max()), _LEAST) * np.float32(question.brevity),
            "article_words": score("article"),
            "question_words": score("questions"),
            "title_words": score("title"),
            "title_pieces": keyword.scores("title_pieces", question.pieces),
            "title_share": keyword.scores("title_match", ones) / generation.title_mass,
        }
        self.matching = self.features["article_words"] + self.features["title_words"]


def _verbatim(generation: Generation, question: Question, *, titles_only: bool) -> Scores:
    """(articles,) the IDF of the whole question where an article has it word for word, else 0.

    What was copied out of an article is found in it, however common its words are elsewhere; in a
    title it counts twice, because others quote titles.
    """
    keyword = generation.keyword
    verbatim = np.zeros(generation.manifest.articles, np.float32)
    wanted = question.normalised.strip(_EDGES)
    if len(wanted) < _SHORTEST or question.words > _LONGEST_QUOTED:
        return verbatim
    # How Chinese is cut into words depends on what stands around it; pairs of characters do not.
    latin = [term for term in question.terms if term.isascii()]
    size = keyword.size("passage")
    total = sum(
        idf(size, keyword.document_frequency(name, term))
        for name, terms in (("passage", latin), ("passage_grams", question.grams))
        for term in terms
    )
    # The first and the last word of what was copied may be cut in two.
    tokens = generation.tokeniser.tokens(question.normalised)
    ends = {tokens[0].text, tokens[-1].text} if tokens else set()
    inner = [term for term in latin if term not in ends]
    found = [] if titles_only else _with_all(keyword, "passage", inner or latin, question.grams)
    if len(found) <= _MOST_READ:
        for row in found:
            if generation.folded.has(row, wanted):
                verbatim[generation.passage_article[row]] = total
    if inner or question.grams:
        titled = [
            row
            for row in _with_all(keyword, "title", inner, question.grams)
            if generation.titles.has(row, wanted)
        ]
    else:
        titled = generation.titles.rows_with(wanted).tolist()
    verbatim[titled] = 2 * total
    return verbatim


def _with_all(
    keyword: KeywordEngine, name: str, words: Collection[str], pairs: Collection[str]
) -> list[int]:
    """Documents of a field that have all words and pairs of characters."""
    rows: Rows | None = None
    for field_name, terms in ((name, words), (f"{name}_grams", pairs)):
        if terms:
            found = keyword.rows_with(field_name, terms)
            rows = found if rows is None else np.intersect1d(rows, found, assume_unique=True)
    return [] if rows is None else rows.tolist()


def score_field(generation: Generation, question: Question, name: str) -> Scores:
    """BM25 of every document of a field and its character pairs, synonyms included.

    Of a phrase and its substitutes a document gets what serves it best, never the sum.
    """
    keyword = generation.keyword
    total = keyword.scores(name, question.terms)
    if question.grams:
        total += keyword.scores(f"{name}_grams", question.grams)
    for phrase in question.alternatives:
        own = _matching(
            keyword, name,
            {term: weight for term, weight in question.terms.items() if term in phrase.terms},
            {pair: weight for pair, weight in question.grams.items() if pair in phrase.grams},
        )  # fmt: skip
        best = own.copy()
        for substitute in phrase.substitutes:
            instead = _matching(keyword, name, substitute.terms, substitute.grams)
            np.maximum(best, np.float32(WEIGHT) * instead, out=best)
        total += best - own
    return total


def _matching(
    keyword: KeywordEngine, name: str, terms: Mapping[str, float], pairs: Mapping[str, float]
) -> Scores:
    scores = keyword.scores(name, terms)
    if pairs:
        scores += keyword.scores(f"{name}_grams", pairs)
    return scores


def shape_of(generation: Generation, question: Question) -> Shape:
    """What the ranking wants to know of a question before any article is looked at."""
    keyword = generation.keyword
    size = keyword.size("article")
    ideal = known = unknown = 0.0
    for field_name, terms in (("article", question.terms), ("article_grams", question.grams)):
        for term, weight in terms.items():
            frequency = keyword.document_frequency(field_name, term)
            informative = idf(size, frequency)
            if frequency:
                ideal += weight * informative
            if field_name == "article":
                known += informative if frequency else 0.0
                unknown += 0.0 if frequency else informative
    return Shape(
        words=question.words,
        ideal=ideal,
        missing=unknown,
        unknown=unknown / (known + unknown) if known + unknown else 0.0,
        article_length=generation.manifest.article_length,
        same_language=min(1.0, 2 * generation.share_of(question.locale)),
        taught=generation.classifier.knows,
    )


def gather(
    generation: Generation,
    embedder: Embedder | None,
    question: Question,
    *,
    only: Rows | None = None,
    wanted: int = 0,
) -> Evidence:
    """Evidence for every article that either engine puts forward, or for the best of `only` some.

    The words put forward as many as are `wanted`, where they are in so many.
    Without an embedder the vector features are 0 for all.
    """
    started = time.perf_counter()
    words = KeywordEvidence(generation, question)
    total = words.matching + words.features["passage_words"]
    matching = np.flatnonzero(words.matching)
    if only is None:
        chosen = matching[_best(total[matching], max(_KEYWORD_BEST, wanted))]
    else:
        chosen = only[_best(total[only], max(_MOST_ARTICLES, wanted))]
    counted = time.perf_counter()
    timings = {"keyword": (counted - started) * 1000}
    nothing_matches = only is not None and not len(only)
    if embedder is None or not question.sentences or nothing_matches:
        evidence = Evidence(np.sort(chosen), timings_ms=timings)
        zeros = np.zeros(len(chosen), np.float32)
        evidence.features = dict.fromkeys((*VECTOR_FEATURES, *LEARNED_FEATURES), zeros)
        evidence.raw = dict(evidence.features)
        evidence.likelihood = zeros
        evidence.similarity = zeros
    else:
        vectors = whiten(embedder.encode_queries(question_texts(question)), generation.whitening)
        encoded = time.perf_counter()
        likely = _Likelihood(generation, vectors)
        if only is None:
            near = _nearest_articles(generation, vectors)
            chosen = np.concatenate([near, chosen, likely.best(_LIKELIEST)])
        evidence = _with_vectors(generation, vectors, np.unique(chosen), question.locale)
        likely.judge(evidence)
        timings["encode"] = (encoded - counted) * 1000
        timings["vector"] = (time.perf_counter() - encoded) * 1000
        evidence.timings_ms = timings
    evidence.features |= {
        name: values[evidence.articles] for name, values in words.features.items()
    }
    evidence.shape = shape_of(generation, question)
    evidence.words = words.matching[evidence.articles]
    evidence.passage_keyword = words.passages
    evidence.shares_words = bool(len(matching)) or bool(words.passages.any())
    return evidence


def _best(scores: Scores, count: int) -> Rows:
    """(at most count,) places of the highest scores, in no order; of equal ones the first."""
    if len(scores) <= count:
        return np.arange(len(scores))
    least = np.partition(scores, -count)[-count]
    above = np.flatnonzero(scores > least)
    return np.concatenate([above, np.flatnonzero(scores == least)[: count - len(above)]])


class _Likelihood:
    """What the classifier says of a question; all 0 where it has not learned.

    The whole question counts as much as the mean of its sentences: a long complaint tells its
    story in several, and the whole is more than any of them.
    """

    def __init__(self, generation: Generation, vectors: Vectors) -> None:
        self._generation = generation
        weights = np.full(len(vectors), 0.5 / max(1, len(vectors) - 1), np.float32)
        weights[0] = 0.5 if len(vectors) > 1 else 1.0
        # Scores are linear in the vector, so its mean gives the mean of the scores.
        self._vector = weights @ vectors
        classifier = generation.classifier
        self._outside = classifier.score_outside(self._vector)
        self._all = classifier.score_inside(self._vector) if classifier.few else None
        usual = classifier.score_sample(self._vector) if self._all is None else self._all
        self._mean, self._spread = float(usual.mean()), max(float(usual.std()), _FLAT)

    def best(self, count: int) -> Rows:
        """(m,) likeliest articles, where there are few enough for all to be scored."""
        if self._all is None:
            return np.empty(0, np.int64)
        return _best(self._all[self._generation.identity], count)

    def judge(self, evidence: Evidence) -> None:
        """Write down what it says of the candidates."""
        classes = self._generation.identity[evidence.articles]
        if self._all is None:
            found = self._generation.classifier.score_inside(self._vector, classes)
        else:
            found = self._all[classes]
        evidence.likelihood = found
        evidence.features["classifier"] = (found - np.float32(self._mean)) / np.float32(
            self._spread
        )
        if len(self._outside):
            evidence.outside = float(self._outside.max())


def question_texts(question: Question) -> list[str]:
    """The whole question first, then its sentences where there are several."""
    sentences = [simplify(sentence) for sentence in question.sentences]
    whole = " ".join(sentences)
    return [whole, *sentences] if len(sentences) > 1 else [whole]


def _with_vectors(
    generation: Generation, vectors: Vectors, articles: Rows, locale: str
) -> Evidence:
    compared = Comparison.of(generation, vectors, articles)
    kinds = generation.units.kind[compared.units]
    found = _vector_features(compared.cosines, kinds, compared.starts[:-1])
    sample = generation.background(locale)
    usual = _vector_features(products(sample.vectors, vectors), sample.kinds, sample.starts)
    evidence = Evidence(articles, compared=compared)
    evidence.features = dict(zip(VECTOR_FEATURES, _standardise(found, usual), strict=True))
    evidence.raw = dict(zip(VECTOR_FEATURES, found, strict=True))
    evidence.similarity = evidence.raw["best_sentence"]
    return evidence


def _nearest_articles(generation: Generation, vectors: Vectors) -> Rows:
    """The articles of the nearest vectors, those of the nearest first."""
    rows, cosines = generation.vectors.search(vectors, limit=_NEAREST)
    owners = generation.unit_article[rows.ravel()[np.argsort(-cosines, axis=None, kind="stable")]]
    most = min(_MOST_ARTICLES, _NEAREST_ARTICLES + _MORE_ARTICLES * len(vectors))
    return np.array(list(dict.fromkeys(owners.tolist()))[:most], np.int64)


def _vector_features(
    similarities: Scores, kinds: npt.NDArray[np.int8], starts: Rows
) -> npt.NDArray[np.float32]:
    """(features, articles) maxima over each article's units, as `VECTOR_FEATURES` are named.

    `similarities` are (units, question vectors).
    """
    whole = similarities[:, 0]
    sentences = whole if similarities.shape[1] == 1 else similarities[:, 1:].max(axis=1)
    passage, title = kinds == UnitKind.PASSAGE, kinds == UnitKind.TITLE
    of_kind = np.full((len(VECTOR_FEATURES), len(whole)), -1, np.float32)
    for row, values, those in (
        (0, whole, passage), (1, sentences, ~(passage | title)), (2, whole, title),
    ):  # fmt: skip
        np.copyto(of_kind[row], values, where=those)
    found: npt.NDArray[np.float32] = np.maximum.reduceat(of_kind, starts, axis=1)
    return found


def _standardise(
    values: npt.NDArray[np.float32], background: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """(features, n) distances from each background's mean in its standard deviations."""
    mean, spread = background.mean(axis=1), np.maximum(background.std(axis=1), _FLAT)
    scaled: npt.NDArray[np.float32] = (values - mean[:, None]) / spread[:, None]
    return scaled.astype(np.float32, copy=False)
