"""A question taken apart once: normalised text, sentences, terms."""

from __future__ import annotations

from dataclasses import dataclass

from search.errors import QueryRejected
from search.text import Tokeniser, grams, normalise, split_sentences

MAX_QUERY = 5000  # characters; a long complaint has about 1,000
_MAX_SENTENCES = 24


@dataclass(frozen=True, slots=True)
class Question:
    """What both engines are asked. `sentences` is never empty for a text that has a letter."""

    text: str
    normalised: str
    sentences: tuple[str, ...]
    terms: tuple[str, ...]
    grams: tuple[str, ...]

    @property
    def keyword_terms(self) -> tuple[str, ...]:
        return (*self.terms, *(pair for pair in self.grams if pair not in self.terms))


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
    return Question(
        text=text,
        normalised=normalise(text),
        sentences=tuple(sentences),
        terms=tuple(tokeniser.query_terms(text)),
        grams=tuple(dict.fromkeys(grams(text))),
    )
