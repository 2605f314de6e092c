"""Misspelt English words of a question, led back to the words of the articles.

Of the words a few letters away the best is the one most probably meant and then mistyped so: its
probability among the words of the index and of English in general, times that of the slips.
English in general also says what is no mistake: a word it has, an English plural or compound, an
order number or a name that resembles nothing are left as they stand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import Stemmer

from search.channel import LEAST, least_cost, slip_cost
from search.lexicon import Lexicon, english
from search.text import HAN, stop_words

_OWN_SHARE = 0.5
"""How much of the customers' language is that of the articles; the rest is English in general."""
_MISSED_SPACE = 3.0
"""Cost of two words run together, on the scale of `Costs`."""
_UNKNOWN, _PER_LETTER = 5.0, 1.5
"""-log of the probability of one certain right word that nobody has listed, such as a name.

Set on codespell's misspellings of the articles' words against the names that wordfreq has and the
vocabulary lacks, so that about one such name in a hundred is changed.
"""
_OFFERED = -1.5
"""Gain over such a word from which a correction is offered; from 0 it is made at once."""
_LEAD = 2.0
"""By how much a correction that is made must lead the next one of another stem."""
_DOUBT = 5.0
"""Gain over a listed English word, which the index lacks, from which a correction is offered."""

_SHORTEST, _LONGEST = 4, 30  # letters; shorter and longer words are left as they stand
_SHORTEST_PART = 4  # letters of a part of a compound
_COMMON = -11.5  # log probability; a compound of rarer words is more likely a mistake
_MOST_LOOKUPS = 12  # unknown words of one text, a few milliseconds each
_ENDINGS = ("able", "less", "like", "wise")  # that make words as well as being some
_PREFIX = re.compile(
    "(?:anti|de|dis|inter|mis|multi|non|out|over|post|pre|re|semi|sub|super|un|under)"
    f"(?P<rest>[a-z]{{{_SHORTEST_PART},}})"
)

_POSSESSIVE = "'s"
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_STRETCH = re.compile(rf"[^\s{HAN},;!?()\[\]{{}}<>|\"“”‘，。！？；：、（）【】《》「」…—–]+")
_PLAIN = re.compile(rf"[.:'*~-]*(?P<words>{_WORD.pattern}(?:/{_WORD.pattern})*)[.:'*~-]*")


@dataclass(frozen=True, slots=True)
class Correction:
    """A word, or two apart by a space, that may have been meant."""

    word: str
    score: float
    """Log of the probability that it was meant and mistyped so; higher is better."""
    distance: int
    """Letters missing, added, replaced or swapped."""


@dataclass(frozen=True, slots=True)
class Misspelling:
    """A word of a text with what its writer most likely meant."""

    start: int
    end: int
    wrong: str
    right: str
    sure: bool
    """Whether to search for `right` at once; otherwise it is only worth asking about."""


class Speller:
    """Knows an index's words and English in general, and what a misspelt one may mean."""

    def __init__(self, frequencies: Mapping[str, int]) -> None:
        """`frequencies` counts the index's words, lower case and unstemmed; codes are ignored."""
        words = {w: n for w, n in frequencies.items() if n > 0 and _WORD.fullmatch(w)}
        total = sum(words.values())
        self._own = Lexicon({word: math.log(n / total) for word, n in words.items()})
        self._stemmer = Stemmer.Stemmer("english")
        self._stems = frozenset(self._stemmer.stemWords(list(words)))
        self._judged = lru_cache(maxsize=5000)(self._judge)  # many make the same slip

    def knows(self, word: str) -> bool:
        """Whether a lower-case word is to be left as it stands.

        The index or English has it or what it is made of, or it is none to correct at all: it has
        digits or signs, is very short or very long.
        """
        word = word.removesuffix(_POSSESSIVE)
        return not _correctable(word) or self._has(word) or self._is_made_of_words(word)

    def corrections(self, word: str, limit: int = 3) -> list[Correction]:
        """What a lower-case word may mean, the best first, also if it is right as it stands.

        Words of the index and of English in general, and two words of the index run together.
        """
        if limit < 1 or not _WORD.fullmatch(word) or len(word) > _LONGEST:
            return []
        most = 1 if len(word) < 4 else 2 if len(word) < 8 else 3
        near = english().near(word, most) | self._own.near(word, most)
        near.pop(word, None)
        hoped = []
        for right, distance in near.items():
            prior = self._prior(right)
            cheapest = prior - least_cost(right, word, distance)
            hoped.append((cheapest, prior, right, distance))
        hoped.sort(reverse=True)
        best = [pair] if (pair := self._pair(word)) else []
        for cheapest, prior, right, distance in hoped:
            if len(best) == limit and best[-1].score >= cheapest:
                break  # no other can do better
            best.append(Correction(right, prior - slip_cost(right, word), distance))
            best.sort(key=lambda correction: -correction.score)
            del best[limit:]
        return best[:limit]

    def misspellings(self, normalised: str) -> list[Misspelling]:
        """The words of a normalised text that something findable was most likely meant by."""
        found = []
        judged: dict[str, tuple[str, bool] | None] = {}
        for start, word in _words(normalised):
            if word not in judged:
                if self._stands(word):
                    continue
                if len(judged) == _MOST_LOOKUPS:
                    break
                judged[word] = self._judged(word)
            if verdict := judged[word]:
                found.append(Misspelling(start, start + len(word), word, *verdict))
        return found

    @cached_property
    def _beyond_doubt(self) -> float:
        """Log probability above which a listed word cannot be a slip for one of the index."""
        likeliest = max(
            map(self._prior, self._own.log_probabilities.keys() - stop_words()), default=-math.inf
        )
        return likeliest - LEAST - _DOUBT

    def _stands(self, word: str) -> bool:
        """Whether nothing could speak against a word, so that no correction need be looked up."""
        return (
            not _correctable(word)
            or self._is_findable(word)
            or (word in english().log_probabilities and self._prior(word) > self._beyond_doubt)
        )

    def _judge(self, word: str) -> tuple[str, bool] | None:
        """What to put for a word the index lacks, and whether at once; None to let it stand."""
        corrections = self.corrections(word, 4)
        if not corrections or not all(map(self._is_findable, corrections[0].word.split())):
            return None
        best, *others = corrections
        if best.word in stop_words() and best.word.replace("'", "") != word:
            return None  # nothing is found by it
        if self._has(word):
            doubtful = best.score - self._prior(word) >= _DOUBT
            return (best.word, False) if doubtful else None
        if " " not in best.word and self._is_made_of_words(word):
            return None
        gain = best.score + _UNKNOWN + _PER_LETTER * len(word)
        if gain < _OFFERED:
            return None
        if " " in best.word and stop_words().isdisjoint(best.word.split()):
            return best.word, False  # perhaps a compound that the articles write as two words
        stem = self._stemmer.stemWord(best.word)
        rivals = [c.score for c in others if self._stemmer.stemWord(c.word) != stem]
        lead = best.score - max(rivals, default=-math.inf)
        return best.word, gain >= 0 and lead >= _LEAD

    def _pair(self, word: str) -> Correction | None:
        """Two words of the index that were run together."""
        own = self._own.log_probabilities
        cuts = [(word[:i], word[i:]) for i in range(2, len(word) - 1)]
        pairs = [
            (own[left] + own[right], left, right)
            for left, right in cuts
            if left in own
            and right in own
            and right not in _ENDINGS
            and max(len(left), len(right)) >= _SHORTEST_PART
        ]
        if not pairs:
            return None
        score, left, right = max(pairs)
        return Correction(f"{left} {right}", score - _MISSED_SPACE, 1)

    def _prior(self, word: str) -> float:
        """Log probability of a word in a customer's mouth: two languages mixed."""
        own = self._own.log_probabilities.get(word)
        general = english().log_probabilities.get(word, -math.inf)
        if own is None:
            return general + math.log(1 - _OWN_SHARE)
        return math.log(_OWN_SHARE * math.exp(own) + (1 - _OWN_SHARE) * math.exp(general))

    def _is_findable(self, word: str) -> bool:
        """Whether the index has it, if perhaps in another form."""
        return word in self._own.log_probabilities or self._stemmer.stemWord(word) in self._stems

    def _has(self, word: str) -> bool:
        return self._is_findable(word) or word in english().log_probabilities

    def _is_made_of_words(self, word: str) -> bool:
        """Whether it is a prefix and a word (`nonrefundable`) or two common words (`giftcard`)."""
        if (match := _PREFIX.fullmatch(word)) and self._has(match["rest"]):
            return True
        return any(
            min(self._prior(word[:i]), self._prior(word[i:])) > _COMMON
            for i in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
        )


def _correctable(word: str) -> bool:
    return _SHORTEST <= len(word) <= _LONGEST and _WORD.fullmatch(word) is not None


def _words(normalised: str) -> Iterator[tuple[int, str]]:
    """Words with their places; addresses, codes and what else is no plain word are left out."""
    for stretch in _STRETCH.finditer(normalised):
        if plain := _PLAIN.fullmatch(stretch[0]):
            offset = stretch.start() + plain.start("words")
            for word in _WORD.finditer(plain["words"]):
                yield offset + word.start(), word[0].removesuffix(_POSSESSIVE)
