"""Which gaps the queue and `kb gaps` list: one rule, so that both show the same."""

from __future__ import annotations

from collections.abc import Sequence

from portal.gaps.definitions import LEAST
from portal.gaps.types import Gap


def enough(every: Sequence[Gap], least: int) -> list[Gap]:
    """Those that at least so many visitors asked about.

    With `LEAST`, which is usual, all of them while none has so many: a young log is no empty one.
    """
    asked = [gap for gap in every if gap.visitors >= least]
    return asked if asked or least != LEAST else list(every)
