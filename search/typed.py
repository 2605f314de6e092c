"""The beginning of a question, as far as it has been typed, taken apart once."""

from __future__ import annotations

import re
from dataclasses import dataclass

from search.errors import QueryRejected
from search.text import HAN, MAX_QUERY, normalise

_PART = re.compile(rf"(?P<han>[{HAN}]+)|(?P<word>(?:(?![{HAN}])[^\W_])+)")
_LETTERS_OR_DIGITS = re.compile(r"\d+|[^\W\d_]+")
_LATIN_KEYS = re.compile(r"[a-z0-9][a-z0-9 ']*")
_LONGEST, _MOST_PARTS = 200, 16
"""Characters and parts that are looked up: what is longer is a question, not its beginning."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of Han characters, or a word of another script, with its place in the whole."""

    text: str
    han: bool
    start: int


@dataclass(frozen=True, slots=True)
class Typed:
    """What a reader has typed: `letters` is how it would spell Chinese, "" where it cannot."""

    normalised: str
    parts: tuple[Part, ...]
    letters: str


def take_apart(text: str) -> Typed:
    """Take apart what was typed. Raises `QueryRejected` beyond `MAX_QUERY` characters."""
    if len(text) > MAX_QUERY:
        raise QueryRejected(
            f"q: {len(text)} characters, at most {MAX_QUERY} are searched; shorten the question"
        )
    normalised = normalise(text)
    parts = parts_of(normalised) if len(normalised) <= _LONGEST else []
    if not 0 < len(parts) <= _MOST_PARTS:
        return Typed(normalised, (), "")
    letters = normalised.replace(" ", "").replace("'", "")
    spells = len(letters) > 1 and not letters.isdigit() and _LATIN_KEYS.fullmatch(normalised)
    return Typed(normalised, tuple(parts), letters if spells else "")


def parts_of(normalised: str) -> list[Part]:
    """Han runs and words of a normalised text, in order."""
    return [
        Part(match[0], match["han"] is not None, match.start())
        for match in _PART.finditer(normalised)
    ]


def words_of(normalised: str) -> set[str]:
    """The words of a text that are no Chinese; `iphone15` also as `iphone` and `15`."""
    words = {part.text for part in parts_of(normalised) if not part.han}
    return words.union(*(_LETTERS_OR_DIGITS.findall(word) for word in words))
