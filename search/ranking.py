"""What each piece of evidence is worth: a small readable model, its numbers shipped as data.

Keyword features are BM25 sums and stay as they are, because how large they are says how much of the
question was matched; vector features are cosines, which have no scale of their own and are
standardised over the corpus. What vectors weigh beside words depends on the question and on the
corpus: the longer the articles, the less one vector says of them; words that no article has speak
against trusting the rest of a long text to meaning alone.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.errors import IndexDamaged

KEYWORD_FEATURES = (
    "passage_words", "verbatim", "named", "article_words", "question_words", "title_words",
    "title_pieces", "title_share",
)  # fmt: skip
VECTOR_FEATURES = ("passage_vector", "best_sentence", "title_vector")
LEARNED_FEATURES = ("classifier",)
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
    taught: bool = False
    """Whether articles list enough questions for the classifier to have learned."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The numbers of `search/data/ranking.json`."""

    weights: Mapping[str, Weight]
    taught: Mapping[str, Weight]
    """The weights where articles list the questions they answer: their titles add little then."""
    middle_words: float
    slope: float
    vector: Mapping[str, float]
    brief: Mapping[str, float]

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
        doubt = math.exp(-v["unknown_words"] * self.longness(shape.words) * shape.unknown)
        return v["base"] * by_language * self.growth(shape) * doubt

    def growth(self, shape: Shape) -> float:
        """The keyword score grows with the question; what meaning says must keep up with it."""
        return max(1.0, shape.ideal / self.vector["reference_ideal"])

    def brevity(self, shape: Shape) -> float:
        """What words count for more where there are only one to three of them.

        A name or a term of the trade stands for nothing but itself, and one vector of it is vague.
        """
        if not shape.taught:
            return 1.0
        full = self.brief["words"]
        return 1 + self.brief["bonus"] * max(0.0, (full - shape.words) / (full - 1))

    def weights_for(self, shape: Shape) -> Mapping[str, Weight]:
        """The weights that suit a corpus."""
        return self.taught if shape.taught else self.weights

    def combine(self, features: Mapping[str, Feature], shape: Shape, *, mode: str) -> Feature:
        """(n,) scores of the candidates."""
        total, *others = self.parts(features, shape, mode=mode).values()
        for part in others:
            total += part
        return total

    def parts(
        self, features: Mapping[str, Feature], shape: Shape, *, mode: str
    ) -> dict[str, Feature]:
        """What the scores of the candidates add up from, (n,) each: "words", "meaning" and what
        was "learned" from the questions articles list, without those the mode leaves out."""
        longness = self.longness(shape.words)
        weights = self.weights_for(shape)

        def weigh(names: tuple[str, ...]) -> Feature:
            total = np.zeros(len(next(iter(features.values()))), np.float32)
            for name in names:
                total += np.float32(weights[name].at(longness)) * features[name]
            return total

        if mode == "keyword":
            return {"words": weigh(KEYWORD_FEATURES)}
        parts = {
            "meaning": np.float32(self.vector_weight(shape)) * weigh(VECTOR_FEATURES),
            "learned": np.float32(self.growth(shape)) * weigh(LEARNED_FEATURES),
        }
        if mode != "vector":
            parts["words"] = np.float32(self.brevity(shape)) * weigh(KEYWORD_FEATURES)
        return parts

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Ranking:
        weights, taught = (
            {name: Weight(**pair) for name, pair in data[table].items()}
            for table in ("weights", "taught_weights")
        )
        return cls(
            weights, taught, data["middle_words"], data["slope"], data["vector"], data["brief"]
        )

    def to_dict(self) -> dict[str, object]:
        """The form `search/data/ranking.json` has."""
        return {
            "middle_words": self.middle_words,
            "slope": self.slope,
            "weights": {name: dataclasses.asdict(pair) for name, pair in self.weights.items()},
            "taught_weights": {
                name: dataclasses.asdict(pair) for name, pair in self.taught.items()
            },
            "vector": dict(self.vector),
            "brief": dict(self.brief),
        }


@lru_cache(maxsize=1)
def shipped_ranking() -> Ranking:
    """The weights in the distribution."""
    text = (importlib.resources.files("search.data") / "ranking.json").read_text("utf-8")
    return Ranking.from_dict(json.loads(text))


def read_ranking(path: Path) -> Ranking:
    """A site's own ranking, as `kb calibrate` wrote it, or the shipped one where there is none.

    Raises `IndexDamaged` when the file is not what it should be.
    """
    try:
        found = Ranking.from_dict(json.loads(path.read_text("utf-8")))
        known = {*KEYWORD_FEATURES, *VECTOR_FEATURES, *LEARNED_FEATURES}
        if found.weights.keys() != known or found.taught.keys() != known:
            raise ValueError("its features are not those of this version")
    except FileNotFoundError:
        return shipped_ranking()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexDamaged(
            f"{path}: is no ranking ({error!r}); remove it or run `kb calibrate`"
        ) from error
    return found
