"""Which articles are related: those whose vectors are nearest on the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.types import Rows, Scores, Vectors

_MOST = 6
_BLOCK = 512  # articles compared with all others at once
_NONE = np.float32(-2)


@dataclass(frozen=True, slots=True)
class Related:
    """The nearest articles in the same language, nearest first, padded with -1."""

    rows: npt.NDArray[np.int32]
    """(articles, k)"""
    scores: Scores
    """(articles, k) cosines."""
    means: Vectors
    """(articles, d) an article is the mean of its vectors."""


def article_means(vectors: Vectors, counts: Rows) -> Vectors:
    """(articles, d) unit means of (units, d) vectors, article by article."""
    starts = np.cumsum(counts) - counts
    means = np.add.reduceat(vectors, starts, axis=0) if len(counts) else vectors[:0]
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return (means / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)


def relate(
    means: Vectors, locales: Sequence[str], *, previous: Related | None, kept: Rows
) -> Related:
    """Relate articles anew where something near has changed.

    `kept` has for each article its row in `previous`, or -1 for a new or changed one.
    """
    languages = np.unique(np.asarray(locales), return_inverse=True)[1]
    rows = np.full((len(means), _MOST), -1, np.int32)
    scores = np.full((len(means), _MOST), _NONE, np.float32)
    stale = np.ones(len(means), np.bool_)
    if previous is not None:
        now = np.full(len(previous.rows) + 1, -1, np.int32)  # the last entry stands for padding
        now[kept[kept >= 0]] = np.flatnonzero(kept >= 0)
        same = np.flatnonzero(kept >= 0)
        before = previous.rows[kept[same]]
        after = now[before]
        lost = ((before >= 0) & (after < 0)).any(axis=1)
        stale[same[~lost]] = False
        rows[same[~lost]] = after[~lost]
        scores[same[~lost]] = previous.scores[kept[same[~lost]]]
        _offer(means, languages, rows, scores, np.flatnonzero(kept < 0), same[~lost])
    todo = np.flatnonzero(stale)
    for low in range(0, len(todo), _BLOCK):
        block = todo[low : low + _BLOCK]
        near = means[block] @ means.T
        near[languages[block][:, None] != languages[None, :]] = _NONE
        near[np.arange(len(block)), block] = _NONE
        rows[block], scores[block] = _nearest(near)
    return Related(rows, scores, means)


def _offer(
    means: Vectors, languages: Rows, rows: npt.NDArray[np.int32], scores: Scores, new: Rows,
    kept: Rows,
) -> None:  # fmt: skip
    """Let new articles take their place among the nearest of those that were kept."""
    if not len(new) or not len(kept):
        return
    near = means[kept] @ means[new].T
    near[languages[kept][:, None] != languages[new][None, :]] = _NONE
    together = np.concatenate([scores[kept], near], axis=1)
    names = np.concatenate([rows[kept], np.broadcast_to(new.astype(np.int32), near.shape)], axis=1)
    best = np.argsort(-together, axis=1, kind="stable")[:, :_MOST]
    scores[kept] = np.take_along_axis(together, best, axis=1)
    rows[kept] = np.where(scores[kept] > _NONE, np.take_along_axis(names, best, axis=1), -1)


def _nearest(near: Scores) -> tuple[npt.NDArray[np.int32], Scores]:
    """The best places of each row and their scores, padded."""
    count = min(_MOST, near.shape[1])
    best = np.argpartition(-near, count - 1, axis=1)[:, :count]
    found = np.take_along_axis(near, best, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    best, found = np.take_along_axis(best, order, axis=1), np.take_along_axis(found, order, axis=1)
    rows = np.full((len(near), _MOST), -1, np.int32)
    scores = np.full((len(near), _MOST), _NONE, np.float32)
    rows[:, :count] = np.where(found > _NONE, best, -1)
    scores[:, :count] = found
    return rows, scores
