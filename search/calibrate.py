"""Fits the confidence on labelled questions, judged by questions held out of the fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.confidence import FEATURES, Calibration
from search.evaluate import auroc, caught_at
from search.measure import Outcome
from search.ranking import Weight

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_RIDGE = 2e-2
# A wrong answer costs a customer more than an honest "not sure": claim only what is likelier right.
_THRESHOLD = 0.5
# Fitted on as many hidden answers as present ones, where in life most questions have an answer.
_BARE_THRESHOLD = 0.35
_ANYWHERE = ("passage", "sentence", "peak", "share", "coverage")
_FEWEST = 10


@dataclass(frozen=True, slots=True)
class Fit:
    """A calibration, and how it and the present one do on questions neither was fitted on."""

    calibration: Calibration
    questions: int
    held_out: int
    auroc: float
    caught_at_5: float
    log_loss: float
    present_log_loss: float

    @property
    def better(self) -> bool:
        return self.log_loss < self.present_log_loss


def fit(
    train: Sequence[Sequence[Outcome]],
    test: Sequence[Outcome],
    present: Calibration,
    *,
    bare: bool = False,
) -> Fit | None:
    """Fit on the sets of `train` and judge by `test`; None where either has too few questions.

    What is to be told is whether the first result answers, or, with `bare`, whether any article
    does: see `fit_calibration`.
    """
    true = _answerable if bare else _first_answers
    test = [outcome for outcome in test if outcome.features]
    fitted = [outcome for outcomes in train for outcome in outcomes if outcome.features]
    right, judged = true(fitted), true(test)
    if min(right.sum(), (~right).sum(), judged.sum(), (~judged).sum()) < _FEWEST:
        return None
    calibration = fit_calibration(train, bare=bare)
    found = _probabilities(test, calibration)
    before = _probabilities(test, present)
    answerable = np.array([outcome.query.answerable for outcome in test])
    return Fit(
        calibration,
        len(fitted),
        len(test),
        auroc(found[answerable], found[~answerable]),
        caught_at(found[answerable], found[~answerable]),
        _log_loss(judged, found),
        _log_loss(judged, before),
    )


def fit_calibration(sets: Sequence[Sequence[Outcome]], *, bare: bool) -> Calibration:
    """The calibration that explains best which first results answer; every set counts alike.

    No evidence may count against an answer, so no weight is negative; without that bound a fit
    does not carry over to other sets. `bare` is for articles that list no questions, fitted on
    sets of any subject, asked with and without what answers them: only evidence that means the
    same in every corpus is used, short questions and long texts have weights of their own, and
    what is told is whether anything answers at all.
    """
    names = _ANYWHERE if bare else FEATURES
    outcomes = [outcome for found in sets for outcome in found if outcome.features]
    shares = np.concatenate(
        [np.full(n, 1 / n) for n in (sum(bool(o.features) for o in found) for found in sets) if n]
    )
    values = np.array([[o.features[name] for name in names] for o in outcomes])
    longness = np.array([o.features["longness"] for o in outcomes])
    columns = [values * (1 - longness)[:, None], values * longness[:, None]] if bare else [values]
    weights, intercept = _regress(
        np.column_stack([*columns, longness]),
        (_answerable if bare else _first_answers)(outcomes),
        shares / shares.sum(),
    )
    short = weights[: len(names)]
    long = weights[len(names) : 2 * len(names)] if bare else short
    return Calibration(
        {name: Weight(float(a), float(b)) for name, a, b in zip(names, short, long, strict=True)},
        longness=float(weights[-1]),
        intercept=intercept,
        threshold=_BARE_THRESHOLD if bare else _THRESHOLD,
    )


def _regress(features: Matrix, right: Flags, shares: Matrix) -> tuple[Matrix, float]:
    """Weights of the features, all but the last at least 0, and the intercept."""
    from scipy.optimize import minimize

    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    scaled = np.column_stack([(features - mean) / spread, np.ones(len(features))])

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        probability = 1 / (1 + np.exp(-(scaled @ weights)))
        logs = np.where(right, np.log(probability + 1e-12), np.log(1 - probability + 1e-12))
        gradient = scaled.T @ ((probability - right) * shares)
        gradient[:-1] += 2 * _RIDGE * weights[:-1]
        return float(-(logs * shares).sum() + _RIDGE * (weights[:-1] ** 2).sum()), gradient

    bounds = [(0, None)] * (features.shape[1] - 1) + [(None, None)] * 2
    found = minimize(
        loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds
    ).x
    weights = found[:-1] / spread
    return weights, float(found[-1] - (weights * mean).sum())


def _probabilities(outcomes: Sequence[Outcome], calibration: Calibration) -> Matrix:
    return np.array([calibration.probability(outcome.features) for outcome in outcomes])


def _answerable(outcomes: Sequence[Outcome]) -> Flags:
    return np.array([outcome.query.answerable for outcome in outcomes], bool)


def _first_answers(outcomes: Sequence[Outcome]) -> Flags:
    return np.array([o.query.answerable and o.score("P@1") > 0 for o in outcomes], bool)


def _log_loss(truth: Flags, probability: Matrix) -> float:
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    return -float(np.mean(np.where(truth, np.log(clipped), np.log(1 - clipped)))) / math.log(2)
