"""Which questions mean the same: words and vectors, drawn to their neighbours, average linkage.

Average linkage alone splits what is said in different words and chains what is said in the same.
Three steps before it mend that, each worth its place on labelled logs of 300 to 3,000 questions
(`benchmarks/clusters.py` prints how well the whole agrees with people, beside libraries): what all
questions of a log have in common is taken away, shared words count beside vectors, and each
question is drawn to its neighbours. Ward's method agreed as well on large logs, but its threshold
grows with the size of a group, so a log of fifty questions became one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.text import is_mostly_han, normalise

MOST = 5000
"""Questions that are compared with each other; all beyond join what they are nearest to."""

_FURTHEST = 0.5
"""Mean distance up to which two groups are one."""
_COMMON = 50.0
"""Questions at which half of what they have in common is taken away: few are their topic."""
_WORDS = 0.3
"""Weight of shared character n-grams, the rest is the vectors'."""
_NEIGHBOURS = 6
_LEAST_NEAR = 0.2
"""Similarity from which a neighbour draws at all."""
_OFTEN = 0.05
"""Share of the texts from which a term is multiplied densely; measured, it changes no result."""
_ROWS = 500
"""Rows of a matrix of similarities that are worked on at once, to bound what is copied."""


def cluster(texts: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.int32]:
    """(n,) labels 0 to k - 1 for n texts and their (n, d) unit vectors.

    The same texts and vectors always get the same labels, numbered as they first occur. Give the
    weightiest questions first: beyond `MOST` a question only joins a group of those or stays alone.
    """
    count = len(texts)
    if count < 2:
        return np.zeros(count, np.int32)
    centred = _without_common(vectors)
    groups = _group(texts[:MOST], centred[:MOST])
    if count > MOST:
        groups = np.concatenate([groups, _joined(centred, groups)])
    _, first, places = np.unique(groups, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    labels: NDArray[np.int32] = order[places].astype(np.int32)
    return labels


def _without_common(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit rows without their mean, which in a log of one shop is "a refund question"."""
    count = len(vectors)
    return _unit(vectors - vectors.mean(axis=0) * np.float32(count / (count + _COMMON)))


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (rows / np.maximum(lengths, 1e-9)).astype(np.float32)
    return unit


def _group(texts: Sequence[str], centred: NDArray[np.float32]) -> NDArray[np.int64]:
    """A group for each text; the numbers mean nothing."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    # Texts of one script side by side, so that what is shared within it is one square.
    han = np.array([is_mostly_han(text) for text in texts])
    order = np.argsort(han, kind="stable")
    scripts = (slice(0, int(np.sum(~han))), slice(int(np.sum(~han)), len(texts)))
    similar = _similarities([texts[row] for row in order], centred[order], scripts)
    distances = _drawn_together(similar)
    np.subtract(1, distances, out=distances)
    np.clip(distances, 0, None, out=distances)
    np.fill_diagonal(distances, 0)
    condensed = squareform(distances, checks=False)
    del distances  # a hundred megabytes for `MOST` questions, as everything here that is (n, n)
    tree = linkage(condensed, method="average")
    groups = np.empty(len(texts), np.int64)
    groups[order] = fcluster(tree, _FURTHEST, criterion="distance")
    return groups


def _similarities(
    texts: Sequence[str], centred: NDArray[np.float32], scripts: Sequence[slice]
) -> NDArray[np.float32]:
    """(n, n): of the vectors, and of the words where both texts are in one script.

    Two languages share no words, so between them the vectors count for the words too.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    near: NDArray[np.float32] = centred @ centred.T
    counter = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32
    )
    try:
        weights = counter.fit_transform([normalise(text) for text in texts])
    except ValueError:  # not one n-gram in any text
        return near
    for script in scripts:
        square = near[script, script]
        for rows, shared in _products(weights[script]):
            here = square[rows]
            here *= 1 - _WORDS
            shared *= _WORDS
            here += shared
    return near


def _products(weights: Any) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """`weights @ weights.T` of a sparse (n, v) matrix, some rows at a time.

    What a sparse product costs is the square of how many texts have a term, so terms that many
    have are multiplied as a dense matrix, several times faster.
    """
    count = weights.shape[0]
    often = np.bincount(weights.indices, minlength=weights.shape[1]) > _OFTEN * count
    dense: NDArray[np.float32] = weights[:, np.flatnonzero(often)].toarray()
    rare = weights[:, np.flatnonzero(~often)].tocsr()
    columns = rare.T.tocsr()
    for start in range(0, count, _ROWS):
        rows = slice(start, start + _ROWS)
        shared = dense[rows] @ dense.T
        shared += (rare[rows] @ columns).toarray()
        yield rows, shared


def _drawn_together(similar: NDArray[np.float32]) -> NDArray[np.float32]:
    """Similarities after each question has moved halfway to the mean of its near neighbours.

    That closes up dense topics and leaves a question that has no neighbours where it is.
    """
    from scipy.sparse import csr_array

    count = len(similar)
    kept = min(_NEIGHBOURS, count - 1)
    nearest, pull = _neighbours(similar, kept)
    pull = np.clip(pull - _LEAST_NEAR, 0, None)
    pull /= np.maximum(pull.sum(axis=1, keepdims=True), 1e-9)
    rows = np.repeat(np.arange(count), kept)
    places = (np.concatenate([rows, np.arange(count)]),
              np.concatenate([nearest.ravel(), np.arange(count)]))  # fmt: skip
    values = np.concatenate([pull.ravel(), np.ones(count, np.float32)])
    moves = csr_array((values, places), shape=(count, count))
    moved: NDArray[np.float32] = moves @ (moves @ similar).T
    lengths = np.sqrt(np.maximum(moved.diagonal(), 1e-9)).astype(np.float32)
    moved /= lengths
    moved /= lengths[:, None]
    return moved


def _neighbours(
    similar: NDArray[np.float32], kept: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(n, kept) places of the nearest others of each row, and how near they are."""
    places = np.empty((len(similar), kept), np.int64)
    values = np.empty((len(similar), kept), np.float32)
    for start in range(0, len(similar), _ROWS):
        others = -similar[start : start + _ROWS]
        here = np.arange(len(others))
        others[here, start + here] = np.inf
        nearest = np.argpartition(others, kept - 1, axis=1)[:, :kept]
        places[start : start + _ROWS] = nearest
        values[start : start + _ROWS] = -np.take_along_axis(others, nearest, axis=1)
    return places, values


def _joined(centred: NDArray[np.float32], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The groups of the questions beyond those that have one; the unlike get one of their own."""
    known, rest = centred[: len(groups)], centred[len(groups) :]
    names, places = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), centred.shape[1]), np.float32)
    np.add.at(sums, places, known)
    # The mean of a group is shorter the wider it is: its product is the mean similarity.
    means = sums / np.bincount(places)[:, None]
    near = rest @ means.T
    best = near.argmax(axis=1)
    alone = groups.max() + 1 + np.arange(len(rest))
    close = near[np.arange(len(rest)), best] >= 1 - _FURTHEST
    joined: NDArray[np.int64] = np.where(close, names[best], alone)
    return joined
