"""How the work of a function grows with its input: for texts that are made to be slow to read."""

from __future__ import annotations

import time
from collections.abc import Callable

_SHORT, _LONG = 25_000, 100_000  # characters
_TRIES = 3
# Four times the text may cost eight times the work (linear with noise), never sixteen (quadratic).
_MOST = 2 * _LONG / _SHORT
# Below this many seconds of this thread's processor, clock ticks and collections are all there is.
_NOISE = 0.1


def grows_with_its_text(work: Callable[[str], object], piece: str) -> bool:
    """Whether reading a long run of `piece` costs no more than twice its share of a short one.

    Seconds of the calling thread's own processor: what other threads and processes do, and how
    fast the machine is, changes nothing.
    """
    short = min(_seconds(work, piece, _SHORT) for _ in range(_TRIES))
    allowed = max(_NOISE, _MOST * short)
    return any(_seconds(work, piece, _LONG) <= allowed for _ in range(_TRIES))


def _seconds(work: Callable[[str], object], piece: str, length: int) -> float:
    text = piece * (length // len(piece))
    began = time.thread_time()
    work(text)
    return time.thread_time() - began
