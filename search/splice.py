"""Rows of a new table taken from an old one and from what was added, mostly in long runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from search.types import Rows


def runs(order: Rows, old: int) -> Iterator[tuple[bool, int, int]]:
    """The runs of an order: whether of the old table, and from and up to which of its rows.

    `order` has, for every row of the new table, the row of the old one or, counted on from its
    `old` rows, that of what was added.
    """
    if not len(order):
        return
    breaks = np.flatnonzero((np.diff(order) != 1) | (order[1:] == old)) + 1
    starts = np.concatenate([[0], breaks])
    ends = np.append(breaks, len(order))
    for low, high in zip(order[starts].tolist(), (order[ends - 1] + 1).tolist(), strict=True):
        yield (True, low, high) if low < old else (False, low - old, high - old)


def splice(old: npt.NDArray[Any], added: npt.NDArray[Any], order: Rows) -> npt.NDArray[Any]:
    """The new table: whole runs are copied, and the old table is not copied first."""
    pieces = [(old if kept else added)[low:high] for kept, low, high in runs(order, len(old))]
    return np.concatenate(pieces) if pieces else old[:0]
