"""Fits the confidence on labelled questions, judged by questions held out of the fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.confidence import FEATURES, Calibration
from search.evaluate import auroc
from search.measure import Outcome

Matrix = npt.NDArray[np.float64]
_RIDGE = 2e-2
# A wrong answer costs a customer more than an honest "not sure": claim only what is likelier right.
_THRESHOLD = 0.5
_FEWEST = 10


@dataclass(frozen=True, slots=True)
class Fit:
    """A calibration, and how it and the present one do on questions neither was fitted on."""

    calibration: Calibration
    questions: int
    held_out: int
    auroc: float
    log_loss: float
    present_log_loss: float


def fit(outcomes: Sequence[Outcome], present: Calibration) -> Fit | None:
    """A logistic regression from features to "the first result answers"; None for too few.

    Questions of the part `test` are held out of the fit and judge it. No evidence may count against
    an answer, so no weight but the length's is negative. What is fitted is a probability, so the
    threshold needs no fitting.
    """
    usable = [outcome for outcome in outcomes if outcome.features]
    train = [outcome for outcome in usable if outcome.query.tags.get("part") != "test"]
    test = [outcome for outcome in usable if outcome.query.tags.get("part") == "test"]
    right, judged = _right(train), _right(test)
    if min(right.sum(), (~right).sum(), judged.sum(), (~judged).sum()) < _FEWEST:
        return None
    calibration = _regress(_features(train), right)
    found = np.array([calibration.probability(outcome.features) for outcome in test])
    before = np.array([present.probability(outcome.features) for outcome in test])
    answerable = np.array([outcome.query.answerable for outcome in test])
    return Fit(
        calibration,
        len(train),
        len(test),
        auroc(found[answerable], found[~answerable]),
        _log_loss(judged, found),
        _log_loss(judged, before),
    )


def _regress(features: Matrix, right: npt.NDArray[np.bool_]) -> Calibration:
    from scipy.optimize import minimize

    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    scaled = np.column_stack([(features - mean) / spread, np.ones(len(features))])

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        probability = 1 / (1 + np.exp(-(scaled @ weights)))
        logs = np.where(right, np.log(probability + 1e-12), np.log(1 - probability + 1e-12))
        gradient = scaled.T @ (probability - right) / len(right)
        gradient[:-1] += 2 * _RIDGE * weights[:-1]
        return float(-logs.mean() + _RIDGE * (weights[:-1] ** 2).sum()), gradient

    bounds = [(None, None) if name == "length" else (0, None) for name in FEATURES]
    found = minimize(
        loss, np.zeros(len(FEATURES) + 1), jac=True, method="L-BFGS-B",
        bounds=[*bounds, (None, None)],
    ).x  # fmt: skip
    weights = found[:-1] / spread
    return Calibration(
        dict(zip(FEATURES, map(float, weights), strict=True)),
        intercept=float(found[-1] - (weights * mean).sum()),
        threshold=_THRESHOLD,
    )


def _features(outcomes: Sequence[Outcome]) -> Matrix:
    return np.array([[outcome.features[name] for name in FEATURES] for outcome in outcomes])


def _right(outcomes: Sequence[Outcome]) -> npt.NDArray[np.bool_]:
    return np.array([o.query.answerable and o.score("P@1") > 0 for o in outcomes], bool)


def to_json(calibrations: Mapping[str, Calibration]) -> dict[str, object]:
    """The form `search/data/confidence.json` has."""
    return {
        locale: {
            "weights": {name: round(weight, 4) for name, weight in c.weights.items()},
            "intercept": round(c.intercept, 4),
            "threshold": round(c.threshold, 4),
        }
        for locale, c in calibrations.items()
    }


def _log_loss(truth: npt.NDArray[np.bool_], probability: npt.NDArray[np.float64]) -> float:
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    return -float(np.mean(np.where(truth, np.log(clipped), np.log(1 - clipped)))) / math.log(2)
