"""Fits the weights of the ranking on labelled questions: a listwise regression, kept readable.

What is maximised is the chance that a relevant article is drawn when articles are drawn in
proportion to exp(score): the ListNet loss with top-one probabilities (Cao et al., Learning to Rank:
From Pairwise Approach to Listwise Approach, 2007). Few questions must not overturn what many sets
have shown, so weights are drawn towards the present ones, and none may be negative.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.evaluate import LabelledQuery, mean, ndcg
from search.evidence import gather
from search.query import Question
from search.ranking import (
    KEYWORD_FEATURES,
    LEARNED_FEATURES,
    VECTOR_FEATURES,
    Feature,
    Ranking,
    Shape,
    Weight,
)
from search.searcher import Searcher

Matrix = npt.NDArray[np.float64]
FEATURES = (*KEYWORD_FEATURES, *VECTOR_FEATURES, *LEARNED_FEATURES)
_PULL = 0.02  # towards the present weights, as a share of each
_SMALLEST = 0.02  # weights below it are pulled as if they were this large


@dataclass(frozen=True, slots=True)
class Example:
    """A question's candidates, one row an article; the reader's language stands for the article."""

    query: LabelledQuery
    articles: tuple[str, ...]
    features: dict[str, Feature]
    shape: Shape

    @property
    def relevant(self) -> npt.NDArray[np.bool_]:
        """(n,) which of the candidates answer."""
        return np.array([self.query.relevant.get(name, 0) > 0 for name in self.articles])

    def ndcg(self, ranking: Ranking) -> float:
        """nDCG@10 of the candidates under some weights."""
        scores = ranking.combine(self.features, self.shape, mode="hybrid")
        best = [self.articles[place] for place in np.argsort(-scores, kind="stable")[:10]]
        return ndcg(best, self.query.relevant)


def collect(
    searcher: Searcher,
    queries: Sequence[LabelledQuery],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[Example]:
    """The candidates of every answerable question."""
    examples = []
    answerable = [query for query in queries if query.answerable]
    for number, query in enumerate(answerable):
        question = searcher.analyse(query.text)
        examples.append(_example(searcher, query, question))
        if progress:
            progress(number + 1, len(answerable))
    return examples


def _example(searcher: Searcher, query: LabelledQuery, question: Question) -> Example:
    evidence = gather(searcher.generation, searcher.embedder, question)
    reader = query.locale or question.locale
    chosen: dict[str, int] = {}
    for place, row in enumerate(evidence.articles):
        article = searcher.generation.catalogue.at(int(row))
        if article.id not in chosen or article.locale == reader:
            chosen[article.id] = place
    places = list(chosen.values())
    features = {name: values[places] for name, values in evidence.features.items()}
    return Example(query, tuple(chosen), features, evidence.shape)


def fit_ranking(examples: Sequence[Example], present: Ranking) -> Ranking:
    """The weights that rank the examples, all of one corpus, best, near the present ones.

    Raises `ValueError` when no relevant article is among the candidates of any example.
    """
    from scipy.optimize import minimize

    usable = [example for example in examples if example.relevant.any()]
    if not usable:
        raise ValueError("no example has a relevant candidate")
    taught = usable[0].shape.taught
    now = present.weights_for(usable[0].shape)
    designs = [(_design(example, present), example.relevant) for example in usable]
    start = np.array([part for name in FEATURES for part in dataclasses.astuple(now[name])])
    sharpness = _best_sharpness(designs, start)
    target = sharpness * start
    scale = np.maximum(target, sharpness * _SMALLEST)

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        value, gradient = _listwise(designs, weights)
        away = (weights - target) / scale
        value += _PULL * float(away @ away) / len(away)
        return value, gradient + 2 * _PULL * away / scale / len(away)

    found = minimize(
        loss, target, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(target)
    ).x / sharpness  # fmt: skip
    pairs = found.reshape(-1, 2)
    weights = {
        name: Weight(round(float(short), 4), round(float(long), 4))
        for name, (short, long) in zip(FEATURES, pairs, strict=True)
    }
    if taught:
        return dataclasses.replace(present, taught=weights)
    return dataclasses.replace(present, weights=weights)


def mean_ndcg(examples: Sequence[Example], ranking: Ranking) -> float:
    """Mean nDCG@10 over the examples."""
    return mean([example.ndcg(ranking) for example in examples])


def _design(example: Example, present: Ranking) -> Matrix:
    """(n, 2 features) what the short and the long weight of each feature are multiplied with."""
    longness = present.longness(example.shape.words)
    factor = dict.fromkeys(KEYWORD_FEATURES, present.brevity(example.shape))
    factor |= dict.fromkeys(VECTOR_FEATURES, present.vector_weight(example.shape))
    factor |= dict.fromkeys(LEARNED_FEATURES, present.growth(example.shape))
    columns = []
    for name in FEATURES:
        values = factor[name] * example.features[name].astype(np.float64)
        columns += [(1 - longness) * values, longness * values]
    return np.column_stack(columns)


def _listwise(
    designs: Sequence[tuple[Matrix, npt.NDArray[np.bool_]]], weights: Matrix
) -> tuple[float, Matrix]:
    total, gradient = 0.0, np.zeros_like(weights)
    for design, relevant in designs:
        scores = design @ weights
        odds = np.exp(scores - scores.max())
        chance = odds / odds.sum()
        right = chance[relevant].sum() + 1e-12
        total -= np.log(right)
        gradient += design.T @ (chance - np.where(relevant, chance, 0) / right)
    return float(total) / len(designs), gradient / len(designs)


def _best_sharpness(
    designs: Sequence[tuple[Matrix, npt.NDArray[np.bool_]]], weights: Matrix
) -> float:
    """How much the present scores say: the factor under which they explain the labels best."""
    tried = 2.0 ** np.arange(-4, 7)
    return float(min(tried, key=lambda factor: _listwise(designs, factor * weights)[0]))
