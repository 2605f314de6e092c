"""Brings two engines' scores onto one scale and mixes them with a weight that suits the query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.types import Scores

# Findings: one-sentence questions want a light keyword part, several sentences want more of it.
SHORT_QUERY_WEIGHT = 0.3
LONG_QUERY_WEIGHT = 0.45


@dataclass(frozen=True, slots=True)
class Fused:
    """Scores of the candidate rows on a common scale; all arrays are (n,)."""

    rows: npt.NDArray[np.int64]
    scores: Scores
    keyword: Scores
    similarity: Scores


def keyword_weight(sentences: int, *, mode: str) -> float:
    """The share of the keyword score: all, none, or by the shape of the query."""
    if mode == "keyword":
        return 1.0
    if mode == "vector":
        return 0.0
    return SHORT_QUERY_WEIGHT if sentences <= 1 else LONG_QUERY_WEIGHT


def fuse(
    keyword: tuple[npt.NDArray[np.int64], Scores],
    similarity: tuple[npt.NDArray[np.int64], Scores],
    *,
    weight: float,
) -> Fused:
    """Mix two candidate lists, `weight` being the keyword share.

    Raw scores of different engines have nothing in common, so each list is first scaled to
    [0, 1] between its worst and best candidate; a row one engine did not return gets that
    engine's 0.
    """
    rows = np.union1d(keyword[0], similarity[0]).astype(np.int64)
    left = _scaled_on(rows, *keyword)
    right = _scaled_on(rows, *similarity)
    scores = (weight * left + (1 - weight) * right).astype(np.float32)
    order = np.lexsort((rows, -scores))
    return Fused(
        rows[order],
        scores[order],
        _raw_on(rows, *keyword)[order],
        _raw_on(rows, *similarity)[order],
    )


def _scaled_on(rows: npt.NDArray[np.int64], found: npt.NDArray[np.int64], scores: Scores) -> Scores:
    scaled = np.zeros(len(rows), np.float32)
    if len(found):
        low, high = float(scores.min()), float(scores.max())
        spread = high - low
        values = (scores - low) / spread if spread > 0 else np.ones_like(scores)
        scaled[np.searchsorted(rows, found)] = values
    return scaled


def _raw_on(rows: npt.NDArray[np.int64], found: npt.NDArray[np.int64], scores: Scores) -> Scores:
    raw = np.zeros(len(rows), np.float32)
    if len(found):
        raw[np.searchsorted(rows, found)] = scores
    return raw
