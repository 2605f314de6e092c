"""Which of a few questions is spelt right, so that no gap is named after a slip."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from portal.drafts.spelling import Spelling
from search.lexicon import english
from search.reading import Reader
from search.text import normalise

Chooser = Callable[[Sequence[str]], str]
"""Chooses one of some texts, the best first; never called without any."""
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_SHORTEST = 4  # letters; shorter ones resemble too much


def first_right(reader: Reader | None) -> Chooser:
    """Chooses the first text that is spelt right by `reader`, the search's; else the first.

    Without a reader the words of the language alone decide.
    """

    def choose(texts: Sequence[str]) -> str:
        if len(texts) == 1:
            return texts[0]
        spelling = Spelling(texts, reader) if reader else None
        for text in texts:
            if not has_slip(text) and (spelling is None or spelling.is_clean(text)):
                return text
        return texts[0]

    return choose


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
