"""Writes the completion tables of a generation: titles and listed questions of every article."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from unicodedata import east_asian_width

from search.completion import table_name
from search.completion_compile import Entry, compile_table
from search.completion_table import CompletionTable, Kind
from search.pinyin import UNKNOWN
from search.text import Tokeniser
from search.types import LOCALES, Article

_LONGEST = 100
"""Columns of a question that is offered: three lines on a phone. Nobody types a whole story."""
_SYLLABLE = re.compile("[a-z]+")


def write_completions(folder: Path, articles: Sequence[Article], tokeniser: Tokeniser) -> None:
    """Write the tables of every language into a new folder, then see that they can be opened."""
    folder.mkdir(parents=True)
    for locale in LOCALES:
        entries = [
            Entry(text, kind, row)
            for row, article in enumerate(articles)
            if article.locale == locale
            for kind, texts in (
                (Kind.TITLE, (article.title,)),
                (Kind.QUESTION, article.questions),
            )
            for text in texts
            if kind is Kind.TITLE or columns(text) <= _LONGEST
        ]
        path = folder / table_name(locale)
        compile_table(entries, tokeniser, spell_in_context).save(path)
        CompletionTable.open(path)


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
