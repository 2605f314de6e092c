"""A set of words that is asked which of them are a few letters away from a misspelt one.

No index of deletions as SymSpell builds it (seconds and hundreds of megabytes for the general
vocabulary): letter counts packed into bits rule out nearly all words in one pass of NumPy, and
RapidFuzz compares the rest.
"""

from __future__ import annotations

import importlib.resources
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA

_Signatures = npt.NDArray[np.uint64]
_AGAIN = np.uint64(len(string.ascii_lowercase))
_BITS = np.zeros(128, np.uint64)  # by character; an apostrophe has none
_BITS[[ord(letter) for letter in string.ascii_lowercase]] = np.uint64(1) << np.arange(
    len(string.ascii_lowercase), dtype=np.uint64
)


class Lexicon:
    """Words of a-z and apostrophes, with the log of each word's probability."""

    def __init__(self, log_probabilities: Mapping[str, float]) -> None:
        self.log_probabilities = log_probabilities

    @cached_property
    def _by_length(self) -> _ByLength:
        """Made when first a word is misspelt, which few questions have."""
        return _ByLength.of(self.log_probabilities)

    def near(self, word: str, most: int) -> dict[str, int]:
        """Words at most `most` edits from `word`, with the number of edits.

        An edit is a letter missing, added, replaced, or swapped with its neighbour (optimal
        string alignment distance).
        """
        table, wanted = self._by_length, _signatures([word])[0]
        words = []
        for longer in range(-most, most + 1):
            low, high = (table.start(len(word) + longer + more) for more in (0, 1))
            present = table.signatures[low:high]
            # An edit brings at most one letter and takes at most one away, and as many only bring
            # one as the word is longer.
            possible = (np.bitwise_count(present & ~wanted) <= most + min(longer, 0)) & (
                np.bitwise_count(wanted & ~present) <= most - max(longer, 0)
            )
            words += table.words[low:high][possible].tolist()
        found = process.extract(word, words, scorer=OSA.distance, score_cutoff=most, limit=None)
        return {near: int(distance) for near, distance, _ in found}


@dataclass(frozen=True, slots=True)
class _ByLength:
    """Words, the shortest first, with their letters packed into bits."""

    words: npt.NDArray[np.object_]
    signatures: _Signatures
    starts: list[int]
    """Where the words of each length begin; the last entry is the number of words."""

    @classmethod
    def of(cls, known: Iterable[str]) -> _ByLength:
        words = sorted(known, key=len)
        lengths = [len(word) for word in words]
        longest = lengths[-1] if lengths else 0
        starts: list[int] = np.searchsorted(lengths, np.arange(longest + 2)).tolist()
        parts = [_signatures(words[low:high]) for low, high in pairwise(starts)]
        signatures = np.concatenate([np.zeros(0, np.uint64), *parts])
        return cls(np.array(words, np.object_), signatures, starts)

    def start(self, length: int) -> int:
        return int(self.starts[min(max(length, 0), len(self.starts) - 1)])


def _signatures(words: list[str]) -> _Signatures:
    """For words of one length: 26 bits for letters they have, 26 for those they have twice."""
    if not words:
        return np.zeros(0, np.uint64)
    characters = np.frombuffer("".join(words).encode("ascii"), np.uint8)
    once = np.zeros(len(words), np.uint64)
    again = np.zeros(len(words), np.uint64)
    for column in characters.reshape(len(words), -1).T:
        bits = _BITS[column]
        again |= once & bits
        once |= bits
    return once | again << _AGAIN


@lru_cache(maxsize=1)
def english() -> Lexicon:
    """The general English vocabulary, read when first needed."""
    levels: dict[str, float] = {}
    text = (importlib.resources.files("search.data") / "english.txt").read_text("ascii")
    for line in text.splitlines():
        if not line.startswith("#"):
            level, *words = line.split()
            levels.update(dict.fromkeys(words, -int(level) / 10))
    return Lexicon(levels)
