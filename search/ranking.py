"""What each piece of evidence is worth: a small readable model, its numbers shipped as data.

Keyword features are BM25 sums and stay as they are, because how large they are says how much of the
question was matched; vector features are cosines, which have no scale of their own and are
standardised over the corpus. What vectors weigh beside words depends on the question and on the
corpus: the longer the articles, the less one vector says of them; words that no article has speak
against trusting the rest of a long text to meaning alone.
"""

from __future__ import annotations

import importlib.resources
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

KEYWORD_FEATURES = (
    "passage_words", "article_words", "title_words", "title_pieces", "title_share",
)  # fmt: skip
VECTOR_FEATURES = ("passage_vector", "best_sentence", "title_vector")
Feature = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight for short questions and one for long texts."""

    short: float
    long: float

    def at(self, longness: float) -> float:
        return self.short + (self.long - self.short) * longness


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a question and its corpus before any article is looked at."""

    words: int
    """Terms in the question, repetitions counted."""
    ideal: float
    """The weight of all its terms, by IDF: the score of an article that had nothing else."""
    missing: float
    """The weight of its words that stand in no article."""
    unknown: float
    """Their share in the weight of all its words."""
    article_length: float
    """Words (Han characters) of the median article."""
    same_language: float
    """Share of the corpus in the question's language, 1 from one half on."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The numbers of `search/data/ranking.json`."""

    weights: Mapping[str, Weight]
    middle_words: float
    slope: float
    vector: Mapping[str, float]

    def longness(self, words: int) -> float:
        """0 for a short question, 1 for a long text, one half at `middle_words`."""
        return 1 / (1 + math.exp(-self.slope * math.log((words + 1) / self.middle_words)))

    def vector_weight(self, shape: Shape) -> float:
        """What one standard deviation of vector evidence weighs beside the keyword score."""
        v = self.vector
        length = min(max(shape.article_length, v["shortest_article"]), v["longest_article"])
        readable: float = (v["reference_article"] / length) ** v["length_power"]
        by_language = (
            shape.same_language * readable + (1 - shape.same_language) * v["other_language"]
        )
        # The keyword score grows with the question; vectors must keep up with it.
        growth = max(1.0, shape.ideal / v["reference_ideal"])
        doubt = math.exp(-v["unknown_words"] * self.longness(shape.words) * shape.unknown)
        return v["base"] * by_language * growth * doubt

    def combine(self, features: Mapping[str, Feature], shape: Shape, *, mode: str) -> Feature:
        """(n,) scores of the candidates."""
        longness = self.longness(shape.words)

        def weigh(names: tuple[str, ...]) -> Feature:
            total = np.zeros(len(next(iter(features.values()))), np.float32)
            for name in names:
                total += np.float32(self.weights[name].at(longness)) * features[name]
            return total

        if mode == "keyword":
            return weigh(KEYWORD_FEATURES)
        if mode == "vector":
            return weigh(VECTOR_FEATURES)
        mixed: Feature = weigh(KEYWORD_FEATURES) + np.float32(self.vector_weight(shape)) * weigh(
            VECTOR_FEATURES
        )
        return mixed

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Ranking:
        weights = {name: Weight(**pair) for name, pair in data["weights"].items()}
        return cls(weights, data["middle_words"], data["slope"], data["vector"])


@lru_cache(maxsize=1)
def shipped_ranking() -> Ranking:
    """The weights in the distribution."""
    text = (importlib.resources.files("search.data") / "ranking.json").read_text("utf-8")
    return Ranking.from_dict(json.loads(text))
