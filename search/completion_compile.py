"""Compiles completion tables: when publishing, and from the past questions of a running portal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from search.completion_table import CompletionTable, Kind, rank
from search.lines import Lines
from search.pinyin import Speller, initials, spell, unit_places, units
from search.text import Tokeniser, normalise
from search.typed import parts_of, words_of

Places = list[tuple[int, int]]
"""Bytes of an array of texts, and the entry each belongs to."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One text to complete to; `article` is a row of the catalogue, -1 for a past question.

    `popularity` is how many visitors asked it.
    """

    text: str
    kind: Kind
    article: int = -1
    popularity: int = 0


def compile_table(
    entries: Iterable[Entry], tokeniser: Tokeniser, speller: Speller
) -> CompletionTable:
    """Compile the entries of one language; those of which nothing is visible are left out."""
    keyed = [(entry, key) for entry in entries if (key := normalise(entry.text))]
    keyed.sort(key=lambda pair: (*rank(pair[0].kind, pair[0].popularity, pair[1]), pair[0].article))
    ranked, keys = [entry for entry, _ in keyed], [key for _, key in keyed]
    words: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        for word in words_of(key):
            words[word].append(row)
    names = sorted(words)
    arrays: dict[str, npt.NDArray[Any]] = {
        "kinds": np.array([entry.kind for entry in ranked], np.int8),
        "articles": np.array([entry.article for entry in ranked], np.int32),
        "popularity": np.array([entry.popularity for entry in ranked], np.int32),
        "order": np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int32),
        "posting_starts": np.cumsum([0, *(len(words[name]) for name in names)]).astype(np.int32),
        "postings": np.array([row for name in names for row in words[name]], np.int32),
    }
    spellings = [_spell_chinese(key, speller) for key in keys]
    for name, texts in (
        ("text", [" ".join(entry.text.split()) for entry in ranked]),
        ("key", keys),
        ("word", names),
        ("spelling", spellings),
    ):
        arrays[f"{name}s"], arrays[f"{name}_starts"] = Lines.pack(texts)
    arrays.update(_suffixes(arrays, keys, spellings, tokeniser))
    return CompletionTable(arrays)


def _spell_chinese(key: str, speller: Speller) -> str:
    return spell(key, speller) if any(part.han for part in parts_of(key)) else ""


def _suffixes(
    arrays: dict[str, npt.NDArray[Any]],
    keys: Sequence[str],
    spellings: Sequence[str],
    tokeniser: Tokeniser,
) -> dict[str, npt.NDArray[Any]]:
    """Places where Chinese may be entered, sorted by how the text goes on from there.

    Places that go on alike then stand together (a suffix array). Characters are entered
    anywhere; letters only where the text or a word begins, or they would mean too much.
    """
    key_lines = Lines(arrays["keys"], arrays["key_starts"])
    spelling_lines = Lines(arrays["spellings"], arrays["spelling_starts"])
    characters: Places = []
    begins: Places = []
    for row, (key, spelling) in enumerate(zip(keys, spellings, strict=True)):
        if spelling:
            characters += [(key_lines.starts[row] + at, row) for at in _han_bytes(key)]
            start = spelling_lines.starts[row]
            begins += [(start + at, row) for at in _word_bytes(key, spelling, tokeniser)]

    def letters(at: int, row: int) -> bytes:
        return spelling_lines.rest(row, at).lower()

    def first_letters(at: int, row: int) -> bytes:
        return initials(spelling_lines.rest(row, at))

    return {
        **_sorted("han", characters, lambda at, row: key_lines.rest(row, at)),
        **_sorted("syllables", begins, letters),
        **_sorted("initials", begins, first_letters),
    }


def _han_bytes(key: str) -> list[int]:
    """Where in the bytes of a text its Han characters stand."""
    return [
        len(key[:place].encode())
        for part in parts_of(key) if part.han
        for place in range(part.start, part.start + len(part.text))
    ]  # fmt: skip


def _word_bytes(key: str, spelling: str, tokeniser: Tokeniser) -> list[int]:
    """Where in the bytes of a spelling it begins, and its Chinese words do."""
    han = {
        p
        for part in parts_of(key)
        if part.han
        for p in range(part.start, part.start + len(part.text))
    }
    words = {token.start for token in tokeniser.tokens(key)} & han
    found, at = [], 0
    for place, unit in zip(unit_places(key), units(spelling), strict=True):
        if not at or place in words:
            found.append(at)
        at += len(unit)
    return found


def _sorted(
    name: str, places: Places, reads: Callable[[int, int], bytes]
) -> dict[str, npt.NDArray[Any]]:
    ordered = sorted(places, key=lambda place: reads(*place))
    both = np.array(ordered, np.int32).reshape(-1, 2)
    return {f"{name}_at": both[:, 0].copy(), f"{name}_rows": both[:, 1].copy()}
