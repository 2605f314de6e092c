"""How sure a share is: score intervals, which hold for few sessions and for shares near 0 or 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.95
"""How often such an interval covers the truth."""


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, its value and the interval around it, all as fractions of one."""

    count: int
    of: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """One share less another, and the interval around it, as fractions of one."""

    value: float
    low: float
    high: float


def wilson(count: int, of: int, *, level: float = LEVEL) -> Share | None:
    """The score interval of a share, without continuity correction; None of nothing.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if of == 0:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = count / of
    middle = 2 * count + z * z
    spread = z * math.sqrt(z * z + 4 * count * (1 - share))
    low = 0.0 if count == 0 else (middle - spread) / (2 * (of + z * z))
    high = 1.0 if count == of else (middle + spread) / (2 * (of + z * z))
    return Share(count, of, share, low, high)


def newcombe(a: Share, b: Share) -> Difference:
    """`a` less `b`, two shares of different sessions, at the level of their intervals.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions:
    comparison of eleven methods", 1998, method 10: squares and adds the halves of both intervals.
    """
    value = a.value - b.value
    low = value - math.hypot(a.value - a.low, b.high - b.value)
    high = value + math.hypot(a.high - a.value, b.value - b.low)
    return Difference(value, low, high)
