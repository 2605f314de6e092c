"""Whether one run is better than another on the same questions: paired tests.

Questions differ far more from each other than runs do, so each question is compared with itself.
The p-value is of a paired randomisation test, the interval from a paired bootstrap; Smucker, Allan
and Carterette, A Comparison of Statistical Significance Tests for Information Retrieval Evaluation
(CIKM 2007) find these two to agree and to suit the field's metrics, which are far from normal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from search.errors import DatasetInvalid
from search.results import QueryResult, read_results

LEVEL = 0.05
"""A difference counts when chance alone would bring one as large less often than this."""
CONFIDENCE = 0.95
_RESAMPLES = 9999
_BATCH = 500  # resamples held in memory at once
_SEED = 20070611
_TIE = 1e-9
Verdict = Literal["better", "worse", "no difference"]


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two runs on the same questions; `difference` is the mean of B - A, `low` and `high` its
    95 % confidence interval."""

    questions: int
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    p_value: float
    wins: int
    losses: int
    ties: int

    @property
    def verdict(self) -> Verdict:
        """What may be said of B."""
        if self.p_value >= LEVEL:
            return "no difference"
        return "better" if self.difference > 0 else "worse"


@dataclass(frozen=True, slots=True)
class Moved:
    """A question whose score has changed."""

    id: str
    text: str
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One data set and mode under two runs; `gained` and `lost` are every question that moved, the
    furthest first."""

    dataset: str
    mode: str
    model_a: str
    model_b: str
    metric: str
    test: PairedTest
    gained: tuple[Moved, ...]
    lost: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """All that two runs have in common, and what only one of them has."""

    comparisons: tuple[Comparison, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def paired_test(a: npt.ArrayLike, b: npt.ArrayLike) -> PairedTest:
    """Compare (n,) scores of the same questions in the same order, n at least 1.

    The seed is fixed: the same scores give the same figures. Up to 13 questions the test goes
    through every assignment and is exact.
    """
    before, after = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if before.shape != after.shape or before.ndim != 1 or not len(before):
        raise ValueError(f"scores of {before.shape} and {after.shape} cannot be paired")
    change = after - before
    change[np.abs(change) < _TIE] = 0.0
    low = high = float(change.mean())
    p_value = 1.0
    if len(change) > 1:
        p_value = _sign_flips(change)
        if np.ptp(change) > 0:  # of a constant every resample is the same
            low, high = _interval(change)
    return PairedTest(
        questions=len(change),
        mean_a=float(before.mean()),
        mean_b=float(after.mean()),
        difference=float(change.mean()),
        low=low,
        high=high,
        p_value=p_value,
        wins=int((change > 0).sum()),
        losses=int((change < 0).sum()),
        ties=int((change == 0).sum()),
    )


def _sign_flips(change: npt.NDArray[np.float64]) -> float:
    found = stats.permutation_test(
        (change,), np.mean, permutation_type="samples", vectorized=True, n_resamples=_RESAMPLES,
        batch=_BATCH, rng=np.random.default_rng(_SEED),
    )  # fmt: skip
    return float(found.pvalue)


def _interval(change: npt.NDArray[np.float64]) -> tuple[float, float]:
    found = stats.bootstrap(
        (change,), np.mean, confidence_level=CONFIDENCE, n_resamples=_RESAMPLES, batch=_BATCH,
        method="percentile", rng=np.random.default_rng(_SEED),
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)


def compare_files(a: Path, b: Path | None, *, metric: str) -> Compared:
    """What sets two runs apart or, without a second one, the models of the first.

    Raises `DatasetInvalid` naming file and line.
    """
    rows = read_results(a)
    if b is None:
        return compare_models(rows, metric=metric)
    return compare(rows, read_results(b), metric=metric)


def compare(a: Sequence[QueryResult], b: Sequence[QueryResult], *, metric: str) -> Compared:
    """Pair the questions of two runs by data set, mode and id.

    Where both have one model, the models may differ; where either has several, each is compared
    with itself. Raises `DatasetInvalid` when a data set and mode that both have do not hold the
    same questions with the same judgements, or when there is none.
    """
    single = all(len({row.model for row in rows}) == 1 for rows in (a, b))
    groups_a, groups_b = (_groups(rows, by_model=not single) for rows in (a, b))
    common = [key for key in groups_a if key in groups_b]
    if not common:
        raise DatasetInvalid(
            f"{_file(b)}: nothing to compare with {_file(a)}, which has {_names(groups_a)}; "
            f"here there is {_names(groups_b)}"
        )
    return Compared(
        tuple(_compare_group(groups_a[key], groups_b[key], metric) for key in common),
        tuple(_name(key) for key in groups_a if key not in groups_b),
        tuple(_name(key) for key in groups_b if key not in groups_a),
    )


def compare_models(rows: Sequence[QueryResult], *, metric: str) -> Compared:
    """Compare every model of one run with its first. Raises `DatasetInvalid` if it has only one."""
    by_model: dict[str, list[QueryResult]] = {}
    for row in rows:
        by_model.setdefault(row.model, []).append(row)
    first, *others = by_model.values()
    if not others:
        raise DatasetInvalid(
            f"{_file(rows)}: holds one model only ({rows[0].model}); give a second file, or "
            "measure with several --model"
        )
    found = [compare(first, other, metric=metric) for other in others]
    return Compared(tuple(c for one in found for c in one.comparisons), (), ())


_Key = tuple[str, ...]


def _groups(rows: Sequence[QueryResult], *, by_model: bool) -> dict[_Key, dict[str, QueryResult]]:
    found: dict[_Key, dict[str, QueryResult]] = {}
    for row in rows:
        key = (row.dataset, row.mode, row.model) if by_model else (row.dataset, row.mode)
        found.setdefault(key, {})[row.id] = row
    return found


def _compare_group(a: dict[str, QueryResult], b: dict[str, QueryResult], metric: str) -> Comparison:
    for these, those in ((a, b), (b, a)):
        for identity, row in these.items():
            if identity not in those:
                other = next(iter(those.values()))
                raise DatasetInvalid(
                    f"{row.place}: query {identity!r} ({row.dataset}, {row.mode}) is not in "
                    f"{_file([other])} ({other.model}); compare runs of the same questions"
                )
    for identity, row in a.items():
        other = b[identity]
        if (row.text, row.relevant) != (other.text, other.relevant):
            what = "text" if row.text != other.text else "judgements"
            raise DatasetInvalid(
                f"{other.place}: query {identity!r} has other {what} than at {row.place}; compare "
                "runs of the same questions"
            )
    pairs = [
        Moved(row.id, row.text, before, after)
        for row in a.values()
        if (before := _value(row, metric)) is not None
        and (after := _value(b[row.id], metric)) is not None
    ]
    first, second = next(iter(a.values())), next(iter(b.values()))
    if not pairs:
        raise DatasetInvalid(
            f"{first.place}: no question of {first.dataset}, {first.mode} has an answer to find"
        )
    moved = sorted(
        (pair for pair in pairs if abs(pair.b - pair.a) >= _TIE), key=lambda m: -abs(m.b - m.a)
    )
    return Comparison(
        first.dataset, first.mode, first.model, second.model, metric,
        paired_test([pair.a for pair in pairs], [pair.b for pair in pairs]),
        tuple(m for m in moved if m.b > m.a), tuple(m for m in moved if m.b < m.a),
    )  # fmt: skip


def _value(row: QueryResult, metric: str) -> float | None:
    if metric not in row.metrics:
        raise DatasetInvalid(f"{row.place}: metrics has no {metric}")
    return row.metrics[metric]


def _file(rows: Sequence[QueryResult]) -> str:
    return rows[0].place.rpartition(":")[0]


def _name(key: _Key) -> str:
    return ", ".join(key)


def _names(groups: dict[_Key, dict[str, QueryResult]]) -> str:
    return " and ".join(f"({_name(key)})" for key in groups)
