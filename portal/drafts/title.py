"""What an article that is to close a gap is called until somebody calls it otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from search.text import normalise


def default_title(name: str, asked: Sequence[str]) -> str:
    """The gap's name where one of the questions `asked` has these words, else the first of them.

    A name may be a question that is held out; a title made of it would be found by it, and proof
    would measure nothing. `asked` are those that are not, the most frequent first. Without any it
    is empty.
    """
    words = normalise(name)
    if words and any(words in normalise(text) for text in asked):
        return name
    return asked[0] if asked else ""
