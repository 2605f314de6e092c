"""Keeps the C library from hoarding memory for threads that come and go."""

from __future__ import annotations

import contextlib
import ctypes

_ARENA_MAX = -8  # its name in malloc.h
_ARENAS = 2


def be_thrifty() -> None:
    """Use few arenas; does nothing where it is not glibc.

    By default every thread gets an arena, and what the arrays of a search once took stays in it:
    40 MB a worker. Giving large blocks back at once would save more, and cost a third of a search
    in pages that are mapped anew.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, _ARENAS)
