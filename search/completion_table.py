"""The completion table of one language: mapped arrays, and the ways a beginning finds entries.

Entries are numbered best first, so the best of any set of entries are its smallest numbers, and
nothing is scored while a reader types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.array_file import Arrays, map_arrays, write_arrays
from search.errors import IndexDamaged
from search.lines import END, Lines, span
from search.pinyin import LONGEST_UNIT, initials
from search.slips import BUDGET, WordList, edits_allowed
from search.typed import Part, Typed

Found = npt.NDArray[np.integer[Any]]
"""Entries in any order, each perhaps several times; a grade times the table's size is added."""
_FORGIVEN = 4  # words of one lookup
_FAR = 99


class Kind(IntEnum):
    """What an entry is; programs are told the name in small letters."""

    TITLE = 0
    QUESTION = 1
    POPULAR = 2


class CompletionTable:
    """Finds the entries of one language. Safe to share between threads."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._texts = Lines(arrays["texts"], arrays["text_starts"])
        self._keys = Lines(arrays["keys"], arrays["key_starts"])
        self._spellings = Lines(arrays["spellings"], arrays["spelling_starts"])
        words = Lines(arrays["words"], arrays["word_starts"])
        self._words = WordList(words)
        self._posting_starts = arrays["posting_starts"].data
        self._postings = arrays["postings"]
        self._order = arrays["order"].data
        self.size = len(self._keys)
        self.kinds = arrays["kinds"].data
        self.articles = arrays["articles"].data
        self.popularity = arrays["popularity"].data
        columns = (self._texts, self._spellings, self._order, self.kinds, self.articles,
                   self.popularity)  # fmt: skip
        pairs = [("han_at", "han_rows"), ("syllables_at", "syllables_rows"),
                 ("initials_at", "initials_rows"), ("syllables_at", "initials_at")]  # fmt: skip
        if (
            any(len(column) != self.size for column in columns)
            or any(len(arrays[one]) != len(arrays[other]) for one, other in pairs)
            or len(self._posting_starts) != len(words) + 1
            or self._posting_starts[-1] != len(self._postings)
        ):
            raise ValueError("its parts do not fit each other")

    @classmethod
    def open(cls, path: Path) -> CompletionTable:
        """Map what `save` wrote. Raises `IndexDamaged`."""
        arrays = map_arrays(path)
        try:
            return cls(arrays)
        except (ValueError, KeyError) as error:
            raise IndexDamaged(
                f"{path}: cannot be used ({error}); run `kb index --rebuild`"
            ) from error

    def save(self, path: Path) -> None:
        """Write the table into one file."""
        write_arrays(path, self._arrays)

    def text(self, entry: int) -> str:
        return self._texts[entry]

    def key(self, entry: int) -> str:
        """The normalised text, which is what is compared."""
        return self._keys[entry]

    def spelling(self, entry: int) -> str:
        """How its Chinese is spelt (`search.pinyin.spell`), "" where there is none."""
        return self._spellings[entry]

    def rank(self, entry: int) -> tuple[int, int, int, str]:
        """What the numbering follows, so that entries of two tables can be merged."""
        return rank(self.kinds[entry], self.popularity[entry], self.key(entry))

    def find(self, key: str) -> int | None:
        """The best entry whose whole text this is, or None."""
        low, high = self._whole(key.encode() + END)
        return self._order[low] if low < high else None

    def starting(self, typed: Typed) -> Found:
        """Entries whose text starts with what was typed."""
        low, high = self._whole(typed.normalised.encode())
        return self._arrays["order"][low:high] if typed.normalised else self._none

    def holding(self, typed: Typed) -> Found:
        """Entries with every part: Chinese anywhere, words whole, the last as far as it goes."""
        return self._common([self._rows(*part) for part in _marked(typed.parts)])

    def spelt(self, letters: str, *, by_initials: bool = True) -> Found:
        """Entries with a Chinese word from which on the letters spell the text.

        They do so by syllables, the last perhaps unfinished, or by initials. Grade 0 from the
        start of the text, grade 1 from within.
        """
        if not letters:
            return self._none
        wanted = letters.encode()
        count = len(wanted)
        found = [self._spelt("syllables", wanted, lambda at: self._spellings.at(at, count).lower())]
        if by_initials:
            found.append(self._spelt("initials", wanted, lambda at: self._initials(at, count)))
        return np.concatenate(found)

    def misspelt(self, typed: Typed) -> Found:
        """As `holding`, with some letters of the words wrong; the grade is how many.

        A word is forgiven as a beginning, which forgives its ending too: `recieve` finds received.
        Words that no entry has are forgiven, or all where no entry has them together; words that
        some entry has together are right.
        """
        marked = _marked(typed.parts)
        exact = [self._rows(part, unfinished) for part, unfinished in marked]
        words = [n for n, (part, _) in enumerate(marked) if edits_allowed(part.text)]
        words = [number for number in words if not marked[number][0].han]
        unknown = [number for number in words if not len(exact[number])]
        forgiven = (unknown or words)[:_FORGIVEN]
        if not forgiven or (not unknown and len(self._common(exact))):
            return self._none
        total, budget = np.zeros(self.size, np.int16), BUDGET
        for number, (part, _) in enumerate(marked):
            edits = np.full(self.size, _FAR, np.int16)
            if number in forgiven:
                near, compared = self._words.near(part.text, budget=budget)
                budget -= compared
                for word in sorted(near, key=lambda word: -word.edits):  # the nearest stays
                    edits[self._posted(word.low, word.high)] = word.edits
            edits[exact[number]] = 0
            total += edits
        entries = np.flatnonzero(total < _FAR)
        return total[entries].astype(np.int64) * self.size + entries

    @property
    def _none(self) -> Found:
        return np.empty(0, np.int64)

    def _whole(self, wanted: bytes) -> tuple[int, int]:
        starts = self._keys.starts
        return span(self._order, wanted, lambda entry: self._keys.at(starts[entry], len(wanted)))

    def _common(self, found: Sequence[Found]) -> Found:
        """Entries in all of some sets."""
        if not found:
            return self._none
        fewest, *others = sorted(found, key=len)
        for rows in others:
            has = np.zeros(self.size, np.bool_)
            has[rows] = True
            fewest = fewest[has[fewest]]
        return fewest

    def _rows(self, part: Part, unfinished: bool) -> Found:
        if part.han:
            wanted = part.text.encode()
            low, high = span(
                self._arrays["han_at"].data,
                wanted,
                lambda at: self._keys.at(at, len(wanted)),
            )
            found: Found = self._arrays["han_rows"][low:high]
            return found
        return self._posted(*self._words.span(part.text, unfinished=unfinished))

    def _posted(self, low: int, high: int) -> Found:
        found: Found = self._postings[self._posting_starts[low] : self._posting_starts[high]]
        return found

    def _spelt(self, name: str, wanted: bytes, read: Callable[[int], bytes]) -> Found:
        at, rows = self._arrays[f"{name}_at"], self._arrays[f"{name}_rows"]
        low, high = span(at.data, wanted, read)
        inside = at[low:high] != self._arrays["spelling_starts"][rows[low:high]]
        found: Found = rows[low:high] + inside * np.int64(self.size)
        return found

    def _initials(self, at: int, count: int) -> bytes:
        return initials(self._spellings.at(at, count * LONGEST_UNIT).partition(END)[0])[:count]


def rank(kind: int, popularity: int, key: str) -> tuple[int, int, int, str]:
    """Best first: titles before questions, what more visitors asked, the shorter."""
    return min(kind, Kind.QUESTION), -popularity, len(key), key


def _marked(parts: Sequence[Part]) -> list[tuple[Part, bool]]:
    """Parts, and whether each may be unfinished, which only the last can be."""
    return [(part, number == len(parts)) for number, part in enumerate(parts, 1)]
