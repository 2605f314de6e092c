"""The words the articles are written in, as they are spelt: what misspellings are mended with."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from search.errors import IndexDamaged
from search.sounds import sound_of
from search.text import Tokeniser, normalise

_FILE = "vocabulary.json"
_ASCII_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")
_LETTERS = re.compile("[a-z]+")
_SHORTEST = 2  # characters of a word that is known by its sound; shorter ones sound alike


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words with the number of times they stand in the articles."""

    latin: Mapping[str, int]
    """Words of letters only, folded but not stemmed."""
    han: Mapping[str, int]
    """Chinese words, also those of one character."""
    sounds: Mapping[str, tuple[str, ...]]
    """Pinyin without tones or spaces to the Chinese words said so, the most frequent first."""

    def save(self, folder: Path) -> None:
        """Write it into a generation's folder."""
        (folder / _FILE).write_bytes(msgspec.json.encode(self))

    @classmethod
    def open(cls, folder: Path) -> Vocabulary:
        """Read what `save` wrote. Raises `IndexDamaged`."""
        try:
            return msgspec.json.decode((folder / _FILE).read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise IndexDamaged(
                f"{folder / _FILE}: cannot be read ({error!r}); run `kb index --rebuild`"
            ) from error


def collect(texts: Iterable[str], tokeniser: Tokeniser) -> Vocabulary:
    """Count the words of texts."""
    return make_vocabulary(count_words(texts, tokeniser), tokeniser)


def count_words(texts: Iterable[str], tokeniser: Tokeniser) -> Counter[str]:
    """How often every word stands in texts, as it is spelt: letters only, and Chinese words."""
    counts: Counter[str] = Counter()
    tokens: Counter[str] = Counter()
    for text in texts:
        normalised = normalise(text)
        if normalised.isascii():  # as the tokeniser does, at a fifth of its time
            tokens.update(_ASCII_TOKEN.findall(normalised))
            continue
        for token in tokeniser.tokens(normalised):
            word = normalised[token.start : token.end]
            if word.isalpha() if word.isascii() else word == token.text:
                counts[word] += 1
    for found, count in tokens.items():
        if found.isalpha():
            counts[found] += count
        elif "'" not in found:
            for word in _LETTERS.findall(found):
                counts[word] += count
    return counts


def make_vocabulary(
    counts: Mapping[str, int], tokeniser: Tokeniser, sound: Callable[[str], str] = sound_of
) -> Vocabulary:
    """The vocabulary of words that have been counted; `sound` is `sound_of` or remembers it."""
    latin = sorted(word for word in counts if word.isascii())
    known = {word: count for word, count in counts.items() if not word.isascii()}
    for word in tokeniser.words:
        if not word.isascii():
            known[word] = known.get(word, 0) + 1
    han = {word: known[word] for word in sorted(known)}
    sounds: dict[str, list[str]] = defaultdict(list)
    for word in sorted(han, key=known.__getitem__, reverse=True):  # equals stay as they were
        if has_sound(word) and (key := sound(word)):
            sounds[key].append(word)
    return Vocabulary(
        {word: counts[word] for word in latin},
        han,
        {key: tuple(sounds[key]) for key in sorted(sounds)},
    )


def has_sound(word: str) -> bool:
    """Whether a word is known by its sound."""
    return len(word) >= _SHORTEST and not word.isascii()
