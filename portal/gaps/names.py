"""A name for a cluster, in its language and its own words, and its most typical questions."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from portal.gaps.spelt import Chooser
from search.text import Tokeniser, guess_locale, is_mostly_han, normalise, stop_words, text_length

TYPICAL = 3
_LONGEST = 5
"""Words of a name, at most."""
_LEAST_SHARED = 0.3
"""Share of those who ask that must have used the words of a name."""
_SAYS_NO_TOPIC = """
about after again already any anyone anything before being but did does ever getting give go
going got happened help just keep know let like long look made make many more much need never
new next not now once one other over possible really said say says see should since some
someone something still take than then thing think time today told too tried trying use used
using want wanted way went without yet
为什么 什么 怎么 怎样 如何 多久 多少 可以 能不能 是不是 有没有 现在 已经 还是 一直 没有 不能
需要 应该 时候 东西 问题 然后 但是 你们 我们 他们 别人 这个 那个 今天 昨天 明天 说 怎么办
"""
"""Words that ask or tell but name no topic; search keeps them, for there they may matter."""
_ALIKE = 0.4
"""How much a typical question loses for being like one that was chosen before it."""
_REPEATED = 0.85
"""Similarity from which a question only says again, or misspells, what another one says."""
_LEAST_QUESTIONS = 3
"""Questions, repetitions aside, that must share a phrase: of two it is half of one of them."""
_STORY = 40  # words
_DETAIL = 0.4
"""What a story loses beside a question of a few words when a name is looked for."""
_SHORTENED = 80  # characters
_OFFERED = 5
"""Questions that one spelt right is looked for among when one of them is to be the name."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a cluster is called; `typical` are the places of its most typical questions."""

    text: str
    locale: str
    typical: tuple[int, ...]


class Namer:
    """Names clusters of one log: words that most questions use tell no cluster from another."""

    def __init__(
        self,
        background: Sequence[str],
        tokeniser: Tokeniser | None = None,
        choose: Chooser = itemgetter(0),
    ) -> None:
        """`background` are the questions of all clusters; `tokeniser` knows the shop's words.

        `choose` takes one of a few questions, the best first, for a name; it may be slow, as it is
        asked once for each cluster.
        """
        self._tokeniser = tokeniser or Tokeniser()
        self._choose = choose
        no_topic = _SAYS_NO_TOPIC.split()
        self._silent = stop_words().union(no_topic, map(self._tokeniser.stem, no_topic))
        self._count = len(background)
        self._known = Counter(
            term for text in background for term in set(self._tokeniser.terms(text))
        )

    def name_of(
        self, texts: Sequence[str], counts: Sequence[int], vectors: NDArray[np.float32]
    ) -> Name:
        """The phrase that most of those who ask share and few others use.

        Where they share none it is their most typical question that is spelt right. `counts` say
        how many visitors asked each of the n texts; `vectors` are (n, d) unit rows. Raises
        `ValueError` without texts.
        """
        if not texts:
            raise ValueError("a cluster without questions has no name")
        weights = np.maximum(np.asarray(counts, np.float32), 1)
        locales = [guess_locale(text) for text in texts]
        asked: Counter[str] = Counter()
        for locale, weight in zip(locales, weights, strict=True):
            asked[locale] += int(weight)
        leading = min(asked, key=lambda locale: (-asked[locale], locale))
        places = [place for place, locale in enumerate(locales) if locale == leading]
        typical = _typical(weights, vectors, range(len(texts)))
        phrase = self._phrase(
            [texts[place] for place in places], weights[places], _originals(vectors[places])
        )
        if phrase is None:
            phrase = _shortened(self._choose(_brief(texts, weights, vectors, places)))
        return Name(phrase, leading, typical)

    def _phrase(
        self, texts: Sequence[str], weights: NDArray[np.float32], originals: NDArray[np.bool_]
    ) -> str | None:
        used: dict[tuple[str, ...], float] = defaultdict(float)
        questions: Counter[tuple[str, ...]] = Counter()
        written: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for text, weight, original in zip(texts, weights, originals, strict=True):
            seen = set()
            for terms, form in self._phrases(text):
                written[terms][form] += 1
                if terms not in seen:
                    seen.add(terms)
                    used[terms] += float(weight)
                    questions[terms] += bool(original)
        whole = float(weights.sum())
        worth = {
            terms: weight / whole * self._tells(terms)
            for terms, weight in used.items()
            if questions[terms] >= _LEAST_QUESTIONS
            and weight / whole >= _LEAST_SHARED
            and _is_phrase(terms)
        }
        if not worth:
            return None
        best = max(worth, key=lambda terms: (worth[terms], terms))
        words = written[best]
        chosen = min(words, key=lambda form: (-words[form], len(form), form))
        return chosen[:1].upper() + chosen[1:]

    def _tells(self, terms: tuple[str, ...]) -> float:
        """How well the terms of a phrase tell what is asked: their inverse frequencies added."""
        rare = [math.log((self._count + 1) / (self._known[term] + 0.5)) for term in terms]
        return sum(max(one, 0.0) for one in rare)

    def _says(self, term: str) -> bool:
        """A letter alone or a number names nothing; a Han character may."""
        if term in self._silent or term.isdigit():
            return False
        return len(term) > 1 or is_mostly_han(term)

    def _phrases(self, text: str) -> Iterator[tuple[tuple[str, ...], str]]:
        """Runs of words that begin and end with one that says something.

        Gives the terms that say something, in order, and the run as it is written.
        """
        folded = normalise(text)
        # Case can only be kept where folding has moved nothing.
        source = text if len(folded) == len(text) and text.casefold() == folded else folded
        tokens = _without_overlaps(self._tokeniser, folded)
        for first, (term, start, _) in enumerate(tokens):
            if not self._says(term):
                continue
            terms: list[str] = []
            for place, (other, begin, end) in enumerate(tokens[first : first + _LONGEST]):
                if place and _is_broken(folded[tokens[first + place - 1][2] : begin]):
                    break
                if not self._says(other):
                    continue
                terms.append(other)
                yield tuple(terms), source[start:end]


def _without_overlaps(tokeniser: Tokeniser, folded: str) -> list[tuple[str, int, int]]:
    """Terms and their places, the longest where several lie on the same characters."""
    found = sorted(
        ((token.text, token.start, token.end) for token in tokeniser.tokens(folded)),
        key=lambda token: (token[1], -token[2]),
    )
    kept: list[tuple[str, int, int]] = []
    for token in found:
        if kept and token[1] < kept[-1][2]:
            continue
        kept.append(token)
    return kept


def _is_phrase(terms: tuple[str, ...]) -> bool:
    """A word alone seldom says what is asked, but for Chinese compounds: 运费险, 七天无理由."""
    return len(terms) > 1 or (len(terms[0]) > 2 and is_mostly_han(terms[0]))


def _is_broken(between: str) -> bool:
    """Whether a comma, full stop or the like stands between two words."""
    return bool(between.strip(" -/'’"))


def _originals(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) which questions repeat none before them."""
    original = np.ones(len(vectors), np.bool_)
    for place in range(1, len(vectors)):
        before = vectors[:place][original[:place]]
        original[place] = not (before @ vectors[place] >= _REPEATED).any()
    return original


def _typical(
    weights: NDArray[np.float32],
    vectors: NDArray[np.float32],
    places: Sequence[int],
    most: int = TYPICAL,
) -> tuple[int, ...]:
    """Places near the middle of the cluster, each unlike those chosen before it, none repeated.

    Source of the trade: maximal marginal relevance (Carbonell and Goldstein 1998).
    """
    allowed = np.asarray(places)
    rows = vectors[allowed]
    middle = weights[allowed] @ rows
    middle /= max(float(np.linalg.norm(middle)), 1e-9)
    worth = rows @ middle
    chosen: list[int] = []
    repeated = np.zeros(len(allowed), np.float32)
    for _ in range(min(most, len(allowed))):
        left = np.where(repeated >= _REPEATED, -np.inf, worth - _ALIKE * repeated)
        best = int(left.argmax())
        if left[best] == -np.inf:
            break
        chosen.append(best)
        repeated = np.maximum(repeated, rows @ rows[best])
    return tuple(int(allowed[place]) for place in chosen)


def _brief(
    texts: Sequence[str],
    weights: NDArray[np.float32],
    vectors: NDArray[np.float32],
    places: Sequence[int],
) -> list[str]:
    """The few questions nearest to the middle that are no stories, the best first."""
    rows = vectors[np.asarray(places)]
    middle = weights[np.asarray(places)] @ rows
    middle /= max(float(np.linalg.norm(middle)), 1e-9)
    length = np.array([text_length(texts[place]) for place in places], np.float32)
    worth = rows @ middle - np.minimum(length / _STORY, 1) * _DETAIL
    best = np.argsort(-worth, kind="stable")[:_OFFERED]
    return [texts[places[int(place)]] for place in best]


def _shortened(text: str) -> str:
    """The text on one line, cut between words where it is long."""
    line = " ".join(text.split())
    if len(line) <= _SHORTENED:
        return line
    cut = line[: _SHORTENED - 1]
    if not is_mostly_han(line) and " " in cut:
        cut = cut.rpartition(" ")[0]
    return f"{cut}…"
