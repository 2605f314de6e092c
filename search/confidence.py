"""How sure the searcher is that its first result answers the question: a calibrated probability."""

from __future__ import annotations

import importlib.resources
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

FEATURES = ("similarity", "title_similarity", "coverage", "margin", "agreement")


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


@lru_cache(maxsize=1)
def shipped_calibrations() -> dict[str, Calibration]:
    """The calibration of each locale, as `kb calibrate` wrote it."""
    text = (importlib.resources.files("search.data") / "confidence.json").read_text("utf-8")
    return {locale: Calibration.from_dict(data) for locale, data in json.loads(text).items()}
