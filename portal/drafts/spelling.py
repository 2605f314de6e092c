"""Which of a gap's questions are misspelt, and how they are spelt, so that no article repeats it.

What stands in no article may still be right: a gap is about what no article says yet. So a word is
doubted only where the search itself would read another one, or where another question of the gap
says the same but for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from search.channel import slip_cost
from search.lexicon import english
from search.reading import Reader
from search.sounds import sound_of
from search.text import HAN, normalise

_HAN = re.compile(f"[{HAN}]")
_UNHEARD = -25.0
"""Log of the probability of a word that is not English; the rarest of those has about -18."""
_CLEARLY = 0.4  # nats by which a slip must be likelier than the word as it stands
_MOST_WORDS = 2  # that may differ between a question and its misspelt copy
_MOST_COMPARED = 400
_KINDS = ("spelling", "homophone")
"""What the search reads otherwise; pinyin is a way of writing and no slip."""


class Spelling:
    """Spellings of one gap's questions, those of most visitors first; `reader` is the search's."""

    def __init__(self, questions: Sequence[str], reader: Reader) -> None:
        self._read = reader.read
        self._known = {normalise(text): text for text in reversed(questions)}
        self._twins = _twins([normalise(text) for text in questions[:_MOST_COMPARED]], reader)

    def is_clean(self, text: str) -> bool:
        """Whether nothing in a question looks misspelt."""
        reading = self._read(text)
        slips = (*reading.changes, *reading.doubts)
        return normalise(text) not in self._twins and not any(one.kind in _KINDS for one in slips)

    def is_copy(self, text: str) -> bool:
        """Whether it only repeats another question of the gap with slips in it."""
        here = normalise(text)
        return here in self._twins or normalise(self._meant(text)) in self._known.keys() - {here}

    def corrected(self, text: str) -> str:
        """The question as it is spelt, by another question of the gap or by the search."""
        twin = self._twins.get(normalise(text))
        if twin is not None:
            return self._known[twin]
        meant = self._meant(text)
        return self._known.get(normalise(meant), meant)

    def _meant(self, text: str) -> str:
        """The question as the search reads it, but for what is no slip."""
        folded = normalise(text)
        # Capitals can only be kept where folding has moved nothing.
        found = text if len(folded) == len(text) else folded
        for change in sorted(self._read(text).changes, key=lambda one: -one.start):
            if change.kind in _KINDS:
                found = found[: change.start] + change.used + found[change.end :]
        return found


def _twins(questions: Sequence[str], reader: Reader) -> dict[str, str]:
    """Each question that another one says without its slips, and that one."""
    words = [question.split() for question in questions]
    found: dict[str, str] = {}
    for place, question in enumerate(questions):
        for other, twin in enumerate(questions):
            if twin == question or twin in found:
                continue
            # Of two that sound the same the one is right that is written as the articles write;
            # else the one that more have asked.
            if _says_without_slips(words[other], words[place]) or (
                _sounds_the_same(twin, question)
                and (reader.strange_pairs(twin), other) < (reader.strange_pairs(question), place)
            ):
                found[question] = twin
                break
    return found


def _says_without_slips(right: Sequence[str], typed: Sequence[str]) -> bool:
    """Whether one is most likely the other with a slip or two."""
    if len(right) != len(typed) or len(typed) < 2:
        return False
    differ = [(a, b) for a, b in zip(right, typed, strict=True) if a != b]
    return 0 < len(differ) <= _MOST_WORDS and all(_is_slip(a, b) for a, b in differ)


def _is_slip(right: str, typed: str) -> bool:
    """Whether `right` was likelier meant and mistyped than `typed` meant."""
    likely = english().log_probabilities
    right, typed = (word.strip("?!.,;:") for word in (right, typed))
    if not (right.isascii() and right.isalpha() and typed.isascii() and right in likely):
        return False
    meant = likely[right] - slip_cost(right, typed)
    return meant > likely.get(typed, _UNHEARD) + _CLEARLY


def _sounds_the_same(one: str, other: str) -> bool:
    """Whether two Chinese questions differ in a character or two that sound alike."""
    if len(one) != len(other) or len(one) < 4:
        return False
    differ = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    return 0 < len(differ) <= _MOST_WORDS and all(
        _is_han(one[place]) and _is_han(other[place])
        and sound_of(one[place]) == sound_of(other[place])
        for place in differ
    )  # fmt: skip


def _is_han(char: str) -> bool:
    return _HAN.fullmatch(char) is not None
