"""The published articles by path, section and translation: what pages are made of."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from search.records import RecordFile
from search.taxonomy import Label, Taxonomy
from search.types import Article, Heading, PolicyClause, Source

_RELATED = 5


class Catalogue:
    """All articles of one generation. Row numbers are those of the article table."""

    def __init__(
        self, records: RecordFile, taxonomy: Taxonomy, related: Sequence[Sequence[int]] = ()
    ) -> None:
        self.taxonomy = taxonomy
        self._records = records
        self._related = related
        self._articles = [
            article_from_dict({**records[row], "html": ""}) for row in range(len(records))
        ]
        self._row = {(a.locale, a.id): row for row, a in enumerate(self._articles)}
        self._by_path = {a.path: row for row, a in enumerate(self._articles)}
        self._moved = {
            old: a.path for a in self._articles for old in a.redirect_from if old != a.path
        }
        self._by_section: Mapping[tuple[str, str], list[int]] = defaultdict(list)
        for row, article in enumerate(self._articles):
            self._by_section[article.locale, article.section].append(row)

    def __len__(self) -> int:
        return len(self._articles)

    def __iter__(self) -> Iterator[Article]:
        """Every article, without its HTML."""
        return iter(self._articles)

    def at(self, row: int) -> Article:
        """The article of a row, without its HTML."""
        return self._articles[row]

    def get(self, locale: str, article_id: str) -> Article | None:
        """An article without its HTML, or None."""
        row = self._row.get((locale, article_id))
        return None if row is None else self._articles[row]

    def by_path(self, path: str) -> Article | None:
        """The complete article at a path such as `/en/refunds/refund-timing`, or None."""
        row = self._by_path.get(path)
        return None if row is None else article_from_dict(self._records[row])

    def moved_to(self, path: str) -> str | None:
        """The present path of an article that used to be at `path` (`redirect_from`)."""
        return self._moved.get(path)

    def translations(self, article_id: str) -> dict[str, Article]:
        """The same article in every language it exists in."""
        return {a.locale: a for a in self._articles if a.id == article_id}

    def sections(self, locale: str) -> list[tuple[Label, list[Article]]]:
        """Sections that have articles in this language, in the taxonomy's order."""
        return [
            (label, [self._articles[row] for row in rows])
            for key, label in self.taxonomy.sections.items()
            if (rows := self._by_section.get((locale, key)))
        ]

    def related(self, article: Article, *, limit: int = _RELATED) -> list[Article]:
        """Nearest articles in the same language, nearest first; computed when publishing."""
        row = self._row.get((article.locale, article.id))
        if row is None or row >= len(self._related):
            return []
        return [self._articles[other] for other in self._related[row][:limit]]


def article_to_dict(article: Article) -> dict[str, Any]:
    """A JSON-ready form; `article_from_dict` reads it back."""
    data = dataclasses.asdict(article)
    for key in ("updated", "verified_on", "review_by"):
        data[key] = data[key].isoformat()
    for source in data["sources"]:
        source["verified_on"] = source["verified_on"].isoformat()
    return data


def article_from_dict(data: Mapping[str, Any]) -> Article:
    fields = dict(data)
    for key in ("updated", "verified_on", "review_by"):
        fields[key] = date.fromisoformat(fields[key])
    for key in ("tags", "reasons", "platforms", "questions", "redirect_from"):
        fields[key] = tuple(fields[key])
    fields["headings"] = tuple(Heading(**heading) for heading in fields["headings"])
    fields["policy"] = tuple(_clause(clause) for clause in fields["policy"])
    fields["sources"] = tuple(
        Source(**{**source, "verified_on": date.fromisoformat(source["verified_on"])})
        for source in fields["sources"]
    )
    return Article(**fields)


def _clause(data: Mapping[str, Any]) -> PolicyClause:
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return PolicyClause(**fields)
