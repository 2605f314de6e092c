"""The words the articles are written in, as they are spelt: what misspellings are mended with."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from search.errors import IndexDamaged
from search.sounds import sound_of
from search.text import Tokeniser, normalise

_FILE = "vocabulary.json"
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
        data = {"latin": self.latin, "han": self.han, "sounds": self.sounds}
        (folder / _FILE).write_text(json.dumps(data, ensure_ascii=False), "utf-8")

    @classmethod
    def open(cls, folder: Path) -> Vocabulary:
        """Read what `save` wrote. Raises `IndexDamaged`."""
        try:
            data = json.loads((folder / _FILE).read_text("utf-8"))
            sounds = {sound: tuple(words) for sound, words in data["sounds"].items()}
            return cls(dict(data["latin"]), dict(data["han"]), sounds)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexDamaged(
                f"{folder / _FILE}: cannot be read ({error!r}); run `kb index --rebuild`"
            ) from error


def collect(texts: Iterable[str], tokeniser: Tokeniser) -> Vocabulary:
    """Count the words of texts."""
    latin: Counter[str] = Counter()
    han: Counter[str] = Counter({word: 1 for word in tokeniser.words if not word.isascii()})
    for text in texts:
        normalised = normalise(text)
        for token in tokeniser.tokens(normalised):
            word = normalised[token.start : token.end]
            if word.isascii():
                if word.isalpha():
                    latin[word] += 1
            elif word == token.text:
                han[word] += 1
    sounds: dict[str, list[str]] = defaultdict(list)
    for word, _ in sorted(han.items(), key=lambda item: (-item[1], item[0])):
        if len(word) >= _SHORTEST and (key := sound_of(word)):
            sounds[key].append(word)
    return Vocabulary(
        dict(sorted(latin.items())),
        dict(sorted(han.items())),
        {sound: tuple(words) for sound, words in sorted(sounds.items())},
    )
