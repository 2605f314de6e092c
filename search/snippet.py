"""The piece of a passage that shows why it was found, with the matching words marked."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from search.text import Tokeniser, join_sentences, normalise
from search.types import Passage, Span

_LENGTH = 220  # characters; a Chinese one says as much in half


def snippet(
    passage: Passage, sentence: int, terms: Collection[str], tokeniser: Tokeniser
) -> tuple[Span, ...]:
    """The best sentence, filled up with what follows it, cut at a length a phone shows."""
    chinese = passage.locale.startswith("zh")
    limit = _LENGTH // 2 if chinese else _LENGTH
    text = join_sentences(passage.sentences[sentence:], passage.locale)
    if len(text) > limit:
        cut = text[:limit]
        text = (cut if chinese else cut.rsplit(" ", 1)[0]).rstrip(" ,，、;；:：") + "…"
    return highlight(text, terms, tokeniser)


def highlight(text: str, terms: Collection[str], tokeniser: Tokeniser) -> tuple[Span, ...]:
    """`text` cut into spans, those that match a term marked; joined they give `text` again."""
    wanted = set(terms)
    marks = [False] * len(text)
    # Folding may change the length (`…` becomes three points), so each folded character keeps the
    # place it came from.
    folded = [
        (character, place) for place, original in enumerate(text) for character in _fold(original)
    ]
    for token in tokeniser.tokens("".join(character for character, _ in folded)):
        if token.text in wanted:
            low, high = folded[token.start][1], folded[token.end - 1][1] + 1
            while high < len(text) and not _fold(text[high]):  # an accent of its own, for one
                high += 1
            marks[low:high] = [True] * (high - low)
    spans: list[Span] = []
    begin = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or marks[position] != marks[begin]:
            spans.append(Span(text[begin:position], marks[begin]))
            begin = position
    return tuple(spans)


@lru_cache(maxsize=10_000)
def _fold(character: str) -> str:
    return " " if character.isspace() else normalise(character)
