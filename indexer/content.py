"""What goes into a generation, before any engine has seen it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexer.articles import Library
from search.synonyms import Rule
from search.taxonomy import Taxonomy
from search.types import Article, Passage

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, what is done and what there is to do."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """The progress of a build nobody watches."""


@dataclass(frozen=True, slots=True)
class Content:
    """Articles and their passages, in row order, and what the whole site shares."""

    articles: tuple[Article, ...]
    passages: tuple[Passage, ...]
    passage_article: tuple[int, ...]
    taxonomy: Taxonomy
    words: tuple[str, ...]
    gone: tuple[str, ...]
    synonyms: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    outside: tuple[tuple[str, ...], ...] = ()
    """Questions no article answers, by topic."""
    keys: tuple[str, ...] = ()
    """A digest of each article and its passages, by which what has changed is told; none where
    nothing is compared."""

    def passages_by_article(self) -> list[list[int]]:
        """Rows of the passages of each article, in order; every article has at least one."""
        rows: list[list[int]] = [[] for _ in self.articles]
        for row, owner in enumerate(self.passage_article):
            rows[owner].append(row)
        return rows

    def only(self, articles: Sequence[int]) -> list[tuple[Article, list[Passage]]]:
        """Some articles, given by row, with their passages."""
        rows = self.passages_by_article()
        return [
            (self.articles[row], [self.passages[passage] for passage in rows[row]])
            for row in articles
        ]

    def site(self) -> dict[str, Any]:
        """What the whole site shares, as `site.json` holds it."""
        return {
            "taxonomy": self.taxonomy.to_dict(),
            "words": list(self.words),
            "gone": list(self.gone),
            "synonyms": {
                locale: [[list(rule.phrases), list(rule.targets)] for rule in rules]
                for locale, rules in self.synonyms.items()
            },
            "outside": [list(topic) for topic in self.outside],
        }


def gather(library: Library) -> Content:
    """Every published article with its passages, in the order of the files."""
    files = library.published
    gone = [path for f in library.archived for path in (f.site_path, *f.article.redirect_from)]
    return Content(
        tuple(file.article for file in files),
        tuple(passage for file in files for passage in file.passages),
        tuple(row for row, file in enumerate(files) for _ in file.passages),
        library.taxonomy,
        library.words,
        tuple(gone),
        library.synonyms,
        tuple(topic.questions for found in library.outside.values() for topic in found.topics),
        tuple(file.key for file in files),
    )
