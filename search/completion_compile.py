"""Compiles completion tables: when publishing, and from the past questions of a running portal."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from search.completion_table import CompletionTable, Kind, rank
from search.lines import Lines
from search.pinyin import Speller, spell, unit_places, units
from search.suffixes import sort_places
from search.text import Tokeniser, normalise
from search.typed import parts_of, words_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One text to complete to; `article` is a row of the catalogue, -1 for a past question.

    `popularity` is how many visitors asked it.
    """

    text: str
    kind: Kind
    article: int = -1
    popularity: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be known of a text, whatever table it comes to stand in."""

    key: str
    """The normalised text; "" where nothing is visible."""
    words: tuple[str, ...]
    """Words that are not Chinese."""
    spelling: str
    """How its Chinese is spelt, "" where there is none."""
    characters: tuple[int, ...]
    """The bytes of the key at which a Han character stands."""
    begins: tuple[int, ...]
    """The bytes of the spelling at which it begins, and its Chinese words do."""


def prepare(text: str, tokeniser: Tokeniser, speller: Speller) -> Prepared:
    """Normalise, cut and spell a text: nearly all the time that compiling a table takes."""
    key = normalise(text)
    words = tuple(sorted(words_of(key)))
    han = [
        place
        for part in parts_of(key)
        if part.han
        for place in range(part.start, part.start + len(part.text))
    ]
    if not han:
        return Prepared(key, words, "", (), ())
    spelling = spell(key, speller)
    ends = list(itertools.accumulate(len(character.encode()) for character in key))
    characters = tuple(ends[place - 1] if place else 0 for place in han)
    return Prepared(key, words, spelling, characters, _begins(key, han, spelling, tokeniser))


def _begins(key: str, han: Sequence[int], spelling: str, tokeniser: Tokeniser) -> tuple[int, ...]:
    words = {token.start for token in tokeniser.tokens(key)}.intersection(han)
    found, at = [], 0
    for place, unit in zip(unit_places(key), units(spelling), strict=True):
        if not at or place in words:
            found.append(at)
        at += len(unit)
    return tuple(found)


def compile_table(
    entries: Iterable[Entry], tokeniser: Tokeniser, speller: Speller
) -> CompletionTable:
    """Compile the entries of one language; those of which nothing is visible are left out."""
    return assemble_table((entry, prepare(entry.text, tokeniser, speller)) for entry in entries)


def assemble_table(entries: Iterable[tuple[Entry, Prepared]]) -> CompletionTable:
    """Compile entries that have been prepared, as `compile_table` does."""
    pairs = [(entry, made) for entry, made in entries if made.key]
    pairs.sort(key=lambda pair: (*rank(pair[0].kind, pair[0].popularity, pair[1].key),
                                 pair[0].article))  # fmt: skip
    ranked, prepared = [entry for entry, _ in pairs], [made for _, made in pairs]
    keys = [made.key for made in prepared]
    words: dict[str, list[int]] = defaultdict(list)
    for row, made in enumerate(prepared):
        for word in made.words:
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
    for name, texts in (
        ("text", [" ".join(entry.text.split()) for entry in ranked]),
        ("key", keys),
        ("word", names),
        ("spelling", [made.spelling for made in prepared]),
    ):
        arrays[f"{name}s"], arrays[f"{name}_starts"] = Lines.pack(texts)
    arrays.update(_suffixes(arrays, prepared))
    return CompletionTable(arrays)


def _suffixes(
    arrays: dict[str, npt.NDArray[Any]], prepared: Sequence[Prepared]
) -> dict[str, npt.NDArray[Any]]:
    """Places where Chinese may be entered, sorted by how the text goes on from there.

    Places that go on alike then stand together. Characters are entered anywhere; letters only
    where the text or a word begins, or they would mean too much.
    """
    keys, spellings = arrays["keys"], arrays["spellings"]
    at, rows = _places(arrays["key_starts"], [made.characters for made in prepared])
    ends = arrays["key_starts"][rows + 1] - 1
    found = _sorted("han", at, rows, sort_places(keys, at, ends))
    at, rows = _places(arrays["spelling_starts"], [made.begins for made in prepared])
    ends = arrays["spelling_starts"][rows + 1] - 1
    small = (spellings >= ord("a")) & (spellings <= ord("z"))
    letters = np.where((spellings >= ord("A")) & (spellings <= ord("Z")), spellings + 32, spellings)
    found |= _sorted("syllables", at, rows, sort_places(letters, at, ends))
    before: npt.NDArray[np.int64] = np.cumsum(~small) - ~small  # initials before each byte
    order = sort_places(letters[~small], before[at], before[ends])
    return found | _sorted("initials", at, rows, order)


def _places(
    starts: npt.NDArray[np.int32], offsets: Sequence[tuple[int, ...]]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Bytes of an array of texts, and the entry each belongs to."""
    rows = np.repeat(np.arange(len(offsets)), np.array([len(own) for own in offsets], np.int64))
    flat = np.fromiter(itertools.chain.from_iterable(offsets), np.int64, len(rows))
    return starts[rows] + flat, rows


def _sorted(
    name: str,
    at: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
) -> dict[str, npt.NDArray[Any]]:
    return {
        f"{name}_at": at[order].astype(np.int32),
        f"{name}_rows": rows[order].astype(np.int32),
    }
