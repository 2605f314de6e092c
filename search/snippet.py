"""The piece of a passage that shows why it was found, with the matching words marked."""

from __future__ import annotations

import re
from collections.abc import Collection

from search.text import Tokeniser, join_sentences, normalise
from search.types import Passage, Span

_WORDS = re.compile("([A-Za-z0-9]+(?:'[A-Za-z0-9]+)*)")
_MIXED = re.compile("[A-Za-z][0-9]|[0-9][A-Za-z]")
_MOST_FOLDED = 20_000
_RUNS = re.compile(b"1+|\0+")
_LENGTH = 220  # characters; a Chinese one says as much in half


def snippet(
    passage: Passage, sentence: int, terms: Collection[str], tokeniser: Tokeniser
) -> tuple[Span, ...]:
    """The best sentence, filled up with what follows it, cut at a length a phone shows."""
    chinese = passage.locale.startswith("zh")
    limit = _LENGTH // 2 if chinese else _LENGTH
    text = join_sentences(passage.sentences[sentence:], passage.locale)
    if len(text) <= limit:
        return highlight(text, terms, tokeniser)
    cut = text[:limit]
    text = (cut if chinese else cut.rsplit(" ", 1)[0]).rstrip(" ,，、;；:：")
    *spans, last = highlight(text, terms, tokeniser) or (Span(""),)
    ending = (last, Span("…")) if last.hit else (Span(f"{last.text}…"),)
    return (*spans, *ending)


def highlight(text: str, terms: Collection[str], tokeniser: Tokeniser) -> tuple[Span, ...]:
    """`text` cut into spans, those that match a term marked; joined they give `text` again."""
    wanted = set(terms)
    if text.isascii() and not _MIXED.search(text):
        return _highlight_words(text, wanted, tokeniser)
    marks = bytearray(len(text))
    characters = [_folded[character] for character in text]
    folded = "".join(characters)
    if len(folded) == len(text) and "" not in characters:
        for low, high in tokeniser.matches(folded, wanted):
            marks[low:high] = b"1" * (high - low)
    else:
        # Folding changes the length (`…` becomes three points): each folded character keeps the
        # place it came from.
        places = [place for place, found in enumerate(characters) for _ in found]
        for start, end in tokeniser.matches(folded, wanted):
            low, high = places[start], places[end - 1] + 1
            while high < len(text) and not characters[high]:  # an accent of its own, for one
                high += 1
            marks[low:high] = b"1" * (high - low)
    return tuple(
        Span(text[run.start() : run.end()], bool(marks[run.start()]))
        for run in _RUNS.finditer(marks)
    )


def _highlight_words(text: str, wanted: set[str], tokeniser: Tokeniser) -> tuple[Span, ...]:
    """The same for text of plain words, in a fifth of the time."""
    parts = _WORDS.split(text)  # what stands between words, and at every second place a word
    hits = [
        place
        for place, stem in enumerate(map(tokeniser.stem, _WORDS.findall(text.lower())))
        if stem in wanted
    ]
    spans: list[Span] = []
    after = 0
    for place in hits:
        between, after = "".join(parts[after : 2 * place + 1]), 2 * place + 2
        spans += (
            [Span(between), Span(parts[after - 1], True)]
            if between
            else [Span(parts[after - 1], True)]
        )
    if rest := "".join(parts[after:]):
        spans.append(Span(rest))
    return tuple(spans)


class _Folded(dict[str, str]):
    """Characters as they are searched for, folded when first met."""

    def __missing__(self, character: str) -> str:
        if len(self) >= _MOST_FOLDED:
            self.clear()
        folded = self[character] = " " if character.isspace() else normalise(character)
        return folded


_folded = _Folded()
