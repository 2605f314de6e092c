"""A question taken apart once: normalised text, sentences, weighted terms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from search.errors import QueryRejected
from search.reading import Reader
from search.synonyms import Alternatives, Thesaurus
from search.text import (
    HAN,
    MAX_QUERY,
    Tokeniser,
    grams,
    guess_locale,
    normalise,
    pieces,
    split_sentences,
)
from search.types import Change

_MAX_SENTENCES = 24
_LETTERS = {"en": re.compile("[a-z]"), "zh-Hans": re.compile(f"[{HAN}]")}
_FULL = 4  # words
_MAX_TERMS = 300  # a text of 1,000 characters has about 200; what is beyond only costs time


@dataclass(frozen=True, slots=True)
class Question:
    """What both engines are asked. `sentences` is never empty for a text that has a letter."""

    text: str
    normalised: str
    locale: str
    sentences: tuple[str, ...]
    terms: dict[str, float]
    grams: dict[str, float]
    pieces: dict[str, float]
    words: int
    """Terms in the text, repetitions counted: how long the question is."""
    changes: tuple[Change, ...] = ()
    """What was read otherwise than it stands; everything else here is of the reading."""
    doubts: tuple[Change, ...] = ()
    """What may have been meant otherwise but was searched for as it stands, and besides."""
    alternatives: tuple[Alternatives, ...] = ()
    """What else its phrases are called."""

    @property
    def brevity(self) -> float:
        """1 for a single word, 0 from four words on: who types fewer names a thing or a topic."""
        return max(0, _FULL - max(self.words, 1)) / (_FULL - 1)


def analyse(
    text: str,
    tokeniser: Tokeniser,
    *,
    thesaurus: Thesaurus | None = None,
    reader: Reader | None = None,
) -> Question:
    """Take a question apart, as it was meant where `reader` understands what it says otherwise.

    Raises `QueryRejected` beyond `MAX_QUERY` characters.
    """
    if len(text) > MAX_QUERY:
        raise QueryRejected(
            f"q: {len(text)} characters, at most {MAX_QUERY} are searched; shorten the question"
        )
    sentences = split_sentences(text)
    if len(sentences) > _MAX_SENTENCES:
        # The longest say most, and stay in the order they were written in.
        longest = sorted(range(len(sentences)), key=lambda i: -len(sentences[i]))
        sentences = [sentences[i] for i in sorted(longest[:_MAX_SENTENCES])]
    asked = text
    changes: tuple[Change, ...] = ()
    doubts: tuple[Change, ...] = ()
    if reader is not None:
        readings = [reader.read(sentence) for sentence in sentences]
        changes = tuple(change for reading in readings for change in reading.changes)
        doubts = tuple(change for reading in readings for change in reading.doubts)
        if changes:
            sentences = [reading.text for reading in readings]
            text = "\n".join(sentences)
    terms = tokeniser.content_terms(text)
    normalised, locale = normalise(text), guess_locale(text)
    return Question(
        text=asked,
        normalised=normalised,
        locale=locale,
        sentences=tuple(sentences),
        terms=_weights(terms),
        grams=_weights(grams(text)),
        pieces=_weights(pieces(text)),
        words=len(terms),
        changes=changes,
        doubts=doubts,
        alternatives=(
            *(Alternatives.of(doubt.found, [doubt.used], tokeniser) for doubt in doubts),
            *(_alternatives(normalised, tokeniser, thesaurus) if thesaurus else ()),
        ),
    )


def _alternatives(
    normalised: str, tokeniser: Tokeniser, thesaurus: Thesaurus
) -> tuple[Alternatives, ...]:
    """Synonyms of the language of the question, and of the other one where it has words of it."""
    locales = [locale for locale, letters in _LETTERS.items() if letters.search(normalised)]
    return thesaurus.alternatives(normalised, list(tokeniser.tokens(normalised)), locales)


def _weights(terms: Iterable[str]) -> dict[str, float]:
    """A term said again weighs more, but never as much as two: BM25's query part with k3 = 1."""
    return {term: 2 * count / (count + 1) for term, count in Counter(terms).most_common(_MAX_TERMS)}
