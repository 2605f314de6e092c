"""The piece of a passage that shows why it was found, with the matching words marked."""

from __future__ import annotations

from collections.abc import Collection

from search.text import Tokeniser, normalise
from search.types import Passage, Span

_LENGTH = 220  # characters; a Chinese one says as much in half


def snippet(
    passage: Passage, sentence: int, terms: Collection[str], tokeniser: Tokeniser
) -> tuple[Span, ...]:
    """The best sentence, filled up with what follows it, cut at a length a phone shows."""
    joint = "" if passage.locale.startswith("zh") else " "
    limit = _LENGTH // 2 if passage.locale.startswith("zh") else _LENGTH
    text = joint.join(passage.sentences[sentence:]) if passage.sentences else ""
    if len(text) > limit:
        cut = text[:limit]
        text = (cut if joint == "" else cut.rsplit(" ", 1)[0]).rstrip(" ,，、;；:：") + "…"
    return highlight(text, terms, tokeniser)


def highlight(text: str, terms: Collection[str], tokeniser: Tokeniser) -> tuple[Span, ...]:
    """`text` cut into spans, those that match a term marked; joined they give `text` again."""
    wanted = set(terms)
    marks = [False] * len(text)
    for start, end in _pieces(text):
        piece = text[start:end]
        folded = normalise(piece)
        for token in tokeniser.tokens(folded):
            if token.text not in wanted:
                continue
            if len(folded) == len(piece):
                for position in range(start + token.start, start + token.end):
                    marks[position] = True
            else:  # folding changed the length, so offsets do not carry over: mark the piece
                marks[start:end] = [True] * (end - start)
    spans: list[Span] = []
    begin = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or marks[position] != marks[begin]:
            spans.append(Span(text[begin:position], marks[begin]))
            begin = position
    return tuple(spans)


def _pieces(text: str) -> list[tuple[int, int]]:
    """Stretches without white space, so that folding one cannot shift the others."""
    pieces: list[tuple[int, int]] = []
    start: int | None = None
    for position, character in enumerate(text):
        if character.isspace():
            if start is not None:
                pieces.append((start, position))
            start = None
        elif start is None:
            start = position
    if start is not None:
        pieces.append((start, len(text)))
    return pieces
