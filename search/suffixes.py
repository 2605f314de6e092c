"""Places in an array of bytes, sorted by how the text goes on from there: a suffix array."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_STEP = 8  # bytes that are compared at once, as one number
_MASKS = np.array([(1 << 64) - (1 << 8 * (_STEP - kept)) for kept in range(_STEP + 1)], np.uint64)
"""What keeps the first 0 to 8 bytes of such a number."""
Rows = npt.NDArray[np.int64]


def sort_places(content: npt.NDArray[np.uint8], places: Rows, ends: Rows) -> Rows:
    """The order of the places by `content[place:end]`, equal texts in the order they came in.

    `places` and `ends` are (n,), and so is the order. The texts are without zero bytes, for what
    is past an end counts as zero.
    """
    windows = _windows(content)
    order = np.arange(len(places))
    # Places not yet told apart, and the first position of those each is not told apart from.
    open_, first = order, np.zeros(len(places), np.int64)
    for offset in range(0, int((ends - places).max(initial=0)), _STEP):
        at = places[open_] + offset
        left = ends[open_] - at
        numbers = windows[np.minimum(at, len(windows) - 1)] & _MASKS[np.clip(left, 0, _STEP)]
        ordered = np.lexsort((numbers, first)) if offset else np.argsort(numbers, kind="stable")
        open_, first, numbers = open_[ordered], first[ordered], numbers[ordered]
        old = np.flatnonzero(_changes(first))
        positions = first + np.arange(len(first)) - np.repeat(old, np.diff(old, append=len(first)))
        order[positions] = open_
        new = np.flatnonzero(_changes(first) | _changes(numbers))
        sizes = np.diff(new, append=len(first))
        unequal = (sizes > 1) & np.logical_or.reduceat(left[ordered] > _STEP, new)
        still = np.repeat(unequal, sizes)
        open_, first = open_[still], np.repeat(positions[new], sizes)[still]
        if not len(open_):
            break
    return order


def _windows(content: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """(n,) the bytes from each on as a number, the first weighing most."""
    padded = np.concatenate([content, np.zeros(_STEP, np.uint8)])
    found = np.zeros(len(content), np.uint64)
    for place in range(_STEP):
        found <<= np.uint64(8)
        found |= padded[place : place + len(content)]
    return found


def _changes(numbers: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether each differs from the one before; the first does."""
    found = np.ones(len(numbers), np.bool_)
    found[1:] = numbers[1:] != numbers[:-1]
    return found
