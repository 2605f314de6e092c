"""What customers might type about a made-up article: words dropped, out of order, with slips."""

from __future__ import annotations

import importlib.resources
import string
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from corpus_language import Speaker, Topic

_SINGLE = 0.1
_LONG = 0.1
_SHORT_WORDS = (4, 12)
_LONG_WORDS = (60, 120)
_DROPPED = 0.15  # of the words of a query
_SLIP = 0.2  # of the queries
_MOVED = 0.25  # of the queries


@dataclass(frozen=True, slots=True)
class Made:
    """A made-up article: its file, and what it is about."""

    path: str
    text: str
    topic: Topic
    sentences: tuple[str, ...]
    questions: tuple[str, ...]


class Asker:
    """Makes queries in one language."""

    def __init__(self, speaker: Speaker, random: Random) -> None:
        self._speaker = speaker
        self._language = speaker.language
        self.random = random

    def ask(self, article: Made) -> str:
        kind = self.random.random()
        if kind < _SINGLE:
            words = article.topic.own if kind < _SINGLE / 2 else self._speaker.base_words
            return self.random.choice(words)
        if kind < _SINGLE + _LONG:
            return self._complaint(article)
        return self._question(article)

    def _question(self, article: Made) -> str:
        """A question or sentence of the article as someone in a hurry would type it."""
        random = self.random
        shortest, longest = _SHORT_WORDS
        while True:
            words = self._language.cut(random.choice(article.questions + article.sentences))
            words = [
                word
                for word in words
                if random.random() >= _DROPPED and any(map(str.isalnum, word))
            ]
            start = random.randrange(max(1, len(words) - longest + 1))
            words = words[start : start + random.randint(shortest, longest)]
            if len(words) >= shortest:
                break
        if random.random() < _MOVED:
            words.append(words.pop(random.randrange(len(words))))
        if random.random() < _SLIP:
            place = random.randrange(len(words))
            words[place] = _slip(words[place], random)
        return self._language.join(words).rstrip(".,;:。，；：")

    def _complaint(self, article: Made) -> str:
        """Several questions and sentences in a row, some of another article's making."""
        random = self.random
        least = random.randint(*_LONG_WORDS) - self._language.lengths[0] // 2
        texts: list[str] = []
        while self._words(texts) < least:
            texts.append(
                random.choice(article.questions + article.sentences)
                if random.random() < 0.5
                else self._speaker.passing_question(random, article.topic)
            )
        return ("" if self._language.locale.startswith("zh") else " ").join(texts)

    def _words(self, texts: Sequence[str]) -> int:
        return sum(len(self._language.cut(text)) for text in texts)


def _slip(word: str, random: Random) -> str:
    """One letter missing, doubled or swapped; one Han character for another of its sound."""
    if len(word) < 2:
        return word
    place = random.randrange(len(word) - 1)
    if not word.isascii():
        same = _homophones().get(word[place], "")
        return word[:place] + random.choice(same) + word[place + 1 :] if same else word
    kinds = (
        word[:place] + word[place + 1 :],
        word[: place + 1] + word[place:],
        word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        word[:place] + random.choice(string.ascii_lowercase) + word[place + 1 :],
    )
    return random.choice(kinds)


@lru_cache(maxsize=1)
def _homophones() -> dict[str, str]:
    """The characters of the same syllable, by character."""
    text = (importlib.resources.files("search.data") / "readings.txt").read_text("utf-8")
    found: defaultdict[str, str] = defaultdict(str)
    for line in text.splitlines():
        if not line.startswith("#"):
            _, characters = line.split()
            for character in characters:
                found[character] = characters
    return dict(found)
