"""How sure the searcher is that its first result answers the question: a calibrated probability."""

from __future__ import annotations

import importlib.resources
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from search.bm25 import idf
from search.errors import IndexDamaged
from search.evidence import Evidence
from search.generation import Generation, UnitKind
from search.query import Question
from search.ranking import Weight

_USUAL_IDEAL = 20.0
_MOST_SHARE = 2.0
_LIKELIHOOD = 100.0  # the classifier's scores are some tens apart
_FEW = 10
FEATURES = (
    "passage", "sentence", "title", "peak", "lead", "share", "coverage", "margin", "near",
    "inside",
)  # fmt: skip
BARE = "bare"
"""The calibration of corpora whose articles list no questions, whatever their language."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression over `FEATURES` and the threshold under which nothing is answered.

    Each feature has a weight for short questions and one for long texts, as in the ranking.
    """

    weights: Mapping[str, Weight]
    longness: float
    """What it adds that a question is a long text."""
    intercept: float
    threshold: float

    def probability(self, features: Mapping[str, float]) -> float:
        """The chance, 0 to 1, that the first result answers."""
        longness = features.get("longness", 0.0)
        logit = self.intercept + self.longness * longness
        for name, weight in self.weights.items():
            logit += weight.at(longness) * features.get(name, 0.0)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calibration:
        weights = {name: Weight(**pair) for name, pair in data["weights"].items()}
        if unknown := weights.keys() - set(FEATURES):
            raise ValueError(f"unknown features {sorted(unknown)}")
        return cls(
            weights, float(data["longness"]), float(data["intercept"]), float(data["threshold"])
        )

    def to_dict(self) -> dict[str, object]:
        """The form `search/data/confidence.json` has."""
        return {
            "weights": {
                name: {"short": round(weight.short, 4), "long": round(weight.long, 4)}
                for name, weight in self.weights.items()
            },
            "longness": round(self.longness, 4),
            "intercept": round(self.intercept, 4),
            "threshold": round(self.threshold, 4),
        }


def describe(
    generation: Generation,
    question: Question,
    evidence: Evidence,
    places: Sequence[int],
    scores: Sequence[float],
    longness: float,
) -> dict[str, float]:
    """The features of the first result, `places` and `scores` being the candidates, best first."""
    if not places:
        return {}
    first = places[0]
    shape = evidence.shape
    similarity = evidence.similarity[list(places)]
    growth = max(1.0, shape.ideal / _USUAL_IDEAL)
    return {
        "passage": float(evidence.raw["passage_vector"][first]),
        "sentence": float(similarity[0]),
        "title": float(evidence.raw["title_vector"][first]),
        "peak": float(evidence.features["best_sentence"][first]),
        "lead": float(similarity[0] - np.mean(similarity[1:6])) if len(places) > 1 else 0.0,
        "share": min(
            _MOST_SHARE, float(evidence.words[first]) / max(1.0, shape.ideal + shape.missing)
        ),
        "coverage": _coverage(generation, question, int(evidence.articles[first])),
        "margin": (scores[0] - scores[1]) / growth if len(scores) > 1 else 0.0,
        "near": _near(generation, evidence, first),
        "inside": (float(evidence.likelihood[first]) - evidence.outside) / _LIKELIHOOD
        if evidence.outside is not None
        else 0.0,
        "longness": longness,
    }


def _near(generation: Generation, evidence: Evidence, place: int) -> float:
    """Mean cosine of the nearest few of an article's questions: one alone may be near by chance."""
    compared = evidence.compared
    if compared is None:
        return 0.0
    low, high = compared.starts[place : place + 2]
    kinds = generation.units.kind[compared.units[low:high]]
    found = compared.similarity[low:high][kinds == UnitKind.QUESTION]
    return float(np.sort(found)[-_FEW:].mean()) if len(found) else 0.0


def _coverage(generation: Generation, question: Question, article: int) -> float:
    """The share of the question's informative words, by IDF, that the article has."""
    keyword = generation.keyword
    ones = dict.fromkeys(question.terms, 1.0)
    present = keyword.explain("article", ones, article) | keyword.explain("title", ones, article)
    total = found = 0.0
    for term in question.terms:
        weight = idf(keyword.size("article"), keyword.document_frequency("article", term))
        total += weight
        found += weight if term in present else 0.0
    return found / total if total > 0 else 0.0


@lru_cache(maxsize=1)
def shipped_calibrations() -> dict[str, Calibration]:
    """The calibration of each locale, and of bare corpora, in the distribution."""
    text = (importlib.resources.files("search.data") / "confidence.json").read_text("utf-8")
    return {locale: Calibration.from_dict(data) for locale, data in json.loads(text).items()}


def read_calibrations(path: Path) -> dict[str, Calibration]:
    """A site's own calibration, as `kb calibrate` wrote it, over the shipped one.

    Raises `IndexDamaged` when the file is not what it should be.
    """
    try:
        own = {
            locale: Calibration.from_dict(data)
            for locale, data in json.loads(path.read_text("utf-8")).items()
        }
    except FileNotFoundError:
        own = {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexDamaged(
            f"{path}: is no calibration ({error!r}); remove it or run `kb calibrate`"
        ) from error
    return {**shipped_calibrations(), **own}
