"""What each piece of evidence is worth: a small fitted model, shipped as data.

Every feature is standardised over the corpus for the question at hand, so that scores of different
engines can be added. Each weight moves between a value for short questions and one for long texts;
`search/data/ranking.json` holds the numbers and says how they were fitted.
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

KEYWORD_FEATURES = ("passage_words", "article_words", "title_words")
VECTOR_FEATURES = ("passage_vector", "sentence_vector", "best_sentence")
Feature = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight for short questions and one for long texts."""

    short: float
    long: float

    def at(self, longness: float) -> float:
        return self.short + (self.long - self.short) * longness


@dataclass(frozen=True, slots=True)
class Ranking:
    """Weights by feature, and of each engine's sum in the whole."""

    weights: Mapping[str, Weight]
    engines: Mapping[str, Weight]
    middle: float
    slope: float

    def longness(self, words: int) -> float:
        """0 for a short question, 1 for a long text, one half at `middle` words."""
        return 1 / (1 + math.exp(-self.slope * (math.log(words + 1) - math.log(self.middle))))

    def keyword_share(self, words: int, mode: str) -> float:
        """The part of the score that words decide, for the trace."""
        keyword, vector = self._engine_weights(self.longness(words), mode)
        return keyword / (keyword + vector)

    def combine(self, features: Mapping[str, Feature], *, words: int, mode: str) -> Feature:
        """(n,) scores of the candidates from (n,) standardised features."""
        longness = self.longness(words)
        keyword, vector = self._engine_weights(longness, mode)
        score = np.zeros(len(next(iter(features.values()))), np.float32)
        for share, names in ((keyword, KEYWORD_FEATURES), (vector, VECTOR_FEATURES)):
            if share:
                for name in names:
                    score += np.float32(share * self.weights[name].at(longness)) * features[name]
        return score

    def _engine_weights(self, longness: float, mode: str) -> tuple[float, float]:
        if mode == "keyword":
            return 1.0, 0.0
        if mode == "vector":
            return 0.0, 1.0
        return self.engines["keyword"].at(longness), self.engines["vector"].at(longness)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Ranking:
        def read(group: str) -> dict[str, Weight]:
            return {name: Weight(**pair) for name, pair in data[group].items()}

        return cls(read("weights"), read("engines"), data["middle_words"], data["slope"])


@lru_cache(maxsize=1)
def shipped_ranking() -> Ranking:
    """The weights in the distribution."""
    text = (importlib.resources.files("search.data") / "ranking.json").read_text("utf-8")
    return Ranking.from_dict(json.loads(text))
