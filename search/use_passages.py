"""Passages read once by the bundled model: what is read, and into which sums it goes.

The model sums features over tokens, so sums of sentences and of a title add up. Two things keep
the vectors near those of the texts put together ("title. sentence", "title. passage"), and both
were found to matter for what is found: a passage is read in one run, because its sentences'
neighbours are part of it, and a sentence's edges are read again behind the title and before the
end, because of the sentence by itself its neighbours are no part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from search.use_network import Reading

Number = TypeVar("Number", np.float32, np.int64)
_SEEN = 4  # tokens to either side of an edge that are read with it: all that reach its features
_EDGE = 2  # tokens at either end of a sentence that are read again; further in little changes


class Titled(Protocol):
    """What is read of a `TitledPassage`."""

    @property
    def title(self) -> str: ...

    @property
    def sentences(self) -> Sequence[str]: ...


class PassagePlan:
    """What is read of some passages, and how the sums of it make their vectors."""

    def __init__(self, begin: list[int], end: int, cut: Callable[[str], list[int]]) -> None:
        """`begin` and `end` are the marks of a text's ends, `cut` the tokeniser."""
        self.reading = Reading()
        self.sizes: list[int] = []
        """The number of vectors of each passage."""
        self._begin, self._end, self._cut = begin, [end], cut
        self._titles: dict[str, tuple[int, list[int]]] = {}
        self._own: list[int] = []
        self._title: list[int] = []
        self._mark: list[int] = []

    def add(self, passage: Titled) -> None:
        """Read a passage of at least one sentence."""
        reading, end = self.reading, self._end
        title, before = self._read_title(passage.title)
        sentences = [_edges(self._cut(text)) for text in passage.sentences]
        count = len(sentences)
        first_row = reading.rows(count + 2)
        whole, mark = first_row + count, first_row + count + 1
        reading.run()
        reading.see(before)
        for number, (first, middle, last) in enumerate(sentences):
            row = first_row + number
            reading.sum(first, whole, row if number == 0 else -1)
            reading.sum(middle, whole, row)
            reading.sum(last, whole, row if number == count - 1 else -1)
        reading.sum(end, mark)
        for number, (first, middle, last) in enumerate(sentences):
            row = first_row + number
            if first and number > 0:
                reading.run()
                reading.see(before)
                reading.sum(first, row)
                reading.see([*middle[:_SEEN], *last, *end][:_SEEN])
            if last and number < count - 1:
                reading.run()
                reading.see([*first, *middle[-_SEEN:]][-_SEEN:])
                reading.sum(last, row)
                reading.see(end)
        self._own += range(first_row, first_row + count + 1)
        self._title += [title] * (count + 1)
        self._mark += [mark] * (count + 1)
        self.sizes.append(count + 1)

    def compose(self, values: npt.NDArray[Number]) -> npt.NDArray[Number]:
        """(vectors, …) what belongs to each vector, from the same of every row."""
        composed = values[self._own]
        composed += values[self._title]
        composed += values[self._mark]
        return composed

    def _read_title(self, text: str) -> tuple[int, list[int]]:
        """The row of a title and a full stop, and what a sentence behind them sees."""
        if text not in self._titles:
            ids = self._begin + (self._cut(f"{text}.") if text else [])
            row = self.reading.rows(1)
            self.reading.run()
            self.reading.sum(ids, row)
            self._titles[text] = row, ids[-_SEEN:]
        return self._titles[text]


def _edges(ids: list[int]) -> tuple[list[int], list[int], list[int]]:
    """A sentence's first tokens, those between, and its last; if it is short, all are its first."""
    if len(ids) < 2 * _EDGE:
        return ids, [], []
    return ids[:_EDGE], ids[_EDGE:-_EDGE], ids[-_EDGE:]
