"""The words of a completion table, and those a few slips of the finger away from one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA

from search.lines import END, Lines, span

BUDGET = 200_000
"""Beginnings of words looked at for one lookup at most, about 2 ms."""
_LONGEST = 24  # letters of a word that is forgiven anything


@dataclass(frozen=True, slots=True)
class Near:
    """Words `low` to `high` of the sorted list, `edits` letters wrong."""

    edits: int
    low: int
    high: int


def edits_allowed(word: str) -> int:
    """Slips forgiven in a word: one from 4 letters, two from 8; a swap of neighbours is one."""
    if not 4 <= len(word) <= _LONGEST:
        return 0
    return 1 if len(word) < 8 else 2


def edits_to(typed: str, word: str) -> int | None:
    """Letters wrong in `typed` against the nearest beginning of a word; None if too many.

    The plain definition of what `WordList.near` finds.
    """
    reach = edits_allowed(typed)
    lengths = range(len(typed) - reach, min(len(typed) + reach, len(word)) + 1)
    edits = (OSA.distance(typed, word[:length], score_cutoff=reach) for length in lengths)
    best = min(edits, default=reach + 1)
    return best if best <= reach else None


class WordList:
    """Distinct words in sorted order, mapped; the heap is used once a slip has been looked up."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._heads = lru_cache(maxsize=_LONGEST)(self._distinct_heads)

    def __len__(self) -> int:
        return len(self._lines)

    def span(self, word: str, *, unfinished: bool) -> tuple[int, int]:
        """The numbers of the words that are, or while `unfinished` begin with, this one."""
        wanted = word.encode() if unfinished else word.encode() + END
        starts = self._lines.starts
        return span(
            range(len(self)), wanted, lambda number: self._lines.at(starts[number], len(wanted))
        )

    def near(self, word: str, *, budget: int) -> tuple[list[Near], int]:
        """Words that begin within the edits allowed, and how many beginnings were looked at.

        Beyond the budget those are only the ones with the same first letter, which is the letter
        that is hardly ever wrong.
        """
        reach, seen = edits_allowed(word), 0
        letters = _letters(word)
        found: list[Near] = []
        for length in range(len(word) - reach, len(word) + reach + 1):
            heads = self._heads(length)
            low, high = 0, len(heads.texts)
            if high > budget - seen:
                low = bisect_left(heads.texts, word[0])
                high = bisect_right(heads.texts, word[0], key=lambda text: text[0])
            seen += high - low
            places = low + _may_be_near(heads.letters[low:high], letters, reach)
            if not len(places):
                continue
            distances = process.cdist(
                [word], [heads.texts[place] for place in places], scorer=OSA.distance,
                score_cutoff=reach, dtype=np.uint8,
            )[0]  # fmt: skip
            for place, distance in zip(places.tolist(), distances.tolist(), strict=True):
                if distance <= reach:
                    found.append(Near(distance, *heads.spans[place]))
        return found, seen

    @cached_property
    def _words(self) -> list[str]:
        return [self._lines[number] for number in range(len(self))]

    def _distinct_heads(self, length: int) -> _Heads:
        texts: list[str] = []
        spans: list[tuple[int, int]] = []
        for number, word in enumerate(self._words):
            if len(word) < length:
                continue
            if texts and word.startswith(texts[-1]):
                spans[-1] = (spans[-1][0], number + 1)
            else:
                texts.append(word[:length])
                spans.append((number, number + 1))
        return _Heads(texts, spans, np.array([_letters(text) for text in texts], np.uint32))


@dataclass(frozen=True, slots=True)
class _Heads:
    """Distinct beginnings of a length, the words each begins, and the letters in each."""

    texts: list[str]
    spans: list[tuple[int, int]]
    letters: npt.NDArray[np.uint32]


def _letters(text: str) -> int:
    """Which letters a text has, a bit for each; rare ones share bits."""
    bits = 0
    for character in text:
        bits |= 1 << (ord(character) & 31)
    return bits


def _may_be_near(letters: npt.NDArray[np.uint32], wanted: int, edits: int) -> npt.NDArray[np.intp]:
    """Places of the texts that edits may turn into one with the wanted letters.

    An edit brings one letter at most and takes one; nearly all texts lack more, or have more
    others, and need not be compared.
    """
    lacking, strange = np.uint32(wanted) & ~letters, letters & ~np.uint32(wanted)
    for _ in range(edits):  # takes the lowest bit of each away
        lacking, strange = lacking & (lacking - 1), strange & (strange - 1)
    return np.flatnonzero((lacking | strange) == 0)
