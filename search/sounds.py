"""How Chinese is said: words typed in pinyin, and characters mistaken for others of their sound.

Input methods work by sound, so a slip of the finger gives a homophone (`推款` for `退款`), and who
has no Chinese keyboard at hand types `tuikuan`. Both are led back to words of the articles, never
to words in general: what no article says cannot be found anyway. Readings come from pypinyin.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from search.pinyin import usual_readings

_LONGEST_WORD = 6
_LONGEST_SYLLABLE = 6
_LONGEST_TYPED = 60  # letters
# How much likelier, as a power of the size of the articles, a word must be than what stands there;
# found on the misspelt golden questions and the sound ones of their fit part.
_LEAST_GAIN = 0.75
_WITH_TONES = re.compile(r"(?:[a-z]{1,6}[1-5])+")
_TONE = re.compile("[1-5]")


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of text and the word of the articles that it sounds like."""

    start: int
    end: int
    word: str


@lru_cache(maxsize=20_000)
def sound_of(text: str) -> str:
    """Pinyin without tones or spaces; `ü` is `u`, as it is once accents are folded away."""
    from pypinyin import lazy_pinyin  # 0.3 s, needed only where Chinese is read aloud

    return "".join(lazy_pinyin(text, errors="ignore")).replace("v", "u")


def _usual_sound(window: str) -> str:
    """`sound_of` without its dictionaries, which only publishing can afford to load."""
    return "".join(usual_readings(window)).replace("v", "u")


class Ear:
    """Hears words of a vocabulary in pinyin and in homophones."""

    def __init__(
        self,
        sounds: Mapping[str, Sequence[str]],
        frequencies: Mapping[str, int],
        *,
        stands: Callable[[str], bool],
        cut: Callable[[str], list[str]],
    ) -> None:
        """`stands` says whether a pair of characters stands in an article; `cut` cuts a run of
        characters into words of the language, without guessing."""
        self._sounds = sounds
        self._frequencies = frequencies
        self._total = sum(frequencies.values()) + 1
        self._least_gain = _LEAST_GAIN * math.log(self._total)
        self._stands = stands
        self._cut = cut

    def typed(self, words: Sequence[str]) -> list[str]:
        """The Chinese words that Latin words spell in pinyin together; none when they do not.

        Tones may be given by numbers; spaces may be left out or put anywhere.
        """
        spelt = "".join(
            _TONE.sub("", word) if _WITH_TONES.fullmatch(word) else word for word in words
        )
        if not spelt.isascii() or not spelt.isalpha() or len(spelt) > _LONGEST_TYPED:
            return []
        return self._decode(spelt.replace("v", "u"))

    def _decode(self, spelt: str) -> list[str]:
        """The fewest words, and among those the most frequent, whose sounds make up `spelt`."""
        best: list[tuple[float, list[str]] | None] = [(0.0, []), *([None] * len(spelt))]
        for end in range(1, len(spelt) + 1):
            for start in range(max(0, end - _LONGEST_SYLLABLE * _LONGEST_WORD), end):
                before, words = best[start], self._sounds.get(spelt[start:end])
                if before is None or not words:
                    continue
                cost = before[0] + 10 - math.log(1 + self._frequencies.get(words[0], 0))
                known = best[end]
                if known is None or cost < known[0]:
                    best[end] = (cost, [*before[1], words[0]])
        found = best[-1]
        return found[1] if found else []

    def misheard(self, run: str) -> list[Heard]:
        """Stretches of a run of Chinese characters to be read as words that sound the same.

        Only where the characters stand together in no article and make no word of the language,
        and where the word is likelier to be meant than what the characters say one by one.
        """
        if len(run) < 2 or all(self._stands(run[i : i + 2]) for i in range(len(run) - 1)):
            return []
        borders = [0]
        for word in self._cut(run):
            borders.append(borders[-1] + len(word))
        taken: set[int] = set()
        chosen: list[Heard] = []
        for _, start, end, word in sorted(self._candidates(run, borders), reverse=True):
            if taken.isdisjoint(range(start, end)):
                taken.update(range(start, end))
                chosen.append(Heard(start, end, word))
        return sorted(chosen, key=lambda heard: heard.start)

    def _candidates(
        self, run: str, borders: Sequence[int]
    ) -> Iterator[tuple[float, int, int, str]]:
        """Gain, start, end and word of every stretch of whole words that may be misheard."""
        for place, start in enumerate(borders):
            for last in range(place + 2, len(borders)):
                window = run[start : borders[last]]
                if len(window) > _LONGEST_WORD:
                    break
                if window in self._frequencies or all(
                    self._stands(window[i : i + 2]) for i in range(len(window) - 1)
                ):
                    continue
                apart = [run[a:b] for a, b in pairwise(borders[place : last + 1])]
                for word in self._sounds.get(_usual_sound(window), ()):
                    if len(word) == len(window) and not set(word).isdisjoint(window):
                        gain = self._chance(word) - sum(map(self._chance, apart))
                        if gain >= self._least_gain:
                            yield gain, start, borders[last], word

    def _chance(self, word: str) -> float:
        """Log of how probable a word is, judged by the articles; half a time for an unseen one."""
        return math.log((self._frequencies.get(word, 0) + 0.5) / self._total)
