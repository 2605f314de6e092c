"""Which questions mean the same: groups by average linkage on the cosine of their vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FURTHEST = 0.45
"""Mean cosine distance up to which two groups are one."""


def cluster(texts: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.int32]:
    """(n,) labels 0 to k - 1 for n texts and their (n, d) unit vectors.

    The same texts and vectors always get the same labels, numbered as they first occur.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    count = len(texts)
    if count < 2:
        return np.zeros(count, np.int32)
    distances = np.clip(1 - vectors @ vectors.T, 0, None)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average")
    groups = fcluster(tree, _FURTHEST, criterion="distance")
    _, first, places = np.unique(groups, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    labels: NDArray[np.int32] = order[places].astype(np.int32)
    return labels
