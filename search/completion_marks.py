"""Which characters of a completion the reader has already typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from search.pinyin import unit_places, units
from search.slips import edits_allowed, edits_to
from search.text import normalise
from search.typed import Typed, parts_of

Marks = tuple[tuple[int, int], ...]
"""Stretches of a text, each from its first character to the one behind its last; in order."""


def mark_start(text: str, typed: Typed) -> Marks:
    """The beginning that was typed."""
    folded = _Folded(text)
    begin = len(folded.text) - len(folded.text.lstrip())
    end = begin + len(typed.normalised)
    return folded.marks([(begin, end)]) if folded.text[begin:end] == typed.normalised else ()


def mark_parts(text: str, typed: Typed) -> Marks:
    """Every place of every part; of a word that goes on, only what was typed."""
    folded = _Folded(text)
    return folded.marks(_exact(folded.text, typed))


def mark_slips(text: str, typed: Typed) -> Marks:
    """What was typed rightly, and the words nearest to what was not: these whole."""
    folded = _Folded(text)
    return folded.marks([*_exact(folded.text, typed), *_near(folded.text, typed)])


def mark_spelt(text: str, key: str, spelling: str, letters: str) -> Marks:
    """The Chinese that the letters spell, by syllables or by initials."""
    folded = _Folded(text)
    if folded.text != key:
        return ()
    places, syllables = unit_places(key), [unit.lower() for unit in units(spelling)]
    for first in range(len(syllables)):
        for written in (syllables, [syllable[0] for syllable in syllables]):
            end = _units_covered(written, first, letters)
            if end:
                return folded.marks((place, place + 1) for place in places[first:end])
    return ()


def _exact(folded: str, typed: Typed) -> Iterator[tuple[int, int]]:
    for number, part in enumerate(typed.parts, 1):
        unfinished = number == len(typed.parts)
        if part.han:
            for match in re.finditer(re.escape(part.text), folded):
                yield match.span()
            continue
        for word in parts_of(folded):
            if word.text == part.text or (unfinished and word.text.startswith(part.text)):
                yield word.start, word.start + len(part.text)


def _near(folded: str, typed: Typed) -> Iterator[tuple[int, int]]:
    words = [word for word in parts_of(folded) if not word.han]
    for part in typed.parts:
        edits = [edits_to(part.text, word.text) for word in words]
        least = min((wrong for wrong in edits if wrong is not None), default=None)
        for word, wrong in zip(words, edits, strict=True):
            if wrong is not None and wrong == least and edits_allowed(part.text):
                yield word.start, word.start + len(word.text if wrong else part.text)


def _units_covered(written: list[str], first: int, letters: str) -> int:
    """Up to which unit the letters reach from the first on; 0 when they do not fit."""
    rest, unit = letters, first
    while rest and unit < len(written):
        if written[unit].startswith(rest):
            return unit + 1
        if not rest.startswith(written[unit]):
            return 0
        rest = rest[len(written[unit]) :]
        unit += 1
    return 0 if rest else unit


class _Folded:
    """A text folded character by character, each keeping the place it came from.

    Folding may change the length: `…` becomes three points.
    """

    def __init__(self, text: str) -> None:
        folded = [(c, place) for place, original in enumerate(text) for c in _fold(original)]
        self.text = "".join(character for character, _ in folded)
        self._places = [place for _, place in folded]
        self._original = text

    def marks(self, stretches: Iterable[tuple[int, int]]) -> Marks:
        """Stretches of the folded text as stretches of the original one, joined where they meet."""
        marked: set[int] = set()
        for start, end in stretches:
            if start < end:
                low, high = self._places[start], self._places[end - 1] + 1
                while high < len(self._original) and not _fold(self._original[high]):
                    high += 1  # an accent of its own, for one
                marked.update(range(low, high))
        found: list[tuple[int, int]] = []
        for place in sorted(marked):
            if found and found[-1][1] == place:
                found[-1] = (found[-1][0], place + 1)
            else:
                found.append((place, place + 1))
        return tuple(found)


@lru_cache(maxsize=10_000)
def _fold(character: str) -> str:
    return " " if character.isspace() else normalise(character)
