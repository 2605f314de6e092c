"""Writes the completion tables of a generation: titles and listed questions of every article."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from unicodedata import east_asian_width

import msgspec

from indexer.blob_cache import BlobCache
from indexer.fingerprint import version_of
from indexer.readings import spell_in_context
from search.completion import table_name
from search.completion_compile import Entry, Prepared, assemble_table, prepare
from search.completion_table import CompletionTable, Kind
from search.text import Tokeniser
from search.types import LOCALES, Article

MODULES = (
    "indexer.completion", "indexer.readings", "search.array_file", "search.completion_compile",
    "search.completion_table", "search.errors", "search.lines", "search.pinyin", "search.slips",
    "search.suffixes", "search.text", "search.typed",
)  # fmt: skip
"""What the tables kept in a cache were made by."""
_LONGEST = 100
"""Columns of a question that is offered: three lines on a phone. Nobody types a whole story."""
_Prepared = tuple[Prepared | None, ...]
"""The title and the questions of an article, None for what is too long to be offered."""
_DECODER = msgspec.msgpack.Decoder(_Prepared)


def write_completions(
    folder: Path, articles: Sequence[Article], tokeniser: Tokeniser, *, cache: Path | None = None
) -> None:
    """Write the tables of every language into a new folder, then see that they can be opened.

    With the path of a cache, a language of which no title or question has changed or moved gets
    the table it had, and of another only texts that are new are normalised, cut and spelt.
    """
    folder.mkdir(parents=True)
    rows = {
        locale: [row for row, article in enumerate(articles) if article.locale == locale]
        for locale in LOCALES
    }
    if cache is None:
        for locale, own in rows.items():
            made = [_prepare(articles[row], tokeniser) for row in own]
            _table(articles, own, made).save(folder / table_name(locale))
    else:
        with BlobCache(cache, version=version_of(MODULES, tokeniser.words)) as blobs:
            tables = _Tables(articles, tokeniser, blobs)
            for locale, own in rows.items():
                tables.write(own, folder / table_name(locale))
            tables.keep()
    for locale in LOCALES:
        CompletionTable.open(folder / table_name(locale))


class _Tables:
    """Makes tables of what a cache knows and keeps what was made."""

    def __init__(self, articles: Sequence[Article], tokeniser: Tokeniser, blobs: BlobCache) -> None:
        self._articles, self._tokeniser, self._blobs = articles, tokeniser, blobs
        self._known = blobs.load()
        self._new: dict[bytes, bytes] = {}
        self._used: set[bytes] = set()

    def write(self, rows: Sequence[int], path: Path) -> None:
        """Write the table of the articles in some rows."""
        keys = {row: _digest(msgspec.json.encode(_texts(self._articles[row]))) for row in rows}
        whole = _digest(b"".join(b"%d %b" % item for item in keys.items()))
        self._used.update(keys.values(), [whole])
        if whole in self._known:
            path.write_bytes(self._known[whole])
            return
        made = [self._prepared(row, key) for row, key in keys.items()]
        _table(self._articles, rows, made).save(path)
        self._new[whole] = path.read_bytes()

    def keep(self) -> None:
        """Keep what was made and what of the rest was used."""
        self._blobs.update(self._new, self._known.keys() - self._used)

    def _prepared(self, row: int, key: bytes) -> _Prepared:
        if key in self._known:
            return _DECODER.decode(self._known[key])
        made = _prepare(self._articles[row], self._tokeniser)
        self._new[key] = msgspec.msgpack.encode(made)
        return made


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _texts(article: Article) -> tuple[str, ...]:
    return (article.title, *article.questions)


def _prepare(article: Article, tokeniser: Tokeniser) -> _Prepared:
    return tuple(
        prepare(text, tokeniser, spell_in_context)
        if not number or columns(text) <= _LONGEST
        else None
        for number, text in enumerate(_texts(article))
    )


def _table(
    articles: Sequence[Article], rows: Sequence[int], prepared: Sequence[_Prepared]
) -> CompletionTable:
    return assemble_table(
        (Entry(text, Kind.QUESTION if number else Kind.TITLE, row), made)
        for row, texts in zip(rows, prepared, strict=True)
        for number, (text, made) in enumerate(zip(_texts(articles[row]), texts, strict=True))
        if made is not None
    )


def columns(text: str) -> int:
    """The width of a text, a Han character counting two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
