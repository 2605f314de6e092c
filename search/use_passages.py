"""Passages read once by the bundled model: which tokens are summed, and which sums make a vector.

The model sums features over tokens, so sums of sentences and of a title add up. Two things keep
the vectors near those of the texts put together ("title. sentence", "title. passage"), and both
were found to matter for what is found: a passage is read in one run, because its sentences'
neighbours are part of it, and a sentence's edges are read behind the title and before the end,
because of a sentence alone its neighbours are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from search.use_network import Run

Number = TypeVar("Number", np.float32, np.int64)
_SEEN = 4  # tokens to either side that reach a token's features
_EDGE = 2  # tokens at either end of a sentence that are read again; further in little changes


class Titled(Protocol):
    """What is read of a `TitledPassage`."""

    @property
    def title(self) -> str: ...

    @property
    def sentences(self) -> Sequence[str]: ...


class PassagePlan:
    """Which tokens of some passages are to be summed, and what the sums of vectors are made of.

    A passage is read once, behind the end of its title. Of a sentence in it, what sees its
    neighbours is read again as the sentence would be read alone with the title: the tokens at its
    edges, a few of each. Those in between see nothing else either way.
    """

    def __init__(self, begin: list[int], end: int, cut: Callable[[str], list[int]]) -> None:
        self.runs: list[Run] = []
        self.sizes: list[int] = []
        self._begin, self._end, self._cut = begin, end, cut
        self._pieces = 0
        self._titles: dict[str, tuple[int, list[int]]] = {}
        self._parts: list[list[int]] = []

    def add(self, passage: Titled) -> None:
        title, before = self._title(passage.title)
        sentences = [_edges(self._cut(text)) for text in passage.sentences]
        pieces = [*chain.from_iterable(sentences), [self._end]]
        whole = self._run(Run(pieces, before=before))
        end = whole + len(pieces) - 1
        for number, (first, middle, last) in enumerate(sentences):
            left, inner, right = range(whole + 3 * number, whole + 3 * number + 3)
            if first and number > 0:
                after = [*middle[:_SEEN], *last, self._end][:_SEEN]
                left = self._run(Run([first], before, after))
            if last and number < len(sentences) - 1:
                right = self._run(Run([last], [*first, *middle[-_SEEN:]][-_SEEN:], [self._end]))
            self._parts.append([title, left, inner, right, end])
        self._parts.append([title, *range(whole, end + 1)])
        self.sizes.append(len(sentences) + 1)

    def compose(self, values: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """(vectors, …) what belongs to each vector, from the same of every piece."""
        sizes = np.fromiter(map(len, self._parts), np.int64, len(self._parts))
        parts = np.fromiter(chain.from_iterable(self._parts), np.int64, int(sizes.sum()))
        return np.add.reduceat(values[parts], np.cumsum(sizes) - sizes, axis=0)

    def _title(self, text: str) -> tuple[int, list[int]]:
        """The number of the title's piece, and what a sentence behind it sees."""
        if text not in self._titles:
            ids = self._begin + (self._cut(f"{text}.") if text else [])
            self._titles[text] = self._run(Run([ids])), ids[-_SEEN:]
        return self._titles[text]

    def _run(self, run: Run) -> int:
        self.runs.append(run)
        self._pieces += len(run.pieces)
        return self._pieces - len(run.pieces)


def _edges(ids: list[int]) -> tuple[list[int], list[int], list[int]]:
    """A sentence's first tokens, those between, and its last; if it is short, all are its first."""
    if len(ids) < 2 * _EDGE:
        return ids, [], []
    return ids[:_EDGE], ids[_EDGE:-_EDGE], ids[-_EDGE:]
