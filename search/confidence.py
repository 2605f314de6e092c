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
from search.generation import Generation
from search.query import Question

_USUAL_IDEAL = 20.0
FEATURES = (
    "passage", "sentence", "title", "peak", "lead", "share", "coverage", "margin", "length",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression over `FEATURES` and the threshold under which nothing is answered."""

    weights: Mapping[str, float]
    intercept: float
    threshold: float

    def probability(self, features: Mapping[str, float]) -> float:
        """The chance, 0 to 1, that the first result answers."""
        logit = self.intercept + sum(
            weight * features.get(name, 0.0) for name, weight in self.weights.items()
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calibration:
        return cls(dict(data["weights"]), float(data["intercept"]), float(data["threshold"]))


def describe(
    generation: Generation,
    question: Question,
    evidence: Evidence,
    places: Sequence[int],
    scores: Sequence[float],
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
        "share": float(evidence.words[first]) / max(1.0, shape.ideal + shape.missing),
        "coverage": _coverage(generation, question, int(evidence.articles[first])),
        "margin": (scores[0] - scores[1]) / growth if len(scores) > 1 else 0.0,
        "length": math.log(1 + question.words),
    }


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
    """The calibration of each locale in the distribution."""
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
