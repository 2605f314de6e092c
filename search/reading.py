"""Reads what was meant: misspelt words, pinyin and homophones, led back to words of the articles.

Only what stands in no article is ever touched, so an exact match is never given up for a guess, and
every change is named in the answer, for the reader to undo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from search.lexicon import english
from search.sounds import Ear
from search.spelling import Speller
from search.text import HAN, Token, Tokeniser, grams, normalise
from search.types import Change, KeywordEngine
from search.vocabulary import Vocabulary

_HAN_RUN = re.compile(f"[{HAN}]+")
_LATIN = re.compile(r"(?<![^\W_])[a-z][a-z1-5]*(?![^\W_])")
_SPELT = re.compile(r"[a-z1-5 '-]+")
_MOST_TOGETHER = 6  # syllables typed apart: `tui huo yun fei xian`
_COMMON = -13.0  # log of the probability from which on a word is English beyond doubt
_RARE = -99.0
_MOST_CHANGES = 12
_FIELDS = ("article", "title")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it was understood; `changes` is empty where it was taken as it stands."""

    text: str
    changes: tuple[Change, ...] = ()
    doubts: tuple[Change, ...] = ()
    """Words left as they stand that may well have been meant otherwise."""


class Reader:
    """Reads questions with the vocabulary of one generation."""

    def __init__(
        self, vocabulary: Vocabulary, tokeniser: Tokeniser, keyword: KeywordEngine
    ) -> None:
        self._vocabulary = vocabulary
        self._tokeniser = tokeniser
        self._keyword = keyword
        self._sentence = lru_cache(maxsize=2000)(self._read)

    def read(self, text: str) -> Reading:
        """The text with what stands in no article replaced; the very text where nothing is."""
        return self._sentence(text)

    def strange_pairs(self, text: str) -> int:
        """How many pairs of Chinese characters side by side stand in no article."""
        return sum(not self._pair_stands(pair) for pair in grams(normalise(text)))

    def _read(self, text: str) -> Reading:
        normalised = normalise(text)
        if self._all_stands(normalised):
            return Reading(text)
        changes: list[Change] = []
        taken: set[int] = set()
        slips = [
            (Change("spelling", slip.start, slip.end, slip.wrong, slip.right), slip.sure)
            for slip in self._speller.misspellings(normalised)
            if not self._stands(slip.wrong)
        ]
        sure = [change for change, is_sure in slips if is_sure]
        for change in (*self._typed(normalised), *self._misheard(normalised), *sure):
            if len(changes) < _MOST_CHANGES and taken.isdisjoint(range(change.start, change.end)):
                taken.update(range(change.start, change.end))
                changes.append(change)
        doubts = tuple(change for change, is_sure in slips if not is_sure)
        if not changes:
            return Reading(text, doubts=doubts)
        changes.sort(key=lambda change: change.start)
        parts, end = [], 0
        for change in changes:
            parts += [normalised[end : change.start], change.used]
            end = change.end
        return Reading("".join([*parts, normalised[end:]]), tuple(changes), doubts)

    def _all_stands(self, normalised: str) -> bool:
        return all(map(self._word_stands, self._tokeniser.tokens(normalised))) and all(
            map(self._pair_stands, grams(normalised))
        )

    def _word_stands(self, token: Token) -> bool:
        return any(self._keyword.document_frequency(name, token.text) for name in _FIELDS)

    def _pair_stands(self, pair: str) -> bool:
        return any(self._keyword.document_frequency(f"{name}_grams", pair) for name in _FIELDS)

    def _misheard(self, normalised: str) -> Iterator[Change]:
        """Chinese words put for others of their sound."""
        for run in _HAN_RUN.finditer(normalised):
            for heard in self._ear.misheard(run[0]):
                start, end = run.start() + heard.start, run.start() + heard.end
                yield Change("homophone", start, end, normalised[start:end], heard.word)

    def _typed(self, normalised: str) -> Iterator[Change]:
        """Latin words that spell Chinese ones, the longest stretches first."""
        words = list(_LATIN.finditer(normalised))
        is_english = [self._is_english(word[0]) for word in words]
        if all(is_english):
            return
        for length in range(min(_MOST_TOGETHER, len(words)), 0, -1):
            for place in range(len(words) - length + 1):
                if all(is_english[place : place + length]):
                    continue
                stretch = words[place : place + length]
                start, end = stretch[0].start(), stretch[-1].end()
                if not _SPELT.fullmatch(normalised[start:end]):
                    continue
                if used := "".join(self._ear.typed([word[0] for word in stretch])):
                    yield Change("pinyin", start, end, normalised[start:end], used)

    def _is_english(self, word: str) -> bool:
        return self._stands(word) or english().log_probabilities.get(word, _RARE) > _COMMON

    def _stands(self, word: str) -> bool:
        return all(map(self._word_stands, self._tokeniser.tokens(word)))

    @cached_property
    def _speller(self) -> Speller:
        return Speller(self._vocabulary.latin)

    @cached_property
    def _ear(self) -> Ear:
        words = self._vocabulary
        import rjieba

        segmenter = rjieba.Jieba()
        return Ear(
            words.sounds, words.han, stands=self._pair_stands,
            cut=lambda run: segmenter.cut(run, hmm=False),
        )  # fmt: skip
