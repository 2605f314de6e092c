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

_FOLDS = 5
# A wrong answer costs a customer more than an honest "not sure": claim only what is likelier right.
_THRESHOLD = 0.5
_FEWEST = 20


@dataclass(frozen=True, slots=True)
class Fit:
    """A calibration and how it does on questions it was not fitted on (cross-validated)."""

    calibration: Calibration
    questions: int
    held_out_auroc: float
    held_out_log_loss: float
    present_log_loss: float


def fit(outcomes: Sequence[Outcome], present: Calibration) -> Fit | None:
    """A logistic regression from features to "the first result answers"; None for too few.

    What is fitted is a probability, so the threshold needs no fitting.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    usable = [outcome for outcome in outcomes if outcome.features]
    features = np.array([[o.features[name] for name in FEATURES] for o in usable])
    right = np.array([o.query.answerable and o.score("P@1") > 0 for o in usable])
    if min(right.sum(), (~right).sum()) < _FEWEST:
        return None
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    held_out = cross_val_predict(model, features, right, cv=folds, method="predict_proba")[:, 1]
    model.fit(features, right)
    scaler, logistic = model[0], model[1]
    weights = logistic.coef_[0] / scaler.scale_
    intercept = float(logistic.intercept_[0] - (weights * scaler.mean_).sum())
    calibration = Calibration(
        dict(zip(FEATURES, map(float, weights), strict=True)),
        intercept,
        threshold=_THRESHOLD,
    )
    answerable = np.array([outcome.query.answerable for outcome in usable])
    before = np.array([present.probability(outcome.features) for outcome in usable])
    return Fit(
        calibration,
        len(usable),
        auroc(held_out[answerable], held_out[~answerable]),
        _log_loss(right, held_out),
        _log_loss(right, before),
    )


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
