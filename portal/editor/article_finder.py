"""Finds the article an editor means, by its id, its address, words of its title or what it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portal.drafts.find import Listed, listed
from portal.services import services
from search.errors import KnowledgeBaseError
from search.text import normalise
from search.types import LOCALES, Article

LONGEST = 200
"""Characters of what is looked for."""
_MOST = 10
_BY_TEXT = 4  # of each language, of what the search finds


@dataclass(frozen=True, slots=True)
class Choice:
    """An article to choose: its file need not be published."""

    locale: str
    id: str
    title: str
    section: str
    status: str = "published"

    @property
    def key(self) -> str:
        return f"{self.locale}:{self.id}"


def choice(article: Article) -> Choice:
    """A published article."""
    return Choice(article.locale, article.id, article.title, article.section)


def find_articles(text: str) -> list[Choice]:
    """At most ten in both languages: those so named, then those that say so."""
    text = text.strip()[:LONGEST]
    words = normalise(text).split()
    if not words:
        return []
    files = [one for one in listed(services().proof.root) if one.id and one.status != "archived"]
    exact = [one for one in files if _is_named(one, text)]
    named = [one for one in files if all(word in _names(one) for word in words)]
    found = {one.key: one for one in map(_of_file, [*exact, *named])}
    for locale in LOCALES:
        for one in by_text(text, locale):
            found.setdefault(one.key, one)
    return list(found.values())[:_MOST]


def by_text(text: str, locale: str, *, limit: int = _BY_TEXT) -> Iterable[Choice]:
    """What the search finds for a text in one language."""
    try:
        results = services().library.search(text, locale=locale, limit=limit).results
    except KnowledgeBaseError:
        return []  # too long a text, or no index: the names will do
    return [choice(result.article) for result in results if result.article.locale == locale]


def _is_named(file: Listed, text: str) -> bool:
    """Whether a text is an id, with its language or without, a path or an address of the file."""
    path = str(file.path).removesuffix(".md")
    return text.rstrip("/").endswith(f"/{path}") or text in (
        file.id, f"{file.path.locale}:{file.id}", path, f"{path}.md",
    )  # fmt: skip


def _names(file: Listed) -> str:
    return normalise(f"{file.title} {file.id} {file.path.slug}")


def _of_file(file: Listed) -> Choice:
    title = file.title or file.path.slug
    return Choice(file.path.locale, file.id, title, file.path.section, file.status)
