"""Customers' own words, judged before they become an article's: their language, their spelling."""

from __future__ import annotations

import re

from search.lexicon import english
from search.text import HAN, normalise

_HAN = re.compile(f"[{HAN}]")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_SHORTEST = 4  # letters; shorter ones resemble too much


def language_of(text: str) -> str:
    """The language that words are in, whichever page they were written on."""
    return "zh-Hans" if _HAN.search(text) else "en"


def has_slip(text: str) -> bool:
    """Whether a word that nobody knows is one slip away from a known one.

    The search leaves slips in words that nothing is found by, such as `hvae`, as they stand.
    """
    return any(map(_is_slip, _WORD.findall(normalise(text))))


def _is_slip(word: str) -> bool:
    if len(word) < _SHORTEST or word in english().log_probabilities:
        return False
    # An apostrophe that was left out is a way of writing.
    return any(near.replace("'", "") != word for near in english().near(word, 1))
