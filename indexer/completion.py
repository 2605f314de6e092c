"""Writes the completion tables of a generation: titles and listed questions of every article."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from unicodedata import east_asian_width

import msgspec

from indexer.blob_cache import BlobCache
from indexer.fingerprint import version_with
from search.completion import table_name
from search.completion_compile import Entry, Prepared, assemble_table, prepare
from search.completion_table import CompletionTable, Kind
from search.pinyin import UNKNOWN
from search.text import Tokeniser
from search.types import LOCALES, Article

_LONGEST = 100
"""Columns of a question that is offered: three lines on a phone. Nobody types a whole story."""
_SYLLABLE = re.compile("[a-z]+")


def write_completions(
    folder: Path, articles: Sequence[Article], tokeniser: Tokeniser, *, cache: Path | None = None
) -> None:
    """Write the tables of every language into a new folder, then see that they can be opened.

    With the path of a cache, only texts of articles whose title or questions have changed since
    the last run are normalised, cut and spelt.
    """
    folder.mkdir(parents=True)
    prepared = _prepared(articles, tokeniser, cache)
    for locale in LOCALES:
        entries = [
            (Entry(text, Kind.QUESTION if number else Kind.TITLE, row), made)
            for row, article in enumerate(articles)
            if article.locale == locale
            for number, (text, made) in enumerate(zip(_texts(article), prepared[row], strict=True))
            if made is not None
        ]
        path = folder / table_name(locale)
        assemble_table(entries).save(path)
        CompletionTable.open(path)


def _texts(article: Article) -> tuple[str, ...]:
    return (article.title, *article.questions)


def _prepared(
    articles: Sequence[Article], tokeniser: Tokeniser, cache: Path | None
) -> list[tuple[Prepared | None, ...]]:
    """The title and the questions of each article, None for what is too long to be offered."""

    def make(article: Article) -> tuple[Prepared | None, ...]:
        return tuple(
            prepare(text, tokeniser, spell_in_context)
            if not number or columns(text) <= _LONGEST
            else None
            for number, text in enumerate(_texts(article))
        )

    if cache is None:
        return [make(article) for article in articles]
    keys = [hashlib.sha256(msgspec.json.encode(_texts(article))).digest() for article in articles]
    with BlobCache(cache, version=version_with(tokeniser.words)) as blobs:
        found = blobs.complete(
            keys, lambda rows: (msgspec.msgpack.encode(make(articles[row])) for row in rows)
        )
    decode = msgspec.msgpack.Decoder(tuple[Prepared | None, ...]).decode
    return [decode(blob) for blob in found]


def columns(text: str) -> int:
    """The width of a text, a Han character counting two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def spell_in_context(han: str) -> list[str]:
    """A syllable for each Han character, read as its neighbours demand: 银行 is `yin hang`."""
    from pypinyin.seg.mmseg import seg  # 0.3 s and 50 MB, so only where Chinese is published

    found = [syllable for word in seg.cut(han) for syllable in _spell_word(word)]
    return found if len(found) == len(han) else [UNKNOWN] * len(han)


@lru_cache(maxsize=100_000)
def _spell_word(word: str) -> tuple[str, ...]:
    from pypinyin import Style, lazy_pinyin

    found: list[str] = []
    for syllable in lazy_pinyin(word, style=Style.NORMAL, errors=lambda rare: UNKNOWN * len(rare)):
        known = _SYLLABLE.fullmatch(syllable) is not None
        found += [syllable] if known else [UNKNOWN] * max(1, syllable.count(UNKNOWN))
    return tuple(found)
