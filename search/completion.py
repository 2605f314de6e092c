"""Completes what a reader is typing: titles, listed questions and popular past questions."""

from __future__ import annotations

import dataclasses
import heapq
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from search.catalogue import Catalogue
from search.completion_compile import Entry, compile_table
from search.completion_marks import Marks, mark_parts, mark_slips, mark_spelt, mark_start
from search.completion_table import CompletionTable, Found, Kind
from search.errors import IndexDamaged
from search.pinyin import UNKNOWN, spell, usual_readings
from search.text import Token, Tokeniser, guess_locale
from search.typed import Part, Typed, take_apart
from search.types import LOCALES

MOST = 20
"""Completions one lookup gives at most."""
_FEW = 3
"""Fewer than these, and other languages and slips of the finger are looked at as well."""
_SHARE = {Kind.TITLE: 1, Kind.QUESTION: 2}  # of one article
_EXAMINED = 2000  # entries of one way of matching
_PUNCTUATION = " .,;:!?…。，、；：！？\"'“”‘’()（）"


def table_name(locale: str) -> str:
    """The file of a language's table in a generation's completion folder."""
    return f"{locale}.arrays"


@dataclass(frozen=True, slots=True)
class Completion:
    """One way to go on; `path` leads to the article, and is None for a past question.

    `highlight` marks what was typed, in characters of `text`.
    """

    text: str
    kind: Kind
    locale: str
    path: str | None
    highlight: Marks


@dataclass(frozen=True, slots=True)
class PastQuestion:
    """A question as it was asked, and how many visitors asked it."""

    text: str
    visitors: int


@dataclass(frozen=True, slots=True)
class PastQuestions:
    """Popular past questions, compiled like a generation's own entries."""

    tables: dict[str, CompletionTable] = field(default_factory=dict)
    version: str = "0"
    """Changes whenever the questions do, and is the same in every process that has the same."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of matching: what it finds in a table, and what of a text it marks."""

    find: Callable[[CompletionTable], Found]
    mark: Callable[[CompletionTable, int], Marks]


class Completer:
    """Looks beginnings up in the tables of one generation, which are mapped when first needed.

    Safe to share between threads.
    """

    def __init__(
        self, folder: Path, catalogue: Catalogue, tokeniser: Tokeniser, *, generation: str
    ) -> None:
        if not folder.is_dir():
            raise IndexDamaged(f"{folder}: is not there; run `kb index --rebuild`")
        self.generation = generation
        self._folder = folder
        self._catalogue = catalogue
        self._tokeniser = tokeniser
        self._tables: dict[str, CompletionTable] = {}
        self._opening = threading.Lock()

    def compile_past(self, questions: Iterable[PastQuestion]) -> PastQuestions:
        """Compile past questions, each in the language it is written in."""
        entries: dict[str, list[Entry]] = {locale: [] for locale in LOCALES}
        for question in questions:
            entry = Entry(question.text, Kind.POPULAR, popularity=question.visitors)
            entries[guess_locale(question.text)].append(entry)
        tables = {
            locale: compile_table(own, self._tokeniser, usual_readings)
            for locale, own in entries.items()
            if own
        }
        version = f"{zlib.crc32(repr(entries).encode()):08x}" if tables else "0"
        return PastQuestions(tables, version)

    def complete(
        self, text: str, *, locale: str, limit: int = 8, past: PastQuestions | None = None
    ) -> list[Completion]:
        """At most `limit` completions for a reader of `locale`, best first.

        Raises `QueryRejected` for a text beyond the length that is searched, and `IndexDamaged`.
        """
        typed = take_apart(text)
        picked = _Picked(self._catalogue, limit)
        own, *others = sorted(LOCALES, key=lambda language: language != locale)
        few = min(_FEW, limit)
        exactly = _exactly(typed)
        self._fill(picked, exactly, [own], past)
        if len(picked.completions) < few:
            self._fill(picked, exactly, others, past)
        if len(picked.completions) < few:
            forgivingly = self._forgivingly(typed)
            self._fill(picked, forgivingly, [own], past)
            if not picked.completions:
                self._fill(picked, forgivingly, others, past)
        return picked.completions

    def _fill(
        self,
        picked: _Picked,
        ways: Sequence[_Way],
        languages: Sequence[str],
        past: PastQuestions | None,
    ) -> None:
        for language in languages:
            tables = [self._table(language)]
            if past and language in past.tables:
                tables.append(past.tables[language])
            for way in ways:
                if not picked.full:
                    _pick(picked, way, language, tables)

    def _forgivingly(self, typed: Typed) -> list[_Way]:
        """Chinese words apart, slips in other words, Chinese in characters that sound alike."""
        apart = self._apart(typed)
        ways = [_holding(apart)] if apart != typed else []
        ways.append(
            _Way(
                lambda table: table.misspelt(typed),
                lambda table, entry: mark_slips(table.text(entry), typed),
            )
        )
        if sum(len(part.text) for part in typed.parts if part.han) > 1:
            letters = spell(typed.normalised, usual_readings).lower()
            if UNKNOWN not in letters:
                ways.append(_spelling(letters, by_initials=False))
        return ways

    def _apart(self, typed: Typed) -> Typed:
        """Chinese cut into words: 退款到账 is then found in 退款多久到账."""
        parts: list[Part] = []
        for part in typed.parts:
            words = list(self._tokeniser.tokens(part.text)) if part.han else []
            shortest = [word for word in words if not any(_covers(word, other) for other in words)]
            parts += [Part(w.text, True, part.start + w.start) for w in shortest] or [part]
        return dataclasses.replace(typed, parts=tuple(parts))

    def _table(self, language: str) -> CompletionTable:
        if language not in self._tables:
            with self._opening:
                if language not in self._tables:
                    self._tables[language] = self._open(language)
        return self._tables[language]

    def _open(self, language: str) -> CompletionTable:
        path = self._folder / table_name(language)
        table = CompletionTable.open(path)
        if table.size and int(np.max(table.articles)) >= len(self._catalogue):
            raise IndexDamaged(
                f"{path}: names articles that are not there; run `kb index --rebuild`"
            )
        return table


def _exactly(typed: Typed) -> list[_Way]:
    return [
        _Way(
            lambda table: table.starting(typed),
            lambda table, entry: mark_start(table.text(entry), typed),
        ),
        _holding(typed),
        _spelling(typed.letters, by_initials=True),
    ]


def _holding(typed: Typed) -> _Way:
    return _Way(
        lambda table: table.holding(typed),
        lambda table, entry: mark_parts(table.text(entry), typed),
    )


def _covers(word: Token, other: Token) -> bool:
    return word.start <= other.start and other.end <= word.end and other != word


def _spelling(letters: str, *, by_initials: bool) -> _Way:
    return _Way(
        lambda table: table.spelt(letters, by_initials=by_initials),
        lambda table, entry: mark_spelt(
            table.text(entry), table.key(entry), table.spelling(entry), letters
        ),
    )


class _Picked:
    """What is shown: no text twice, and of one article only a share, whatever the language."""

    def __init__(self, catalogue: Catalogue, limit: int) -> None:
        self.completions: list[Completion] = []
        self._catalogue = catalogue
        self._limit = limit
        self._texts: set[str] = set()
        self._of_article: Counter[tuple[str, Kind]] = Counter()

    @property
    def full(self) -> bool:
        return len(self.completions) >= self._limit

    def offer(self, table: CompletionTable, entry: int, language: str, way: _Way) -> None:
        kind, row = Kind(table.kinds[entry]), table.articles[entry]
        bare = table.key(entry).strip(_PUNCTUATION)
        article = self._catalogue.at(row) if row >= 0 else None
        share = (article.id, kind) if article else None
        if bare in self._texts or (share and self._of_article[share] >= _SHARE[kind]):
            return
        self._texts.add(bare)
        if share:
            self._of_article[share] += 1
        self.completions.append(
            Completion(
                text=table.text(entry),
                kind=kind,
                locale=language,
                path=article.path if article else None,
                highlight=way.mark(table, entry),
            )
        )


def _pick(picked: _Picked, way: _Way, language: str, tables: list[CompletionTable]) -> None:
    """Offer what one way finds in a generation's own table and that of past questions."""
    own = tables[0]
    merged = heapq.merge(*(_ranked(n, table, way.find(table)) for n, table in enumerate(tables)))
    for _grade, _rank, number, entry in islice(merged, _EXAMINED):
        listed = own.find(tables[number].key(entry)) if number else None
        if listed is not None:  # asked as an editor has written it: that one leads to an article
            picked.offer(own, listed, language, way)
        else:
            picked.offer(tables[number], entry, language, way)
        if picked.full:
            return


def _ranked(
    number: int, table: CompletionTable, found: Found
) -> Iterator[tuple[int, tuple[int, int, int, str], int, int]]:
    """Grade, rank, number of the table, entry: in the order of preference."""
    for value in _ascending(found):
        grade, entry = divmod(value, table.size)
        yield grade, table.rank(entry), number, entry


def _ascending(found: Found) -> Iterator[int]:
    """The distinct numbers in order; only as many are sorted as are taken, or little more."""
    last = -1
    for count in (64, 1024, len(found)):
        least = np.partition(found, count)[:count] if count < len(found) else found
        for value in np.unique(least).tolist():
            if value > last:
                yield value
        if count >= len(found):
            return
        last = int(least.max())
