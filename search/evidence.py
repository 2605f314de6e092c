"""What both engines have to say for each candidate article, on scales that can be added."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from search.bm25 import idf
from search.generation import Generation, UnitKind
from search.query import Question
from search.ranking import LEARNED_FEATURES, VECTOR_FEATURES, Feature, Shape
from search.synonyms import WEIGHT
from search.text import normalise, simplify
from search.types import Embedder, Rows, Scores, Vectors
from search.whitening import whiten

_NEAREST = 512  # units taken from the vector index for each vector of the question
_KEYWORD_BEST = 200  # articles taken from the keyword index
_LIKELIEST = 50  # articles taken from the classifier
PIECES = 0.1  # what pieces of words weigh beside words
_FLAT = 0.04  # the least spread of cosines: few articles may be alike by chance
_NEARLY_ALL = 0.6  # of the question's IDF
_MOST_READ = 60  # passages compared letter by letter; what stands in more of them is no quotation
_SHORTEST = 2  # characters of what may be a quotation
_LEAST = 1e-6
_BRIEF = 4  # words; who types fewer names a thing
_EDGES = " .,;:!?\"'()[]-…，。；：！？、“”‘’（）【】《》"


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
    units: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    """Rows of the candidates' vectors, ascending."""
    unit_similarity: Scores = field(default_factory=lambda: np.empty(0, np.float32))
    """Best cosine of each of `units` over the question's vectors."""
    residual: Scores = field(default_factory=lambda: np.empty(0, np.float32))
    """The same without what each of `units` shares with the title of its article."""
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

        verbatim = _verbatim(generation, question)
        in_pieces = keyword.scores("passage_pieces", question.pieces)
        self.passages = score("passage") + np.float32(PIECES) * in_pieces
        starts = generation.article_passages[:-1]
        ones = dict.fromkeys(question.terms, 1.0)
        self.features: dict[str, Feature] = {
            "passage_words": np.maximum.reduceat(self.passages, starts),
            "verbatim": verbatim,
            "named": verbatim / max(float(verbatim.max()), _LEAST) * np.float32(_brevity(question)),
            "article_words": score("article"),
            "question_words": score("questions"),
            "title_words": score("title"),
            "title_pieces": keyword.scores("title_pieces", question.pieces),
            "title_share": keyword.scores("title_match", ones) / generation.title_mass,
        }
        self.matching = self.features["article_words"] + self.features["title_words"]


def _brevity(question: Question) -> float:
    """1 for a single word, 0 from `_BRIEF` words on."""
    return max(0, _BRIEF - max(question.words, 1)) / (_BRIEF - 1)


def _verbatim(generation: Generation, question: Question) -> Scores:
    """(articles,) the IDF of the whole question where an article has it word for word, else 0.

    What was copied out of an article is found in it, however common its words are elsewhere; in a
    title it counts twice, because others quote titles.
    """
    keyword = generation.keyword
    found = np.zeros(keyword.size("passage"), np.float32)
    total = 0.0
    # How Chinese is cut into words depends on what stands around it; pairs of characters do not.
    latin = [term for term in question.terms if term.isascii()]
    for name, terms in (("passage_match", latin), ("passage_match_grams", [*question.grams])):
        found += keyword.scores(name, dict.fromkeys(terms, 1.0))
        size = keyword.size(name)
        total += sum(idf(size, keyword.document_frequency(name, term)) for term in terms)
    verbatim = np.zeros(generation.manifest.articles, np.float32)
    wanted = question.normalised.strip(_EDGES)
    if len(wanted) < _SHORTEST:
        return verbatim
    # The first and the last word of what was copied may be cut in two.
    rows = np.flatnonzero((found > 0) & (found >= _NEARLY_ALL * total))
    if len(rows) <= _MOST_READ:
        for row in rows:
            passage = generation.passage(int(row))
            if wanted in normalise(passage.text) or wanted in normalise(passage.headings[-1]):
                verbatim[generation.passage_article[row]] = total
    titled = [row for row, title in enumerate(generation.titles) if wanted in title]
    verbatim[titled] = 2 * total
    return verbatim


def score_field(generation: Generation, question: Question, name: str) -> Scores:
    """BM25 of every document of a field and its character pairs, synonyms included.

    Of a phrase and its substitutes a document gets what serves it best, never the sum.
    """
    keyword = generation.keyword

    def score(terms: Mapping[str, float], grams: Mapping[str, float]) -> Scores:
        return keyword.scores(name, terms) + keyword.scores(f"{name}_grams", grams)

    total = score(question.terms, question.grams)
    for phrase in question.alternatives:
        own = score(
            {term: weight for term, weight in question.terms.items() if term in phrase.terms},
            {pair: weight for pair, weight in question.grams.items() if pair in phrase.grams},
        )
        best = own
        for substitute in phrase.substitutes:
            instead = np.float32(WEIGHT) * score(substitute.terms, substitute.grams)
            best = np.maximum(best, instead)
        total += best - own
    return total


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


def gather(generation: Generation, embedder: Embedder | None, question: Question) -> Evidence:
    """Evidence for every article that either engine puts forward.

    Without an embedder the vector features are 0 for all.
    """
    started = time.perf_counter()
    words = KeywordEvidence(generation, question)
    total = words.matching + words.features["passage_words"]
    matching = np.flatnonzero(words.matching)
    chosen = matching[np.argsort(-total[matching], kind="stable")[:_KEYWORD_BEST]]
    counted = time.perf_counter()
    timings = {"keyword": (counted - started) * 1000}
    if embedder is None or not question.sentences:
        articles = generation.with_translations(chosen)
        evidence = Evidence(articles, timings_ms=timings)
        zeros = np.zeros(len(articles), np.float32)
        evidence.features = dict.fromkeys((*VECTOR_FEATURES, *LEARNED_FEATURES), zeros)
        evidence.raw = dict(evidence.features)
        evidence.likelihood = zeros
        evidence.similarity = zeros
    else:
        vectors = whiten(embedder.encode_queries(_texts(question)), generation.whitening)
        encoded = time.perf_counter()
        likely = _classify(generation, vectors)
        inside = likely[: generation.classifier.inside]
        learned = _standardise(inside, inside)[generation.identity]
        chosen = np.union1d(chosen, np.argsort(-learned, kind="stable")[:_LIKELIEST])
        evidence = _with_vectors(generation, vectors, chosen, question.locale)
        evidence.features["classifier"] = learned[evidence.articles]
        evidence.likelihood = inside[generation.identity][evidence.articles]
        if len(inside) < len(likely):
            evidence.outside = float(likely[len(inside) :].max())
        timings["encode"] = (encoded - counted) * 1000
        timings["vector"] = (time.perf_counter() - encoded) * 1000
        evidence.timings_ms = timings
    evidence.features |= {
        name: values[evidence.articles] for name, values in words.features.items()
    }
    evidence.shape = shape_of(generation, question)
    evidence.words = words.matching[evidence.articles]
    evidence.passage_keyword = words.passages
    evidence.shares_words = bool(words.passages.any() or words.matching.any())
    return evidence


def _classify(generation: Generation, vectors: Vectors) -> Scores:
    """(classes,) what the classifier says of a question; all 0 where it has not learned.

    The whole question counts as much as the mean of its sentences: a long complaint tells its
    story in several, and the whole is more than any of them.
    """
    scores = generation.classifier.scores(vectors)
    sentences = scores if len(scores) == 1 else scores[1:]
    likely: Scores = (scores[0] + sentences.mean(axis=0)) / 2
    return likely


def _texts(question: Question) -> list[str]:
    """The whole question first, then its sentences where there are several."""
    sentences = [simplify(sentence) for sentence in question.sentences]
    whole = " ".join(sentences)
    return [whole, *sentences] if len(sentences) > 1 else [whole]


def _with_vectors(
    generation: Generation, vectors: Vectors, keyword_articles: Rows, locale: str
) -> Evidence:
    nearest, _ = generation.vectors.search(vectors, limit=_NEAREST)
    owners = generation.unit_article[np.unique(nearest)]
    articles = generation.with_translations(np.union1d(owners, keyword_articles))
    rows, starts = generation.units_of(articles)
    similarities = generation.vectors.vectors(rows) @ vectors.T
    kinds = np.asarray(generation.units.kind)[rows]
    found = _vector_features(similarities, kinds, starts)
    sample_rows, sample_starts, sample_vectors = generation.background(locale)
    sample_kinds = np.asarray(generation.units.kind)[sample_rows]
    usual = _vector_features(sample_vectors @ vectors.T, sample_kinds, sample_starts)
    evidence = Evidence(articles)
    evidence.features = {name: _standardise(found[name], usual[name]) for name in found}
    evidence.raw = dict(found)
    evidence.similarity = found["best_sentence"]
    evidence.units = rows
    evidence.unit_similarity = similarities.max(axis=1)
    sizes = np.diff(np.append(starts, len(rows)))
    to_title = np.repeat(similarities[starts], sizes, axis=0)  # a title is its article's first unit
    shared = np.asarray(generation.units.title)[rows][:, None] * to_title
    evidence.residual = (similarities - shared).max(axis=1)
    return evidence


def _vector_features(
    similarities: Scores, kinds: npt.NDArray[np.int8], starts: Rows
) -> Mapping[str, Feature]:
    """(articles,) maxima over each article's units; similarities are (units, question vectors)."""
    whole = similarities[:, 0]
    sentences = similarities if similarities.shape[1] == 1 else similarities[:, 1:]
    passage, title = kinds == UnitKind.PASSAGE, kinds == UnitKind.TITLE
    lowest = np.float32(-1)
    return {
        "passage_vector": np.maximum.reduceat(np.where(passage, whole, lowest), starts),
        "title_vector": np.maximum.reduceat(np.where(title, whole, lowest), starts),
        "best_sentence": np.maximum.reduceat(
            np.where(passage | title, lowest, sentences.max(axis=1)), starts
        ),
    }


def _standardise(values: Scores, background: Scores) -> Feature:
    """Distance from the background's mean in its standard deviations."""
    scaled: Feature = (values - background.mean()) / max(float(background.std()), _FLAT)
    return scaled.astype(np.float32)
