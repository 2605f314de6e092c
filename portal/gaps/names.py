"""A name for a cluster, in its language and its own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.text import guess_locale

_TYPICAL = 3


@dataclass(frozen=True, slots=True)
class Name:
    """What a cluster is called; `typical` are the places of its most typical questions."""

    text: str
    locale: str
    typical: tuple[int, ...]


def name_of(
    texts: Sequence[str],
    counts: Sequence[int],
    vectors: NDArray[np.float32],
    background: Sequence[str] = (),
) -> Name:
    """The question nearest to the middle of the cluster, and the two nearest after it.

    `counts` say how many visitors asked each of the n texts; `vectors` are (n, d) unit rows;
    `background` are questions of all clusters, which a word is told from. Raises `ValueError`
    without texts.
    """
    if not texts:
        raise ValueError("a cluster without questions has no name")
    weights = np.asarray(counts, np.float32)
    middle = weights @ vectors
    order = np.argsort(-(vectors @ middle), kind="stable")
    chosen = tuple(int(place) for place in order[:_TYPICAL])
    text = texts[chosen[0]]
    return Name(text, guess_locale(text), chosen)
