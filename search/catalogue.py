"""The published articles by path, section and translation: what pages are made of."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from search.errors import IndexDamaged
from search.records import RecordFile
from search.taxonomy import Label, Taxonomy
from search.types import Article

_RELATED = 5
_REMEMBERED = 1000  # articles
_SAMPLED = 400  # articles
_ARTICLES = msgspec.json.Decoder(Article)


@dataclass(frozen=True, slots=True)
class Columns:
    """What articles are found by, row by row: small enough to be in memory for all of them."""

    ids: Sequence[str]
    locales: Sequence[str]
    sections: Sequence[str]
    slugs: Sequence[str]
    moved: Mapping[str, int]
    """Former paths to rows."""

    @classmethod
    def of(cls, articles: Iterable[Article]) -> Columns:
        """The columns of articles in row order."""
        known = list(articles)
        return cls(
            [article.id for article in known],
            [article.locale for article in known],
            [article.section for article in known],
            [article.slug for article in known],
            {old: row for row, article in enumerate(known) for old in article.redirect_from},
        )

    def save(self, path: Path) -> None:
        """Write them as JSON."""
        path.write_text(json.dumps(dataclasses.asdict(self), ensure_ascii=False), "utf-8")

    @classmethod
    def open(cls, path: Path) -> Columns:
        """Read what `save` wrote. Raises `IndexDamaged`."""
        try:
            columns = cls(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise IndexDamaged(
                f"{path}: cannot be read ({error}); run `kb index --rebuild`"
            ) from error
        return columns

    def path(self, row: int) -> str:
        """Where readers find the article of a row."""
        return f"/{self.locales[row]}/{self.sections[row]}/{self.slugs[row]}"


class Catalogue:
    """All articles of one generation. Row numbers are those of the article table.

    Articles are read when somebody asks for them; the last few stay in memory.
    """

    def __init__(
        self,
        records: RecordFile,
        taxonomy: Taxonomy,
        related: Sequence[Sequence[int]] | npt.NDArray[np.int32] = (),
        columns: Columns | None = None,
    ) -> None:
        self.taxonomy = taxonomy
        self._records = records
        self._related = related
        self.at = lru_cache(maxsize=_REMEMBERED)(self._at)
        self.columns = columns or Columns.of(self._at(row) for row in range(len(records)))
        if len(self.columns.ids) != len(records):
            raise IndexDamaged(
                f"catalogue.json: {len(self.columns.ids)} articles, {len(records)} expected; "
                "run `kb index --rebuild`"
            )

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Article]:
        """Every article, without its HTML."""
        return map(self.at, range(len(self)))

    def _at(self, row: int) -> Article:
        """The article of a row, without its HTML."""
        return dataclasses.replace(self._records.read(row, _ARTICLES), html="")

    @cached_property
    def rows(self) -> Mapping[str, Sequence[int]]:
        """The rows of each article's translations, by its id."""
        found: dict[str, list[int]] = defaultdict(list)
        for row, article_id in enumerate(self.columns.ids):
            found[article_id].append(row)
        return found

    @cached_property
    def _by_path(self) -> Mapping[str, int]:
        return {self.columns.path(row): row for row in range(len(self))}

    @cached_property
    def _by_section(self) -> Mapping[tuple[str, str], Sequence[int]]:
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        columns = self.columns
        for row, key in enumerate(zip(columns.locales, columns.sections, strict=True)):
            found[key].append(row)
        return found

    @cached_property
    def platform_shares(self) -> Mapping[str, float]:
        """The share of the articles, 0 to 1, that is about each platform, from a sample of them."""
        rows = range(0, len(self), max(1, len(self) // _SAMPLED))
        counts = Counter(platform for row in rows for platform in self._at(row).platforms)
        return {platform: count / len(rows) for platform, count in counts.items()}

    def in_language(self, row: int, locale: str) -> int:
        """The row of the same article in another language, or the row itself without one."""
        columns = self.columns
        if columns.locales[row] == locale:
            return row
        rows = self.rows[columns.ids[row]]
        return next((other for other in rows if columns.locales[other] == locale), row)

    def _row(self, locale: str, article_id: str) -> int | None:
        rows = self.rows.get(article_id, ())
        return next((row for row in rows if self.columns.locales[row] == locale), None)

    def get(self, locale: str, article_id: str) -> Article | None:
        """An article without its HTML, or None."""
        row = self._row(locale, article_id)
        return None if row is None else self.at(row)

    def by_path(self, path: str) -> Article | None:
        """The complete article at a path such as `/en/refunds/refund-timing`, or None."""
        row = self._by_path.get(path)
        return None if row is None else self._records.read(row, _ARTICLES)

    def moved_to(self, path: str) -> str | None:
        """The present path of an article that used to be at `path` (`redirect_from`)."""
        row = self.columns.moved.get(path)
        present = None if row is None else self.columns.path(row)
        return present if present != path else None

    def translations(self, article_id: str) -> dict[str, Article]:
        """The same article in every language it exists in."""
        return {self.columns.locales[row]: self.at(row) for row in self.rows.get(article_id, ())}

    def sections(self, locale: str) -> list[tuple[Label, list[Article]]]:
        """Sections that have articles in this language, in the taxonomy's order."""
        return [
            (label, [self.at(row) for row in rows])
            for key, label in self.taxonomy.sections.items()
            if (rows := self._by_section.get((locale, key)))
        ]

    def related(self, article: Article, *, limit: int = _RELATED) -> list[Article]:
        """Nearest articles in the same language, nearest first; computed when publishing."""
        row = self._row(article.locale, article.id)
        if row is None or row >= len(self._related):
            return []
        return [self.at(int(other)) for other in self._related[row][:limit] if other >= 0]


def article_to_dict(article: Article) -> dict[str, Any]:
    """A JSON-ready form of what `Catalogue` reads."""
    data = dataclasses.asdict(article)
    for key in ("updated", "verified_on", "review_by"):
        data[key] = data[key].isoformat()
    for source in data["sources"]:
        source["verified_on"] = source["verified_on"].isoformat()
    return data
