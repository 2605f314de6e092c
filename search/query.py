"""A question taken apart once: normalised text, sentences, weighted terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from search.errors import QueryRejected
from search.text import Tokeniser, grams, guess_locale, normalise, pieces, split_sentences

MAX_QUERY = 5000  # characters; a long complaint has about 1,000
_MAX_SENTENCES = 24
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


def analyse(text: str, tokeniser: Tokeniser) -> Question:
    """Take a question apart. Raises `QueryRejected` beyond `MAX_QUERY` characters."""
    if len(text) > MAX_QUERY:
        raise QueryRejected(
            f"q: {len(text)} characters, at most {MAX_QUERY} are searched; shorten the question"
        )
    sentences = split_sentences(text)
    if len(sentences) > _MAX_SENTENCES:
        # The longest say most, and stay in the order they were written in.
        longest = sorted(range(len(sentences)), key=lambda i: -len(sentences[i]))
        sentences = [sentences[i] for i in sorted(longest[:_MAX_SENTENCES])]
    terms = tokeniser.content_terms(text)
    return Question(
        text=text,
        normalised=normalise(text),
        locale=guess_locale(text),
        sentences=tuple(sentences),
        terms=_weights(terms),
        grams=_weights(grams(text)),
        pieces=_weights(pieces(text)),
        words=len(terms),
    )


def _weights(terms: Iterable[str]) -> dict[str, float]:
    """A term said again weighs more, but never as much as two: BM25's query part with k3 = 1."""
    return {term: 2 * count / (count + 1) for term, count in Counter(terms).most_common(_MAX_TERMS)}
